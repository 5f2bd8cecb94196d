import { z } from 'zod';
import { isTarget } from '../jobs/allow-list.ts';

const flag = (byDefault: 'on' | 'off') =>
  z
    .enum(['on', 'off'])
    .default(byDefault)
    .transform((v) => v === 'on');
const count = (byDefault: number, least = 1, most = Number.MAX_SAFE_INTEGER) =>
  z.coerce.number().int().min(least).max(most).default(byDefault);
const list = z
  .string()
  .default('')
  .transform((v) =>
    v
      .split(',')
      .map((s) => s.trim())
      .filter((s) => s !== ''),
  );

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/**
 * Every setting, by the name of its environment variable, with its default and what it does. Sizes are bytes, durations seconds unless
 * the name or the text says otherwise. `docs/configuration.md` is written from this table.
 */
export const settingsTable = z.object({
  DMP_MODE: z
    .enum(['sandbox', 'production'])
    .default('sandbox')
    .describe(
      '`sandbox`: invented people, own keys, test INS. `production`: refuses sandbox keys, test and demo INS OIDs, plain HTTP without a stated TLS front, and missing secrets.',
    ),
  DMP_HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  DMP_PORT: count(8080, 0, 65535).describe('Port to listen on; 0 takes a free one and prints it.'),
  DMP_DATA: z
    .string()
    .min(1)
    .default('./data')
    .describe('Folder of the embedded store, of the documents and of the sandbox keys.'),
  DMP_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:8080')
    .transform((v) => v.replace(/\/+$/, ''))
    .describe(
      'Base of every absolute link that the server writes, and the audience of tokens (`…/fhir`). Unset, it follows `DMP_PORT`. Never taken from the request.',
    ),
  DMP_STORE: z
    .string()
    .default('embedded')
    .refine((v) => v === 'embedded', { error: 'only `embedded` is built yet' })
    .describe('Where metadata live: `embedded`.'),
  DMP_QUEUE: z
    .string()
    .default('embedded')
    .refine((v) => v === 'embedded', { error: 'only `embedded` is built yet' })
    .describe('Where jobs wait: `embedded`.'),
  DMP_DOMAIN: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$|\.json$/)
    .default('dmp')
    .describe(
      'The affinity domain (docs/domains.md): `dmp` (INS identities, CI-SIS code lists, VIHF required), `open` (any assigning authority, codes unchecked, no credential asked for; sandbox mode only), or the path of a file of your own that ends in `.json`.',
    ),
  DMP_REGIME: z
    .enum(['2011', '2022'])
    .default('2011')
    .describe(
      '`2011`: opt-in, an authorisation is needed to read and to deposit. `2022`: opened automatically, depositing is free, a hidden result opens by itself. Sets the single switches below.',
    ),
  DMP_MLLP_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .optional()
    .describe(
      'Port for HL7 version 2 messages over MLLP (docs/feeds.md); unset: none; 0 takes a free one and logs it.',
    ),
  DMP_MLLP_HOST: z.string().min(1).optional().describe('Address to listen on for MLLP. Default: `DMP_HOST`.'),
  DMP_MLLP_SENDERS: z
    .string()
    .min(1)
    .optional()
    .describe(
      'JSON file of the senders of HL7 version 2 messages (docs/feeds.md). Sandbox: its own structures besides.',
    ),
  DMP_MLLP_MAX_MESSAGE: count(32 * MiB, KiB).describe('Largest message over MLLP.'),
  DMP_MLLP_MAX_WAITING: count(128 * MiB, KiB).describe('Most bytes of messages over MLLP that are under way together.'),
  DMP_MLLP_CONNECTIONS: count(64).describe('Most connections over MLLP.'),
  DMP_MLLP_IDLE: count(600, 5, 86_400).describe('Longest silence between two messages of one connection over MLLP.'),
  DMP_SYSTEMS: z
    .string()
    .min(1)
    .optional()
    .describe(
      'JSON file of the partners’ systems and their rights (docs/systems.md). Unset: none. Sandbox: `regie` besides, with every right.',
    ),
  DMP_ACTIVITIES: z
    .string()
    .min(1)
    .optional()
    .describe(
      'JSON file that says in which structures professionals work (docs/systems.md). A structure that a professional names with a card that does not, and that is neither his own practice nor listed, gives him no rights. Sandbox: its own people besides.',
    ),
  DMP_WEB_THREADS: count(2, 1, 16).describe(
    'Web threads under load. One runs at rest; the others start at the first sign of load.',
  ),
  DMP_TLS_FRONT: z
    .url({ protocol: /^https$/ })
    .optional()
    .describe('Production: the https address of the TLS front before this server.'),
  DMP_MASTER_KEY_FILE: z
    .string()
    .optional()
    .describe(
      'File with the master key (32 bytes as 64 hexadecimal digits) that wraps the keys of records. Sandbox: made in `DMP_DATA`. Production: required.',
    ),
  DMP_LINK_KEY_FILE: z
    .string()
    .optional()
    .describe('File with the key (64 hexadecimal digits) that signs page links. Default: made in `DMP_DATA`.'),
  DMP_TRUST_STORE: z
    .string()
    .optional()
    .describe(
      'PEM file of the certificate authorities whose certificates may sign a VIHF. Sandbox: its own authority. Production: required (IGC-Santé).',
    ),
  DMP_TRUST_CRL: z.string().optional().describe('PEM file of revocation lists of those authorities.'),
  DMP_VIHF_SHA1: flag('off').describe('`on` accepts assertions signed with SHA-1, as old software sends them.'),
  DMP_VIHF_SKEW: count(120, 0, 600).describe('Tolerated difference between clocks, for assertions.'),
  DMP_VIHF_MAX_AGE: count(300, 30, 3600).describe(
    'Oldest IssueInstant of an assertion without its own validity window.',
  ),
  DMP_TOKEN_ISSUER: z
    .string()
    .optional()
    .describe(
      'Issuer (`iss`) of bearer tokens of our own kind. Sandbox: its own authorisation server, `<DMP_PUBLIC_URL>/auth`, which is off when this is set.',
    ),
  DMP_TOKEN_JWKS: z
    .string()
    .optional()
    .describe('File, or https address, of the public keys (JWKS) of `DMP_TOKEN_ISSUER`. Sandbox: its own.'),
  DMP_TOKEN_ISSUERS: z
    .string()
    .min(1)
    .optional()
    .describe(
      'JSON file of issuers of bearer tokens (docs/oauth.md), Pro Santé Connect among them; those of `DMP_TOKEN_ISSUER`, or of the sandbox, come besides. Production: this or `DMP_TOKEN_ISSUER` is required.',
    ),
  DMP_OAUTH_CLIENTS: z
    .string()
    .min(1)
    .optional()
    .describe(
      'JSON file of clients of the sandbox’s authorisation server (docs/oauth.md), besides its own. Sandbox alone.',
    ),
  DMP_INS_OIDS: list.describe(
    'INS OIDs that are accepted, comma-separated. Sandbox: `1.2.250.1.213.1.4.10`. Production: `1.2.250.1.213.1.4.8,1.2.250.1.213.1.4.9`.',
  ),
  DMP_EMERGENCY_CENTRES: list.describe('Struct_IdNat of the centres 15, comma-separated. Sandbox: `samu-15` besides.'),
  DMP_OCCUPATIONAL_SPECIALTIES: z
    .string()
    .default('SM25,C41,SCH35,CAPA11')
    .transform((v) => v.split(',').map((s) => s.trim()))
    .describe('Specialties (TRE_R01) of occupational doctors.'),
  DMP_REPOSITORY_ID: z
    .string()
    .regex(/^[0-2](\.(0|[1-9]\d*))+$/)
    .default('1.2.250.1.213.4.1.1.1.2')
    .describe('repositoryUniqueId of this repository.'),
  DMP_PUBLISH_SOURCE: z
    .string()
    .regex(/^[0-2](\.(0|[1-9]\d*))+$/)
    .optional()
    .describe('sourceId of the submission sets of documents that come alone (ITI-105). Default: `DMP_REPOSITORY_ID`.'),
  DMP_PUBLISH_CONTENT_TYPE: z
    .string()
    .regex(/^[^^\s]+\^[^^]*\^([0-2](\.(0|[1-9]\d*))+|URN)$/, { error: 'must be code^display^OID' })
    .default('07^Consultations, soins externes^1.2.250.1.213.2.2')
    .describe('contentTypeCode of the submission sets of documents that come alone (ITI-105), as `code^display^OID`.'),
  DMP_ON_DEMAND_SOURCES: list
    .transform((all, context) =>
      all.flatMap((text) => {
        const [repository = '', address = ''] = [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)];
        if (/^[0-2](\.(0|[1-9]\d*))+$/.test(repository) && /^https?:\/\//.test(address) && URL.canParse(address))
          return [{ repository, address }];
        context.addIssue({ code: 'custom', message: `${text} is not OID=http(s) address` });
        return [];
      }),
    )
    .describe(
      'Sources that assemble on-demand documents (ITI-61), comma-separated `repositoryUniqueId=address`. They are called by POST and no other address is. Sandbox: its own besides.',
    ),
  DMP_REPLY_TO: list
    .refine((all) => all.every(isTarget), {
      error: 'must be http or https addresses without credentials, query or fragment',
    })
    .describe(
      'Addresses to which answers may be sent that do not go back on the connection of their request (WS-Addressing ReplyTo and FaultTo), comma-separated `https://host[:port][/path]`: scheme, host and port have to be the same and the path has to begin so. A request that names another address is refused, and no connection is opened. Answers wait in `DMP_DATA` and are tried again for a day.',
    ),
  DMP_MAX_REPLIES: count(1000).describe(
    'Most answers that wait for delivery to addresses of `DMP_REPLY_TO`; beyond it the server answers that it is busy.',
  ),
  DMP_NOTIFY_TO: list
    .refine((all) => all.every(isTarget), {
      error: 'must be http or https addresses without credentials, query or fragment',
    })
    .describe(
      'Addresses of receivers to which notifications of subscriptions may be sent (docs/subscriptions.md), comma-separated as in `DMP_REPLY_TO`. A subscription that names another address is refused. Production: https alone.',
    ),
  DMP_DEPOSIT_NEEDS_AUTHORISATION: z
    .enum(['on', 'off'])
    .optional()
    .describe('Switch of the regime: depositing needs a valid authorisation.'),
  DMP_MASKED_AND_HIDDEN: flag('off').describe('Allows `MASQUE_PS` together with `INVISIBLE_PATIENT` on one document.'),
  DMP_LOT_SIGNATURE: flag('off').describe(
    '`on` refuses submissions (ITI-41, ITI-65) without the signature document of their set. One that is sent is checked either way.',
  ),
  DMP_TRAITS: z
    .enum(['off', 'warn', 'refuse'])
    .default('off')
    .describe(
      'What is done with a deposit whose PID lines (sourcePatientInfo) or CDA headers have another family name, date of birth or gender than the record: nothing, `warn` (ITI-41, ITI-65, ORU and MDM tell it with their success), or `refuse`. The person is the INS either way.',
    ),
  DMP_BREAK_GLASS_REASON: flag('on').describe('A break-glass access without a reason is refused.'),
  DMP_MAX_ROOT: count(16 * MiB, KiB).describe('Largest SOAP part, inline documents not counted.'),
  DMP_MAX_INLINE: count(64 * MiB, KiB).describe(
    'Largest sum of documents that lie in the XML of one message as base64, counted decoded. Larger documents come by MTOM.',
  ),
  DMP_MAX_MESSAGE: count(2 * GiB, KiB).describe('Largest message; one that comes compressed, decompressed too.'),
  DMP_MAX_SPOOLED: count(256 * MiB, KiB).describe(
    'Largest sum of documents that arrive before the SOAP part of their message, hence before their sender is known.',
  ),
  DMP_MAX_PAUSE: count(8, 1, 600).describe('Longest silence of a sender in the middle of a message.'),
  DMP_SLOWEST: count(1024, 1).describe('Slowest sender that is waited for, in bytes per second.'),
  DMP_MAX_PARTS: count(1000).describe('Most MIME parts in one message.'),
  DMP_MAX_PART_HEADERS: count(16 * KiB, 256).describe('Largest headers of one MIME part.'),
  DMP_MAX_ELEMENTS: count(200_000, 100).describe('Most XML elements in one message.'),
  DMP_MAX_ATTRIBUTES: count(95_000, 100).describe('Most XML attributes in one message.'),
  DMP_MAX_DEPTH: count(64, 16).describe('Deepest XML element.'),
  DMP_MAX_BUNDLE_ENTRIES: count(1000, 3).describe('Most entries in one Bundle by FHIR.'),
  DMP_MAX_BUNDLE_TEXT: count(8 * MiB, 64 * KiB).describe(
    'Largest body by FHIR, attachments not counted: strings of more than 16 KiB are attachments.',
  ),
  DMP_MAX_BUNDLE_ATTACHMENTS: count(64 * MiB, KiB).describe(
    'Largest sum of attachments that lie as base64 in one body by FHIR, counted decoded. Larger documents come as raw Binary or by XDS.',
  ),
  DMP_MAX_BINARY: count(2 * GiB, KiB).describe('Largest raw Binary.'),
  DMP_MAX_STAGED: count(8 * GiB, MiB).describe(
    'Largest sum of raw Binaries of one caller that wait for the deposit which names them; each waits for an hour.',
  ),
  DMP_MAX_BATCH_ANSWER: count(32 * MiB, 64 * KiB).describe(
    'Largest sum of what one batch by FHIR answers; an entry beyond it is not done.',
  ),
  DMP_MAX_ENTRIES: count(1000).describe('Most document entries in one submission.'),
  DMP_MAX_RESULTS: count(1000).describe(
    'Most documents that one LeafClass answer holds; beyond it `XDSTooManyResults`.',
  ),
  DMP_INLINE_CONTENT: count(MiB, 64 * KiB).describe(
    'Documents up to this size lie in shared segment files; larger ones in files of their own.',
  ),
  DMP_MAX_WAITING: count(1000, 10).describe(
    'Most changes that wait for the writer; beyond it the server answers that it is busy.',
  ),
  DMP_REQUEST_TIMEOUT: count(1800, 10, 86_400).describe('Longest time that one request may take to arrive.'),
  DMP_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .default('info')
    .describe(
      'What is logged, as JSON lines on standard output. Logs hold no identifiers of patients, names or credentials.',
    ),
});

export type Env = z.infer<typeof settingsTable>;

/** The settings, and in words for the operator what is wrong: a setting that cannot be read has its default here. */
export type ReadEnv = { readonly env: Env; readonly mistakes: readonly string[] };

/** Reads every setting from the environment; unknown `DMP_…` names are mistakes too. */
export function readEnv(environment: NodeJS.ProcessEnv = process.env): ReadEnv {
  const named = Object.entries(environment).filter(([k, v]) => k.startsWith('DMP_') && v !== '' && !clientOnly.has(k));
  const given = [...addressAt(environment['DMP_PORT']), ...named];
  const parsed = settingsTable.strict().safeParse(Object.fromEntries(given));
  if (parsed.success) return { env: parsed.data, mistakes: [] };
  const shape: Readonly<Record<string, z.ZodType>> = settingsTable.shape;
  const sound = given.filter(
    ([name, value]) => Object.hasOwn(shape, name) && shape[name]?.safeParse(value).success === true,
  );
  const mistakes = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  return { env: settingsTable.parse(Object.fromEntries(sound)), mistakes };
}

/** The public address of a server that is told a port alone: the tokens and links of the sandbox follow it. */
function addressAt(port: string | undefined): readonly [name: keyof Env, value: string][] {
  const isPort = /^[1-9]\d{0,4}$/.test(port ?? '') && Number(port) <= 65_535;
  return isPort ? [['DMP_PUBLIC_URL', `http://127.0.0.1:${port}`]] : [];
}

/** Read by the command-line client alone. */
const clientOnly = new Set(['DMP_URL']);

import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { OperationOutcome } from 'fhir/r4.js';
import { importJWK, SignJWT } from 'jose';
import { signEnveloped } from '../../server/crypto/signature.ts';
import type { AuditEvent } from '../../server/domain/event.ts';
import { type Card, loadCard, loadTokenKey } from '../../server/sandbox/cards.ts';
import { patientOf, personOf, type SandboxPerson, testInsOid } from '../../server/sandbox/people.ts';
import { signToken, type TokenOptions } from '../../server/sandbox/token.ts';
import { signVihf, type VihfOptions } from '../../server/sandbox/vihf.ts';
import { envelope, type Filed, submission, transactions, type XdsVerb } from './messages.ts';
import {
  at,
  envelopeOf,
  type Fault,
  faultOf,
  type HttpAnswer,
  mtom,
  packaged,
  partsOf,
  plain,
  post,
  textAt,
  xopType,
} from './wire.ts';

/** The address under which the server of a test is known; clients reach it at its port, as through a front. */
export const publicUrl = 'http://dmp.example.org';

/** Where a server listens and keeps its data. */
export type Place = { readonly port: number; readonly folder: string };

/** CX of a patient of the sandbox, or of a matricule. */
export function cxOf(slugOrIns: string): string {
  return `${patientOf(slugOrIns)?.ins ?? slugOrIns}^^^&${testInsOid}&ISO^NH`;
}

/** The same as FHIR names it. */
export function tokenOf(slugOrIns: string): string {
  return `urn:oid:${testInsOid}|${patientOf(slugOrIns)?.ins ?? slugOrIns}`;
}

/** How somebody acts; `patient` is a slug or a matricule that the credential names. */
export type Acting = {
  readonly patient?: string;
  readonly mode?: VihfOptions['mode'];
  readonly reason?: string;
};

/** Assertions and tokens of the sandbox's people, signed with the keys of a data folder. */
export function credentialsOf(folder: string) {
  const cards = new Map<string, Card>();
  const key = loadTokenKey(folder);
  const said = ({ patient, mode = 'normal', reason }: Acting) => ({
    mode,
    ...(patient !== undefined && { patient: cxOf(patient) }),
    ...(reason !== undefined && { reason }),
  });
  const card = (slug: string): Card => {
    const found = cards.get(slug) ?? loadCard(folder, slug);
    if (found === undefined) throw new Error(`${slug} has no card`);
    cards.set(slug, found);
    return found;
  };
  return {
    card,
    vihf: (slug: string, acting: Acting = {}, more: Partial<VihfOptions> = {}): string =>
      signVihf(card(slug), { ...said(acting), issuedAt: Date.now(), id: randomUUID(), ...more }),
    /** A sound assertion that is changed and signed again by somebody's card. */
    resigned(by: string, assertion: string, change: (assertion: string) => string): string {
      const { key: signer, certificate } = card(by);
      return signEnveloped(change(unsigned(assertion)), signer, certificate);
    },
    /** A token of the sandbox's issuer with claims of one's own. */
    async tokenWith(claims: Readonly<Record<string, unknown>>): Promise<string> {
      const now = Math.floor(Date.now() / 1000);
      const usual = { iss: `${publicUrl}/auth`, aud: `${publicUrl}/fhir`, iat: now, exp: now + 300, jti: randomUUID() };
      return new SignJWT({ ...usual, client_id: 'test', scope: 'user/*.rs', ...claims })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid })
        .sign(await importJWK({ ...key }, 'RS256'));
    },
    /** `who` may be somebody of one's own making. */
    async token(who: string | SandboxPerson, acting: Acting = {}, more: Partial<TokenOptions> = {}): Promise<string> {
      const person = typeof who === 'string' ? personOf(who) : who;
      if (person === undefined) throw new Error('nobody of the sandbox');
      return signToken(key, person, {
        ...said(acting),
        issuer: `${publicUrl}/auth`,
        audience: `${publicUrl}/fhir`,
        issuedAt: Date.now(),
        lifetime: 300,
        id: randomUUID(),
        ...more,
      });
    },
  };
}
/** An assertion without its signature, in canonical form. */
export function unsigned(assertion: string): string {
  return assertion.replace(/<(\w+:)?Signature [\s\S]*<\/\1Signature>/, '');
}

export type XdsError = { readonly code: string; readonly context: string };

/** An answer as another reader sees it. `objects` are ids of ExtrinsicObjects or ObjectRefs, in order. */
export type XdsAnswer = {
  readonly http: number;
  readonly status: 'Success' | 'PartialSuccess' | 'Failure' | 'Fault';
  readonly errors: readonly XdsError[];
  readonly fault?: Fault;
  readonly objects: readonly string[];
  readonly uniqueIds: readonly string[];
  readonly documents: readonly { readonly uniqueId: string; readonly bytes: Buffer }[];
  /** Everything that came, for what must not be in it. */
  readonly text: string;
};

const list = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
const textIn = (value: unknown, ...path: string[]) => textAt(value, ...path) ?? '';

export async function readAnswer(answer: HttpAnswer): Promise<XdsAnswer> {
  const read = await envelopeOf(answer);
  const body = at(read, 'Body');
  const base = { http: answer.status, text: answer.bytes.toString('latin1') };
  const none = { errors: [], objects: [], uniqueIds: [], documents: [] };
  if (at(body, 'Fault') !== undefined) return { ...base, ...none, status: 'Fault', fault: await faultOf(answer) };
  const response =
    at(body, 'AdhocQueryResponse') ?? at(body, 'RetrieveDocumentSetResponse') ?? at(body, 'RegistryResponse');
  const told = at(response, 'RegistryResponse') ?? response;
  const found = at(response, 'RegistryObjectList');
  const entries = list(at(found, 'ExtrinsicObject'));
  const parts = partsOf(answer.bytes, String(answer.headers['content-type']));
  return {
    ...base,
    status: textIn(told, '$', 'status').replace(/^.*:/, '') as XdsAnswer['status'],
    errors: list(at(told, 'RegistryErrorList', 'RegistryError')).map((e) => ({
      code: textIn(e, '$', 'errorCode'),
      context: textIn(e, '$', 'codeContext'),
    })),
    objects: [...entries, ...list(at(found, 'ObjectRef'))].map((o) => textIn(o, '$', 'id')),
    uniqueIds: entries.map(uniqueIdOf),
    documents: list(at(response, 'DocumentResponse')).map((d) => {
      const cid = textIn(d, 'Document', 'Include', '$', 'href').slice('cid:'.length);
      return {
        uniqueId: textIn(d, 'DocumentUniqueId'),
        bytes: parts.find(({ head }) => head.includes(`Content-ID: <${cid}>`))?.body ?? Buffer.alloc(0),
      };
    }),
  };
}

function uniqueIdOf(entry: unknown): string {
  const scheme = 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab';
  const found = list(at(entry, 'ExternalIdentifier')).find((i) => textIn(i, '$', 'identificationScheme') === scheme);
  return textIn(found, '$', 'value');
}

/** The XDS client: texts sent by hand, answers read by xml2js. */
export function xdsOf({ port }: Place) {
  const send = async (verb: XdsVerb, message: string): Promise<XdsAnswer> =>
    readAnswer(await post(port, transactions[verb].path, plain, [message]));
  return {
    send,
    ask: (verb: XdsVerb, security: string | undefined, body: string) => send(verb, envelope(verb, security, body)),
    /** Deposits one document as a package. `change` alters the request before it is sent. */
    async deposit(
      security: string | undefined,
      filed: Omit<Filed, 'include'>,
      change: (request: string) => string = (same) => same,
    ): Promise<XdsAnswer> {
      const root = envelope('deposit', security, change(submission({ ...filed, include: 'doc1@example.org' })));
      return readAnswer(await post(port, transactions.deposit.path, mtom(), [packageOf(root, filed.bytes)]));
    },
  };
}

/** A deposit as it travels: the root, and the document as the part `doc1@example.org`. */
export function packageOf(root: string, bytes: Uint8Array): Buffer {
  return packaged([
    { id: 'root@example.org', type: xopType, body: root },
    { id: 'doc1@example.org', type: 'text/xml', body: bytes },
  ]);
}

export type FhirAnswer<T> = {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** The body as what the test says it is, and asserts. */
  readonly json: T;
};

/** The FHIR client: `path` below the base, or an absolute link of an answer. */
export function fhirOf({ port }: Place) {
  const reach = (path: string) =>
    path.startsWith(publicUrl)
      ? `http://127.0.0.1:${port}${path.slice(publicUrl.length)}`
      : `http://127.0.0.1:${port}/fhir/${path}`;
  return {
    base: `http://127.0.0.1:${port}/fhir`,
    async get<T = OperationOutcome>(
      token: string | undefined,
      path: string,
      headers: Record<string, string> = {},
    ): Promise<FhirAnswer<T>> {
      const authorization: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      const response = await fetch(reach(path), { headers: { ...authorization, ...headers } });
      const bytes = Buffer.from(await response.arrayBuffer());
      const isJson = response.headers.get('content-type')?.includes('json') === true && bytes.length > 0;
      return {
        status: response.status,
        headers: response.headers,
        bytes,
        json: (isJson ? JSON.parse(bytes.toString()) : {}) as T,
      };
    },
  };
}

/** What the tables of patient data hold; events and used credentials are no part of it. */
const tables = [
  'record',
  'identifier',
  'consent',
  'name',
  'unique_id',
  'document',
  'search',
  'submission_set',
] as const;
const furtherTables = ['folder', 'association', 'job'] as const;

/** A view of the files of a data folder from outside, while the server runs on it. */
export function ledgerOf({ folder }: Pick<Place, 'folder'>) {
  const look = <T>(work: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(join(folder, 'store.sqlite'), { readOnly: true, timeout: 5000 });
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  const rows = () =>
    look((database) =>
      Object.fromEntries(
        [...tables, ...furtherTables].map((table) => [
          table,
          database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'],
        ]),
      ),
    );
  const last = () => look((database) => Number(database.prepare('SELECT max(sequence) AS n FROM event').get()?.['n']));
  const after = (sequence: number) =>
    look((database) =>
      database
        .prepare('SELECT json FROM event WHERE sequence > ? ORDER BY sequence')
        .all(sequence)
        .map((row) => JSON.parse(Buffer.from(row['json'] as Uint8Array).toString()) as AuditEvent),
    );
  /** Documents in files of their own, half-written ones included. */
  const files = () => readdirSync(join(folder, 'documents', 'large'));
  return {
    last,
    after,
    rows,
    files,
    /** The events that some work left, and whether it changed anything else. */
    async traced<T>(work: () => Promise<T>) {
      const [before, held, lying] = [last(), rows(), files()];
      const answer = await work();
      const unchanged = JSON.stringify([held, lying]) === JSON.stringify([rows(), files()]);
      return { answer, events: after(before), unchanged };
    },
  };
}

/** Everything that a test needs to act as people of the sandbox against a server. */
export function clientsOf(place: Place) {
  const credentials = credentialsOf(place.folder);
  const xds = xdsOf(place);
  return {
    ...place,
    credentials,
    xds,
    /** Files a document of dr-martin's by ITI-41; its uniqueId is its text. */
    async filed(uniqueId: string, patient: string): Promise<void> {
      const filer = personOf('dr-martin');
      if (filer?.kind !== 'professional') throw new Error('dr-martin');
      const filed = { cx: cxOf(patient), filer, uniqueId, bytes: Buffer.from(uniqueId) };
      const { status, text } = await xds.deposit(credentials.vihf('dr-martin', { patient }), filed);
      if (status !== 'Success') throw new Error(text);
    },
    fhir: fhirOf(place),
    ledger: ledgerOf(place),
  };
}

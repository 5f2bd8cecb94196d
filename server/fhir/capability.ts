import type { CapabilityStatement, CapabilityStatementRestResource } from 'fhir/r4.js';
import { consentSearch } from './consent-search.ts';
import { deviceSearch, organizationSearch, practitionerSearch, roleSearch } from './directory-search.ts';
import type { Interaction } from './exchange.ts';
import { listSearch } from './iti66.ts';
import { documentSearch } from './iti67.ts';
import { eventSearch } from './iti81.ts';
import { type FhirLimits, longestAlone } from './limits.ts';
import type { SearchOf } from './paged-search.ts';
import { patchTypes } from './patch-body.ts';
import { patientSearch } from './patient-search.ts';
import { profileTable } from './profile/table.ts';
import { type Parameter, pagingParameters } from './search.ts';
import { subscriptionSearch } from './subscription-search.ts';
import { topicSearch } from './subscription-topic.ts';
import { canonicalOf, topics } from './subscription-topics.ts';
import {
  actorsPlayed,
  consent,
  fhirJson,
  fhirXml,
  implementationGuides,
  pmir,
  profiles,
  security,
  subscriptions,
} from './vocabulary.ts';

/** Endpoints of the authorisation server, by their names in the extension oauth-uris. */
export type OAuthAddresses = {
  readonly authorize?: string;
  readonly token: string;
  readonly introspect?: string;
  readonly revoke?: string;
};

type Described = Pick<Parameter<never>, 'type' | 'documentation'>;

type Type = Exclude<Interaction['resource'], 'system'>;

type Searched = Pick<SearchOf<never>, 'sorts' | 'sortsWithin' | 'includes' | 'revIncludes'> & {
  readonly parameters: Readonly<Record<string, Described>>;
};

const searches: { readonly [T in Type]?: Searched } = {
  DocumentReference: documentSearch,
  List: listSearch,
  Patient: patientSearch,
  Practitioner: practitionerSearch,
  PractitionerRole: roleSearch,
  Organization: organizationSearch,
  Device: deviceSearch,
  AuditEvent: eventSearch,
  Consent: consentSearch,
  Subscription: subscriptionSearch,
  Basic: topicSearch,
};

/** The profiles that resources are checked against. Minimal metadata are for domains that prescribe no codes. */
function profilesOf(type: Type, takesMinimal: boolean): readonly string[] {
  if (type === 'Subscription') return [subscriptions.profile];
  const known = profileTable.filter((profile) => profile.type === type).map(({ url }) => url);
  return takesMinimal ? known : known.filter((url) => url !== profiles.mhdMinimalBundle);
}

/** How a read is spared to who has the state: lists and what is found of others have no time of their own. */
const conditionalReads: { readonly [T in Type]?: 'full-support' | 'not-match' } = {
  DocumentReference: 'full-support',
  Binary: 'full-support',
  Patient: 'full-support',
  Consent: 'full-support',
  Subscription: 'full-support',
  List: 'not-match',
};

/**
 * What is served, from the tables that serve it. FHIR R4 http.html#capabilities.
 * @param since when this statement last changed, in milliseconds since 1970
 */
export function capabilityStatement(
  interactions: readonly Interaction[],
  base: string,
  since: number,
  {
    oauth,
    takesMinimal,
    limits,
  }: { readonly oauth?: OAuthAddresses | undefined; readonly takesMinimal: boolean; readonly limits: FhirLimits },
): CapabilityStatement {
  const types = [...new Set(interactions.map(({ resource }) => resource))].filter((type) => type !== 'system');
  const system = interactions.filter(({ resource }) => resource === 'system');
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: new Date(since).toISOString(),
    kind: 'instance',
    instantiates: [...actorsPlayed],
    software: { name: 'OpenDMP' },
    implementation: { description: 'Documents of the shared medical record', url: base },
    fhirVersion: '4.0.1',
    format: [fhirJson, fhirXml, 'json', 'xml'],
    patchFormat: Object.values(patchTypes),
    implementationGuide: [...implementationGuides],
    rest: [
      {
        mode: 'server',
        documentation: `Search pages hold what the caller may see, newest first; totals count that alone. ${ofPaging()} ${ofLimits(limits)}`,
        security: {
          cors: false,
          service: [
            {
              coding: [
                { system: security.service, code: 'OAuth' },
                ...(oauth === undefined ? [] : [{ system: security.service, code: 'SMART-on-FHIR' }]),
              ],
              text: 'Bearer token (JWT) for this address',
            },
          ],
          ...(oauth && { extension: [{ url: security.oauthUris, extension: urisOf(oauth) }] }),
        },
        resource: types.map((type) => resourceOf(type, interactions, profilesOf(type, takesMinimal))),
        interaction: system.flatMap(({ interaction: code }) =>
          code === 'transaction' || code === 'batch' ? [{ code, documentation: ofRoot[code] }] : [],
        ),
        ...operationsOf('system', interactions),
      },
    ],
    messaging: [
      {
        documentation: `ITI-93, at ${base}/$process-message: each entry by itself`,
        supportedMessage: [{ mode: 'receiver', definition: pmir.definition }],
      },
    ],
  };
}

/** What is posted to the service root. */
const ofRoot = {
  transaction: 'ITI-65 alone',
  batch: 'Any interaction with a type, and any operation, that is stated here',
};

/** SMART App Launch, appendix "Conformance" (CapabilityStatement). */
function urisOf(oauth: OAuthAddresses) {
  return Object.entries(oauth).map(([url, valueUri]) => ({ url, valueUri }));
}

/** Each operation once, whatever methods and addresses it has. */
function operationsOf(type: Interaction['resource'], interactions: readonly Interaction[]) {
  const served = interactions.flatMap(({ resource, operation }) =>
    resource === type && operation !== undefined ? [operation] : [],
  );
  const named = new Map(served.map(({ name, definition }) => [name, { name, definition }]));
  return named.size === 0 ? {} : { operation: [...named.values()] };
}

/** What more is answered with 413, or of what waits with 429. */
function ofLimits({ entries, textBytes, attachmentBytes, binaryBytes, stagedBytes, batchBytes }: FhirLimits): string {
  const alone = Object.entries(longestAlone).map(([type, bytes]) => `${type} ${bytes}`);
  return [
    `Limits in bytes: a body ${textBytes}, its attachments ${attachmentBytes} besides; alone ${alone.join(', ')};`,
    `a raw Binary ${binaryBytes}, all that wait of one sender ${stagedBytes}; the answer of a batch ${batchBytes}. ${entries} entries of a Bundle.`,
  ].join(' ');
}

function ofPaging(): string {
  const names = Object.keys(pagingParameters).filter((name) => name !== '_page');
  return `Every search takes ${names.join(', ')}; further pages are reached by the next link.`;
}

/** What the answer of a search may be asked to be. */
function ofSearch({ sorts: [usual = '', ...others], sortsWithin, parameters }: Searched): string {
  const further = others.map((sort) => `${sort}, -${sort}`);
  const sorts = [`-${usual} (the usual order)`, usual, ...further].join(', ');
  const modifiers = modifiersOf(parameters);
  const modified = modifiers.length === 0 ? '' : ` Modifiers: ${modifiers.join(', ')}.`;
  const several = sortsWithin === true ? ' Several, each within the one before.' : '';
  return `_sort: ${sorts}.${several} _summary and _elements are served.${modified}`;
}

/** The modifiers of some parameter, types among them as one. */
function modifiersOf(parameters: Searched['parameters']): string[] {
  const found = Object.keys(parameters).flatMap((name) => /:(\w+)$/.exec(name)?.[1] ?? []);
  return [...new Set(found.map((modifier) => (/^[A-Z]/.test(modifier) ? ':<type>' : `:${modifier}`)))];
}

/** How the needs of the record are expressed. */
const consentDocumentation = [
  'Authorisation: root permit with one actor; of the treating doctor: under the policy',
  `${consent.treatingDoctorPolicy}. Block: root deny with one actor, or deny below the root permit without actor.`,
  'Opposition: deny with purpose BTG (break-glass), ETREAT (centre 15) or both. Masked documents in emergency: permit with purposes BTG and',
  'ETREAT and security label MASQUE_PS. A root permit without actor states the opening of the record and is not ended. Actors are named by',
  'identifier (PS_IdNat, Struct_IdNat), teams by a contained CareTeam or Group. What cannot be enforced is refused with 422.',
  'Ended by status inactive, or by DELETE, after which its history alone tells of it. Conditions (If-None-Exist, PUT) take the parameters below.',
].join(' ');

/** The topics, by their canonical addresses. Subscriptions R5 Backport 1.1, CapabilityStatement. */
const topicsServed = topics.map((topic) => ({ url: subscriptions.topicsServed, valueCanonical: canonicalOf(topic) }));

const subscriptionDocumentation = [
  'DSUBm on the R5 Backport: channels rest-hook and websocket, payload in JSON or XML, content empty, id-only or full-resource. Each notification holds',
  'what its subscriber may see at that moment, and nothing tells of the rest. Receivers are those that the operator lists. Topics: Basic.',
].join(' ');

/** Who finds whom, and what a feed does. */
const patientDocumentation = [
  'By identifier alone: the existence test (state, and own right of the caller; traits for the holder and for who may search by them). By',
  'traits: two of family, given, birthdate and gender, family or birthdate among them (400 too-costly); centre 15 and systems that feed',
  'identities alone. Feed (ITI-104, ITI-93): systems with the right. PUT with active false and a link replaced-by merges; what is replaced is',
  'unknown afterwards. DELETE removes an identity of whom nothing else is here (else 409). Former versions are not kept.',
].join(' ');

/** Who is found, and what is said of them. */
const directoryDocumentation = [
  'Whom documents name as author or legal authenticator: by identifier or id (a role by its practitioner), listed to nobody (400 too-costly); for',
  'professionals, structures and systems. Professionals of the national registers alone; of different names all are given, the newest first.',
  'The id is the national number (PS_IdNat, Struct_IdNat), by which author searches name them too.',
].join(' ');
const ofDirectory: ReadonlySet<Type> = new Set(['Practitioner', 'PractitionerRole', 'Organization', 'Device']);

/** Bytes and what is ahead of them. */
const binaryDocumentation = [
  'Read as bytes with the media type of the document, all or one range of them, or as the resource in JSON or XML. POST takes the bytes of a',
  'document ahead of it, of any media type: they are read by their sender alone, wait for an hour, and become the document of one deposit that',
  'names them in attachment.url.',
].join(' ');

/** Who reads which events, and who tells of more. */
const eventDocumentation = [
  'A date bound is asked for. The holder, representatives and the treating doctor see the whole history of a record, another professional the events',
  'in which he took part; what names a hidden document is not shown to whom it is hidden. Created by partners’ systems with the right (ITI-20), one',
  'at a time or in a batch: kept as sent, under our number, with meta.tag saying who told it; never changed or deleted.',
].join(' ');

/** How documents come alone. */
const documentDocumentation =
  'Created with attachment.data, or with the url of a Binary that was sent before; If-None-Exist by identifier.';

/** The updates of documents. */
const ofPatch = [
  'PATCH by id, or by a search by identifier that finds one, changes status, securityLabel and the extension isArchived; anything else is 405.',
  'If-Match is honoured. DELETE, by id or such a search, like the status entered-in-error, deletes logically: a read then answers 410, a search for that status finds it.',
].join(' ');

function resourceOf(
  type: Type,
  interactions: readonly Interaction[],
  supported: readonly string[],
): CapabilityStatementRestResource {
  const codes = new Set(interactions.filter(({ resource }) => resource === type).map(({ interaction }) => interaction));
  const search = searches[type];
  const searched = Object.entries(search?.parameters ?? {}).filter(
    ([, { documentation }]) => documentation !== undefined,
  );
  const documentation = [
    ...(type === 'Binary' ? [binaryDocumentation] : []),
    ...(type === 'DocumentReference' ? [documentDocumentation] : []),
    ...(type === 'AuditEvent' ? [eventDocumentation] : []),
    ...(type === 'Consent' ? [consentDocumentation] : []),
    ...(type === 'Subscription' ? [subscriptionDocumentation] : []),
    ...(type === 'Patient' ? [patientDocumentation] : []),
    ...(ofDirectory.has(type) ? [directoryDocumentation] : []),
    ...(codes.has('patch') ? [ofPatch] : []),
    ...(search !== undefined ? [ofSearch(search)] : []),
  ];
  const interaction = [...codes].flatMap((code) =>
    code === 'transaction' || code === 'batch' || code === 'operation' ? [] : [{ code }],
  );
  return {
    type,
    ...(type === 'Subscription' && { extension: topicsServed }),
    ...(supported.length > 0 && { supportedProfile: [...supported] }),
    ...(interaction.length > 0 && { interaction }),
    ...operationsOf(type, interactions),
    ...(documentation.length > 0 && { documentation: documentation.join(' ') }),
    versioning: codes.has('update') || codes.has('vread') ? 'versioned' : 'no-version',
    readHistory: codes.has('history-instance'),
    conditionalRead: conditionalReads[type] ?? 'not-supported',
    ...(codes.has('patch') && {
      updateCreate: false,
      conditionalCreate: true,
      conditionalDelete: 'single' as const,
    }),
    ...(type === 'Consent' && {
      conditionalRead: 'not-match' as const,
      updateCreate: false,
      conditionalCreate: true,
      conditionalUpdate: true,
    }),
    ...(type === 'Patient' && {
      updateCreate: false,
      conditionalCreate: true,
      conditionalUpdate: true,
      conditionalDelete: 'single' as const,
    }),
    ...(codes.has('search-type') && {
      ...(search !== undefined && search.includes.length > 0 && { searchInclude: [...search.includes] }),
      ...(search !== undefined && search.revIncludes.length > 0 && { searchRevInclude: [...search.revIncludes] }),
      searchParam: searched.map(([name, row]) => ({ name, type: row.type, documentation: row.documentation ?? '' })),
    }),
  };
}

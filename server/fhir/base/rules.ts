import { isObject, type Json, type JsonObject } from '../json.ts';

/** What an element needs to be judged by: the ids of resources that its resource contains. */
export type Around = { readonly contained: ReadonlySet<string> };

/** A rule of FHIR among elements: its key in the definition, what it asks for, and whether an element keeps it. */
export type Invariant = {
  readonly key: string;
  readonly says: string;
  readonly keeps: (element: JsonObject, around: Around) => boolean;
};

const has = (element: JsonObject, ...names: readonly string[]) => names.some((name) => Object.hasOwn(element, name));
const list = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value)
    ? (value as readonly Json[]).filter(isObject)
    : value !== undefined && isObject(value)
      ? [value]
      : [];
const text = (value: Json | undefined) => (typeof value === 'string' ? value : undefined);
/** Whether there is any type of a choice. */
const chosen = (element: JsonObject, name: string) =>
  Object.keys(element).some((key) => key.startsWith(name) && /[A-Z]/.test(key.charAt(name.length)));
const isAmong = (value: Json | undefined, ...codes: readonly string[]) => codes.includes(text(value) ?? '');
const isHome = ({ use }: JsonObject) => use === 'home';

/** Every text that begins as a local reference does, wherever it stands. FHIR R4 references.html#contained. */
function referencesIn(value: Json, found = new Set<string>()): ReadonlySet<string> {
  if (typeof value === 'string' && value.startsWith('#')) found.add(value);
  else if (typeof value === 'object' && value !== null)
    for (const one of Object.values(value)) referencesIn(one, found);
  return found;
}

const meta = (resource: JsonObject) => list(resource['meta'])[0] ?? {};

/** Of every resource that contains others. */
const domainResource: readonly Invariant[] = [
  {
    key: 'dom-2',
    says: 'a contained resource contains no other',
    keeps: ({ contained }) => list(contained).every((one) => !has(one, 'contained')),
  },
  {
    key: 'dom-3',
    says: 'a contained resource is referred to in the resource, or refers to it',
    keeps: ({ contained, ...around }) => {
      const all = list(contained);
      if (all.length === 0) return true;
      const local = referencesIn([around, ...all]);
      return all.every((one) => local.has(`#${text(one['id']) ?? ''}`) || referencesIn(one).has('#'));
    },
  },
  {
    key: 'dom-4',
    says: 'a contained resource has no meta.versionId and no meta.lastUpdated',
    keeps: ({ contained }) => list(contained).every((one) => !has(meta(one), 'versionId', 'lastUpdated')),
  },
  {
    key: 'dom-5',
    says: 'a contained resource has no meta.security',
    keeps: ({ contained }) => list(contained).every((one) => !has(meta(one), 'security')),
  },
];

const entries = ({ entry }: JsonObject) => list(entry);
const firstIs = (bundle: JsonObject, type: string) =>
  list(entries(bundle)[0]?.['resource'])[0]?.['resourceType'] === type;

const bundle: readonly Invariant[] = [
  {
    key: 'bdl-1',
    says: 'total stands in a searchset or history alone',
    keeps: (one) => !has(one, 'total') || isAmong(one['type'], 'searchset', 'history'),
  },
  {
    key: 'bdl-2',
    says: 'entry.search stands in a searchset alone',
    keeps: (one) => one['type'] === 'searchset' || entries(one).every((entry) => !has(entry, 'search')),
  },
  {
    key: 'bdl-3',
    says: 'each entry of a batch, transaction or history has a request, no other has',
    keeps: (one) =>
      entries(one).every((e) => has(e, 'request') === isAmong(one['type'], 'batch', 'transaction', 'history')),
  },
  {
    key: 'bdl-4',
    says: 'each entry of a batch-response, transaction-response or history has a response, no other has',
    keeps: (one) =>
      entries(one).every(
        (e) => has(e, 'response') === isAmong(one['type'], 'batch-response', 'transaction-response', 'history'),
      ),
  },
  {
    key: 'bdl-7',
    says: 'no two entries have the same fullUrl and version, save in a history',
    keeps(one) {
      const named = entries(one).flatMap(({ fullUrl, resource }) => {
        const version = text(meta(list(resource)[0] ?? {})['versionId']) ?? '';
        return typeof fullUrl === 'string' ? [`${fullUrl} ${version}`] : [];
      });
      return one['type'] === 'history' || new Set(named).size === named.length;
    },
  },
  {
    key: 'bdl-9',
    says: 'a document has an identifier with system and value',
    keeps: (one) =>
      one['type'] !== 'document' || list(one['identifier']).some((id) => has(id, 'system') && has(id, 'value')),
  },
  {
    key: 'bdl-10',
    says: 'a document has a timestamp',
    keeps: (one) => one['type'] !== 'document' || has(one, 'timestamp'),
  },
  {
    key: 'bdl-11',
    says: 'a document begins with a Composition',
    keeps: (one) => one['type'] !== 'document' || firstIs(one, 'Composition'),
  },
  {
    key: 'bdl-12',
    says: 'a message begins with a MessageHeader',
    keeps: (one) => one['type'] !== 'message' || firstIs(one, 'MessageHeader'),
  },
];

/** 2026-07 is no later than 2026-07-31: two dates are compared as far as both are given. */
function isOrdered(start: string, end: string): boolean {
  if (start.includes('T') && end.includes('T')) return Date.parse(start) <= Date.parse(end);
  const length = Math.min(start.split('T')[0]?.length ?? 0, end.split('T')[0]?.length ?? 0);
  return start.slice(0, length) <= end.slice(0, length);
}

const isOfUcum = (one: JsonObject) => !has(one, 'system') || one['system'] === 'http://unitsofmeasure.org';
const isCoded = (one: JsonObject) => has(one, 'code') || !has(one, 'value');
const amount = (value: Json | undefined) => list(value)[0]?.['value'];

/**
 * The rules by the path at which the definitions of R4 write them, for every type and element that stands in what is taken or sent here.
 * The key `DomainResource` holds of each resource that contains others.
 */
export const invariants: Readonly<Record<string, readonly Invariant[]>> = {
  DomainResource: domainResource,
  Bundle: bundle,
  'Bundle.entry': [
    {
      key: 'bdl-5',
      says: 'an entry has a resource, a request or a response',
      keeps: (entry) => has(entry, 'resource', 'request', 'response'),
    },
    {
      key: 'bdl-8',
      says: 'fullUrl names no version',
      keeps: ({ fullUrl }) => text(fullUrl)?.includes('/_history/') !== true,
    },
  ],
  List: [
    {
      key: 'lst-1',
      says: 'emptyReason stands without entries alone',
      keeps: (one) => !has(one, 'emptyReason') || !has(one, 'entry'),
    },
    {
      key: 'lst-2',
      says: 'entries are marked as deleted in a list of changes alone',
      keeps: (one) => one['mode'] === 'changes' || entries(one).every((entry) => !has(entry, 'deleted')),
    },
    {
      key: 'lst-3',
      says: 'entries have dates in a working list alone',
      keeps: (one) => one['mode'] === 'working' || entries(one).every((entry) => !has(entry, 'date')),
    },
  ],
  Consent: [{ key: 'ppc-1', says: 'policy or policyRule', keeps: (one) => has(one, 'policy', 'policyRule') }],
  Group: [
    {
      key: 'grp-1',
      says: 'members stand in an actual group alone',
      keeps: (one) => !has(one, 'member') || one['actual'] === true,
    },
  ],
  Organization: [
    { key: 'org-1', says: 'identifier or name', keeps: (one) => has(one, 'identifier', 'name') },
    {
      key: 'org-2',
      says: 'no address is of use home',
      keeps: ({ address }) => !list(address).some(isHome),
    },
    {
      key: 'org-3',
      says: 'no telecom is of use home',
      keeps: ({ telecom }) => !list(telecom).some(isHome),
    },
  ],
  'Patient.contact': [
    {
      key: 'pat-1',
      says: 'name, telecom, address or organization',
      keeps: (contact) => has(contact, 'name', 'telecom', 'address', 'organization'),
    },
  ],
  'Parameters.parameter': [
    {
      key: 'inv-1',
      says: 'a value, a resource or parts, and one of them alone',
      keeps: (one) =>
        [has(one, 'part'), chosen(one, 'value'), has(one, 'resource')].filter((there) => there).length === 1,
    },
  ],
  'AuditEvent.entity': [
    { key: 'sev-1', says: 'a name or a query, not both', keeps: (one) => !has(one, 'name') || !has(one, 'query') },
  ],
  CapabilityStatement: [
    { key: 'cpb-1', says: 'rest, messaging or document', keeps: (one) => has(one, 'rest', 'messaging', 'document') },
    {
      key: 'cpb-2',
      says: 'description, software or implementation',
      keeps: (one) => has(one, 'description', 'software', 'implementation'),
    },
    {
      key: 'cpb-14',
      says: 'an instance has an implementation',
      keeps: (one) => one['kind'] !== 'instance' || has(one, 'implementation'),
    },
  ],
  'CapabilityStatement.rest': [
    {
      key: 'cpb-9',
      says: 'a type is described once',
      keeps({ resource }) {
        const types = list(resource).map(({ type }) => type);
        return new Set(types).size === types.length;
      },
    },
  ],
  'CapabilityStatement.rest.resource': [
    {
      key: 'cpb-12',
      says: 'a search parameter is described once',
      keeps({ searchParam }) {
        const names = list(searchParam).map(({ name }) => name);
        return new Set(names).size === names.length;
      },
    },
  ],
  'Composition.section': [
    { key: 'cmp-1', says: 'text, entry or section', keeps: (one) => has(one, 'text', 'entry', 'section') },
    {
      key: 'cmp-2',
      says: 'emptyReason stands without entries alone',
      keeps: (one) => !has(one, 'emptyReason') || !has(one, 'entry'),
    },
  ],
  Attachment: [
    { key: 'att-1', says: 'data has a contentType', keeps: (one) => !has(one, 'data') || has(one, 'contentType') },
  ],
  ContactPoint: [
    { key: 'cpt-2', says: 'a value has a system', keeps: (one) => !has(one, 'value') || has(one, 'system') },
  ],
  Extension: [
    {
      key: 'ext-1',
      says: 'a value or extensions, not both',
      keeps: (one) => has(one, 'extension') !== chosen(one, 'value'),
    },
  ],
  Period: [
    {
      key: 'per-1',
      says: 'start is not after end',
      keeps({ start, end }) {
        return typeof start !== 'string' || typeof end !== 'string' || isOrdered(start, end);
      },
    },
  ],
  Quantity: [{ key: 'qty-3', says: 'a code has a system', keeps: (one) => !has(one, 'code') || has(one, 'system') }],
  Age: [
    {
      key: 'age-1',
      says: 'a positive time in UCUM',
      keeps: (one) => isCoded(one) && isOfUcum(one) && !(typeof one['value'] === 'number' && one['value'] <= 0),
    },
  ],
  Distance: [{ key: 'dis-1', says: 'a length in UCUM', keeps: (one) => isCoded(one) && isOfUcum(one) }],
  Duration: [
    {
      key: 'drt-1',
      says: 'a time in UCUM with a value',
      keeps: (one) => !has(one, 'code') || (has(one, 'system') && isOfUcum(one) && has(one, 'value')),
    },
  ],
  Count: [
    {
      key: 'cnt-3',
      says: 'a whole number with the code 1 of UCUM',
      keeps: (one) =>
        isCoded(one) &&
        isOfUcum(one) &&
        (!has(one, 'code') || one['code'] === '1') &&
        (!has(one, 'value') || Number.isInteger(one['value'])),
    },
  ],
  Range: [
    {
      key: 'rng-2',
      says: 'low is not above high',
      keeps({ low, high }) {
        const [least, most] = [amount(low), amount(high)];
        return typeof least !== 'number' || typeof most !== 'number' || least <= most;
      },
    },
  ],
  Ratio: [
    {
      key: 'rat-1',
      says: 'numerator and denominator, or an extension instead of both',
      keeps: (one) =>
        has(one, 'numerator') === has(one, 'denominator') && (has(one, 'numerator') || has(one, 'extension')),
    },
  ],
  Reference: [
    {
      key: 'ref-1',
      says: 'there is a contained resource of that id',
      keeps({ reference }, { contained }) {
        const to = text(reference);
        return to?.startsWith('#') !== true || to === '#' || contained.has(to.slice(1));
      },
    },
  ],
};

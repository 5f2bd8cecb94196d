import { subsetted } from './vocabulary.ts';

/** What is shown of each match: `_summary`, or the elements that `_elements` names. FHIR R4 search.html#summary, #elements. */
export type Shown = 'true' | 'text' | 'data' | 'count' | readonly string[];

type Elements = { readonly mandatory: readonly string[]; readonly summary: readonly string[] };

/** Elements that are always there, and those of the summary. FHIR R4, definitions of the types (isSummary, min). */
const elementsOf: Readonly<Record<string, Elements>> = {
  DocumentReference: {
    mandatory: ['status', 'content'],
    summary: [
      'masterIdentifier',
      'identifier',
      'docStatus',
      'type',
      'category',
      'subject',
      'date',
      'author',
      'relatesTo',
      'description',
      'securityLabel',
      'context',
    ],
  },
  Patient: {
    mandatory: [],
    summary: [
      'identifier',
      'active',
      'name',
      'telecom',
      'gender',
      'birthDate',
      'deceasedBoolean',
      'deceasedDateTime',
      'address',
      'managingOrganization',
      'link',
    ],
  },
  Practitioner: { mandatory: [], summary: ['identifier', 'name'] },
  PractitionerRole: { mandatory: [], summary: ['practitioner', 'organization', 'specialty'] },
  Organization: { mandatory: [], summary: ['identifier', 'name'] },
  Device: { mandatory: [], summary: [] },
  List: { mandatory: ['status', 'mode'], summary: ['title', 'code', 'subject', 'date', 'source'] },
  AuditEvent: {
    mandatory: ['type', 'recorded', 'agent', 'source'],
    summary: ['subtype', 'action', 'outcome', 'outcomeDesc', 'purposeOfEvent'],
  },
  Consent: {
    mandatory: ['status', 'scope', 'category'],
    summary: [
      'identifier',
      'patient',
      'dateTime',
      'performer',
      'organization',
      'sourceAttachment',
      'sourceReference',
      'policyRule',
      'verification',
      'provision',
    ],
  },
};

/** Not of the summary, though the element around them is. */
const beyondSummary: Readonly<Record<string, readonly string[]>> = {
  context: ['encounter', 'event', 'facilityType', 'practiceSetting', 'sourcePatientInfo', 'related'],
};

/** Whether parts of the resources of a type are shown. */
export function isSubsettable(type: string): boolean {
  return Object.hasOwn(elementsOf, type);
}

type Resource = Record<string, unknown>;

/** The part of a resource that is shown, marked as such; of what it contains, that which the part refers to. */
export function subsetOf(type: string, json: string, shown: Shown): string {
  // JSON of our own writing.
  const whole = JSON.parse(json) as Resource;
  const { mandatory = [], summary = [] } = elementsOf[type] ?? {};
  const always = ['resourceType', 'id', 'meta', 'implicitRules', ...mandatory];
  let part: Resource;
  if (shown === 'data') part = without(whole, ['text']);
  else if (shown === 'text') part = only(whole, [...always, 'text']);
  else if (typeof shown === 'string') part = summarised(only(whole, [...always, ...summary]));
  else part = only(whole, [...always, ...shown.map((path) => path.replace(`${type}.`, '').replace(/\..*$/s, ''))]);
  const isAsked = typeof shown !== 'string' && shown.includes('contained');
  const contained = isAsked || shown === 'data' ? [] : referredIn(part, whole['contained']);
  const { resourceType, id, meta, ...rest } = part;
  const { tag = [], ...metadata } = (meta ?? {}) as { tag?: unknown[] };
  return JSON.stringify({
    resourceType,
    id,
    meta: { ...metadata, tag: [...tag, subsetted] },
    ...(contained.length > 0 && { contained }),
    ...rest,
  });
}

function only(resource: Resource, names: readonly string[]): Resource {
  return Object.fromEntries(Object.entries(resource).filter(([name]) => names.includes(name)));
}

function without(resource: Resource, names: readonly string[]): Resource {
  return Object.fromEntries(Object.entries(resource).filter(([name]) => !names.includes(name)));
}

function summarised(resource: Resource): Resource {
  return Object.fromEntries(
    Object.entries(resource).flatMap(([name, value]) => {
      const beyond = beyondSummary[name];
      if (beyond === undefined) return [[name, value]];
      const left = without(value as Resource, beyond);
      return Object.keys(left).length === 0 ? [] : [[name, left]];
    }),
  );
}

/** The contained resources that a part refers to, those that they refer to included. FHIR R4 references.html#contained. */
function referredIn(part: Resource, contained: unknown): unknown[] {
  const held = Array.isArray(contained) ? (contained as { id: string }[]) : [];
  const kept = new Set<string>();
  for (let next = namesIn(part); next.length > 0; ) {
    const found = held.filter(({ id }) => next.includes(id) && !kept.has(id));
    for (const { id } of found) kept.add(id);
    next = found.flatMap(namesIn);
  }
  return held.filter(({ id }) => kept.has(id));
}

function namesIn(value: object): string[] {
  return [...JSON.stringify(value).matchAll(/"reference":"#([^"]+)"/g)].map(([, id = '']) => id);
}

import { type Problem, problem } from '../../domain/error.ts';
import type { Json } from '../json.ts';

/**
 * Elements of the resources that are taken with documents, and their types: `?` nothing or one, `!` one, `*` any number, `+` one or more,
 * `1` a list of one. What a profile of MHD forbids has no row. FHIR R4; IHE MHD 4.2.3, cardinalities.
 */
const person = {
  identifier: 'Identifier*',
  active: 'boolean?',
  name: 'HumanName*',
  telecom: 'ContactPoint*',
  address: 'Address*',
  gender: 'code?',
  birthDate: 'date?',
  photo: 'Attachment*',
  communication: 'Any*',
} as const;

const domainResource = { text: 'Narrative?', contained: 'contained*', extension: 'Extension*' } as const;
const content = {
  identifier: 'Identifier*',
  status: 'code!',
  subject: 'Reference?',
  date: 'dateTime?',
} as const;

const values = {
  valueBase64Binary: 'base64Binary?',
  valueBoolean: 'boolean?',
  valueCanonical: 'uri?',
  valueCode: 'code?',
  valueDate: 'date?',
  valueDateTime: 'dateTime?',
  valueDecimal: 'decimal?',
  valueId: 'id?',
  valueInstant: 'instant?',
  valueInteger: 'integer?',
  valueMarkdown: 'string?',
  valueOid: 'uri?',
  valuePositiveInt: 'unsignedInt?',
  valueString: 'string?',
  valueTime: 'string?',
  valueUnsignedInt: 'unsignedInt?',
  valueUri: 'uri?',
  valueUrl: 'uri?',
  valueUuid: 'uri?',
  valueAddress: 'Address?',
  valueAnnotation: 'Annotation?',
  valueAttachment: 'Attachment?',
  valueCodeableConcept: 'CodeableConcept?',
  valueCoding: 'Coding?',
  valueContactPoint: 'ContactPoint?',
  valueHumanName: 'HumanName?',
  valueIdentifier: 'Identifier?',
  valuePeriod: 'Period?',
  valueQuantity: 'Any?',
  valueReference: 'Reference?',
} as const;

type Elements = Readonly<Record<string, string>>;

const types: Readonly<Record<string, Elements>> = {
  Meta: {
    versionId: 'id?',
    lastUpdated: 'instant?',
    source: 'uri?',
    profile: 'uri*',
    security: 'Coding*',
    tag: 'Coding*',
  },
  Narrative: { status: 'code!', div: 'string!' },
  Extension: { url: 'uri!', ...values },
  Identifier: {
    use: 'code?',
    type: 'CodeableConcept?',
    system: 'uri?',
    value: 'string?',
    period: 'Period?',
    assigner: 'Reference?',
  },
  CodeableConcept: { coding: 'Coding*', text: 'string?' },
  Coding: { system: 'uri?', version: 'string?', code: 'code?', display: 'string?', userSelected: 'boolean?' },
  Reference: { reference: 'string?', type: 'uri?', identifier: 'Identifier?', display: 'string?' },
  Period: { start: 'dateTime?', end: 'dateTime?' },
  HumanName: {
    use: 'code?',
    text: 'string?',
    family: 'string?',
    given: 'string*',
    prefix: 'string*',
    suffix: 'string*',
    period: 'Period?',
  },
  ContactPoint: { system: 'code?', value: 'string?', use: 'code?', rank: 'unsignedInt?', period: 'Period?' },
  Address: {
    use: 'code?',
    type: 'code?',
    text: 'string?',
    line: 'string*',
    city: 'string?',
    district: 'string?',
    state: 'string?',
    postalCode: 'string?',
    country: 'string?',
    period: 'Period?',
  },
  Attachment: {
    contentType: 'code?',
    language: 'code?',
    data: 'base64Binary?',
    url: 'uri?',
    size: 'unsignedInt?',
    hash: 'base64Binary?',
    title: 'string?',
    creation: 'dateTime?',
  },
  Annotation: { authorReference: 'Reference?', authorString: 'string?', time: 'dateTime?', text: 'string!' },
  Entry: { fullUrl: 'uri?', resource: 'entry?', request: 'Asked?' },
  Asked: {
    method: 'code!',
    url: 'uri!',
    ifNoneMatch: 'string?',
    ifModifiedSince: 'instant?',
    ifMatch: 'string?',
    ifNoneExist: 'string?',
  },
  ListEntry: { item: 'Reference!' },
  RelatesTo: { code: 'relation!', target: 'Reference!' },
  Content: { attachment: 'Attachment!', format: 'Coding?' },
  Context: {
    encounter: 'Reference*',
    event: 'CodeableConcept*',
    period: 'Period?',
    facilityType: 'CodeableConcept?',
    practiceSetting: 'CodeableConcept?',
    sourcePatientInfo: 'Reference?',
    related: 'Reference*',
  },
  DeviceName: { name: 'string!', type: 'code!' },
  SubscriptionChannel: { type: 'code!', endpoint: 'uri?', payload: 'code?', header: 'string*' },
  ConsentPolicy: { authority: 'uri?', uri: 'uri?' },
  ConsentProvision: {
    type: 'code?',
    period: 'Period?',
    actor: 'ConsentActor*',
    action: 'CodeableConcept*',
    securityLabel: 'Coding*',
    purpose: 'Coding*',
    class: 'Coding*',
    code: 'CodeableConcept*',
    dataPeriod: 'Period?',
    data: 'Any*',
    provision: 'ConsentProvision*',
  },
  ConsentActor: { role: 'CodeableConcept!', reference: 'Reference!' },
  GroupMember: { entity: 'Reference!', period: 'Period?', inactive: 'boolean?' },
  CareTeamParticipant: {
    role: 'CodeableConcept*',
    member: 'Reference?',
    onBehalfOf: 'Reference?',
    period: 'Period?',
  },
  Parameter: { name: 'string!', ...values, resource: 'told?', part: 'Parameter*' },
  PatientLink: { other: 'Reference!', type: 'code!' },
};

const resources: Readonly<Record<string, Elements>> = {
  Subscription: {
    ...domainResource,
    status: 'code!',
    contact: 'ContactPoint*',
    end: 'instant?',
    reason: 'string!',
    criteria: 'string!',
    error: 'string?',
    channel: 'SubscriptionChannel!',
  },
  Bundle: { identifier: 'Identifier?', type: 'code!', timestamp: 'instant?', entry: 'Entry*' },
  List: {
    ...domainResource,
    ...content,
    mode: 'code!',
    title: 'string?',
    code: 'CodeableConcept?',
    source: 'Reference?',
    note: 'Annotation*',
    entry: 'ListEntry*',
  },
  DocumentReference: {
    ...domainResource,
    ...content,
    masterIdentifier: 'Identifier?',
    type: 'CodeableConcept?',
    category: 'CodeableConcept*',
    date: 'instant?',
    author: 'Reference*',
    authenticator: 'Reference?',
    custodian: 'Reference?',
    relatesTo: 'RelatesTo*',
    description: 'string?',
    securityLabel: 'CodeableConcept*',
    content: 'Content1',
    context: 'Context?',
  },
  Consent: {
    text: 'Narrative?',
    contained: 'named*',
    extension: 'Extension*',
    identifier: 'Identifier*',
    status: 'code!',
    scope: 'CodeableConcept!',
    category: 'CodeableConcept+',
    patient: 'Reference?',
    dateTime: 'dateTime?',
    performer: 'Reference*',
    organization: 'Reference*',
    sourceAttachment: 'Attachment?',
    sourceReference: 'Reference?',
    policy: 'ConsentPolicy*',
    policyRule: 'CodeableConcept?',
    verification: 'Any*',
    provision: 'ConsentProvision?',
  },
  Group: {
    ...domainResource,
    identifier: 'Identifier*',
    active: 'boolean?',
    type: 'code!',
    actual: 'boolean!',
    code: 'CodeableConcept?',
    name: 'string?',
    quantity: 'unsignedInt?',
    managingEntity: 'Reference?',
    member: 'GroupMember*',
  },
  CareTeam: {
    ...domainResource,
    identifier: 'Identifier*',
    status: 'code?',
    category: 'CodeableConcept*',
    name: 'string?',
    subject: 'Reference?',
    period: 'Period?',
    participant: 'CareTeamParticipant*',
    managingOrganization: 'Reference*',
  },
  Binary: { contentType: 'code!', securityContext: 'Reference?', data: 'base64Binary?' },
  Parameters: { parameter: 'Parameter*' },
  Patient: {
    ...domainResource,
    ...person,
    deceasedBoolean: 'boolean?',
    deceasedDateTime: 'dateTime?',
    maritalStatus: 'CodeableConcept?',
    multipleBirthBoolean: 'boolean?',
    multipleBirthInteger: 'integer?',
    contact: 'Any*',
    generalPractitioner: 'Reference*',
    managingOrganization: 'Reference?',
    link: 'PatientLink*',
  },
  Practitioner: { ...domainResource, ...person, qualification: 'Any*' },
  PractitionerRole: {
    ...domainResource,
    identifier: 'Identifier*',
    active: 'boolean?',
    period: 'Period?',
    practitioner: 'Reference?',
    organization: 'Reference?',
    code: 'CodeableConcept*',
    specialty: 'CodeableConcept*',
    location: 'Reference*',
    healthcareService: 'Reference*',
    telecom: 'ContactPoint*',
    availableTime: 'Any*',
    notAvailable: 'Any*',
    availabilityExceptions: 'string?',
    endpoint: 'Reference*',
  },
  Organization: {
    ...domainResource,
    identifier: 'Identifier*',
    active: 'boolean?',
    type: 'CodeableConcept*',
    name: 'string?',
    alias: 'string*',
    telecom: 'ContactPoint*',
    address: 'Address*',
    partOf: 'Reference?',
    contact: 'Any*',
    endpoint: 'Reference*',
  },
  Device: {
    ...domainResource,
    identifier: 'Identifier*',
    definition: 'Reference?',
    udiCarrier: 'Any*',
    status: 'code?',
    distinctIdentifier: 'string?',
    manufacturer: 'string?',
    manufactureDate: 'dateTime?',
    expirationDate: 'dateTime?',
    lotNumber: 'string?',
    serialNumber: 'string?',
    deviceName: 'DeviceName*',
    modelNumber: 'string?',
    partNumber: 'string?',
    type: 'CodeableConcept?',
    version: 'Any*',
    property: 'Any*',
    patient: 'Reference?',
    owner: 'Reference?',
    contact: 'ContactPoint*',
    location: 'Reference?',
    url: 'uri?',
    note: 'Annotation*',
  },
};

/** A FHIR document, which is kept as it came: its resources are looked at no further. FHIR R4 bundle.html, bdl-9 to bdl-11. */
const fhirDocument: Elements = {
  identifier: 'Identifier!',
  type: 'documentType!',
  timestamp: 'instant!',
  entry: 'Any+',
  signature: 'Any?',
  link: 'Any*',
  total: 'unsignedInt?',
};

const common: Elements = { id: 'id?', meta: 'Meta?', implicitRules: 'uri?', language: 'code?' };

/** Which resources stand where. */
const places: Readonly<Record<string, readonly string[]>> = {
  contained: ['Patient', 'Practitioner', 'PractitionerRole', 'Organization', 'Device'],
  named: ['Patient', 'Practitioner', 'PractitionerRole', 'Organization', 'Device', 'CareTeam', 'Group'],
  told: ['Patient'],
  entry: [
    'List',
    'DocumentReference',
    'Binary',
    'Bundle',
    'Parameters',
    'Patient',
    'Practitioner',
    'PractitionerRole',
    'Organization',
    'Device',
  ],
};

const text = (pattern: RegExp) => (value: Json) => typeof value === 'string' && pattern.test(value);
const whole = (least: number) => (value: Json) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= least;
const day = '\\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\\d|3[01]))?)?';
const clock =
  '\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:([0-5]\\d|60)(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)';

/** FHIR R4 datatypes.html#primitive. */
const primitives: Readonly<Record<string, (value: Json) => boolean>> = {
  string: text(/\S/),
  code: text(/^\S+( \S+)*$/),
  uri: text(/^\S+$/),
  id: text(/^[A-Za-z0-9.-]{1,64}$/),
  base64Binary: text(/^[A-Za-z0-9+/\s]+={0,2}\s*$/),
  date: text(new RegExp(`^${day}$`)),
  dateTime: text(new RegExp(`^(${day}|${clock})$`)),
  instant: text(new RegExp(`^${clock}$`)),
  relation: text(/^(replaces|transforms|signs|appends)$/),
  documentType: text(/^document$/),
  boolean: (value) => typeof value === 'boolean',
  integer: whole(Number.MIN_SAFE_INTEGER),
  unsignedInt: whole(0),
  decimal: (value) => typeof value === 'number',
};

/** So many are told at once. */
const most = 100;

/**
 * What is wrong with the structure of a resource: resourceType, unknown elements, cardinality, types.
 * FHIR R4 json.html, datatypes.html; IHE MHD 4.2.3.
 */
export function shapeProblems(resource: Json, type: string): Problem[] {
  const problems: Problem[] = [];
  checkResource(resource, [type], type, problems);
  return problems.slice(0, most);
}

type Found = Problem[];

function checkResource(value: Json, allowed: readonly string[], path: string, found: Found): void {
  const { resourceType, ...rest } = isObject(value) ? value : {};
  const isAllowed = typeof resourceType === 'string' && allowed.includes(resourceType);
  const isDocument = resourceType === 'Bundle' && path !== 'Bundle';
  const elements = isAllowed ? (isDocument ? fhirDocument : resources[resourceType]) : undefined;
  if (!isObject(value)) wrong(found, path, value, `a ${allowed.join(', ')} is expected`);
  else if (elements !== undefined) checkElements(rest, { ...common, ...elements }, path, found);
  else wrong(found, `${path}.resourceType`, resourceType ?? null, `${allowed.join(', ')} is expected`);
}

function checkElements(value: { readonly [key: string]: Json }, elements: Elements, path: string, found: Found): void {
  if (found.length > most) return;
  for (const [name, inside] of Object.entries(value)) {
    const shape = Object.hasOwn(elements, name) ? elements[name] : undefined;
    if (shape !== undefined) checkCount(inside, shape, `${path}.${name}`, found);
    else if (!isOfPrimitive(name, inside, elements))
      found.push(problem('elementUnknown', { expression: `${path}.${name}` }));
  }
  for (const [name, shape] of Object.entries(elements))
    if (/[!+1]$/.test(shape) && !Object.hasOwn(value, name))
      found.push(problem('elementMissing', { expression: `${path}.${name}` }));
}

/** `_name` holds id and extensions of a primitive element. FHIR R4 json.html#primitive. */
function isOfPrimitive(name: string, inside: Json, elements: Elements): boolean {
  const shape = name.startsWith('_') && Object.hasOwn(elements, name.slice(1)) ? elements[name.slice(1)] : undefined;
  const isPrimitive = shape !== undefined && Object.hasOwn(primitives, shape.slice(0, -1));
  return isPrimitive && typeof inside === 'object' && inside !== null;
}

function checkCount(value: Json, shape: string, path: string, found: Found): void {
  const type = shape.slice(0, -1);
  const count = shape.at(-1);
  const isList = count === '*' || count === '+' || count === '1';
  const values = isList ? elementsOf(value) : [value];
  if (values.length === 0) wrong(found, path, value, 'a list that is not empty is expected');
  if (count === '1' && values.length > 1) wrong(found, `${path}[1]`, values[1] ?? null, 'one is expected');
  for (const [i, one] of values.entries()) checkValue(one, type, isList ? `${path}[${i}]` : path, found);
}

function elementsOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function checkValue(value: Json, type: string, path: string, found: Found): void {
  const allowed = places[type];
  const isRight = primitives[type];
  if (allowed !== undefined) checkResource(value, allowed, path, found);
  else if (isRight !== undefined) {
    if (!isRight(value)) wrong(found, path, value, `${type} is expected`);
  } else if (!isObject(value) || Object.keys(value).length === 0)
    wrong(found, path, value, type === 'Any' ? 'an element is expected' : `${type} is expected`);
  else if (type !== 'Any')
    checkElements(value, { id: 'string?', extension: 'Extension*', ...types[type] }, path, found);
}

function wrong(found: Found, expression: string, value: Json, detail: string): void {
  const shown = typeof value === 'object' ? undefined : String(value).slice(0, 100);
  found.push(problem('elementMalformed', { expression, detail, ...(shown !== undefined && { value: shown }) }));
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

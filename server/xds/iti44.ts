import { type Problem, type ProblemName, problem, Refused, refuse, wordsOf } from '../domain/error.ts';
import { type FedIdentity, plainName } from '../domain/fed-identity.ts';
import { type Identifier, isOid } from '../domain/identifier.ts';
import type { Traits } from '../domain/record.ts';
import { dtmOf, isDtm } from '../domain/time.ts';
import { type Fed, feedIdentity, type Merged, mergeIdentities, subsumedId } from '../usecases/feed.ts';
import { attributeOf, child, childrenOf, descendant, type XmlElement } from '../xml/element.ts';
import { escapeAttribute, escapeText } from '../xml/write.ts';
import type { Answer, Asked, Exchange, XdsTransaction } from './exchange.ts';
import { contactOf } from './hl7v3-contact.ts';
import { action, namespace } from './vocabulary.ts';

const { v3 } = namespace;

/** Patient Identity Feed HL7 V3: add, revise, and merge. IHE ITI TF-2 3.44. */
export const iti44: readonly XdsTransaction[] = [
  transaction('PRPA_IN201301UV02', (exchange) => feed(exchange, 'add')),
  transaction('PRPA_IN201302UV02', (exchange) => feed(exchange, 'revise')),
  transaction('PRPA_IN201304UV02', merge),
];

function transaction(
  interaction: keyof typeof action.iti44,
  work: (exchange: Exchange) => Promise<readonly string[]>,
): XdsTransaction {
  return {
    name: 'ITI-44',
    requestAction: action.iti44[interaction],
    responseAction: action.acknowledged,
    packaging: 'soap',
    receiver: 'registry',
    requestRoot: { namespace: v3, local: interaction },
    handle: async (exchange) => {
      const details = (await work(exchange)).map((words) => writeDetail('W', 'ignored', words));
      return acknowledge('CA', details, exchange);
    },
    refused: (problems, asked) => {
      const details = problems.map((found) => writeDetail('E', codeOf(found.name), wordsOf(found), locationOf(found)));
      return acknowledge(problems.some(({ name }) => isOurs(name)) ? 'CR' : 'CE', details, asked);
    },
  };
}

const silent = {
  noRecord:
    'There is no record of this person: nothing was kept. Opening a record is an act of its own, with the consent of its holder.',
  authorityUnknown: 'No id of the patient is of an authority of this domain: nothing was kept.',
} as const satisfies { readonly [F in Fed['outcome']]?: string };

const ignored: { readonly [M in Extract<Merged, { ignored: string }>['ignored']]: string } = {
  authorityUnknown: 'An id is of no authority of this domain: the merge was ignored.',
  sameIdentifier: 'Both ids are the same: the merge was ignored.',
  subsumedUnknown: 'The id to be replaced is not known: the merge was ignored.',
  alreadySubsumed: 'The id to be replaced was subsumed before: the merge was ignored.',
  survivingInactive: 'The surviving id was itself subsumed: the merge was ignored.',
};

async function feed({ tools, request, body }: Exchange, message: 'add' | 'revise'): Promise<readonly string[]> {
  const patient = patientOf(body);
  const { problems, ...identity } = readPatient(patient);
  if (problems.length > 0) throw new Refused(problems);
  const { outcome } = await feedIdentity(tools, request, identity, { message });
  return outcome === 'noRecord' || outcome === 'authorityUnknown' ? [silent[outcome]] : [];
}

async function merge({ tools, request, body }: Exchange): Promise<readonly string[]> {
  const surviving = identifiersOf(patientOf(body));
  const repeated = repeatedIn(at(body, ...event), prior);
  if (repeated !== undefined) refuse('partRepeated', { attribute: repeated, detail: 'one message merges one pair' });
  const replaced = at(body, ...event, ...prior);
  const subsumed = identifiersOf(replaced);
  const missing = [
    [surviving, 'patient/id'],
    [subsumed, 'priorRegisteredRole/id'],
  ] as const;
  const problems = missing
    .filter(([ids]) => ids.length === 0)
    .map(([, attribute]) => problem('fieldMissing', { attribute, detail: 'an id with root and extension' }));
  if (problems.length > 0) throw new Refused(problems);
  const merged = await mergeIdentities(tools, request, { surviving, subsumed });
  return 'ignored' in merged ? [ignored[merged.ignored]] : [];
}

const event = ['controlActProcess', 'subject', 'registrationEvent'] as const;

const prior = ['replacementOf', 'priorRegistration', 'subject1', 'priorRegisteredRole'] as const;

/** The one patient. A message about several is refused: none of them is left out without a word. */
function patientOf(body: XmlElement): XmlElement {
  const repeated = repeatedIn(body, [...event, 'subject1', 'patient']);
  if (repeated !== undefined)
    refuse('partRepeated', { attribute: repeated, detail: 'one message is about one patient' });
  const patient = at(body, ...event, 'subject1', 'patient');
  if (patient === undefined)
    throw new Refused([
      problem('fieldMissing', { attribute: 'registrationEvent/subject1/patient', object: body.local }),
    ]);
  return patient;
}

/** The first element on this path that is there more than once. */
function repeatedIn(element: XmlElement | undefined, path: readonly string[]): string | undefined {
  const [local, ...rest] = path;
  if (local === undefined) return undefined;
  return childrenOf(element, v3, local).length > 1 ? local : repeatedIn(child(element, v3, local), rest);
}

/** Ids by root and extension: the patient's own, then other ones of the person (asOtherIDs). */
function identifiersOf(role: XmlElement | undefined): Identifier[] {
  const others = childrenOf(at(role, 'patientPerson'), v3, 'asOtherIDs');
  return [role, ...others].flatMap((holder) =>
    childrenOf(holder, v3, 'id').flatMap((id) => {
      const [oid, value] = [attributeAt(id, 'root') ?? '', attributeAt(id, 'extension') ?? ''];
      return value !== '' && isOid(oid) ? [{ value, oid }] : [];
    }),
  );
}

const genders: ReadonlyMap<string, Traits['gender']> = new Map([
  ['M', 'male'],
  ['F', 'female'],
  ['U', 'unknown'],
  ['UN', 'unknown'],
]);

/** Names qualified BR are those of birth, SP and CL those in use. DMP, trames HL7 v3. */
function readPatient(patient: XmlElement): FedIdentity & { readonly problems: readonly Problem[] } {
  const person = at(patient, 'patientPerson');
  const names = childrenOf(person, v3, 'name');
  const part = (local: string, ...qualifiers: readonly (string | undefined)[]) =>
    names
      .flatMap((name) => childrenOf(name, v3, local))
      .find((found) => qualifiers.includes(attributeOf(found, 'qualifier')))
      ?.text.trim();
  const identifiers = identifiersOf(patient);
  const birthTime = attributeAt(at(person, 'birthTime'), 'value') ?? '';
  const birth = birthTime.slice(0, 8);
  const gender = genders.get(attributeAt(at(person, 'administrativeGenderCode'), 'code') ?? '');
  const place = at(person, 'birthPlace', 'addr', 'county')?.text.trim();
  const problems: Problem[] = [];
  if (identifiers.length === 0)
    problems.push(problem('fieldMissing', { attribute: 'patient/id', detail: 'an id with root and extension' }));
  const isDate = isDtm(birth);
  if (birth !== '' && !isDate)
    problems.push(problem('fieldMalformed', { attribute: 'birthTime', value: birthTime, detail: 'no date' }));
  return {
    identifiers,
    traits: {
      ...given('family', part('family', 'BR') ?? part('family', undefined)),
      ...given('given', part('given', 'BR') ?? part('given', undefined)),
      ...given('usedFamily', part('family', 'SP', 'CL')),
      ...given('usedGiven', part('given', 'CL')),
      ...given('birthPlace', place),
      ...contactOf(person),
      ...(gender !== undefined && { gender }),
      ...(isDate && {
        birthDate: [birth.slice(0, 4), birth.slice(4, 6), birth.slice(6, 8)].filter((p) => p !== '').join('-'),
      }),
    },
    problems,
  };
}

function given<K extends keyof Traits>(name: K, text: string | undefined): { readonly [P in K]?: string } {
  if (text === undefined || text === '') return {};
  return { [name]: plainName(text) } as { readonly [P in K]: string };
}

/** What the message was accepted or refused with: a commit acknowledgement. HL7 v3 MCCI_IN000002UV01; IHE ITI TF-2 3.44.4.1.3, O.1.2. */
function acknowledge(code: 'CA' | 'CE' | 'CR', details: readonly string[], { tools, body }: Asked): Answer {
  const target = at(body, 'id');
  const [sender, receiver] = [at(body, 'sender', 'device', 'id'), at(body, 'receiver', 'device', 'id')];
  return {
    body:
      `<MCCI_IN000002UV01 xmlns="${v3}" ITSVersion="XML_1.0">` +
      `<id root="${tools.newId()}"/><creationTime value="${dtmOf(tools.now())}"/>` +
      '<interactionId root="2.16.840.1.113883.1.6" extension="MCCI_IN000002UV01"/>' +
      `<processingCode code="${escapeAttribute(attributeAt(at(body, 'processingCode'), 'code') ?? 'P')}"/>` +
      '<processingModeCode code="T"/><acceptAckCode code="NE"/>' +
      `<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE">${writeId(sender)}</device></receiver>` +
      `<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE">${writeId(receiver)}</device></sender>` +
      `<acknowledgement><typeCode code="${code}"/><targetMessage>${writeId(target)}</targetMessage>` +
      `${details.join('')}</acknowledgement></MCCI_IN000002UV01>`,
  };
}

function writeDetail(type: 'E' | 'W', code: string, words: string, location?: string): string {
  const place = location === undefined ? '' : `<location>${escapeText(location)}</location>`;
  return (
    `<acknowledgementDetail typeCode="${type}"><code code="${code}" codeSystem="2.16.840.1.113883.5.1100"/>` +
    `<text>${escapeText(words)}</text>${place}</acknowledgementDetail>`
  );
}

function writeId(id: XmlElement | undefined): string {
  if (id === undefined) return '<id nullFlavor="NI"/>';
  const attributes = (['root', 'extension'] as const).flatMap((name) => {
    const value = attributeAt(id, name);
    return value === undefined ? [] : [`${name}="${escapeAttribute(value)}"`];
  });
  return attributes.length === 0 ? '<id nullFlavor="NI"/>' : `<id ${attributes.join(' ')}/>`;
}

/** AcknowledgementDetailCode of HL7 v3. */
const codes: { readonly [N in ProblemName]?: string } = {
  fieldMissing: 'SYN101',
  fieldMalformed: 'SYN102',
  partRepeated: 'SYN110',
  insMalformed: 'SYN102',
  unknownPatient: 'KEY204',
  identitiesDiffer: 'KEY205',
};

function codeOf(name: ProblemName): string {
  return codes[name] ?? (isOurs(name) ? 'INTERR' : 'NS200');
}

/** Whether the message may be sent again as it is. */
function isOurs(name: ProblemName): boolean {
  return name === 'busy' || name === 'outOfResources';
}

function locationOf({ about: { attribute } }: Problem): string | undefined {
  if (attribute === 'patientId') return 'patient/id';
  return attribute === subsumedId ? 'priorRegisteredRole/id' : attribute;
}

function at(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return descendant(element, v3, path);
}

function attributeAt(element: XmlElement | undefined, name: string): string | undefined {
  return element === undefined ? undefined : attributeOf(element, name)?.trim();
}

import type { Patient } from 'fhir/r4.js';
import { problem, Refused, refuse } from '../domain/error.ts';
import { type Identifier, sameIdentifier } from '../domain/identifier.ts';
import type { MergeIgnored } from '../domain/merge.ts';
import type { PatientRecord } from '../domain/record.ts';
import { feedIdentity, mergeIdentities, type Person, removeIdentity } from '../usecases/feed.ts';
import type { Request, Tools } from '../usecases/perform.ts';
import { patientOf, replacedPatient } from './map/patient.ts';
import { identifiersIn, identityIn, replacementIn } from './read/identity.ts';
import { readIdentifier } from './search-values.ts';

/** What a feed asks for one patient: the person it means by id or by the identifier of its condition, and what it says of him. */
export type FeedOrder =
  | {
      readonly method: 'POST';
      readonly patient: Patient;
      /** Nothing is changed where somebody has it. FHIR R4 http.html#ccreate. */
      readonly ifNoneExist?: Identifier;
    }
  | {
      readonly method: 'PUT';
      readonly patient: Patient;
      readonly meant: Identifier | { readonly record: string } | undefined;
      /** The version that the record must be at. */
      readonly version?: number;
    }
  | { readonly method: 'DELETE'; readonly meant: Identifier | { readonly record: string } };

/** What became of it; `patient` as it is now. */
export type FeedResult = {
  readonly status: 200 | 201 | 204;
  readonly patient?: Patient;
  readonly record?: PatientRecord;
};

/**
 * Does what a feed asks for one patient. IHE PIXm, ITI-104; IHE PMIR, ITI-93.
 * @throws Refused for a Patient that says too little, and as `feedIdentity`, `mergeIdentities` and `removeIdentity`
 */
export async function obeyFeed(tools: Tools, request: Request, order: FeedOrder): Promise<FeedResult> {
  if (order.method === 'DELETE') {
    await removeIdentity(tools, request, personMeant(order.meant));
    return { status: 204 };
  }
  if (order.method === 'PUT' && replacementIn(order.patient) !== undefined) return merge(tools, request, order);
  const { patient } = order;
  const { problems, ...fed } = identityIn(patient);
  const condition = order.method === 'POST' ? order.ifNoneExist : undefined;
  const meant = order.method === 'PUT' ? order.meant : undefined;
  const all = [
    ...problems,
    ...[condition, meant].flatMap((named) => strayIdentifier(named, fed.identifiers)),
    ...(patient.active === false ? [inactive] : []),
  ];
  if (all.length > 0) throw new Refused(all);
  const record =
    meant !== undefined && 'record' in meant && order.method === 'PUT'
      ? { id: meant.record, ...(order.version !== undefined && { version: order.version }) }
      : undefined;
  const told =
    order.method === 'POST'
      ? ({ message: 'add', known: condition === undefined ? 'refused' : 'kept' } as const)
      : ({ message: 'revise', ...(record && { record }) } as const);
  const result = await feedIdentity(tools, request, fed, told);
  if (!('record' in result))
    refuse(result.outcome === 'noRecord' ? 'recordNotOpened' : 'identityForeign', { expression: 'Patient.identifier' });
  const { outcome, record: now } = result;
  return { status: outcome === 'opened' ? 201 : 200, patient: patientOf(now), record: now };
}

const inactive = problem('mergeImpossible', {
  expression: 'Patient.active',
  detail: 'a patient who is not active has a link replaced-by',
});

/** The identifier of a condition is one of those that the body has, or the condition would mean somebody else. */
function strayIdentifier(named: Identifier | { readonly record: string } | undefined, held: readonly Identifier[]) {
  if (named === undefined || 'record' in named || held.some((id) => sameIdentifier(id, named))) return [];
  const value = `urn:oid:${named.oid}|${named.value}`;
  return [
    problem('parameterMalformed', { attribute: 'identifier', value, detail: 'the Patient of the body has it too' }),
  ];
}

function personMeant(meant: Identifier | { readonly record: string }): Person {
  return 'record' in meant ? meant : [meant];
}

const ignored: { readonly [M in MergeIgnored]: string } = {
  authorityUnknown: 'an identifier is of no authority of this domain',
  sameIdentifier: 'both identifiers are the same',
  subsumedUnknown: 'the patient who is to be replaced is not known',
  alreadySubsumed: 'the patient who is to be replaced was replaced before',
  survivingInactive: 'the surviving patient was replaced himself',
};

async function merge(
  tools: Tools,
  request: Request,
  { patient, meant }: Extract<FeedOrder, { method: 'PUT' }>,
): Promise<FeedResult> {
  const own = identifiersIn(patient);
  const surviving = survivorIn(patient);
  const subsumed = meant !== undefined ? personMeant(meant) : own.length > 0 ? own : undefined;
  const problems = [
    ...(patient.active === false
      ? []
      : [problem('mergeImpossible', { expression: 'Patient.active', detail: 'it is false' })]),
    ...(surviving === undefined
      ? [
          problem('mergeImpossible', {
            expression: 'Patient.link.other',
            detail: 'an identifier urn:oid:<OID>, or Patient/<id>',
          }),
        ]
      : []),
    ...(subsumed === undefined ? [problem('elementMissing', { expression: 'Patient.identifier' })] : []),
  ];
  if (problems.length > 0 || surviving === undefined || subsumed === undefined) throw new Refused(problems);
  const merged = await mergeIdentities(tools, request, { surviving, subsumed });
  if ('ignored' in merged) refuse('mergeImpossible', { detail: ignored[merged.ignored] });
  const { record } = merged;
  return { status: 200, record, patient: replacedPatient(merged.subsumed, patient.identifier ?? [], record) };
}

/** The surviving patient by identifier, or by our id. */
function survivorIn(patient: Patient): Person | undefined {
  const { identifier, reference = '' } = replacementIn(patient)?.other ?? {};
  const named = identifiersIn({ identifier: identifier === undefined ? [] : [identifier] });
  if (named.length > 0) return named;
  const id = /(?:^|\/)Patient\/([A-Za-z0-9.-]{1,64})$/.exec(reference)?.[1];
  if (id !== undefined) return { record: id };
  const [, query = ''] = reference.split(/Patient\?identifier=/);
  const asked = readIdentifier(decodeURIComponent(query));
  return asked && [asked];
}

import { type Consent, isInForce } from './consent.ts';
import type { RecordFacts } from './decision.ts';
import { type Identifier, sameIdentifier } from './identifier.ts';
import { isSubsumed, type PatientIdentifier, type PatientRecord, type RecordId } from './record.ts';

/** Why a merge changes nothing. IHE ITI TF-2 3.8.4.2.3, 3.44.4.2.3. */
export type MergeIgnored =
  | 'authorityUnknown'
  | 'sameIdentifier'
  | 'subsumedUnknown'
  | 'alreadySubsumed'
  | 'survivingInactive';

/**
 * What a merge does: it joins two records; it gives the record of the subsumed identifier the surviving one (`rename`), where that one was not
 * known; or it does nothing.
 */
export type MergeVerdict =
  | { readonly ignored: MergeIgnored }
  | { readonly join: RecordFacts; readonly into: RecordFacts }
  | { readonly rename: RecordFacts };

/** Judges a merge by the records that the two identifiers find; destroyed ones count as unknown. */
export function judgeMerge(
  surviving: Identifier | undefined,
  subsumed: Identifier | undefined,
  survivor: RecordFacts | undefined,
  loser: RecordFacts | undefined,
): MergeVerdict {
  if (surviving === undefined || subsumed === undefined) return { ignored: 'authorityUnknown' };
  if (sameIdentifier(surviving, subsumed)) return { ignored: 'sameIdentifier' };
  if (loser === undefined || loser.record.state === 'destroyed') return { ignored: 'subsumedUnknown' };
  if (isSubsumed(loser.record, subsumed)) return { ignored: 'alreadySubsumed' };
  if (survivor === undefined) return { rename: loser };
  if (survivor.record.state === 'destroyed' || isSubsumed(survivor.record, surviving))
    return { ignored: 'survivingInactive' };
  return survivor.record.id === loser.record.id ? { rename: loser } : { join: loser, into: survivor };
}

/** The record whose subsumed identifier gives way to the surviving one. */
export function renamedRecord(record: PatientRecord, surviving: Identifier, subsumed: Identifier): PatientRecord {
  const rest = record.identifiers.filter((id) => !sameIdentifier(id, surviving) && !sameIdentifier(id, subsumed));
  const isOfficial = !rest.some(({ use }) => use === 'official');
  const named: PatientIdentifier = { value: surviving.value, oid: surviving.oid, use: isOfficial ? 'official' : 'old' };
  const gone: PatientIdentifier = { value: subsumed.value, oid: subsumed.oid, use: 'subsumed' };
  const identifiers = isOfficial ? [named, ...rest, gone] : [...rest, named, gone];
  return { ...record, version: record.version + 1, identifiers };
}

/** The surviving record: the subsumed one's identifiers name nobody any more; what protects either protects both. */
export function survivingRecord(survivor: PatientRecord, subsumed: PatientRecord): PatientRecord {
  const known = new Set(survivor.representatives.map(({ id }) => id));
  return {
    ...survivor,
    version: survivor.version + 1,
    identifiers: [...survivor.identifiers, ...subsumed.identifiers.map((id) => ({ ...id, use: 'subsumed' as const }))],
    attached: survivor.attached || subsumed.attached,
    createdAt: Math.min(survivor.createdAt, subsumed.createdAt),
    representatives: [...survivor.representatives, ...subsumed.representatives.filter(({ id }) => !known.has(id))],
  };
}

/** What is left of the subsumed record: a row that says where its content went. */
export function subsumedRecord(subsumed: PatientRecord, into: RecordId): PatientRecord {
  return { ...subsumed, version: subsumed.version + 1, state: 'merged', mergedInto: into, identifiers: [] };
}

/**
 * The consents of the subsumed record that hold for the surviving one too: those that close, never those that open. A block or an opposition
 * was stated by the same person; an authorisation given for one record was not given for the other.
 */
export function inheritedConsents(
  consents: readonly Consent[],
  into: RecordId,
  now: number,
  newId: () => string,
): Consent[] {
  return consents
    .filter(({ statement: { kind } }) => kind === 'block' || kind === 'opposition')
    .filter((consent) => isInForce(consent, now))
    .map((consent) => ({ ...consent, id: newId(), record: into, version: 1 }));
}

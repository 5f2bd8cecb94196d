import type { Action } from '../domain/action.ts';
import { isPermit, type Permit, type Visibility } from '../domain/decision.ts';
import type { RecordId } from '../domain/record.ts';
import type { ChangeSet, Row } from './port.ts';

/** What a permit gives a reader. A forged one, or one for no record, is a fault of the program: throws. */
export function readingOf(permit: Permit): { readonly record: RecordId; readonly visibility: Visibility } {
  if (!isPermit(permit) || permit.record === undefined)
    throw new TypeError('Patient data is read with a permit of decide() for one record');
  return { record: permit.record, visibility: permit.visibility };
}

/** Guards what looks into all records. A permit for anything else than a query across patients is a fault of the program: throws. */
export function checkAcross(permit: Permit): void {
  if (!isPermit(permit) || permit.action !== 'queryAcrossPatients')
    throw new TypeError('All records are looked into with a permit to query across patients');
}

/** Guards what finds holders by their traits. A permit for anything else than a search for patients is a fault of the program: throws. */
export function checkHolders(permit: Permit): void {
  if (!isPermit(permit) || permit.action !== 'searchPatients')
    throw new TypeError('Holders are found with a permit to search patients');
}

/** Guards what is said of professionals. A permit for anything else than to read the directory is a fault of the program: throws. */
export function checkDirectory(permit: Permit): void {
  if (!isPermit(permit) || permit.action !== 'readDirectory')
    throw new TypeError('The directory is read with a permit to read the directory');
}

/**
 * The record that a change set touches, the permit's or the one that it creates, and the others that it reaches, in their order. A forged
 * permit, or a row of a record for which no permit is given, is a fault of the program: throws.
 */
export function changedRecords(
  permit: Permit,
  { put, elsewhere = [] }: Pick<ChangeSet, 'put' | 'elsewhere'>,
): { readonly record: RecordId | undefined; readonly others: readonly RecordId[] } {
  const record = changedRecord(permit, put);
  const others = elsewhere.map((other) => otherRecord(other.permit, other.put));
  for (const row of put)
    if ('from' in row && !others.includes(row.from))
      throw new TypeError(`A row of kind ${row.kind} takes over from a record without a permit for it`);
  return { record, others };
}

function changedRecord(permit: Permit, put: readonly Row[]): RecordId | undefined {
  if (!isPermit(permit)) throw new TypeError('Patient data is changed with a permit of decide()');
  const record = permit.record ?? put.find((row) => row.kind === 'record')?.record.id;
  if (permit.action !== 'feedIdentities' && put.some((row) => row.kind === 'merge'))
    throw new TypeError('Records are merged with a permit to feed identities');
  for (const row of put) {
    if (ofNoRecord.has(row.kind)) continue;
    if (record === undefined || (namedBy(row) ?? record) !== record)
      throw new TypeError(`A row of kind ${row.kind} is not of the permit's record`);
  }
  return record;
}

/** Another record is reached to remove from it, or to say of something in it that it is out of date. */
function otherRecord(permit: Permit, put: readonly Row[]): RecordId {
  const record = changedRecord(permit, put);
  const kinds = reaching[permit.action];
  if (record === undefined || kinds === undefined || put.some(({ kind }) => !kinds.includes(kind)))
    throw new TypeError(`A permit to ${permit.action} does not reach another record so`);
  return record;
}

const reaching: { readonly [A in Action]?: readonly Row['kind'][] } = {
  removeDocuments: ['remove'],
  updateDocument: ['status', 'folderState'],
};

/** Rows that belong to whoever put them. */
const ofNoRecord: ReadonlySet<Row['kind']> = new Set(['staged', 'unstaged', 'subscription', 'unsubscribe']);

function namedBy(row: Row): RecordId | undefined {
  if (row.kind === 'record') return row.record.id;
  if (row.kind === 'consent') return row.consent.record;
  return row.kind === 'key' || row.kind === 'destroyKey' ? row.record : undefined;
}

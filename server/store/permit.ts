import { isPermit, type Permit, type Visibility } from '../domain/decision.ts';
import type { RecordId } from '../domain/record.ts';
import type { Row } from './port.ts';

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
 * The one record that a change set touches: the permit's, or the one that it creates. A forged permit, or a row of another record, is a
 * fault of the program: throws.
 */
export function changedRecord(permit: Permit, put: readonly Row[]): RecordId | undefined {
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

/** The other record from which a change set removes. Anything but a removal by a permit to remove is a fault of the program: throws. */
export function emptiedRecord(permit: Permit, put: readonly Row[]): RecordId {
  const record = changedRecord(permit, put);
  if (record === undefined || permit.action !== 'removeDocuments' || put.some(({ kind }) => kind !== 'remove'))
    throw new TypeError('A change set reaches other records to remove from them alone');
  return record;
}

/** Rows that belong to whoever put them. */
const ofNoRecord: ReadonlySet<Row['kind']> = new Set(['staged', 'unstaged', 'subscription', 'unsubscribe']);

function namedBy(row: Row): RecordId | undefined {
  if (row.kind === 'record') return row.record.id;
  if (row.kind === 'consent') return row.consent.record;
  return row.kind === 'key' || row.kind === 'destroyKey' ? row.record : undefined;
}

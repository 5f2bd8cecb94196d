import { groupOf } from '../../domain/consent.ts';
import type { Association, DocumentEntry } from '../../domain/document.ts';
import { actorsOf, type EventDraft, writtenAt } from '../../domain/event.ts';
import { writeCxi, writeXcn } from '../../domain/hl7v2.ts';
import type { Cx, Identifier } from '../../domain/identifier.ts';
import type { RecordId } from '../../domain/record.ts';
import { type Dtm, earliest } from '../../domain/time.ts';
import { type HolderName, holderNames } from '../holders.ts';
import type { ChangeSet, Expectation, Job, ObjectKind, Owners, Row, Spend } from '../port.ts';
import { codeToken, escaped, factsOfDocument, flagsOf, ownersText, tokens } from '../visibility.ts';
import type { Settlement } from './jobs.ts';
import { statuses } from './names.ts';
import { type TakenApart, takeApart } from './shared-values.ts';

/** A change set as it travels to the writer: texts and numbers, made on the thread that hands it over. */
export type PlainSet = {
  readonly record: RecordId | undefined;
  readonly expect: readonly Expectation[];
  readonly rows: readonly PlainRow[];
  /** What changes in other records. */
  readonly elsewhere?: readonly { readonly record: RecordId; readonly rows: readonly PlainRow[] }[];
  readonly events: readonly PlainEvent[];
  readonly jobs: readonly Job[];
  readonly settled: readonly Settlement[];
  /** What is staged and ended by then is forgotten. Milliseconds. */
  readonly stagedUntil?: number;
  /** Milliseconds. */
  readonly at: number;
  readonly spend: Spend | undefined;
  /** Bytes for the segments; a document names its own by index. */
  readonly sealed: readonly Uint8Array[];
};

type PlainEvent = {
  readonly record: RecordId | undefined;
  readonly at: number;
  readonly actors: string;
  /** The digest of what a partner told. */
  readonly told?: string;
  readonly json: string;
};

export type PlainDocument = {
  readonly kind: 'document';
  readonly entryUUID: string;
  /** The version before. */
  readonly of: string | undefined;
  /** Its record, where it is another. */
  readonly from: RecordId | undefined;
  readonly logicalID: string;
  readonly uniqueId: string;
  readonly status: number;
  readonly registeredAt: number;
  readonly sha256: string | undefined;
  readonly content: number | { readonly file: string; readonly length: number } | undefined;
  readonly onDemand: number;
  readonly offline: number;
  readonly flags: number;
  readonly times: readonly (number | null)[];
  /** The columns `class` to `owners` of the search row, in the order of the table. */
  readonly texts: readonly string[];
  readonly json: string | TakenApart;
};

export type PlainRow =
  | {
      readonly kind: 'record';
      readonly id: RecordId;
      readonly version: number;
      readonly identifiers: readonly Identifier[];
      readonly names: readonly HolderName[];
      readonly json: string;
    }
  | {
      readonly kind: 'consent';
      readonly id: string;
      readonly group: string;
      readonly json: string;
      readonly form: string | undefined;
    }
  | { readonly kind: 'key'; readonly record: RecordId; readonly wrapped: Uint8Array }
  | { readonly kind: 'destroyKey'; readonly record: RecordId }
  | { readonly kind: 'status'; readonly document: string; readonly status: number; readonly at: number | undefined }
  | {
      readonly kind: 'folderState';
      readonly folder: string;
      readonly changes: Pick<Extract<Row, { kind: 'folderState' }>, 'status' | 'lastUpdateTime'>;
    }
  | Extract<
      Row,
      {
        kind:
          | 'associationState'
          | 'patientId'
          | 'remove'
          | 'removeContent'
          | 'staged'
          | 'unstaged'
          | 'subscription'
          | 'unsubscribe';
      }
    >
  | {
      readonly kind: 'merge';
      readonly id: RecordId;
      readonly version: number;
      readonly json: string;
      readonly patientId: Cx;
    }
  | PlainDocument
  | PlainPackage;

/** A set, a folder or an association. */
export type PlainPackage = {
  readonly kind: Exclude<ObjectKind, 'document'>;
  readonly entryUUID: string;
  readonly uniqueId: string | undefined;
  readonly owners: string;
  readonly logicalID: string | undefined;
  /** The record of the version before, where it is another. */
  readonly from: RecordId | undefined;
  readonly ends: readonly [source: string, target: string] | undefined;
  /** Of an association that may relate a document to another: its source. */
  readonly relating: string | undefined;
  readonly json: string;
};

/**
 * Sealed bytes are copied, so that the copy can be given away to the writer's thread and the caller keeps his for another attempt. `others` are
 * the records of `changes.elsewhere`.
 */
export function encodeChanges(
  record: RecordId | undefined,
  changes: ChangeSet,
  others: readonly RecordId[] = [],
): PlainSet {
  const sealed: Uint8Array[] = [];
  const [first] = changes.events;
  const rowsOf = (put: readonly Row[] = []) => put.map((row) => encodeRow(row, sealed));
  return {
    record,
    expect: changes.expect,
    rows: rowsOf(changes.put),
    ...(others.length > 0 && {
      elsewhere: others.map((other, index) => ({ record: other, rows: rowsOf(changes.elsewhere?.[index]?.put) })),
    }),
    events: changes.events.map(encodeEvent),
    jobs: changes.jobs,
    settled: [],
    at: first === undefined ? 0 : writtenAt(first),
    spend: changes.spend,
    sealed,
  };
}

/** A change of the outbox alone. */
export function encodeOutbox(jobs: readonly Job[], settled: readonly Settlement[], at: number): PlainSet {
  return { ...encodeChanges(undefined, { expect: [], put: [], events: [], jobs }), settled, at };
}

function encodeEvent(event: EventDraft): PlainEvent {
  return {
    record: event.record,
    at: event.at,
    actors: tokens(actorsOf(event).map(escaped)),
    ...(event.told?.digest !== undefined && { told: event.told.digest }),
    json: JSON.stringify(event),
  };
}

function encodeRow(row: Row, sealed: Uint8Array[]): PlainRow {
  switch (row.kind) {
    case 'record': {
      const { id, version, identifiers } = row.record;
      const names = holderNames(row.record);
      return { kind: 'record', id, version, identifiers, names, json: JSON.stringify(row.record) };
    }
    case 'consent':
      return {
        kind: 'consent',
        id: row.consent.id,
        group: groupOf(row.consent),
        json: JSON.stringify(row.consent),
        form: row.form,
      };
    case 'document':
      return encodeDocument(row, sealed);
    case 'version': {
      const { entry, of, registeredAt, from, content } = row;
      const document = { kind: 'document' as const, entry, registeredAt, owners: nobody, ...(content && { content }) };
      return { ...encodeDocument(document, sealed), of, from };
    }
    case 'submissionSet':
      return registered('submissionSet', row.set, { owners: ownersText(row.owners) });
    case 'folder':
      return registered('folder', row.folder, { logicalID: row.folder.logicalID, from: row.from });
    case 'association':
      return registered('association', row.association, associationParts(row.association));
    case 'folderState': {
      const { kind, folder, ...changes } = row;
      return { kind, folder, changes };
    }
    case 'associationState':
    case 'patientId':
    case 'remove':
    case 'removeContent':
    case 'staged':
    case 'unstaged':
    case 'subscription':
    case 'unsubscribe':
      return row;
    case 'merge': {
      const { id, version } = row.subsumed;
      return { kind: 'merge', id, version, json: JSON.stringify(row.subsumed), patientId: row.patientId };
    }
    case 'status':
      return { kind: 'status', document: row.document, status: statuses.indexOf(row.status), at: row.at };
    case 'key':
      return { ...row, wrapped: ownCopy(row.wrapped) };
    case 'destroyKey':
      return row;
  }
}

const nobody: Owners = { professionals: [], structures: [], patient: false };

function registered(
  kind: Exclude<ObjectKind, 'document'>,
  object: { readonly entryUUID: string; readonly uniqueId?: string },
  parts: {
    owners?: string;
    logicalID?: string;
    from?: RecordId | undefined;
    ends?: [string, string];
    relating?: string | undefined;
  },
): PlainPackage {
  const { entryUUID, uniqueId } = object;
  const { owners = '', logicalID, from, ends, relating } = parts;
  return { kind, entryUUID, uniqueId, owners, logicalID, from, ends, relating, json: JSON.stringify(object) };
}

function associationParts({ type, source, target }: Association): { ends: [string, string]; relating?: string } {
  return { ends: [source, target], ...(type !== 'HasMember' && { relating: source }) };
}

function encodeDocument(row: Extract<Row, { kind: 'document' }>, sealed: Uint8Array[]): PlainDocument {
  const { entry, content } = row;
  const { codes, owners } = factsOfDocument(entry, row.owners);
  let place: PlainDocument['content'];
  if (content !== undefined && 'sealed' in content) place = sealed.push(ownCopy(content.sealed)) - 1;
  else place = content;
  return {
    kind: 'document',
    entryUUID: entry.entryUUID,
    of: undefined,
    from: undefined,
    logicalID: entry.logicalID,
    uniqueId: entry.uniqueId,
    status: statuses.indexOf(entry.status),
    registeredAt: row.registeredAt,
    sha256: row.sha256,
    content: place,
    onDemand: entry.objectType === 'onDemand' ? 1 : 0,
    offline: entry.documentAvailability === 'offline' ? 1 : 0,
    flags: flagsOf(codes),
    times: [entry.creationTime, entry.serviceStartTime, entry.serviceStopTime].map(digits),
    texts: searchTexts(entry, owners),
    json: takeApart(entry) ?? JSON.stringify(entry),
  };
}

function searchTexts(entry: DocumentEntry, owners: Owners): string[] {
  const coded = [
    [entry.classCode],
    [entry.typeCode],
    [entry.formatCode],
    [entry.practiceSettingCode],
    [entry.healthcareFacilityTypeCode],
    entry.eventCodes,
    entry.confidentialityCodes,
  ];
  return [
    ...coded.map((codes) => tokens(codes.map(codeToken))),
    tokens(entry.referenceIds.map((id) => escaped(writeCxi(id)))),
    JSON.stringify(entry.authors.flatMap(({ person }) => (person === undefined ? [] : [writeXcn(person)]))),
    ownersText(owners),
  ];
}

function digits(dtm: Dtm | undefined): number | null {
  return dtm === undefined ? null : Number(earliest(dtm));
}

function ownCopy(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
  copy.set(bytes);
  return copy;
}

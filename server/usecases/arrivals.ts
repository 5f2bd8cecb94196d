import type { Permit } from '../domain/decision.ts';
import type { EntryUuid, Submission } from '../domain/document.ts';
import type { RecordId } from '../domain/record.ts';
import type { Known } from '../domain/surrounding.ts';
import { logicalIdOf } from '../domain/update/message.ts';
import type { Arriving, KnownFolder } from '../domain/update/operation.ts';
import type { SealedContent, StoredDocument } from '../store/port.ts';
import { foldersNamed } from './folders-named.ts';
import { permitElsewhere, type Request, type Tools } from './perform.ts';
import { recordKey } from './record-key.ts';
import { surroundingOf, uuids } from './surrounding.ts';

/** What an update brings here from other patients' records, with a permit for each of these. */
export type Arrivals = {
  readonly arriving: Arriving;
  readonly permits: ReadonlyMap<RecordId, Permit>;
  /** The documents as they lie there, by entryUUID. */
  readonly documents: ReadonlyMap<EntryUuid, StoredDocument>;
};

const nowhere = { associations: [], folders: new Map<never, never>(), documents: new Map<never, never>() };
export const noArrivals: Arrivals = {
  arriving: { entries: new Map(), folders: new Map(), around: nowhere },
  permits: new Map(),
  documents: new Map(),
};

/**
 * Looks for the objects of which the message brings new versions in the records of other patients. Only where nobody's objects are hidden from
 * anybody and no credential ties to one patient: elsewhere a document does not leave its record, whose key seals it. IHE Metadata Update 3.57.4.1.3 (patient ID reconciliation).
 */
export async function arrivalsOf(
  tools: Tools,
  request: Request,
  permit: Permit,
  { entries, folders }: Submission,
): Promise<Arrivals> {
  const isOpen = tools.settings.domain.credentials === 'none' && request.caller.patient === undefined;
  if (!isOpen || permit.action !== 'updateDocument') return noArrivals;
  const { read, facts } = tools.store;
  const lines = uuids([...entries, ...folders].map(logicalIdOf));
  const records = (await facts.recordsOfVersions(lines, 'latest')).filter((record) => record !== permit.record);
  const found = await Promise.all(
    records.map(async (record) => {
      const there = await permitElsewhere(tools, request, permit.action, record);
      if (there === undefined) return undefined;
      const documents = (await read.documentsByLogicalId(there, lines)).filter(({ latest }) => latest);
      const held = [...(await foldersNamed(read, there, [], lines)).values()].filter(({ latest }) => latest);
      const names = [...documents.map(({ entry }) => entry.entryUUID), ...held.map(({ folder }) => folder.entryUUID)];
      return { record, there, documents, folders: held, around: await surroundingOf(read, there, names, []) };
    }),
  );
  const known = found.filter((one) => one !== undefined);
  return {
    arriving: {
      entries: new Map(
        known.flatMap(({ record, documents }) =>
          documents.map(({ entry, own }): [EntryUuid, Known] => [
            entry.logicalID,
            { entry, own, latest: true, from: record },
          ]),
        ),
      ),
      folders: new Map(
        known.flatMap(({ record, folders: held }) =>
          held.map((one): [EntryUuid, KnownFolder] => [one.folder.logicalID, { ...one, from: record }]),
        ),
      ),
      around: {
        associations: known.flatMap(({ around }) => around.associations),
        folders: new Map(known.flatMap(({ around }) => [...around.folders])),
        documents: new Map(known.flatMap(({ around }) => [...around.documents])),
      },
    },
    permits: new Map(known.map(({ record, there }) => [record, there])),
    documents: new Map(
      known.flatMap(({ documents }) => documents.map((document) => [document.entry.entryUUID, document] as const)),
    ),
  };
}

/**
 * The bytes of a document of another record, sealed for the permit's. Undefined where they are not here, and where the record has its own of an
 * earlier version.
 * @throws ContentDamaged, StoreFull
 */
export async function sealedHere(
  tools: Tools,
  permit: Permit,
  { permits }: Arrivals,
  { entry, content, record, sealedFor, sha256 }: StoredDocument,
): Promise<SealedContent | undefined> {
  const { blobs, keyring, store } = tools;
  const there = permits.get(record);
  if (content === undefined || there === undefined) return undefined;
  const earlier = await store.read.everyVersion(permit, [entry.logicalID]);
  if (earlier.some((version) => version.content !== undefined)) return undefined;
  const wrapped = await store.read.wrappedKey(there, sealedFor);
  if (wrapped === undefined) return undefined;
  const bytes = await blobs.open(keyring.unwrap(sealedFor, wrapped), content);
  const received =
    bytes instanceof Uint8Array
      ? blobs.receiveBytes(bytes)
      : await blobs.receive(bytes, entry.size ?? Number.MAX_SAFE_INTEGER);
  if (received.sha256 !== sha256) {
    await received.discard();
    throw new TypeError(`The bytes of ${entry.entryUUID} are not those that were registered`);
  }
  return received.keep(await recordKey(tools, permit));
}

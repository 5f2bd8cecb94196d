import type { Permit, Visibility } from '../domain/decision.ts';
import { type Problem, problem, Refused } from '../domain/error.ts';
import type { ContentPlace, StoredDocument } from '../store/port.ts';
import { perform, type Request, type Tools } from './perform.ts';
import { type PatientRef, recordAsked } from './query.ts';

/** Which documents, by one of their names. */
export type Retrieval = {
  readonly by: 'uniqueId' | 'entryUUID';
  readonly values: readonly string[];
  /** Absent: the patient of the credential. */
  readonly patient?: PatientRef;
};

/** A document whose reading has its trace. `open` gives its bytes; it fails when they are damaged. */
export type RetrievedDocument = {
  readonly document: StoredDocument;
  /** Bytes of the document. */
  readonly size: number;
  readonly open: () => Promise<Uint8Array | AsyncIterable<Uint8Array>>;
};

export type Retrieved = {
  /** Newest first; one for each name. */
  readonly documents: readonly RetrievedDocument[];
  /** `documentUnknown` for each name that gives nothing. */
  readonly problems: readonly Problem[];
};

/**
 * Documents with their bytes, traced before the first byte is read. Whatever may not be read is unknown, whether it exists or not.
 * @throws Refused `documentUnknown` for each name when nothing at all can be read, and what the decision refuses
 */
export async function retrieve(tools: Tools, request: Request, retrieval: Retrieval): Promise<Retrieved> {
  const { by, patient } = retrieval;
  const values = [...new Set(retrieval.values)];
  const first = by === 'entryUUID' ? values[0] : undefined;
  const subject = recordAsked(request, patient, first);
  return perform(tools, request, 'retrieveDocuments', subject, async (permit) => {
    const { read } = tools.store;
    const [found, ownKey] = await Promise.all([
      by === 'uniqueId' ? read.documentsByUniqueId(permit, values) : read.documentsByUuid(permit, values),
      read.wrappedKey(permit),
    ]);
    const keys = await keysOf(tools, permit, found, ownKey);
    const readable = new Map<string, Readable>();
    for (const document of found) {
      const name = document.entry[by];
      const wrapped = keys.get(document.sealedFor);
      const one = wrapped && readableOf(document, wrapped, permit.visibility);
      if (one !== undefined && !readable.has(name)) readable.set(name, one);
    }
    const problems = values
      .filter((name) => !readable.has(name))
      .map((name) => problem('documentUnknown', { value: name }));
    if (readable.size === 0) throw new Refused(problems);
    const documents = [...readable.values()].map(({ document, size, place, wrapped }) => ({
      document,
      size,
      open: () => tools.blobs.open(tools.keyring.unwrap(document.sealedFor, wrapped), place),
    }));
    const named = documents.map(({ document: { entry } }) => ({
      entryUUID: entry.entryUUID,
      uniqueId: entry.uniqueId,
    }));
    return { answer: { documents, problems }, trace: { documents: named } };
  });
}

/** The wrapped keys of these documents, by the record that each was sealed for: after a merge, not the record's own alone. */
async function keysOf(
  { store }: Tools,
  permit: Permit,
  found: readonly StoredDocument[],
  own: Uint8Array | undefined,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const others = new Set(found.filter(({ record, sealedFor }) => sealedFor !== record).map((d) => d.sealedFor));
  const wrapped = await Promise.all(
    [...others].map(async (of) => [of, await store.read.wrappedKey(permit, of)] as const),
  );
  const all = [[permit.record ?? '', own] as const, ...wrapped];
  return new Map(all.flatMap(([of, key]) => (key === undefined ? [] : [[of, key] as const])));
}

type Readable = {
  readonly document: StoredDocument;
  readonly size: number;
  readonly place: ContentPlace;
  readonly wrapped: Uint8Array;
};

/** The document when its bytes are here and the caller may read them. */
function readableOf(document: StoredDocument, wrapped: Uint8Array, { content }: Visibility): Readable | undefined {
  const { content: place, own } = document;
  const { size, documentAvailability } = document.entry;
  if (place === undefined || size === undefined || documentAvailability === 'offline') return undefined;
  return content === 'all' || (content === 'own' && own) ? { document, size, place, wrapped } : undefined;
}

import type { Span } from '../blobs/port.ts';
import type { Permit, Visibility } from '../domain/decision.ts';
import { type Problem, problem, Refused } from '../domain/error.ts';
import { traced } from '../domain/event.ts';
import type { ContentPlace, StoredDocument } from '../store/port.ts';
import { assemble } from './assemble.ts';
import { type Plan, perform, type Request, type Tools } from './perform.ts';
import { documentsNamed, type PatientRef, recordAsked } from './query.ts';

/** Which documents, by one of their names. */
export type Retrieval = {
  readonly by: 'uniqueId' | 'entryUUID' | 'logicalID';
  readonly values: readonly string[];
  /** Absent: the patient of the credential. */
  readonly patient?: PatientRef;
};

/** A document whose reading has its trace. `open` gives its bytes, or a span of them; it fails when they are damaged. */
export type RetrievedDocument = {
  readonly document: StoredDocument;
  /** Bytes of the document. */
  readonly size: number;
  readonly open: (span?: Span) => Promise<Uint8Array | AsyncIterable<Uint8Array>>;
  /** The entry that was asked for, where the document is a snapshot made of it. */
  readonly onDemand?: StoredDocument;
};

export type Retrieved = {
  /** Newest first; one for each name. */
  readonly documents: readonly RetrievedDocument[];
  /** `documentUnknown` for each name that gives nothing, `sourceUnavailable` where its source gives nothing. */
  readonly problems: readonly Problem[];
};

/**
 * Documents with their bytes, traced before the first byte is read; those of on-demand entries are assembled first. Whatever may not be read is
 * unknown, whether it exists or not.
 * @throws Refused `documentUnknown` for each name when nothing at all can be read, and what the decision refuses
 */
export async function retrieve(tools: Tools, request: Request, retrieval: Retrieval): Promise<Retrieved> {
  const { caller } = request;
  const isOpen = caller.credential.kind === 'none' && (retrieval.patient ?? caller.patient) === undefined;
  if (isOpen && retrieval.by === 'uniqueId') return ofAnyRecord(tools, request, retrieval);
  const { documents, problems, snapshots, record } = await ofOneRecord(tools, request, retrieval);
  if (snapshots.size === 0) return { documents, problems };
  const again = { by: 'uniqueId', values: [...snapshots.keys()], patient: { record } } as const;
  const made = await ofOneRecord(tools, { ...request, spent: true }, again);
  const asked = made.documents.map((one) => {
    const onDemand = snapshots.get(one.document.entry.uniqueId);
    return { ...one, ...(onDemand && { onDemand }) };
  });
  return { documents: [...documents, ...asked], problems };
}

/** Documents of whatever records hold them, each of the first that gives it, for whom no credential ties to one. */
async function ofAnyRecord(tools: Tools, request: Request, retrieval: Retrieval): Promise<Retrieved> {
  const records = await tools.store.facts.recordsOfObjects(retrieval.values);
  const found: RetrievedDocument[] = [];
  const refused: Problem[] = [];
  const namesOf = (documents: readonly RetrievedDocument[]) =>
    new Set(documents.map(({ document, onDemand = document }) => onDemand.entry.uniqueId));
  for (const record of records)
    try {
      const given = namesOf(found);
      const values = retrieval.values.filter((name) => !given.has(name));
      if (values.length === 0) break;
      const { documents, problems } = await retrieve(tools, request, { ...retrieval, values, patient: { record } });
      found.push(...documents);
      refused.push(...problems);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused.push(...error.problems);
    }
  const held = namesOf(found);
  const problems = [...new Set(retrieval.values)]
    .filter((name) => !held.has(name))
    .map((value) => refused.find((p) => p.about.value === value) ?? problem('documentUnknown', { value }));
  return { documents: found, problems };
}

type OneRecord = Retrieved & {
  /** The on-demand entries that were asked for, by the uniqueId of the snapshot that was made of each. */
  readonly snapshots: ReadonlyMap<string, StoredDocument>;
  readonly record: string;
};

async function ofOneRecord(tools: Tools, request: Request, retrieval: Retrieval): Promise<OneRecord> {
  const { by, patient } = retrieval;
  const values = [...new Set(retrieval.values)];
  const first = by === 'uniqueId' ? undefined : values[0];
  const subject = recordAsked(request, patient, first);
  return perform(tools, request, 'retrieveDocuments', subject, async (permit, facts): Promise<Plan<OneRecord>> => {
    const { read } = tools.store;
    const [found, ownKey] = await Promise.all([documentsNamed(tools, permit, { by, values }), read.wrappedKey(permit)]);
    const keys = await keysOf(tools, permit, found, ownKey);
    const readable = new Map<string, Readable>();
    for (const document of found) {
      const name = document.entry[by];
      const wrapped = keys.get(document.sealedFor);
      const one = wrapped && readableOf(document, wrapped, permit.visibility);
      if (one !== undefined && !readable.has(name)) readable.set(name, one);
    }
    const onDemand = onDemandOf(found, permit.visibility).filter(({ entry }) => !readable.has(entry[by]));
    const made =
      facts === undefined || onDemand.length === 0
        ? undefined
        : await assemble(tools, request, permit, facts, onDemand);
    const snapshots = new Map(
      onDemand.flatMap((one) => {
        const uniqueId = made?.snapshots.get(one.entry.entryUUID);
        return uniqueId === undefined ? [] : [[uniqueId, one] as const];
      }),
    );
    const told = new Set([...readable.keys(), ...onDemand.map(({ entry }) => entry[by])]);
    const problems = [
      ...(made?.problems ?? []),
      ...values.filter((name) => !told.has(name)).map((name) => problem('documentUnknown', { value: name })),
    ];
    if (readable.size === 0 && snapshots.size === 0) throw new Refused(problems);
    const documents = [...readable.values()].map(({ document, size, place, wrapped }) => ({
      document,
      size,
      open: (span?: Span) => tools.blobs.open(tools.keyring.unwrap(document.sealedFor, wrapped), place, span),
    }));
    const named = [...documents.map(({ document }) => document), ...snapshots.values()].map(({ entry }) =>
      traced(entry),
    );
    return {
      answer: { documents, problems, snapshots, record: permit.record ?? '' },
      put: made?.put ?? [],
      expect: made?.expect ?? [],
      trace: { documents: named },
    };
  });
}

/** On-demand entries of which the caller may read a document, one for each name. */
function onDemandOf(found: readonly StoredDocument[], { content }: Visibility): StoredDocument[] {
  const entries = found.filter(({ entry, latest }) => entry.objectType === 'onDemand' && latest);
  return content === 'all' ? [...new Map(entries.map((one) => [one.entry.uniqueId, one])).values()] : [];
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

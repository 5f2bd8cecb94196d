import { ContentTooLarge } from '../blobs/port.ts';
import type { Permit, RecordFacts } from '../domain/decision.ts';
import type { DocumentEntry, SubmissionSet } from '../domain/document.ts';
import { type Problem, problem } from '../domain/error.ts';
import { oidOfUuid } from '../domain/identifier.ts';
import { isMadeFrom, snapshotOf, speakableOf } from '../domain/snapshot.ts';
import { SourceFailed, SourceSilent } from '../sources/port.ts';
import type { Expectation, Row, StoredDocument } from '../store/port.ts';
import { ownersOf } from './owners.ts';
import { everyPage } from './paging.ts';
import type { Request, Tools } from './perform.ts';

export type Assembled = {
  /** By the entryUUID of the on-demand entry, the uniqueId of its snapshot. */
  readonly snapshots: ReadonlyMap<string, string>;
  /** `sourceUnavailable` for each entry of which no document could be made. */
  readonly problems: readonly Problem[];
  readonly put: readonly Row[];
  readonly expect: readonly Expectation[];
};

/** The largest document that a source may make, in bytes. */
const largest = 64 * 2 ** 20;

/**
 * Documents of on-demand entries, assembled now from what the caller may see and kept as snapshots; a snapshot that was made from the same
 * documents serves again, if its source says that nothing else changed or makes the same bytes. A source that is silent is asked once. IHE ITI TF-2 3.43.4.2.3 (Persistence of Retrieved Documents Option).
 */
export async function assemble(
  tools: Tools,
  request: Request,
  permit: Permit,
  { record }: RecordFacts,
  entries: readonly StoredDocument[],
): Promise<Assembled> {
  const { read } = tools.store;
  const filter = { statuses: ['approved'], objectTypes: ['stable'] } as const;
  const seen = await everyPage((page) => read.documents(permit, filter, page));
  const documents = speakableOf(
    seen.map(({ entry }) => entry),
    tools.settings.habilitations,
  );
  const snapshots = new Map<string, string>();
  const problems: Problem[] = [];
  const put: Row[] = [];
  const expect: Expectation[] = [];
  const silent = new Set<string>();
  for (const { entry } of entries) {
    if (silent.has(entry.repositoryUniqueId)) {
      problems.push(problem('sourceUnavailable', { value: entry.uniqueId }, 'its source was silent a moment ago'));
      continue;
    }
    const former = await formerSnapshots(tools, permit, entry);
    const same = former.find((one) => one.content !== undefined && isMadeFrom(one.entry, documents));
    const [official] = record.identifiers;
    if (official === undefined) problems.push(problem('sourceUnavailable', { value: entry.uniqueId }));
    else
      try {
        const uniqueId = oidOfUuid(tools.newId());
        const order = {
          uniqueId,
          entry,
          patient: { ...record.traits, ...official },
          documents,
          ...(same && { former: same.entry.uniqueId }),
        };
        const made = await make(tools, request, permit, order, { former, same });
        put.push(...(made?.put ?? []));
        expect.push(...(made?.expect ?? []));
        snapshots.set(entry.entryUUID, made === undefined ? (same?.entry.uniqueId ?? uniqueId) : uniqueId);
      } catch (error) {
        if (!(error instanceof SourceFailed) && !(error instanceof ContentTooLarge)) throw error;
        if (error instanceof SourceSilent) silent.add(entry.repositoryUniqueId);
        problems.push(problem('sourceUnavailable', { value: entry.uniqueId }, error.message));
      }
  }
  return { snapshots, problems, put, expect };
}

async function formerSnapshots(
  { store: { read } }: Tools,
  permit: Permit,
  { entryUUID }: DocumentEntry,
): Promise<readonly StoredDocument[]> {
  const associations = await read.associationsOf(permit, [entryUUID]);
  const sources = associations.filter(({ type }) => type === 'IsSnapshotOf').map(({ source }) => source);
  return sources.length === 0 ? [] : read.documentsByUuid(permit, sources, { statuses: ['approved'] });
}

type MakeOrder = Parameters<Tools['sources']['assemble']>[1];

/** Undefined where the same snapshot serves again. */
async function make(
  tools: Tools,
  request: Request,
  permit: Permit,
  order: MakeOrder,
  { former, same }: { readonly former: readonly StoredDocument[]; readonly same: StoredDocument | undefined },
): Promise<Pick<Assembled, 'put' | 'expect'> | undefined> {
  const { entry: onDemand, documents, uniqueId } = order;
  const { store, blobs, keyring, settings } = tools;
  const [wrapped, set] = await Promise.all([store.read.wrappedKey(permit), setOf(tools, permit, onDemand)]);
  if (wrapped === undefined || permit.record === undefined || set === undefined)
    throw new SourceFailed('the entry belongs to no set, or its record has no key');
  const answered = await tools.sources.assemble(onDemand.repositoryUniqueId, order);
  if (answered === 'unchanged') return undefined;
  const received = await blobs.receive(answered, largest);
  if (same?.sha256 === received.sha256) {
    await received.discard();
    return undefined;
  }
  // Without credentials all readers are one.
  const isReaders = ({ own }: StoredDocument) => own || settings.domain.credentials === 'none';
  const replaced = former.filter(isReaders).map(({ entry }) => entry.entryUUID);
  const now = tools.now();
  const { sha1, size, sha256 } = received;
  const { repositoryUniqueId } = settings;
  const facts = { uniqueId, repositoryUniqueId, sha1, size, documents, set, replaced, now, newId: tools.newId };
  const snapshot = snapshotOf(onDemand, facts);
  const content = await received.keep(keyring.unwrap(permit.record, wrapped));
  const owners = ownersOf(request, onDemand.authors);
  return {
    put: [
      { kind: 'document', entry: snapshot.entry, registeredAt: now, sha256, content, owners },
      { kind: 'submissionSet', set: snapshot.set, owners },
      ...snapshot.associations.map((association): Row => ({ kind: 'association', association })),
      ...replaced.map((document): Row => ({ kind: 'status', document, status: 'deprecated' })),
    ],
    expect: replaced.map((document) => ({ statusIs: { document, status: 'approved' as const } })),
  };
}

/** The set that brought the entry. */
async function setOf(
  { store: { read } }: Tools,
  permit: Permit,
  { entryUUID }: DocumentEntry,
): Promise<SubmissionSet | undefined> {
  const associations = await read.associationsOf(permit, [entryUUID]);
  const entryUUIDs = associations
    .filter(({ type, target }) => type === 'HasMember' && target === entryUUID)
    .map(({ source }) => source);
  const { items } = await read.submissionSets(permit, { entryUUIDs }, { limit: 1 });
  return items[0]?.set;
}

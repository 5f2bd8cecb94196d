import type { Permit } from '../domain/decision.ts';
import type { Association } from '../domain/document.ts';
import { type Problem, problem, Refused } from '../domain/error.ts';
import type { RecordId } from '../domain/record.ts';
import { nameOf } from '../domain/rules/facts.ts';
import type { ObjectKind, Row, StoredDocument, StoredSet } from '../store/port.ts';
import { type Plan, perform, permitElsewhere, type Request, type Subject, type Tools } from './perform.ts';

/**
 * Removes registered objects, of several records perhaps: all of them or none. Their bytes, where documents had any, are erased with them.
 * Each record is judged by the same right and has its event. IHE RMD 3.62.4.1.3.
 * @throws Refused `referenceUnresolved` for a name that is nobody's (or of a record that may not be changed so, or of another than the
 *   credential's patient), `referencesExist` for an object that something left behind names, `leftUnreferenced` for what would be left
 *   without its submission set, or as a package without any member; and what the decision refuses
 */
export async function removeMetadata(tools: Tools, request: Request, entryUUIDs: readonly string[]): Promise<void> {
  const names = [...new Set(entryUUIDs.map(nameOf))];
  const subject = await recordOf(tools, request, names);
  await perform(tools, request, 'removeDocuments', subject, async (permit): Promise<Plan<undefined>> => {
    if (permit.record === undefined) throw new Refused(names.map((name) => unresolved(name)));
    const here = { permit, ...(await objectsNamed(tools, permit, names)) };
    const permits = await permitsElsewhere(tools, request, permit, names);
    const there = await Promise.all(
      permits.map(async (of) => ({ permit: of, ...(await objectsNamed(tools, of, names)) })),
    );
    const held = [here, ...there];
    const isHeld = (name: string) => held.some(({ kinds }) => kinds.has(name));
    const problems = [
      ...names.filter((name) => !isHeld(name)).map((name) => unresolved(name)),
      ...(await Promise.all(held.map((one) => problemsOf(tools, one.permit, names, one)))).flat(),
    ];
    if (problems.length > 0) throw new Refused(problems);
    const { put, trace } = removalOf(names, here);
    const restored = await restoredElsewhere(tools, request, held);
    return {
      answer: undefined,
      expect: [{ unreferenced: names }],
      put,
      trace,
      also: [...there.map((one) => removalOf(names, one)), ...restored],
    };
  });
}

/** What goes of one record, and what its event says: names of that record alone. */
function removalOf(
  names: readonly string[],
  { permit, kinds, documents, sets: [set] }: Held & { readonly permit: Permit },
) {
  const going = names.filter((name) => kinds.has(name));
  const put = going.flatMap((name): Row[] => {
    const object = kinds.get(name);
    return object === undefined ? [] : [{ kind: 'remove', object, name }];
  });
  const trace = {
    query: `remove ${going.join(',')}`,
    ...(documents.length > 0 && {
      documents: documents.map(({ entry: { entryUUID, uniqueId } }) => ({ entryUUID, uniqueId })),
    }),
    ...(set && { submissionSet: { entryUUID: set.set.entryUUID, uniqueId: set.set.uniqueId } }),
  };
  return { permit, put, trace };
}

/** Records that hold earlier versions of what goes, and nothing that goes itself: one of them is the latest again. Each is judged and has its event. */
async function restoredElsewhere(
  tools: Tools,
  request: Request,
  held: readonly (Held & { readonly permit: Permit })[],
) {
  const reached = new Set(held.map(({ permit }) => permit.record));
  const linesOf = new Map<RecordId, string[]>();
  for (const line of distinct(held.flatMap(({ lines }) => lines)))
    for (const record of await tools.store.facts.recordsOfVersions([line], 'all'))
      if (!reached.has(record)) linesOf.set(record, [...(linesOf.get(record) ?? []), line]);
  const reaching = await Promise.all(
    [...linesOf].map(async ([record, lines]) => {
      const permit = await permitElsewhere(tools, request, 'removeDocuments', record);
      return permit && { permit, put: [], trace: { query: `later versions removed of ${lines.join(',')}` } };
    }),
  );
  return reaching.filter((one) => one !== undefined);
}

/** Permits for the other records that hold one of these objects; none where the credential names a patient. */
async function permitsElsewhere(
  tools: Tools,
  request: Request,
  { record, action }: Permit,
  names: readonly string[],
): Promise<Permit[]> {
  if (request.caller.patient !== undefined) return [];
  const records = (await tools.store.facts.recordsOfObjects(names)).filter((other) => other !== record);
  const permits = await Promise.all(records.map((other) => permitElsewhere(tools, request, action, other)));
  return permits.filter((permit) => permit !== undefined);
}

/** The credential's patient, whose record is judged whatever is named; without one, the record of the first object that is known. */
async function recordOf(tools: Tools, { caller: { patient } }: Request, names: readonly string[]): Promise<Subject> {
  if (patient !== undefined) return { identifier: patient };
  const [record] = await tools.store.facts.recordsOfObjects(names);
  return record === undefined ? 'none' : { record };
}

type Held = {
  readonly documents: readonly StoredDocument[];
  readonly sets: readonly StoredSet[];
  readonly associations: readonly Association[];
  readonly kinds: ReadonlyMap<string, ObjectKind>;
  /** logicalIDs of what has versions. */
  readonly lines: readonly string[];
};

/** A name that is no registered object's. `detail` where it could be none's. */
export const unresolved = (name: string, detail?: string): Problem =>
  problem('referenceUnresolved', {
    attribute: 'rim:ObjectRef',
    value: name,
    rule: 'IHE RMD 3.62.4.1.3 (UnresolvedReferenceException)',
    ...(detail !== undefined && { detail }),
  });

async function objectsNamed(tools: Tools, permit: Permit, names: readonly string[]): Promise<Held> {
  const { read } = tools.store;
  const page = { limit: names.length };
  const [documents, sets, folders, associations] = await Promise.all([
    read.documentsByUuid(permit, names),
    read.submissionSets(permit, { entryUUIDs: names }, page),
    read.everyFolder(permit, names),
    read.associations(permit, names),
  ]);
  const kinds = new Map<string, ObjectKind>([
    ...documents.map(({ entry }) => [entry.entryUUID, 'document'] as const),
    ...sets.items.map(({ set }) => [set.entryUUID, 'submissionSet'] as const),
    ...folders.map(({ entryUUID }) => [entryUUID, 'folder'] as const),
    ...associations.map(({ entryUUID }) => [entryUUID, 'association'] as const),
  ]);
  const lines = distinct([...documents.map(({ entry }) => entry), ...folders].map(({ logicalID }) => logicalID));
  return { documents, sets: sets.items, associations, kinds, lines };
}

async function problemsOf(
  tools: Tools,
  permit: Permit,
  names: readonly string[],
  { associations }: Held,
): Promise<Problem[]> {
  const { read } = tools.store;
  const going = new Set(names);
  const memberships = associations.filter(({ type }) => type === 'HasMember');
  const packages = distinct(memberships.map(({ source }) => source)).filter((name) => !going.has(name));
  const members = (await ownMembers(tools, permit, memberships)).filter((name) => !going.has(name));
  const around = await read.everyAssociationOf(permit, distinct([...names, ...packages, ...members]));
  const left = around.filter(({ entryUUID }) => !going.has(entryUUID));
  const holders = [...left, ...memberships].filter(({ type }) => type === 'HasMember').map(({ source }) => source);
  const sets = new Set(await setsAmong(tools, permit, holders));
  const isIn = (name: string) =>
    left.some(({ type, source, target }) => type === 'HasMember' && target === name && sets.has(source));
  const holdsAny = (name: string) => left.some(({ type, source }) => type === 'HasMember' && source === name);
  const lostItsSet = (name: string) => memberships.some(({ source, target }) => target === name && sets.has(source));
  return [
    ...left
      .flatMap(({ entryUUID, source, target }) =>
        [source, target].filter((end) => going.has(end)).map((end) => [end, entryUUID] as const),
      )
      .map(([value, by]) => problem('referencesExist', { value, detail: by })),
    ...members
      .filter((name) => lostItsSet(name) && !isIn(name))
      .map((value) => problem('leftUnreferenced', { value, detail: 'no submission set holds it any more' })),
    ...packages
      .filter((name) => !holdsAny(name))
      .map((value) => problem('leftUnreferenced', { value, detail: 'it has no member any more' })),
  ];
}

/** Members of this record: a document by reference may be another patient's, whose own set holds it. */
async function ownMembers({ store: { read } }: Tools, permit: Permit, memberships: readonly Association[]) {
  const referred = memberships.filter(({ submissionSetStatus }) => submissionSetStatus === 'Reference');
  const found = await read.targets(
    permit,
    referred.map(({ target }) => target),
  );
  const own = new Set(found.map(({ entry }) => entry.entryUUID));
  const foreign = new Set(referred.map(({ target }) => target).filter((target) => !own.has(target)));
  return distinct(memberships.map(({ target }) => target)).filter((name) => !foreign.has(name));
}

/** Of what has members, all but folders; a set may be another patient's. */
async function setsAmong({ store: { read } }: Tools, permit: Permit, holders: readonly string[]): Promise<string[]> {
  const entryUUIDs = distinct(holders);
  if (entryUUIDs.length === 0) return [];
  const folders = new Set((await read.everyFolder(permit, entryUUIDs)).map(({ entryUUID }) => entryUUID));
  return entryUUIDs.filter((name) => !folders.has(name));
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}

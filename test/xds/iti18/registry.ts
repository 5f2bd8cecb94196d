import type { DocumentEntry, Folder, SubmissionSet } from '../../../server/domain/document.ts';
import type { Identifier } from '../../../server/domain/identifier.ts';
import type { Row, Store } from '../../../server/store/port.ts';
import type { Request } from '../../../server/usecases/perform.ts';
import { iti18 } from '../../../server/xds/iti18.ts';
import { associationUrn, entryType, namespace, statusUrn, storedQuery } from '../../../server/xds/vocabulary.ts';
import { escapeText } from '../../../server/xml/write.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { type ActorName, callerOf, consentsOf, permitFor, recordOf } from '../../support/permits.ts';
import { association, document, folder, submissionSet, uuid } from '../../support/registry.ts';
import { openWorld, type World } from '../../support/world.ts';
import { all, handled, seen } from '../handled.ts';

/** Two records, of which these documents of the catalogue are the first's. */
export const firstRecord = '0192aaaa-0000-7000-8000-000000000001';
export const secondRecord = '0192aaaa-0000-7000-8000-000000000002';
const testOid = '1.2.250.1.213.1.4.10';
export const holder: Identifier = { value: '279035121518989', oid: testOid };
export const otherHolder: Identifier = { value: '160051188801257', oid: testOid };

const nobody = { professionals: [], structures: [], patient: false };
type Owners = Extract<Row, { kind: 'document' }>['owners'];

export const doc = (number: number, changes: Partial<DocumentEntry> = {}, owners: Owners = nobody): Row => ({
  kind: 'document',
  entry: document(number, changes),
  registeredAt: 1,
  owners,
});
export const lot = (number: number, changes: Partial<SubmissionSet> = {}, owners: Owners = nobody): Row => ({
  kind: 'submissionSet',
  set: submissionSet(number, changes),
  owners,
});
export const binder = (number: number, changes: Partial<Folder> = {}): Row => ({
  kind: 'folder',
  folder: folder(number, changes),
});
export const link = (...ends: Parameters<typeof association>): Row => ({
  kind: 'association',
  association: association(...ends),
});

/** A registry in memory with two records that hold nothing yet. */
export async function emptyRegistry(): Promise<World<MemoryStore>> {
  const world = await openWorld({ seeded: false });
  await openRecords(world);
  return world;
}

/** The two records, everyone but the stranger authorised in both. */
export async function openRecords({ tools: { store } }: World<Store>): Promise<void> {
  for (const [id, { value }] of [
    [firstRecord, holder],
    [secondRecord, otherHolder],
  ] as const)
    await store.write.commit(permitFor(undefined, 'stranger', { action: 'createRecord' }), {
      expect: [],
      put: [
        { kind: 'record', record: recordOf(id, value) },
        ...consentsOf(id).map((consent) => ({ kind: 'consent' as const, consent })),
      ],
      events: [],
      jobs: [],
    });
}

/** Registers rows as they are. */
export async function register(
  { tools: { store } }: World<Store>,
  rows: readonly Row[],
  record = firstRecord,
): Promise<void> {
  const permit = permitFor(await store.facts.recordById(record), 'ourselves');
  const outcome = await store.write.commit(permit, { expect: [], put: rows, events: [], jobs: [] });
  if (!outcome.done) throw new Error('the rows contradict the registry');
}

export function as(name: ActorName, patient: Identifier = holder): Request {
  const { caller, origin } = unnamed(name);
  return { caller: { ...caller, patient }, origin };
}
/** The same without a patient in the credential. */
export function unnamed(name: ActorName): Request {
  return { caller: callerOf(name), origin: { transaction: 'internal', requestId: 'test', endpoint: 'test' } };
}

export type Slots = readonly (readonly [name: string, ...values: string[]])[];
export type QueryName = keyof typeof storedQuery;

/** An AdhocQueryRequest; each slot with its values as they are coded. */
export function queryMessage(
  name: QueryName,
  slots: Slots,
  returnType: 'LeafClass' | 'ObjectRef' = 'LeafClass',
): string {
  const slot = ([parameter, ...values]: Slots[number]) =>
    `<rim:Slot name="${parameter}"><rim:ValueList>${values
      .map((value) => `<rim:Value>${escapeText(value)}</rim:Value>`)
      .join('')}</rim:ValueList></rim:Slot>`;
  return (
    `<query:AdhocQueryRequest xmlns:query="${namespace.query}" xmlns:rim="${namespace.rim}">` +
    `<query:ResponseOption returnComposedObjects="true" returnType="${returnType}"/>` +
    `<rim:AdhocQuery id="${storedQuery[name]}">${slots.map(slot).join('')}</rim:AdhocQuery></query:AdhocQueryRequest>`
  );
}

/** What was answered: the numbers of the objects, by kind, in the order of the answer. */
export async function ask(
  world: World<Store>,
  request: Request,
  name: QueryName,
  slots: Slots,
  returnType: 'LeafClass' | 'ObjectRef' = 'LeafClass',
) {
  const answer = await handled(iti18, world, request, queryMessage(name, slots, returnType));
  const { status, errors, root } = await seen(answer);
  const [list] = all(root, 'RegistryObjectList');
  const numbers = (kind: string) => all(list, kind).map((o) => numberOf(o.$?.['id'] ?? ''));
  const packages = all(list, 'RegistryPackage');
  const isSet = (o: (typeof packages)[number]) => all(o, 'Slot').some((s) => s.$?.['name'] === 'submissionTime');
  const idsOf = (objects: typeof packages) => objects.map((o) => numberOf(o.$?.['id'] ?? ''));
  return {
    status,
    codes: errors.map(({ code }) => code),
    contexts: errors.map(({ context }) => context),
    documents: numbers('ExtrinsicObject'),
    sets: idsOf(packages.filter(isSet)),
    folders: idsOf(packages.filter((o) => !isSet(o))),
    associations: numbers('Association'),
    refs: numbers('ObjectRef'),
    body: answer.body,
    list,
  };
}
function numberOf(id: string): number {
  return Number.parseInt(id.slice(-12), 16);
}

/** Values as queries code them. */
export const quoted = (...values: readonly string[]) =>
  `(${values.map((v) => `'${v.replaceAll("'", "''")}'`).join(',')})`;
export const uuids = (...numbers: readonly number[]) => quoted(...numbers.map(uuid));
export const status = (...names: readonly (keyof typeof statusUrn)[]) => quoted(...names.map((n) => statusUrn[n]));
export const types = (...names: readonly (keyof typeof entryType)[]) => quoted(...names.map((n) => entryType[n]));
export const kinds = (...names: readonly (keyof typeof associationUrn)[]) =>
  quoted(...names.map((n) => associationUrn[n]));
export const patient = `'${holder.value}^^^&${holder.oid}&ISO^NH'`;

import { beforeAll, expect, test } from '@jest/globals';
import { anybody } from '../../../server/domain/actor.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { association, submissionSet } from '../../support/registry.ts';
import { openWorld, type World } from '../../support/world.ts';
import {
  ask,
  doc,
  firstRecord,
  link,
  lot,
  openRecords,
  otherHolder,
  patient,
  type QueryName,
  register,
  type Slots,
  secondRecord,
  status,
  unnamed,
  uuids,
} from './registry.ts';

let world: World<MemoryStore>;

/** Set 20 of the first patient filed document 1 and refers to document 51 of the second, which set 52 filed; set 25 refers to 51 alone. */
beforeAll(async () => {
  world = await openWorld({ seeded: false, domain: 'open' });
  await openRecords(world);
  await register(world, [doc(51), lot(52), link(53, 52, 51)], secondRecord);
  const referring = (number: number, set: number) => ({
    kind: 'association' as const,
    association: { ...association(number, set, 51), submissionSetStatus: 'Reference' as const },
  });
  await register(world, [doc(1), lot(20), link(101, 20, 1), referring(102, 20)]);
  await register(world, [lot(25), referring(103, 25)]);
});

const anyone = { ...unnamed('ourselves'), caller: anybody };
const asked = async (name: QueryName, slots: Slots, returnType?: 'ObjectRef') => {
  const {
    status: told,
    codes,
    documents,
    sets,
    associations,
    refs,
  } = await ask(world, anyone, name, slots, returnType);
  const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);
  return [told, codes.join(), sorted(documents), sorted(sets), sorted(associations), sorted(refs)];
};
const whole = (documents: number[], sets: number[], associations: number[]) => [
  'Success',
  '',
  documents,
  sets,
  associations,
  [],
];
const references = (...refs: number[]) => ['Success', '', [], [], [], refs];
const notOfOnePatient = ['Failure', 'XDSResultNotSinglePatient', [], [], [], []];
const of = (name: string, number: number): Slots => [[name, uuids(number)]];
const everyStatus = (cx: string): Slots => [
  ['$patientId', cx],
  ['$XDSDocumentEntryStatus', status('approved')],
  ['$XDSSubmissionSetStatus', status('approved')],
  ['$XDSFolderStatus', status('approved')],
];

test('GetAll of either patient tells of the reference, never of the other’s objects', async () => {
  expect(await asked('GetAll', everyStatus(patient))).toEqual(whole([1], [20, 25], [101, 102, 103]));
  const other = `'${otherHolder.value}^^^&${otherHolder.oid}&ISO'`;
  expect(await asked('GetAll', everyStatus(other))).toEqual(whole([51], [52], [53, 102, 103]));
});

test('associations of the set and of the document hold it', async () => {
  expect(await asked('GetAssociations', of('$uuid', 20))).toEqual(whole([], [], [101, 102]));
  expect(await asked('GetAssociations', of('$uuid', 51))).toEqual(whole([], [], [53, 102, 103]));
  expect(await asked('GetAssociations', [['$uuid', uuids(20, 51)]])).toEqual(whole([], [], [53, 101, 102, 103]));
  expect(await asked('GetAssociations', [['$uuid', uuids(20, 51)]], 'ObjectRef')).toEqual(
    references(53, 101, 102, 103),
  );
  expect(await asked('GetDocumentsAndAssociations', of('$XDSDocumentEntryEntryUUID', 51))).toEqual(
    whole([51], [], [53, 102, 103]),
  );
});

test('the sets of the document are named; whole they would be of two patients', async () => {
  expect(await asked('GetSubmissionSets', of('$uuid', 51), 'ObjectRef')).toEqual(references(20, 25, 52, 53, 102, 103));
  expect(await asked('GetSubmissionSets', of('$uuid', 51))).toEqual(notOfOnePatient);
  expect(await asked('GetSubmissionSets', of('$uuid', 1))).toEqual(whole([], [20], [101]));
});

test('so are the contents of the set', async () => {
  expect(await asked('GetSubmissionSetAndContents', of('$XDSSubmissionSetEntryUUID', 20), 'ObjectRef')).toEqual(
    references(1, 20, 51, 101, 102),
  );
  expect(await asked('GetSubmissionSetAndContents', of('$XDSSubmissionSetEntryUUID', 20))).toEqual(notOfOnePatient);
  expect(await asked('GetSubmissionSetAndContents', of('$XDSSubmissionSetEntryUUID', 52))).toEqual(
    whole([51], [52], [53]),
  );
  const uniqueId: Slots = [['$XDSSubmissionSetUniqueId', `'${submissionSet(25).uniqueId}'`]];
  expect(await asked('GetSubmissionSetAndContents', uniqueId, 'ObjectRef')).toEqual(references(25, 51, 103));
});

test('each record that gives something has its event', async () => {
  const before = world.tools.store.events().length;
  await asked('GetSubmissionSetAndContents', of('$XDSSubmissionSetEntryUUID', 20), 'ObjectRef');
  const events = world.tools.store.events().slice(before);
  expect(events.map(({ record, outcome }) => [record, outcome])).toEqual([
    [secondRecord, 'done'],
    [firstRecord, 'done'],
  ]);
});

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { OperationOutcome } from 'fhir/r4.js';
import type { ProblemName } from '../../server/domain/error.ts';
import { sharingCodes } from '../../server/fhir/sharing-codes.ts';
import { errorCodeOf } from '../../server/xds/errors.ts';
import { bundleOf, changed, post } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

const codesOf = ({ issue = [] }: OperationOutcome) => issue.map(({ details }) => [details?.text, details?.coding]);

test('the codes are those that the repository answers', () => {
  const names = Object.keys(sharingCodes) as ProblemName[];
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) expect([name, sharingCodes[name]]).toEqual([name, errorCodeOf(name, 'repository')]);
});

test('a refused submission tells the codes of document sharing', async () => {
  const bundle = bundleOf(door);
  expect((await post(door, 'dr-martin', bundle)).status).toBe(200);
  const again = await post<OperationOutcome>(door, 'dr-martin', bundle);
  expect(again.status).toBe(400);
  expect(codesOf(again.json)).toContainEqual(['uniqueIdInUse', [{ code: 'XDSDuplicateUniqueIdInRegistry' }]]);
  const wrong = changed(bundleOf(door), (_, { document }) => {
    for (const { attachment } of document.content) attachment.size = 1;
  });
  const { json } = await post<OperationOutcome>(door, 'dr-martin', wrong);
  expect(codesOf(json)).toEqual([['sizeDiffers', [{ code: 'XDSRepositoryMetadataError' }]]]);
});

test('what is no problem of document sharing has no such code', async () => {
  const { json } = await door.get('dr-martin', 'DocumentReference/1');
  expect(codesOf(json)).toEqual([['resourceUnknown', undefined]]);
});

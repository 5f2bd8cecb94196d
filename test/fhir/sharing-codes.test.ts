import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { OperationOutcome } from 'fhir/r4.js';
import { bundleOf, changed, post } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

const codesOf = ({ issue = [] }: OperationOutcome) => issue.map(({ details }) => [details?.text, details?.coding]);

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
  const ofPatient = changed(bundleOf(door), (_, { document }) => {
    document.type = { coding: [{ system: 'urn:oid:1.2.250.1.213.1.1.4.12', code: 'EXPPAT_1' }] };
  });
  const refused = await post<OperationOutcome>(door, 'dr-martin', ofPatient);
  expect(codesOf(refused.json)).toContainEqual(['patientDocumentNotAllowed', [{ code: 'XDSRepositoryMetadataError' }]]);
});

test('what is no problem of document sharing has no such code', async () => {
  const { json } = await door.get('dr-martin', 'DocumentReference/1');
  expect(codesOf(json)).toEqual([['resourceUnknown', undefined]]);
});

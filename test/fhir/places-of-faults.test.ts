import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bundle, FhirResource, OperationOutcome } from 'fhir/r4.js';
import { bundleOf, changed, post } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

async function faultsOf(bundle: Bundle<FhirResource>): Promise<[status: number, ...faults: string[]]> {
  const { status, json } = await post<OperationOutcome>(door, 'dr-martin', bundle);
  const faults = json.issue.map(({ details, expression }) => `${details?.text} ${expression?.[0]}`);
  return [status, ...faults];
}

const subject = (slug: string) => {
  const { oid, value } = door.world.ins(slug);
  return { identifier: { system: `urn:oid:${oid}`, value } };
};

const sentFor = (slug: string) =>
  changed(bundleOf(door), (_, { document, set }) => {
    document.subject = subject(slug);
    set.subject = subject(slug);
  });

test('a patient who has no record is told where he is named', async () => {
  expect(await faultsOf(sentFor('garnier'))).toEqual([400, 'unknownPatient Bundle.entry[0].resource.subject']);
});

test('a closed record is told where its holder is named', async () => {
  expect(await faultsOf(sentFor('faure'))).toEqual([403, 'recordClosed Bundle.entry[0].resource.subject']);
});

test('two patients are told at the one who is not that of the set', async () => {
  const bundle = changed(bundleOf(door), (_, { document }) => {
    document.subject = subject('casanova');
  });
  expect(await faultsOf(bundle)).toEqual([400, 'patientIdsDiffer Bundle.entry[1].resource.subject']);
});

test('a Bundle without a submission set is told of its entries', async () => {
  const bundle = bundleOf(door);
  const [, faults] = [bundle.entry?.shift(), await faultsOf(bundle)];
  expect(faults).toContain('submissionSetCount Bundle.entry');
});

test('a document that comes alone tells where its patient is named', async () => {
  const { entry = [] } = sentFor('garnier');
  const document = entry.flatMap(({ resource }) =>
    resource?.resourceType === 'DocumentReference' ? [resource] : [],
  )[0];
  const binary = entry.flatMap(({ resource }) => (resource?.resourceType === 'Binary' ? [resource] : []))[0];
  const { url: _, ...attachment } = document?.content[0]?.attachment ?? {};
  const alone = {
    ...document,
    content: [{ ...document?.content[0], attachment: { ...attachment, data: binary?.data } }],
  };
  const answer = await door.ask('DocumentReference', {
    method: 'POST',
    headers: { 'Content-Type': 'application/fhir+json', Authorization: `Bearer ${await door.token('dr-martin')}` },
    body: JSON.stringify(alone),
  });
  expect([answer.status, answer.json.issue[0]?.details?.text, answer.json.issue[0]?.expression]).toEqual([
    422,
    'unknownPatient',
    ['DocumentReference.subject'],
  ]);
});

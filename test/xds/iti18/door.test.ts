import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { iti18 } from '../../../server/xds/iti18.ts';
import { envelopeOf, plain, post } from '../../support/wire.ts';
import { openWorld } from '../../support/world.ts';
import { envelope, openFace } from '../face.ts';
import { type QueryName, queryMessage, quoted, type Slots, status } from './registry.ts';

let face: Awaited<ReturnType<typeof openFace>>;
beforeAll(async () => {
  face = await openFace(await openWorld(), [iti18]);
});
afterAll(() => face.close());

/** The answer as text, with the ids of the objects by their element. */
async function ask(who: string, patient: string, name: QueryName, slots: Slots, returnType?: 'ObjectRef') {
  const message = envelope(iti18, who, patient, queryMessage(name, slots, returnType));
  const answer = await post(face.port, '/xds/registry', plain, [message]);
  await envelopeOf(answer);
  const text = answer.bytes.toString();
  const idsOf = (element: string) =>
    [...text.matchAll(new RegExp(`<rim:${element} id="([^"]*)"`, 'g'))].map((m) => m[1] ?? '');
  return { text, idsOf, code: /errorCode="(\w+)"/.exec(text)?.[1] };
}

const sets: Slots = [['$XDSSubmissionSetStatus', status('approved')]];

test('by submission date: sets, then their associations, then their documents', async () => {
  const found = await ask('dr-nguyen', 'laurent', 'FindSubmissionSets', sets);
  const setIds = found.idsOf('RegistryPackage');
  expect(setIds.length).toBeGreaterThan(1);
  const associations = await ask('dr-nguyen', 'laurent', 'GetAssociations', [['$uuid', quoted(...setIds)]]);
  const targets = [...associations.text.matchAll(/targetObject="([^"]*)"/g)].map((m) => m[1] ?? '');
  const documents = await ask('dr-nguyen', 'laurent', 'GetDocuments', [
    ['$XDSDocumentEntryEntryUUID', quoted(...targets)],
  ]);
  const all = await ask(
    'dr-nguyen',
    'laurent',
    'FindDocuments',
    [['$XDSDocumentEntryStatus', status('approved', 'deprecated')]],
    'ObjectRef',
  );
  expect(documents.idsOf('ExtrinsicObject').toSorted()).toEqual(all.idsOf('ObjectRef').toSorted());
});

test('a masked document leaves no trace but for who may see it', async () => {
  const name: Slots = [['$XDSDocumentEntryUniqueId', quoted('1.2.250.1.999.1.3.502')]];
  const seen = await ask('dr-martin', 'henry', 'GetDocumentsAndAssociations', name);
  const [document = ''] = seen.idsOf('ExtrinsicObject');
  const [association = ''] = seen.idsOf('Association');
  const source = new RegExp(`id="${association}".*?sourceObject="([^"]*)"`).exec(seen.text)?.[1] ?? '';
  expect([document, association, source]).not.toContain('');
  const hidden: readonly (readonly [QueryName, Slots])[] = [
    ['GetDocumentsAndAssociations', name],
    ['GetAssociations', [['$uuid', quoted(document, source)]]],
    ['GetSubmissionSets', [['$uuid', quoted(document)]]],
    ['GetSubmissionSetAndContents', [['$XDSSubmissionSetEntryUUID', quoted(source)]]],
    ['FindSubmissionSets', sets],
  ];
  for (const [query, slots] of hidden) {
    const { text, code } = await ask('dr-nguyen', 'henry', query, slots);
    expect([query, code]).toEqual([query, undefined]);
    for (const id of [document, association, '1.2.250.1.999.1.3.502']) expect(text).not.toContain(id);
  }
});

test('a structure finds by name what it filed, and searches nothing', async () => {
  expect((await ask('labo-centre', 'laurent', 'FindSubmissionSets', sets)).code).toBe('XDSRegistryError');
  const statuses: Slots = [['$XDSDocumentEntryStatus', status('approved')]];
  const all = (await ask('dr-nguyen', 'laurent', 'FindDocuments', statuses, 'ObjectRef')).idsOf('ObjectRef');
  const named: Slots = [['$XDSDocumentEntryEntryUUID', quoted(...all)]];
  const own = await ask('labo-centre', 'laurent', 'GetDocuments', named);
  const found = [...own.text.matchAll(/value="(1\.2\.250\.1\.999\.1\.3\.\d+)"/g)].map((m) => m[1]);
  expect(found).toEqual(['1.2.250.1.999.1.3.110', '1.2.250.1.999.1.3.103']);
});

test('a query that is wrong says all that is wrong', async () => {
  const { text } = await ask('dr-nguyen', 'laurent', 'GetRelatedDocuments', [
    ['$XDSDocumentEntryEntryUUID', quoted('a', 'b')],
    ['$XDSDocumentEntryUniqueId', "'1.2.3'"],
  ]);
  expect([...text.matchAll(/errorCode="(\w+)"/g)].map((m) => m[1])).toEqual([
    'XDSStoredQueryParamNumber',
    'XDSStoredQueryMissingParam',
    'XDSStoredQueryParamNumber',
  ]);
  expect(text).toContain('<rim:RegistryObjectList></rim:RegistryObjectList>');
});

import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { findDocuments } from '../../../server/usecases/query.ts';
import { iti41 } from '../../../server/xds/iti41.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { openWorld, type World } from '../../support/world.ts';
import { handled, seen } from '../handled.ts';

const submission = readFileSync(new URL('submission.xml', import.meta.url), 'utf8');

let world: World<MemoryStore>;
beforeEach(async () => {
  world = await openWorld();
});

const send = async (xml: string, slug = 'dr-martin') => seen(await handled(iti41, world, world.as(slug), xml));

async function held() {
  const all = { patient: world.ins('laurent'), filter: {}, query: 'all' };
  return (await findDocuments(world.tools, world.as('dr-martin'), all)).map(({ entry }) => entry);
}

test('a submission is registered as it was sent, completed by the registry', async () => {
  expect(await send(submission)).toMatchObject({ status: 'Success', errors: [] });
  const [entry] = await held();
  expect(entry).toMatchObject({
    uniqueId: '1.2.250.1.213.99.50.1',
    status: 'approved',
    version: 1,
    hash: 'f30ecbf5b1cb85c631fdec0b39678550973cfcbc',
    size: 7,
    repositoryUniqueId: '1.2.250.1.213.4.1.1.1.2',
    title: { value: "Note d'essai", language: 'fr-FR' },
    extra: [{ name: 'urn:example:memo', values: ['  two  blanks\nand a line '] }],
  });
  expect(entry?.entryUUID).toMatch(/^urn:uuid:/);
  expect(entry?.logicalID).toBe(entry?.entryUUID);
});

test('hash, size and repositoryUniqueId may be left out', async () => {
  const short = submission.replace(/<rim:Slot name="(hash|size|repositoryUniqueId)">[\s\S]*?<\/rim:Slot>/g, '');
  expect(short).not.toMatch(/name="(hash|size|repositoryUniqueId)"/);
  expect(await send(short)).toMatchObject({ status: 'Success' });
  const [entry] = await held();
  expect(entry).toMatchObject({ hash: 'f30ecbf5b1cb85c631fdec0b39678550973cfcbc', size: 7 });
});

test('ids that are UUIDs pair with their document in any case', async () => {
  const uuid = 'urn:uuid:0c1c6c4e-2d15-4b6e-8e46-6a1b2f8f1a01';
  const upper = submission
    .replaceAll('"doc1"', `"${uuid}"`)
    .replace(`Document id="${uuid}"`, `Document id="urn:uuid:${uuid.slice(9).toUpperCase()}"`);
  expect(await send(upper)).toMatchObject({ status: 'Success' });
  expect((await held())[0]?.entryUUID).toBe(uuid);
});

describe('refusals', () => {
  test('problems of reading and of the rules come in one answer', async () => {
    const broken = submission
      .replace('<rim:Value>7</rim:Value>', '<rim:Value>seven</rim:Value>')
      .replace('value="XDSDocumentEntry.uniqueId"', 'value="uniqueId"')
      .replace('<rim:Value>20250301101500</rim:Value>', '<rim:Value>20251301</rim:Value>')
      .replace('<xds:Document id="doc1">', '<xds:Document id="doc2">');
    const { status, errors } = await send(broken);
    expect(status).toBe('Failure');
    expect(errors.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['XDSRepositoryMetadataError', 'XDSMissingDocument', 'XDSMissingDocumentMetadata']),
    );
    const contexts = errors.map(({ context }) => context).join('\n');
    for (const named of ['size of doc1', 'Name of the identifier', 'creationTime of doc1', 'doc2'])
      expect(contexts).toContain(named);
  });

  test('what could not be read is not told a second time as missing', async () => {
    const { errors } = await send(
      submission.replace('<rim:Value>fr-FR</rim:Value>', '<rim:Value>fr-FR</rim:Value><rim:Value>fr</rim:Value>'),
    );
    expect(errors.map(({ context }) => context)).toEqual([
      expect.stringMatching(/^languageCode of doc1 is given more/),
    ]);
  });

  test('a document sent twice under its uniqueId', async () => {
    await send(submission);
    const again = submission.replace('1.2.250.1.213.99.51.1', '1.2.250.1.213.99.51.2');
    expect(await send(again)).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSDuplicateUniqueIdInRegistry', context: expect.stringContaining('1.2.250.1.213.99.50.1') }],
    });
  });

  test('a hash that is not that of the bytes', async () => {
    expect(await send(submission.replace('F30ECBF5', 'F30ECBF6'))).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSRepositoryMetadataError', context: expect.stringMatching(/^hash of doc1/) }],
    });
  });

  test('a body without SubmitObjectsRequest', async () => {
    const empty = '<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds="urn:ihe:iti:xds-b:2007"/>';
    expect(await send(empty)).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSRepositoryMetadataError', context: expect.stringContaining('rim:RegistryObjectList') }],
    });
  });

  test('a depositor whom nobody authorised; nothing but the event is written', async () => {
    const before = world.tools.store.events().length;
    expect(await send(submission, 'pharm-durand')).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSRepositoryError', context: expect.stringMatching(/^DMPAccessDeniedByRightsService/) }],
    });
    const traced = world.tools.store.events().slice(before);
    expect(traced).toMatchObject([
      { action: 'submitDocuments', outcome: 'refused', origin: { transaction: 'ITI-41' } },
    ]);
    expect((await held()).map((entry) => entry.uniqueId)).not.toContain('1.2.250.1.213.99.50.1');
  });
});

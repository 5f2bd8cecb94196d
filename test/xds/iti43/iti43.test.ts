import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { stateConsent } from '../../../server/usecases/consent.ts';
import type { Request } from '../../../server/usecases/perform.ts';
import { getDocuments } from '../../../server/usecases/query.ts';
import type { AnswerPart } from '../../../server/xds/exchange.ts';
import { iti41 } from '../../../server/xds/iti41.ts';
import { iti43 } from '../../../server/xds/iti43.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { openWorld, type World } from '../../support/world.ts';
import { all, handled, seen, textOf } from '../handled.ts';

const sample = readFileSync(new URL('retrieve.xml', import.meta.url), 'utf8');
const repository = '1.2.250.1.213.4.1.1.1.2';

let world: World<MemoryStore>;
beforeAll(async () => {
  world = await openWorld();
});

const inLaurent = (slug = 'dr-nguyen'): Request => world.as(slug, { patient: world.ins('laurent') });

const asking = (...documents: readonly (readonly [uniqueId: string, repositoryUniqueId?: string])[]) =>
  `<RetrieveDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007">${documents
    .map(
      ([uniqueId, at = repository]) =>
        `<DocumentRequest><RepositoryUniqueId>${at}</RepositoryUniqueId><DocumentUniqueId>${uniqueId}</DocumentUniqueId></DocumentRequest>`,
    )
    .join('')}</RetrieveDocumentSetRequest>`;

async function bytesOf({ bytes }: AnswerPart): Promise<Buffer> {
  return bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.concat(await Array.fromAsync(bytes));
}

async function ask(request: Request, xml: string) {
  const answer = await handled(iti43, world, request, xml);
  const { status, errors, root } = await seen(answer);
  const responses = all(root, 'DocumentResponse').map((response) => ({
    home: textOf(response, 'HomeCommunityId'),
    repository: textOf(response, 'RepositoryUniqueId'),
    uniqueId: textOf(response, 'DocumentUniqueId'),
    mimeType: textOf(response, 'mimeType'),
    href: all(all(response, 'Document')[0], 'Include')[0]?.$?.['href'],
    order: Object.keys(response).filter((name) => name !== '$'),
  }));
  return { status, errors, responses, parts: answer.parts ?? [] };
}

test('documents come in the order of the request, bytes as they were, beside their names', async () => {
  const { status, errors, responses, parts } = await ask(inLaurent(), sample);
  expect([status, errors]).toEqual(['Success', []]);
  expect(responses).toMatchObject([
    {
      home: 'urn:oid:1.2.250.1.213.99.1',
      repository,
      uniqueId: '1.2.250.1.999.1.3.103',
      mimeType: 'text/xml',
      order: ['HomeCommunityId', 'RepositoryUniqueId', 'DocumentUniqueId', 'mimeType', 'Document'],
    },
    { home: undefined, repository, uniqueId: '1.2.250.1.999.1.3.101', mimeType: 'text/xml' },
  ]);
  expect(parts.map((part) => `cid:${part.contentId}`)).toEqual(responses.map((r) => r.href));
  const stored = await getDocuments(world.tools, inLaurent(), {
    by: 'uniqueId',
    values: ['1.2.250.1.999.1.3.103', '1.2.250.1.999.1.3.101'],
  });
  for (const [index, { entry }] of stored.entries()) {
    const part = parts[index];
    const bytes = part === undefined ? Buffer.alloc(0) : await bytesOf(part);
    expect(createHash('sha1').update(bytes).digest('hex')).toBe(entry.hash);
    expect(part).toMatchObject({ size: bytes.length, mediaType: 'text/xml' });
  }
});

test('the reading is traced with its documents', async () => {
  const before = world.tools.store.events().length;
  await ask(inLaurent(), asking(['1.2.250.1.999.1.3.103'], ['1.2.3.4']));
  expect(world.tools.store.events().slice(before)).toMatchObject([
    {
      action: 'retrieveDocuments',
      outcome: 'done',
      origin: { transaction: 'ITI-43' },
      documents: [{ uniqueId: '1.2.250.1.999.1.3.103' }],
    },
  ]);
});

test('a replaced document comes as before', async () => {
  const deposit = readFileSync(new URL('../iti41/submission.xml', import.meta.url), 'utf8');
  const first = deposit.replaceAll('1.2.250.1.213.99.50.1', '2.999.43.1').replaceAll('99.51.1', '99.43.1');
  await handled(iti41, world, world.as('dr-martin'), first);
  const [old] = await getDocuments(world.tools, inLaurent(), { by: 'uniqueId', values: ['2.999.43.1'] });
  const replacement =
    '<rim:Association id="a2" associationType="urn:ihe:iti:2007:AssociationType:RPLC" sourceObject="doc1" ' +
    `targetObject="${old?.entry.entryUUID}"/></rim:RegistryObjectList>`;
  const second = deposit
    .replaceAll('1.2.250.1.213.99.50.1', '2.999.43.2')
    .replaceAll('99.51.1', '99.43.2')
    .replace('</rim:RegistryObjectList>', replacement);
  expect((await seen(await handled(iti41, world, world.as('dr-martin'), second))).status).toBe('Success');
  const [replaced] = await getDocuments(world.tools, inLaurent(), { by: 'uniqueId', values: ['2.999.43.1'] });
  expect(replaced?.entry.status).toBe('deprecated');
  const { status, parts } = await ask(inLaurent(), asking(['2.999.43.1']));
  expect([status, String(parts[0] && (await bytesOf(parts[0])))]).toEqual(['Success', 'Bonjour']);
});

test('a document asked for twice is answered once', async () => {
  const { responses, parts } = await ask(inLaurent(), asking(['1.2.250.1.999.1.3.101'], ['1.2.250.1.999.1.3.101']));
  expect([responses.length, parts.length]).toEqual([1, 1]);
});

describe('what cannot be had is an error of its own', () => {
  test('some: PartialSuccess', async () => {
    const { status, errors, responses } = await ask(
      inLaurent(),
      asking(['1.2.3.4'], ['1.2.250.1.999.1.3.101'], ['1.2.250.1.999.1.3.103', '1.2.250.9']),
    );
    expect(status).toBe('PartialSuccess');
    expect(errors).toMatchObject([
      { code: 'XDSUnknownRepositoryId', context: expect.stringContaining('1.2.250.9') },
      { code: 'XDSDocumentUniqueIdError', context: expect.stringContaining('1.2.3.4') },
    ]);
    expect(responses.map((r) => r.uniqueId)).toEqual(['1.2.250.1.999.1.3.101']);
  });

  test('all: Failure', async () => {
    expect(await ask(inLaurent(), asking(['1.2.3.4']))).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSDocumentUniqueIdError' }],
      parts: [],
    });
  });

  test('all, for different reasons: each is told', async () => {
    const { status, errors } = await ask(inLaurent(), asking(['1.2.3.4'], ['1.2.3.5', '1.2.250.9']));
    expect(status).toBe('Failure');
    expect(errors.map((e) => e.code)).toEqual(['XDSUnknownRepositoryId', 'XDSDocumentUniqueIdError']);
  });

  test('another repository alone', async () => {
    expect(await ask(inLaurent(), asking(['1.2.250.1.999.1.3.101', '1.2.250.9']))).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSUnknownRepositoryId' }],
    });
  });

  test('no DocumentRequest at all', async () => {
    expect(await ask(inLaurent(), asking())).toMatchObject({
      status: 'Failure',
      errors: [
        {
          code: 'XDSRepositoryError',
          context: expect.stringContaining(
            'RetrieveDocumentSetRequest has no xds:DocumentRequest. Rule: IHE ITI TF-2 3.43.4.1.2',
          ),
        },
      ],
    });
  });

  test('a document of another record is as unknown', async () => {
    const other = await ask(inLaurent(), asking(['1.2.250.1.999.1.3.301']));
    const unknown = await ask(inLaurent(), asking(['1.2.3.4']));
    expect(other.errors[0]?.context.replace('1.2.250.1.999.1.3.301', 'X')).toBe(
      unknown.errors[0]?.context.replace('1.2.3.4', 'X'),
    );
  });

  test('a masked document is as unknown, but not to its treating doctor', async () => {
    const asked = (slug: string) =>
      ask(world.as(slug, { patient: world.ins('henry') }), asking(['1.2.250.1.999.1.3.502']));
    expect(await asked('dr-nguyen')).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSDocumentUniqueIdError' }],
    });
    expect(await asked('dr-martin')).toMatchObject({ status: 'Success' });
  });

  test('an occupational doctor finds the document and reads no byte of it', async () => {
    await stateConsent(world.tools, world.as('laurent'), world.ins('laurent'), {
      kind: 'authorisation',
      actor: { kind: 'professional', id: occupational(world) },
      treatingDoctor: false,
    });
    const found = await getDocuments(world.tools, inLaurent('dr-roux'), {
      by: 'uniqueId',
      values: ['1.2.250.1.999.1.3.101'],
    });
    expect(found).toHaveLength(1);
    expect(await ask(inLaurent('dr-roux'), asking(['1.2.250.1.999.1.3.101']))).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSDocumentUniqueIdError' }],
    });
  });

  test('an offline document is as unknown', async () => {
    const deposit = readFileSync(new URL('../iti41/submission.xml', import.meta.url), 'utf8')
      .replaceAll('1.2.250.1.213.99.50.1', '2.999.43.3')
      .replaceAll('99.51.1', '99.43.3')
      .replace(
        '<rim:Slot name="languageCode">',
        '<rim:Slot name="documentAvailability"><rim:ValueList><rim:Value>urn:ihe:iti:2010:DocumentAvailability:Offline</rim:Value></rim:ValueList></rim:Slot><rim:Slot name="languageCode">',
      );
    expect((await seen(await handled(iti41, world, world.as('dr-martin'), deposit))).status).toBe('Success');
    expect(await ask(inLaurent(), asking(['2.999.43.3']))).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSDocumentUniqueIdError' }],
    });
  });

  test('a blocked professional is refused as a whole', async () => {
    expect(
      await ask(world.as('dr-nguyen', { patient: world.ins('blanc') }), asking(['1.2.250.1.999.1.3.301'])),
    ).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSRepositoryError', context: expect.stringMatching(/^DMPAccessDeniedByRightsService/) }],
    });
  });
});

test('a large document is opened when its turn comes', async () => {
  const big = Buffer.alloc(5 * 1024 * 1024, 'a');
  const deposit = readFileSync(new URL('../iti41/submission.xml', import.meta.url), 'utf8')
    .replace(/<rim:Slot name="(hash|size)">[\s\S]*?<\/rim:Slot>/g, '')
    .replace('Qm9uam91cg==', big.toString('base64'));
  await handled(iti41, world, world.as('dr-martin'), deposit);
  const { status, parts } = await ask(inLaurent(), asking(['1.2.250.1.999.1.3.101'], ['1.2.250.1.213.99.50.1']));
  expect(status).toBe('Success');
  expect(parts.map((part) => part.bytes instanceof Uint8Array)).toEqual([true, false]);
  const last = parts.at(-1);
  expect(last && (await bytesOf(last)).equals(big)).toBe(true);
});

function occupational({ as }: World): string {
  const { actor } = as('dr-roux').caller;
  return actor.kind === 'professional' ? actor.id : '';
}

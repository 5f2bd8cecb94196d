import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Request } from '../../../server/usecases/perform.ts';
import { readSubmission } from '../../../server/xds/ebrim/read.ts';
import { iti18 } from '../../../server/xds/iti18.ts';
import { namespace } from '../../../server/xds/vocabulary.ts';
import { child } from '../../../server/xml/element.ts';
import { defaultXmlLimits, parseXml } from '../../../server/xml/read.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { openWorld, type World } from '../../support/world.ts';
import { all, handled, seen } from '../handled.ts';

const message = (name: string) => readFileSync(new URL(`${name}.xml`, import.meta.url), 'utf8');
const find = message('find-documents');
const get = message('get-documents');

let world: World<MemoryStore>;
beforeAll(async () => {
  world = await openWorld();
});

/** A query for another patient than the sample's. */
const findOf = (slug: string) => find.replace('161053523812385', world.ins(slug).value);
const asRefs = (xml: string) => xml.replace('LeafClass', 'ObjectRef');
const withSlot = (xml: string, name: string, value: string) =>
  xml.replace(
    '</rim:AdhocQuery>',
    `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${value}</rim:Value></rim:ValueList></rim:Slot></rim:AdhocQuery>`,
  );

async function ask(request: Request, xml: string) {
  const answer = await handled(iti18, world, request, xml);
  const { status, errors, root } = await seen(answer);
  const [list] = all(root, 'RegistryObjectList');
  return {
    status,
    errors,
    hasList: list !== undefined,
    uniqueIds: all(list, 'ExtrinsicObject').map((o) => all(o, 'ExternalIdentifier').at(-1)?.$?.['value'] ?? ''),
    entryIds: all(list, 'ExtrinsicObject').map((o) => o.$?.['id']),
    refs: all(list, 'ObjectRef').map((o) => o.$?.['id']),
    list: child(parseXml(answer.body, defaultXmlLimits), namespace.rim, 'RegistryObjectList'),
  };
}

describe('FindDocuments', () => {
  test('LeafClass: whole entries, newest first, that read without a problem', async () => {
    const { status, errors, uniqueIds, list } = await ask(world.as('dr-nguyen'), find);
    expect([status, errors]).toEqual(['Success', []]);
    expect(uniqueIds).toHaveLength(13);
    expect(uniqueIds[12]).toBe('1.2.250.1.999.1.3.101');
    const { submission, problems } =
      list === undefined ? { submission: undefined, problems: [] } : readSubmission(list);
    expect(problems).toEqual([]);
    expect(submission?.entries.map((entry) => entry.uniqueId)).toEqual(uniqueIds);
  });

  test('ObjectRef: the same documents by name alone', async () => {
    const whole = await ask(world.as('dr-nguyen'), find);
    const { status, entryIds, refs } = await ask(world.as('dr-nguyen'), asRefs(find));
    expect([status, entryIds]).toEqual(['Success', []]);
    expect(refs).toEqual(whole.entryIds);
  });

  test('a filter narrows', async () => {
    const typed = withSlot(find, '$XDSDocumentEntryTypeCode', "('11502-2^^2.16.840.1.113883.6.1')");
    const { uniqueIds } = await ask(world.as('dr-nguyen'), typed);
    expect(uniqueIds).toEqual(['1.2.250.1.999.1.3.110', '1.2.250.1.999.1.3.103']);
  });

  test('a patient left out is the one of the assertion', async () => {
    const without = find.replace(/<rim:Slot name="\$XDSDocumentEntryPatientId">.*?<\/rim:Slot>/, '');
    const { uniqueIds } = await ask(world.as('dr-nguyen', { patient: world.ins('laurent') }), without);
    expect(uniqueIds).toHaveLength(13);
    const nobody = await ask(world.as('dr-nguyen'), without);
    expect(nobody).toMatchObject({ status: 'Failure', errors: [{ code: 'XDSStoredQueryMissingParam' }] });
  });

  test('an open record without documents: Success and an empty list', async () => {
    expect(await ask(world.as('dr-martin'), findOf('casanova'))).toMatchObject({
      status: 'Success',
      hasList: true,
      uniqueIds: [],
    });
  });

  test('the query is traced once, in words', async () => {
    const before = world.tools.store.events().length;
    await ask(world.as('dr-nguyen'), find);
    const traced = world.tools.store.events().slice(before);
    expect(traced).toMatchObject([{ action: 'searchDocuments', outcome: 'done', origin: { transaction: 'ITI-18' } }]);
    expect(traced[0]?.query).toMatch(/^FindDocuments \$XDSDocumentEntryPatientId='161053523812385/);
  });
});

describe('GetDocuments', () => {
  const inLaurent = () => world.as('dr-nguyen', { patient: world.ins('laurent') });

  test('by uniqueId', async () => {
    const { status, uniqueIds } = await ask(inLaurent(), get);
    expect([status, uniqueIds]).toEqual(['Success', ['1.2.250.1.999.1.3.103', '1.2.250.1.999.1.3.101']]);
  });

  test('by entryUUID without a patient: the record is that of the document', async () => {
    const { refs } = await ask(inLaurent(), asRefs(get));
    const byUuid = get
      .replace('$XDSDocumentEntryUniqueId', '$XDSDocumentEntryEntryUUID')
      .replace(/\('.*'\)/, `('${refs.join("','")}')`);
    expect((await ask(world.as('dr-nguyen'), byUuid)).entryIds).toEqual(refs);
    const byLogical = byUuid.replace('EntryUUID', 'LogicalID');
    expect((await ask(inLaurent(), byLogical)).entryIds).toEqual(refs);
  });

  test('unknown names, and those of another record, give nothing', async () => {
    const other = get.replace(/\('.*'\)/, "('1.2.3.4','1.2.250.1.999.1.3.301')");
    expect(await ask(inLaurent(), other)).toMatchObject({ status: 'Success', errors: [], uniqueIds: [] });
  });

  test('a masked document is as unknown', async () => {
    const masked = get.replace(/\('.*'\)/, "('1.2.250.1.999.1.3.502')");
    const asked = (slug: string) => ask(world.as(slug, { patient: world.ins('henry') }), masked);
    expect((await asked('dr-nguyen')).uniqueIds).toEqual([]);
    expect((await asked('dr-martin')).uniqueIds).toEqual(['1.2.250.1.999.1.3.502']);
  });
});

describe('refusals', () => {
  const denied = expect.stringMatching(/^DMPAccessDeniedByRightsService/);
  test.each<[string, string, () => string, string, unknown]>([
    ['a blocked professional', 'dr-nguyen', () => findOf('blanc'), 'XDSRegistryError', denied],
    ['no record', 'dr-martin', () => findOf('garnier'), 'XDSUnknownPatientId', expect.anything()],
    ['a closed record', 'dr-martin', () => findOf('faure'), 'XDSUnknownPatientId', expect.stringMatching(/closed/)],
    [
      'an unknown query',
      'dr-martin',
      () => find.replace('14d4debf', '14d4debe'),
      'XDSUnknownStoredQuery',
      expect.stringMatching(/14d4debe-8f97/),
    ],
    [
      'another returnType',
      'dr-martin',
      () => find.replace('LeafClass', 'LeafClassWithRepositoryItem'),
      'XDSRegistryError',
      expect.stringMatching(/LeafClassWithRepositoryItem/),
    ],
    [
      'a status missing',
      'dr-martin',
      () => find.replace('$XDSDocumentEntryStatus', '$Status'),
      'XDSStoredQueryMissingParam',
      expect.stringMatching(/\$XDSDocumentEntryStatus/),
    ],
    [
      'two patients',
      'dr-martin',
      () => withSlot(find, '$XDSDocumentEntryPatientId', "'161053523812385^^^&amp;1.2.250.1.213.1.4.10&amp;ISO'"),
      'XDSStoredQueryParamNumber',
      expect.anything(),
    ],
    [
      'a code without scheme',
      'dr-martin',
      () => withSlot(find, '$XDSDocumentEntryClassCode', "('10')"),
      'XDSRegistryError',
      expect.stringMatching(/\$XDSDocumentEntryClassCode/),
    ],
  ])('%s', async (_what, slug, xml, code, context) => {
    expect(await ask(world.as(slug), xml())).toMatchObject({
      status: 'Failure',
      errors: [{ code, context }],
      hasList: true,
      uniqueIds: [],
      refs: [],
    });
  });

  test('a patient other than that of the assertion', async () => {
    const request = world.as('dr-martin', { patient: world.ins('casanova') });
    expect(await ask(request, find)).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSPatientIdDoesNotMatch' }],
    });
  });

  test('more entries than the limit, while references may be any number', async () => {
    const { settings } = world.tools;
    const small = { ...settings, limits: { ...settings.limits, results: 5 } };
    const narrow: World = { ...world, tools: { ...world.tools, settings: small } };
    const whole = await seen(await handled(iti18, narrow, world.as('dr-martin'), find));
    expect(whole).toMatchObject({ status: 'Failure', errors: [{ code: 'XDSTooManyResults' }] });
    const refs = await seen(await handled(iti18, narrow, world.as('dr-martin'), asRefs(find)));
    expect(all(all(refs.root, 'RegistryObjectList')[0], 'ObjectRef')).toHaveLength(13);
  });
});

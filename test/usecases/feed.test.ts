import { hash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { systemRights } from '../../server/domain/actor.ts';
import type { Identifier } from '../../server/domain/identifier.ts';
import { insKey } from '../../server/domain/ins.ts';
import { stateConsent } from '../../server/usecases/consent.ts';
import { feedIdentity, mergeIdentities, removeIdentity } from '../../server/usecases/feed.ts';
import { testExistence } from '../../server/usecases/patient.ts';
import { findDocuments } from '../../server/usecases/query.ts';
import { closeRecord, createRecord } from '../../server/usecases/record.ts';
import { retrieve } from '../../server/usecases/retrieve.ts';
import { openWorld, type World } from '../support/world.ts';

const testOid = '1.2.250.1.213.1.4.10';
const add = { message: 'add' } as const;
const traits = { family: 'GARNIER', given: 'LUCIE', gender: 'female', birthDate: '1990-05-02' } as const;
const inMatricule = (thirteen: string): Identifier => ({ value: `${thirteen}${insKey(thirteen) ?? ''}`, oid: testOid });
const newcomer = inMatricule('2900575056123');
const other = inMatricule('1800275056123');
const stranger: Identifier = { value: '4711', oid: '1.2.250.1.999.7' };

const recordOf = async ({ tools }: World, id: Identifier) => (await tools.store.facts.recordByIdentifier(id))?.record;
const titles = async (world: World, patient: Identifier, who = 'dr-martin') =>
  (await findDocuments(world.tools, world.as(who), { patient, filter: { statuses: ['approved'] }, query: 'all' })).map(
    ({ entry }) => entry.title?.value,
  );
const refusedBy = async (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { problems?: { name: string }[] }) => error.problems?.map(({ name }) => name),
  );

describe('a fed identity', () => {
  test('updates the traits of a record and is traced', async () => {
    const world = await openWorld();
    const fed = { identifiers: [world.ins('laurent'), stranger], traits: { usedFamily: 'LAURENT-DUBOIS' } };
    expect(await feedIdentity(world.tools, world.as('regie'), fed, add)).toMatchObject({ outcome: 'updated' });
    expect((await recordOf(world, world.ins('laurent')))?.traits).toMatchObject({
      family: 'LAURENT',
      usedFamily: 'LAURENT-DUBOIS',
    });
    expect(await feedIdentity(world.tools, world.as('regie'), fed, add)).toMatchObject({ outcome: 'unchanged' });
    expect(world.tools.store.events().at(-1)).toMatchObject({ action: 'feedIdentities', outcome: 'done' });
  });

  test('opens no record in the domain dmp, and leaves nothing but its trace', async () => {
    const world = await openWorld();
    const fed = { identifiers: [world.ins('garnier')], traits };
    expect(await feedIdentity(world.tools, world.as('regie'), fed, add)).toMatchObject({ outcome: 'noRecord' });
    expect(await recordOf(world, world.ins('garnier'))).toBeUndefined();
  });

  test('a new first INS becomes the official one, the one before an alias that still finds the record', async () => {
    const world = await openWorld();
    const laurent = world.ins('laurent');
    const fed = { identifiers: [newcomer, laurent], traits: {} };
    expect(await feedIdentity(world.tools, world.as('regie'), fed, { message: 'revise' })).toMatchObject({
      outcome: 'updated',
    });
    const record = await recordOf(world, newcomer);
    expect(record?.identifiers.filter(({ oid }) => oid === testOid)).toEqual([
      { ...newcomer, use: 'official' },
      { ...laurent, use: 'old' },
    ]);
    expect(await titles(world, laurent)).toEqual(await titles(world, newcomer));
  });

  test('a calculated INS is an alias, unless somebody else has it', async () => {
    const world = await openWorld();
    const calculated = { value: '1234567890123456789012', oid: '1.2.250.1.213.1.4.2' };
    const fed = (slug: string) => ({ identifiers: [world.ins(slug), calculated], traits: {} });
    expect(await feedIdentity(world.tools, world.as('regie'), fed('henry'), add)).toMatchObject({ outcome: 'updated' });
    expect(await feedIdentity(world.tools, world.as('regie'), fed('blanc'), add)).toMatchObject({
      outcome: 'unchanged',
    });
    expect((await recordOf(world, calculated))?.traits.family).toBe('HENRY');
  });

  test('identifiers of foreign authorities count for nothing', async () => {
    const world = await openWorld();
    const fed = { identifiers: [stranger], traits };
    expect(await feedIdentity(world.tools, world.as('regie'), fed, add)).toMatchObject({ outcome: 'authorityUnknown' });
  });

  test.each([
    ['a wrong key', () => [{ ...newcomer, value: newcomer.value.replace(/..$/, '00') }], ['insMalformed']],
    ['two records', (w: World) => [w.ins('laurent'), w.ins('blanc')], ['identitiesDiffer']],
    ['a closed record', (w: World) => [w.ins('faure')], ['recordClosed']],
  ])('with %s is refused', async (_, identifiers, names) => {
    const world = await openWorld();
    const fed = { identifiers: identifiers(world), traits: {} };
    expect(await refusedBy(feedIdentity(world.tools, world.as('regie'), fed, add))).toEqual(names);
  });

  test.each(['dr-martin', 'hopital-nord', 'laurent'])('by %s, who has no right to feed, is refused', async (who) => {
    const world = await openWorld();
    const fed = { identifiers: [world.ins('laurent')], traits: { family: 'X' } };
    expect(await refusedBy(feedIdentity(world.tools, world.as(who), fed, add))).toEqual(['accessDenied']);
    expect((await recordOf(world, world.ins('laurent')))?.traits.family).toBe('LAURENT');
  });

  test('makes a patient known in a domain of fed authorities', async () => {
    const world = await openWorld({ seeded: false, domain: 'open' });
    const fed = { identifiers: [stranger], traits: { family: 'DOE' } };
    expect(await feedIdentity(world.tools, world.as('regie'), fed, add)).toMatchObject({ outcome: 'opened' });
    expect(await recordOf(world, stranger)).toMatchObject({ state: 'open', traits: { family: 'DOE' } });
    expect(await feedIdentity(world.tools, world.as('regie'), fed, add)).toMatchObject({ outcome: 'unchanged' });
  });

  test('told ten times at once is one record', async () => {
    const world = await openWorld({ seeded: false, domain: 'open' });
    const fed = { identifiers: [stranger], traits: { family: 'DOE' } };
    const all = await Promise.all(
      Array.from({ length: 10 }, async () => feedIdentity(world.tools, world.as('regie'), fed, add)),
    );
    expect(all.map(({ outcome }) => outcome).sort()).toEqual(['opened', ...Array<string>(9).fill('unchanged')].sort());
    expect(world.tools.store.held().record).toBe(1);
  });

  test('of a person who is known: kept as it is, or refused', async () => {
    const world = await openWorld();
    const fed = { identifiers: [world.ins('laurent')], traits: { family: 'X' } };
    const tell = async (known: 'kept' | 'refused') =>
      feedIdentity(world.tools, world.as('regie'), fed, { ...add, known });
    expect(await tell('kept')).toMatchObject({ outcome: 'unchanged', record: { traits: { family: 'LAURENT' } } });
    expect(await refusedBy(tell('refused'))).toEqual(['identityHeld']);
  });

  test('of a record that is meant: at its version, and by its own identifiers', async () => {
    const world = await openWorld();
    const { id, version } = (await recordOf(world, world.ins('laurent'))) ?? { id: '', version: 0 };
    const tell = async (record: { id: string; version?: number }, family = 'X') =>
      feedIdentity(
        world.tools,
        world.as('regie'),
        { identifiers: [world.ins('laurent')], traits: { family } },
        { message: 'revise', record },
      );
    expect(await refusedBy(tell({ id, version: version + 1 }))).toEqual(['versionDiffers']);
    expect(await refusedBy(tell({ id: 'another' }))).toEqual(['identitiesDiffer']);
    expect(await tell({ id, version })).toMatchObject({ outcome: 'updated', record: { version: version + 1 } });
    expect(await refusedBy(tell({ id, version }, 'Y'))).toEqual(['versionDiffers']);
  });
});

describe('a removal', () => {
  test('takes away an identity of whom nothing is here, and its identifier is free again', async () => {
    const world = await openWorld({ seeded: false, domain: 'open' });
    const fed = { identifiers: [stranger], traits: { family: 'DOE' } };
    const remove = async () => removeIdentity(world.tools, world.as('regie'), [stranger]);
    await feedIdentity(world.tools, world.as('regie'), fed, add);
    const { id = '' } = (await recordOf(world, stranger)) ?? {};
    expect(await remove()).toBe(id);
    expect(await recordOf(world, stranger)).toBeUndefined();
    expect((await world.tools.store.facts.recordById(id))?.record).toMatchObject({
      state: 'destroyed',
      traits: { family: 'NON RENSEIGNE' },
    });
    expect(await remove()).toBeUndefined();
    expect(await feedIdentity(world.tools, world.as('regie'), fed, add)).toMatchObject({ outcome: 'opened' });
  });

  test('never takes away a record that holds something, nor by who has no right to feed', async () => {
    const world = await openWorld();
    const remove = async (who: string, slug: string) =>
      refusedBy(removeIdentity(world.tools, world.as(who), [world.ins(slug)]));
    expect(await remove('regie', 'laurent')).toEqual(['recordNotEmpty']);
    expect(await remove('regie', 'casanova')).toEqual(['recordNotEmpty']);
    expect(await remove('dr-martin', 'casanova')).toEqual(['accessDenied']);
    expect(await recordOf(world, world.ins('laurent'))).toMatchObject({ state: 'open' });
  });
});

describe('a merge', () => {
  const merge = async (world: World, subsumed: Identifier, surviving: Identifier) =>
    mergeIdentities(world.tools, world.as('regie'), { surviving: [surviving], subsumed: [subsumed] });

  test('makes the content of both the survivor’s, and the old identifier names nobody', async () => {
    const world = await openWorld();
    const [henry, laurent] = [world.ins('henry'), world.ins('laurent')];
    const before = [...(await titles(world, laurent)), ...(await titles(world, henry))];
    expect(await merge(world, henry, laurent)).toMatchObject({ merged: true });
    expect((await titles(world, laurent)).sort()).toEqual(before.sort());
    expect(await refusedBy(titles(world, henry))).toEqual(['unknownPatient']);
    expect(await refusedBy(testExistence(world.tools, world.as('dr-martin'), henry, 'q'))).toEqual(['unknownPatient']);
    const found = await findDocuments(world.tools, world.as('dr-martin'), { patient: laurent, filter: {}, query: '' });
    expect(new Set(found.map(({ entry }) => entry.patientId.id))).toEqual(new Set([laurent.value]));
  });

  test('documents of both records are read, byte for byte', async () => {
    const world = await openWorld();
    const [henry, laurent] = [world.ins('henry'), world.ins('laurent')];
    const find = { patient: henry, filter: {}, query: '' };
    const [document] = await findDocuments(world.tools, world.as('dr-martin'), find);
    await merge(world, henry, laurent);
    const uniqueId = document?.entry.uniqueId ?? '';
    const retrieval = { by: 'uniqueId', values: [uniqueId], patient: laurent } as const;
    const { documents } = await retrieve(world.tools, world.as('dr-martin'), retrieval);
    const bytes = await documents[0]?.open();
    const whole = bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.concat(await Array.fromAsync(bytes ?? []));
    expect([whole.length, hash('sha1', whole, 'hex')]).toEqual([document?.entry.size, document?.entry.hash]);
  });

  test('the holder reads the history of both', async () => {
    const world = await openWorld();
    const [henry, laurent] = [world.ins('henry'), world.ins('laurent')];
    const record = (await recordOf(world, henry))?.id;
    await merge(world, henry, laurent);
    const events = world.tools.store.events().filter((event) => event.record === record);
    expect(events.length).toBeGreaterThan(0);
    for (const { sequence } of events)
      expect((await world.tools.store.facts.recordOfEvent(sequence))?.record.identifiers[0]?.value).toBe(laurent.value);
  });

  test('blocks and oppositions hold for the survivor, authorisations of the other do not spread', async () => {
    const world = await openWorld();
    const [henry, casanova] = [world.ins('henry'), world.ins('casanova')];
    const actor = { kind: 'professional', id: 'anybody' } as const;
    await stateConsent(world.tools, world.as('henry'), henry, { kind: 'block', actor });
    await stateConsent(world.tools, world.as('henry'), henry, { kind: 'opposition', to: 'breakGlass' });
    const authorised = (await world.tools.store.facts.recordByIdentifier(casanova))?.consents ?? [];
    await merge(world, henry, casanova);
    const facts = await world.tools.store.facts.recordByIdentifier(casanova);
    const added = facts?.consents.slice(authorised.length).map(({ statement }) => statement.kind);
    expect(added?.sort()).toEqual(['block', 'opposition']);
  });

  test('a chain ends in the last survivor', async () => {
    const world = await openWorld();
    const [henry, laurent, blanc] = [world.ins('henry'), world.ins('laurent'), world.ins('blanc')];
    const all = [...(await titles(world, henry)), ...(await titles(world, laurent)), ...(await titles(world, blanc))];
    await merge(world, henry, laurent);
    expect(await merge(world, laurent, blanc)).toMatchObject({ merged: true });
    expect((await titles(world, blanc)).sort()).toEqual(all.sort());
    expect(await merge(world, henry, blanc)).toEqual({ ignored: 'alreadySubsumed' });
    expect(await merge(world, blanc, laurent)).toEqual({ ignored: 'survivingInactive' });
  });

  test('into an identifier that is not known renames the record', async () => {
    const world = await openWorld();
    const laurent = world.ins('laurent');
    const before = await titles(world, laurent);
    expect(await merge(world, laurent, newcomer)).toMatchObject({ merged: true });
    expect(await titles(world, newcomer)).toEqual(before);
    expect(await refusedBy(titles(world, laurent))).toEqual(['unknownPatient']);
    const found = await findDocuments(world.tools, world.as('dr-martin'), { patient: newcomer, filter: {}, query: '' });
    expect(new Set(found.map(({ entry }) => entry.patientId.id))).toEqual(new Set([newcomer.value]));
  });

  test.each([
    ['of an unknown authority', () => stranger, (w: World) => w.ins('laurent'), 'authorityUnknown'],
    ['into an unknown authority', (w: World) => w.ins('laurent'), () => stranger, 'authorityUnknown'],
    ['of one identifier into itself', (w: World) => w.ins('laurent'), (w: World) => w.ins('laurent'), 'sameIdentifier'],
    ['of an unknown identifier', () => other, (w: World) => w.ins('laurent'), 'subsumedUnknown'],
  ])('%s is ignored', async (_, subsumed, surviving, why) => {
    const world = await openWorld();
    const before = await titles(world, world.ins('laurent'));
    expect(await merge(world, subsumed(world), surviving(world))).toEqual({ ignored: why });
    expect(await titles(world, world.ins('laurent'))).toEqual(before);
  });

  test('of or into a closed record is refused', async () => {
    const world = await openWorld();
    expect(await refusedBy(merge(world, world.ins('faure'), world.ins('laurent')))).toEqual(['recordClosed']);
    expect(await refusedBy(merge(world, world.ins('laurent'), world.ins('faure')))).toEqual(['recordClosed']);
  });

  test('by a system without the right is refused and changes nothing', async () => {
    const world = await openWorld();
    const { caller, origin } = world.as('regie');
    const rights = systemRights.filter((right) => right !== 'feed');
    const request = { origin, caller: { ...caller, actor: { kind: 'system', id: 's', name: 'S', rights } as const } };
    const ids = { surviving: [world.ins('laurent')], subsumed: [world.ins('henry')] };
    expect(await refusedBy(mergeIdentities(world.tools, request, ids))).toEqual(['accessDenied']);
    expect((await recordOf(world, world.ins('henry')))?.state).toBe('open');
  });

  test('a record that is opened later under the subsumed identifier is refused', async () => {
    const world = await openWorld();
    await merge(world, world.ins('henry'), world.ins('laurent'));
    const opening = { ins: world.ins('henry'), traits: { ...traits } };
    expect(await refusedBy(createRecord(world.tools, world.as('dr-martin'), opening))).toEqual(['unknownPatient']);
  });

  test('of a record that closes meanwhile is not done', async () => {
    const world = await openWorld();
    const [henry, laurent] = [world.ins('henry'), world.ins('laurent')];
    const close = closeRecord(world.tools, world.as('henry'), henry, { motive: 'FERMETURE_DEMANDE_PATIENT' });
    const [merged] = await Promise.all([refusedBy(merge(world, henry, laurent)), refusedBy(close)]);
    const state = (await recordOf(world, henry))?.state;
    expect([state, merged]).toEqual(merged === 'done' ? ['open', 'done'] : ['closed', ['recordClosed']]);
  });
});

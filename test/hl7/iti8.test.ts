import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { insKey } from '../../server/domain/ins.ts';
import { findDocuments } from '../../server/usecases/query.ts';
import type { Line } from '../support/mllp.ts';
import { type Door, message, openDoor } from './door.ts';

let door: Door;
let line: Line;
beforeEach(async () => {
  door = await openDoor();
  line = await door.dial();
});
afterEach(async () => {
  await door.close();
  expect(door.logged).toEqual([]);
});

const recordOf = async (slug: string) =>
  (await door.world.tools.store.facts.recordByIdentifier(door.world.ins(slug)))?.record;
const told = (ack: Awaited<ReturnType<Line['ask']>>) =>
  ack.errors.map(({ place, condition, severity, name }) => [place, condition, severity, name]);
const lastEvent = () => door.world.tools.store.events().at(-1);

describe('ADT add and revise', () => {
  test.each(['A01', 'A04', 'A05'])('%s of a known INS updates the traits', async (event) => {
    const ack = await line.ask(message('adt-a01-add.hl7').replace('ADT^A01', `ADT^${event}`));
    expect([ack.code, ack.controlId, ack.errors]).toEqual(['AA', 'A01-1', []]);
    const record = await recordOf('laurent');
    expect(record?.traits).toMatchObject({
      family: 'LAURENT',
      given: 'MICHEL',
      gender: 'male',
      usedFamily: 'LAURENT-DUBOIS',
    });
    expect(lastEvent()).toMatchObject({
      action: 'feedIdentities',
      outcome: 'done',
      ground: 'systemRight',
      origin: { transaction: 'ITI-8', address: '127.0.0.1' },
      record: record?.id,
    });
  });

  test('the sample of the documentation is taken', async () => {
    const sample = readFileSync(new URL('../../docs/samples/adt-a08-revise.hl7', import.meta.url), 'utf8');
    const ack = await line.ask(sample.replaceAll('\n', '\r'));
    expect([ack.code, ack.controlId, ack.errors]).toEqual(['AA', 'A08-1', []]);
    expect((await recordOf('laurent'))?.traits).toMatchObject({ addresses: [{ city: 'Nancy' }] });
  });

  test('tells where the patient is reached, all given names and the mother', async () => {
    const text = message('adt-a01-add.hl7').replace(
      '^FRA^H',
      '^FRA^H||01 02 03 04 05^PRN^PH~^NET^Internet^michel@example.org~0611223344^PRS^CP|^WPN^PH^^^^^^^^^+33 3 83 00 00 00',
    );
    const withMother = text.replace('^^^^^D||', '^^^^^D|Lévêque^Anne|');
    expect((await line.ask(withMother)).code).toBe('AA');
    expect((await recordOf('laurent'))?.traits).toMatchObject({
      givenNames: 'MICHEL JEAN',
      mothersMaidenName: 'LEVEQUE',
      addresses: [{ use: 'home', lines: ['12 rue des Tilleuls'], city: 'Nancy', postalCode: '54000', country: 'FRA' }],
      telecoms: [
        { system: 'phone', use: 'home', value: '01 02 03 04 05' },
        { system: 'email', value: 'michel@example.org' },
        { system: 'phone', use: 'mobile', value: '0611223344' },
        { system: 'phone', use: 'work', value: '+33 3 83 00 00 00' },
      ],
    });
  });

  test('A08 in ISO 8859-1 is read in that character set, and answered in it', async () => {
    const bytes = Buffer.from(message('adt-a08-revise.hl7').trimEnd().replaceAll('\n', '\r'), 'latin1');
    const ack = await line.ask(bytes);
    expect([ack.code, ack.text.split('|')[17]?.split('\r')[0]]).toEqual(['AA', '8859/1']);
    expect((await recordOf('laurent'))?.traits.usedFamily).toBe('LEVEQUE');
  });

  test('of a person without record keeps nothing and says so', async () => {
    const ack = await line.ask(message('adt-a01-add.hl7', { ins: door.world.ins('garnier').value }));
    expect([ack.code, told(ack)]).toEqual(['AA', [['', '0', 'W', '']]]);
    expect(await recordOf('garnier')).toBeUndefined();
  });

  test('in the open domain makes a patient known, whoever sends it', async () => {
    const open = await openDoor({ seeded: false, domain: 'open' });
    const other = await open.dial();
    const text = message('adt-a01-add.hl7', { ins: 'X-1' })
      .replace('regie', 'GAZELLE')
      .replace('1.2.250.1.213.1.4.10', '1.2.250.1.999.42');
    expect(await other.ask(text)).toMatchObject({ code: 'AA', errors: [] });
    const found = await open.world.tools.store.facts.recordByIdentifier({ value: 'X-1', oid: '1.2.250.1.999.42' });
    expect(found?.record).toMatchObject({ state: 'open', traits: { family: 'LAURENT' } });
    const { code, errors } = await other.ask(text.replace('ADT^A01', 'ADT^A31'));
    expect([code, errors[0]?.name]).toEqual(['AR', 'hl7EventUnsupported']);
    await open.close();
  });

  test.each([
    ['a wrong key', { ins: '161025439501299' }, (t: string) => t, [['PID^1^3^1', '102', 'E', 'insMalformed']]],
    ['no PID', {}, (t: string) => t.replace(/^PID.*\n/m, ''), [['PID^1', '100', 'E', 'segmentMissing']]],
    [
      'no PID-3',
      {},
      (t: string) => t.replace(/^PID\|1\|\|[^|]*/m, 'PID|1||'),
      [['PID^1^3^1', '101', 'E', 'fieldMissing']],
    ],
    [
      'a birth date that is none',
      { birth: '19610231' },
      (t: string) => t,
      [['PID^1^7^1', '102', 'E', 'fieldMalformed']],
    ],
  ])('with %s is refused AE', async (_, blanks, change, errors) => {
    const ack = await line.ask(change(message('adt-a01-add.hl7', blanks)));
    expect([ack.code, told(ack)]).toEqual(['AE', errors]);
    expect(lastEvent()).toMatchObject({ action: 'feedIdentities', outcome: 'failed' });
  });

  test('by a structure without the right to feed is refused', async () => {
    const text = message('adt-a01-add.hl7').replace('|regie|1.2.250.1.999.1.1|', '|labo-centre|1990000028|');
    const ack = await line.ask(text);
    expect([ack.code, told(ack)]).toEqual(['AE', [['', '207', 'E', 'accessDenied']]]);
    expect(lastEvent()).toMatchObject({ action: 'feedIdentities', outcome: 'refused', ground: 'rightMissing' });
  });
});

describe('ADT^A40', () => {
  const old = () => door.world.ins('henry').value;
  const titles = async (slug: string) => {
    const { tools, as, ins } = door.world;
    return (await findDocuments(tools, as('dr-martin'), { patient: ins(slug), filter: {}, query: '' })).length;
  };

  test('makes the documents of the subsumed patient the survivor’s', async () => {
    const both = (await titles('laurent')) + (await titles('henry'));
    expect(await line.ask(message('adt-a40-merge.hl7', { old: old() }))).toMatchObject({ code: 'AA', errors: [] });
    expect(await titles('laurent')).toBe(both);
    await expect(titles('henry')).rejects.toMatchObject({ problems: [{ name: 'unknownPatient' }] });
  });

  test.each([
    ['unknown', () => `2900575056123${insKey('2900575056123') ?? ''}`, 'not known'],
    ['the same', () => door.world.ins('laurent').value, 'the same identifier'],
  ])('of an identifier that is %s is accepted, ignored and said to be', async (_, subsumed, words) => {
    const ack = await line.ask(message('adt-a40-merge.hl7', { old: subsumed() }));
    expect(ack.code).toBe('AA');
    expect(ack.errors[0]?.severity).toBe('W');
    expect(ack.errors[0]?.words).toContain(words);
  });

  test('of one subsumed before is ignored; in version 2.3.1 ERR-1 says so too', async () => {
    await line.ask(message('adt-a40-merge.hl7', { old: old() }));
    const ack = await line.ask(message('adt-a40-merge.hl7', { old: old() }));
    expect(ack.errors[0]?.words).toContain('subsumed before');
    expect(ack.text).toContain('ERR|^^^0&Message accepted&HL70357|');
  });

  const cx = (slug: string) => `${door.world.ins(slug).value}^^^&1.2.250.1.213.1.4.10&ISO`;

  test.each([
    ['PID-3', (t: string) => t.replace(/^PID\|\|\|/m, `PID|||${cx('blanc')}~`), 'PID^1^3^1'],
    ['MRG-1', (t: string) => t.replace(/^MRG\|/m, `MRG|${cx('blanc')}~`), 'MRG^1^1^1'],
  ])('with two persons in %s is refused: one of them would be left out', async (_, change, place) => {
    const ack = await line.ask(change(message('adt-a40-merge.hl7', { old: old() })));
    expect([ack.code, told(ack)]).toEqual(['AE', [[place, '205', 'E', 'identitiesDiffer']]]);
    expect([(await recordOf('henry'))?.state, (await recordOf('blanc'))?.state]).toEqual(['open', 'open']);
  });

  test('an identifier that was subsumed before says nothing beside one of today', async () => {
    await line.ask(message('adt-a40-merge.hl7', { old: old() }));
    const again = message('adt-a40-merge.hl7', { old: door.world.ins('blanc').value });
    const ack = await line.ask(again.replace(/^MRG\|/m, `MRG|${cx('henry')}~`));
    expect([ack.code, ack.errors, (await recordOf('blanc'))?.id]).toEqual(['AA', [], (await recordOf('laurent'))?.id]);
  });

  test('of a closed record, or by an INS that is none, tells of MRG-1', async () => {
    const closed = await line.ask(message('adt-a40-merge.hl7', { old: door.world.ins('faure').value }));
    const none = await line.ask(message('adt-a40-merge.hl7', { old: '161025439501299' }));
    expect([told(closed), told(none)]).toEqual([
      [['MRG^1^1^1', '207', 'E', 'recordClosed']],
      [['MRG^1^1^1', '102', 'E', 'insMalformed']],
    ]);
    expect(closed.errors[0]?.words).toContain(door.world.ins('faure').value);
  });

  test('whoever still tells of the subsumed identifier learns that it was merged', async () => {
    await line.ask(message('adt-a40-merge.hl7', { old: old() }));
    const ack = await line.ask(message('adt-a08-revise.hl7', { ins: old() }));
    expect([ack.code, told(ack)]).toEqual(['AE', [['PID^1^3^1', '204', 'E', 'unknownPatient']]]);
    expect(ack.errors[0]?.words).toContain('a merge replaced this identifier');
  });

  test.each([
    ['no MRG', (t: string) => t.replace(/^MRG.*\n/m, ''), 'MRG^1', '100'],
    ['two MRG', (t: string) => t.replace(/^MRG.*\n/m, (mrg) => mrg + mrg), 'MRG^1', '102'],
    ['an empty MRG-1', (t: string) => t.replace(/^MRG.*/m, 'MRG|'), 'MRG^1^1^1', '101'],
    ['a deleted MRG-1', (t: string) => t.replace(/^MRG.*/m, 'MRG|""'), 'MRG^1^1^1', '101'],
    ['an MRG-1 without value', (t: string) => t.replace(/^MRG\|[^^]*/m, 'MRG|'), 'MRG^1^1^1', '101'],
  ])('with %s is refused AE', async (_, change, place, condition) => {
    const ack = await line.ask(change(message('adt-a40-merge.hl7', { old: old() })));
    expect([ack.code, ack.errors[0]?.place, ack.errors[0]?.condition]).toEqual(['AE', place, condition]);
    expect((await recordOf('henry'))?.state).toBe('open');
  });
});

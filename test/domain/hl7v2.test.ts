import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  readCx,
  readCxi,
  readPidLine,
  readRecipient,
  readXcn,
  readXon,
  readXtn,
  writeCx,
  writeCxi,
  writePidLine,
  writeRecipient,
  writeXcn,
  writeXon,
  writeXtn,
} from '../../server/domain/hl7v2.ts';

const nir = { oid: '1.2.250.1.213.1.4.10' };

describe('CX', () => {
  test.each([
    ['plain', 'P1^^^&2.999.10&ISO', { id: 'P1', authority: { oid: '2.999.10' } }],
    [
      'component 5',
      '207058575627097^^^&1.2.250.1.213.1.4.10&ISO^NH',
      { id: '207058575627097', authority: nir, type: 'NH' },
    ],
    [
      'component 7, the date of French sources',
      '207058575627097^^^&1.2.250.1.213.1.4.10&ISO^NH^^20210604092415',
      { id: '207058575627097', authority: nir, type: 'NH', rest: { 7: '20210604092415' } },
    ],
    ['trailing delimiters', 'P1^^^&2.999.10&ISO&^^^', { id: 'P1', authority: { oid: '2.999.10' } }],
    ['escapes', 'a\\S\\b\\T\\c\\E\\d\\R\\e\\F\\f^^^&2.999&ISO', { id: 'a^b&c\\d~e|f', authority: { oid: '2.999' } }],
  ])('%s is read', (_, text, value) => {
    expect(readCx(text)).toEqual(value);
  });

  test.each([
    ['no id', '^^^&2.999.10&ISO'],
    ['no authority', 'P1'],
    ['namespace beside the OID', 'P1^^^HOSP&2.999.10&ISO'],
    ['namespace alone', 'P1^^^HOSP'],
    ['type other than ISO', 'P1^^^&2.999.10&iso'],
    ['type DNS', 'P1^^^&example.org&DNS'],
    ['OID with a leading zero', 'P1^^^&2.0999.10&ISO'],
    ['component 2', 'P1^2^^&2.999.10&ISO'],
    ['component 6', 'P1^^^&2.999.10&ISO^NH^X'],
    ['sub-components in the id', 'P1&2^^^&2.999.10&ISO'],
    ['a repetition', 'P1^^^&2.999.10&ISO~P2^^^&2.999.10&ISO'],
    ['empty text', ''],
  ])('%s is malformed', (_, text) => {
    expect(readCx(text)).toBeUndefined();
  });
});

describe('CXi', () => {
  const accession = 'urn:ihe:iti:xds:2013:accession';
  test.each([
    ['OID', `A1^^^&2.999.3&ISO^${accession}`, { id: 'A1', authority: { oid: '2.999.3' }, type: accession }],
    ['namespace', `A1^^^LAB^${accession}`, { id: 'A1', authority: { namespace: 'LAB' }, type: accession }],
    [
      'no authority',
      '1.2.3^^^^urn:ihe:iti:xds:2016:studyInstanceUID',
      { id: '1.2.3', authority: {}, type: 'urn:ihe:iti:xds:2016:studyInstanceUID' },
    ],
    [
      'home community',
      `A1^^^&2.999.3&ISO^${accession}^urn:oid:2.999.4`,
      { id: 'A1', authority: { oid: '2.999.3' }, type: accession, rest: { 6: 'urn:oid:2.999.4' } },
    ],
  ])('%s is read', (_, text, value) => {
    expect(readCxi(text)).toEqual(value);
  });
  test.each([
    ['no type', 'A1^^^&2.999.3&ISO'],
    ['no id', `^^^&2.999.3&ISO^${accession}`],
    ['component 3', `A1^^3^&2.999.3&ISO^${accession}`],
    ['bad OID', `A1^^^&LAB&ISO^${accession}`],
  ])('%s is malformed', (_, text) => {
    expect(readCxi(text)).toBeUndefined();
  });
});

describe('XCN', () => {
  test.each([
    [
      'a French professional',
      '899900063480^LIBRE^MAX^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS',
      {
        id: '899900063480',
        family: 'LIBRE',
        given: 'MAX',
        authority: { oid: '1.2.250.1.71.4.2.1' },
        nameType: 'D',
        idType: 'IDNPS',
      },
    ],
    ['a name alone', '^Dupont^Anne^^', { family: 'Dupont', given: 'Anne' }],
    ['an id alone', '899900063480', { id: '899900063480' }],
    [
      'other components and a family name of parts',
      '1^Du Pont&Du^Anne^B^Jr^Dr^MD^src^&2.999&ISO^D^k^c^NH^x',
      {
        id: '1',
        family: 'Du Pont',
        given: 'Anne',
        second: 'B',
        suffix: 'Jr',
        prefix: 'Dr',
        degree: 'MD',
        authority: { oid: '2.999' },
        nameType: 'D',
        idType: 'NH',
        rest: { 2: 'Du Pont&Du', 8: 'src', 11: 'k', 12: 'c', 14: 'x' },
      },
    ],
  ])('%s is read', (_, text, value) => {
    expect(readXcn(text)).toEqual(value);
  });
  test.each([
    ['neither id nor family name', '^^Anne'],
    ['authority without id', '^Dupont^Anne^^^^^^&2.999&ISO'],
    ['authority that is a namespace', '1^Dupont^^^^^^^HOSP'],
    ['authority of another type', '1^Dupont^^^^^^^&example.org&DNS'],
    ['a repetition', '1^A~2^B'],
    ['nothing', '^^'],
  ])('%s is malformed', (_, text) => {
    expect(readXcn(text)).toBeUndefined();
  });
});

describe('XON', () => {
  test.each([
    ['a name', 'Cabinet', { name: 'Cabinet' }],
    ['an OID as id', 'Cabinet^^^^^^^^^2.999.1', { name: 'Cabinet', id: '2.999.1' }],
    [
      'a French structure',
      'Cabinet^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^499900063480001',
      { name: 'Cabinet', authority: { oid: '1.2.250.1.71.4.2.2' }, idType: 'IDNST', id: '499900063480001' },
    ],
    ['an ampersand left unescaped', 'A & B', { name: 'A ', rest: { 1: 'A & B' } }],
  ])('%s is read', (_, text, value) => {
    expect(readXon(text)).toEqual(value);
  });
  test.each([
    ['no name', '^^^^^&2.999&ISO^^^^1'],
    ['id neither OID nor under an authority', 'Cabinet^^^^^^^^^499900063480001'],
    ['component 2', 'Cabinet^L'],
    ['component 8', 'Cabinet^^^^^&2.999&ISO^^X^^1'],
  ])('%s is malformed', (_, text) => {
    expect(readXon(text)).toBeUndefined();
  });
});

describe('XTN', () => {
  test.each([
    ['e-mail', '^NET^Internet^a@example.org', { use: 'NET', type: 'Internet', address: 'a@example.org' }],
    ['phone', '^PRN^PH^^33^1^23456789', { use: 'PRN', type: 'PH', country: '33', area: '1', number: '23456789' }],
    ['unformatted', '^PRN^PH^^^^^^^^^+33 1', { use: 'PRN', type: 'PH', unformatted: '+33 1' }],
    ['the old component 1', '0102030405', { rest: { 1: '0102030405' } }],
  ])('%s is read', (_, text, value) => {
    expect(readXtn(text)).toEqual(value);
  });
  test('without any address is malformed', () => {
    expect(readXtn('^PRN^PH')).toBeUndefined();
  });
});

describe('recipients', () => {
  test.each([
    ['organisation', 'Cabinet||', { organisation: { name: 'Cabinet' } }],
    ['person', '|1^Dupont', { person: { id: '1', family: 'Dupont' } }],
    [
      'telecommunication',
      '||^NET^Internet^a@b',
      { telecommunication: { use: 'NET', type: 'Internet', address: 'a@b' } },
    ],
  ])('%s alone is read', (_, text, value) => {
    expect(readRecipient(text)).toEqual(value);
  });
  test.each([
    ['nothing', '||'],
    ['a malformed part', 'Cabinet|^^Anne'],
    ['a fourth part', 'Cabinet|||x'],
  ])('%s is malformed', (_, text) => {
    expect(readRecipient(text)).toBeUndefined();
  });
});

describe('PID lines', () => {
  test('keeps the value as received', () => {
    expect(readPidLine('PID-5|DUPONT^Anne^^^^^L~X|y\nz')).toEqual({ field: 5, value: 'DUPONT^Anne^^^^^L~X|y\nz' });
  });
  test.each(['PID-2|x', 'PID-4|x', 'PID-12|x', 'PID-19|x', 'PID-0|x', 'PID-05|x', 'PID-5', 'pid-5|x', 'PID-5.1|x'])(
    '%s is malformed',
    (text) => {
      expect(readPidLine(text)).toBeUndefined();
    },
  );
});

describe('what is written is read back', () => {
  const text = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'aé|^~&\\FSRTE1 ') });
  const rawText = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...'ab\\F') });
  const oid = fc.constantFrom('2.999', '1.2.250.1.71.4.2.1', '0.1');
  const oidAuthority = oid.map((o) => ({ oid: o }));
  const some = <T extends Record<string, fc.Arbitrary<unknown>>, K extends keyof T & string>(shape: T, required: K[]) =>
    fc.record(shape, { requiredKeys: required });
  const rest = (...positions: number[]) =>
    fc.dictionary(fc.constantFrom(...positions.map(String)), rawText, { minKeys: 1, maxKeys: 2 });

  const cx = some({ id: text, authority: oidAuthority, type: text, rest: rest(7) }, ['id', 'authority']);
  const cxi = some(
    {
      id: text,
      authority: fc.oneof(
        oidAuthority,
        fc.constant({}),
        text.map((namespace) => ({ namespace })),
        fc.record({ oid, namespace: text }),
      ),
      type: text,
      rest: rest(6),
    },
    ['id', 'authority', 'type'],
  );
  const xcnParts = {
    family: text,
    given: text,
    second: text,
    suffix: text,
    prefix: text,
    degree: text,
    nameType: text,
    idType: text,
    rest: rest(8, 11, 12, 14, 20),
  };
  const xcn = fc.oneof(some({ ...xcnParts, id: text, authority: oidAuthority }, ['id']), some(xcnParts, ['family']));
  const xon = fc.oneof(
    some({ name: text, id: text, idType: text, authority: oidAuthority }, ['name', 'authority']),
    some({ name: text, id: oid, idType: text }, ['name']),
  );
  const xtn = some(
    {
      use: text,
      type: text,
      address: text,
      country: text,
      area: text,
      number: text,
      unformatted: text,
      rest: rest(8, 9, 13),
    },
    ['number'],
  );
  const recipient = fc
    .record({ organisation: xon, person: xcn, telecommunication: xtn }, { requiredKeys: [] })
    .filter((r) => Object.keys(r).length > 0);
  const pid = fc.record({ field: fc.constantFrom(3, 5, 7, 8, 11, 18), value: fc.string() });

  test.each([
    ['CX', cx, (x: never) => readCx(writeCx(x))],
    ['CXi', cxi, (x: never) => readCxi(writeCxi(x))],
    ['XCN', xcn, (x: never) => readXcn(writeXcn(x))],
    ['XON', xon, (x: never) => readXon(writeXon(x))],
    ['XTN', xtn, (x: never) => readXtn(writeXtn(x))],
    ['recipient', recipient, (x: never) => readRecipient(writeRecipient(x))],
    ['PID line', pid, (x: never) => readPidLine(writePidLine(x))],
  ])('%s', (_, values: fc.Arbitrary<unknown>, again) => {
    fc.assert(
      fc.property(values, (value) => {
        expect(again(value as never)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('any text is read or refused, and what was read is stable', () => {
    const any = fc.string({ maxLength: 40, unit: fc.constantFrom(...'a1.^&|~\\ISO') });
    fc.assert(
      fc.property(any, (t) => {
        const value = readXcn(t);
        if (value !== undefined) expect(readXcn(writeXcn(value))).toEqual(value);
        const cxValue = readCx(t);
        if (cxValue !== undefined) expect(readCx(writeCx(cxValue))).toEqual(cxValue);
        const xtnValue = readXtn(t);
        if (xtnValue !== undefined) expect(readXtn(writeXtn(xtnValue))).toEqual(xtnValue);
      }),
      { numRuns: 2000 },
    );
  });
});

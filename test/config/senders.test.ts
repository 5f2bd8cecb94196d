import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readSenders } from '../../server/config/senders.ts';
import { senderOf } from '../../server/domain/sender.ts';
import { sandboxSenders } from '../../server/sandbox/senders.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'opendmp-senders-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const sound = {
  application: 'LABO',
  facility: '1990000028',
  addresses: ['192.0.2.7', '2001:db8::7'],
  structure: { id: '1990000028', name: 'Laboratoire' },
  feeds: false,
  deposits: {
    sourceId: '1.2.250.1.999.5',
    healthcareFacilityTypeCode: { code: 'SA25', system: '1.2.250.1.71.4.2.4' },
    practiceSettingCode: { code: 'AMBULATOIRE', system: '1.2.250.1.213.1.1.4.9' },
    contentTypeCode: { code: '26', system: '1.2.250.1.213.2.2', display: 'Analyses médicales biologiques' },
  },
};
const read = (content: unknown) => {
  const file = join(folder, 'senders.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readSenders(file);
};

describe('the file of senders', () => {
  test('is read as it is', () => {
    expect(read([sound])).toEqual([sound]);
  });

  test.each([
    ['no JSON', 'senders', 'cannot be read'],
    ['an unknown key', [{ ...sound, password: 'x' }], 'malformed'],
    ['an address that is none', [{ ...sound, addresses: ['labo.example.org'] }], 'malformed'],
    ['no address', [{ ...sound, addresses: [] }], 'malformed'],
    ['two senders that one message could be of', [sound, { ...sound, feeds: true }], 'two senders'],
  ])('with %s is refused at start', (_, content, words) => {
    expect(() => read(content)).toThrow(words);
  });

  test('that is not there is refused at start', () => {
    expect(() => readSenders(join(folder, 'nowhere.json'))).toThrow('cannot be read');
  });
});

describe('a sender', () => {
  const known = { application: ['LABO', '1.2.3'], facility: ['1990000028'], address: '192.0.2.7' };

  test.each([
    ['is known by application, facility and address', known, true],
    ['at another address is unknown', { ...known, address: '192.0.2.8' }, false],
    ['with another facility is unknown', { ...known, facility: ['1990000036'] }, false],
    ['with another application is unknown', { ...known, application: ['RADIO'] }, false],
    ['that names nothing is unknown', { ...known, application: [], facility: [] }, false],
  ])('%s', (_, recognition, found) => {
    expect(senderOf([sound], recognition) !== undefined).toBe(found);
  });

  test('of the sandbox feeds or deposits, as its rights say', () => {
    const senders = sandboxSenders();
    expect(senders.filter(({ feeds }) => feeds).map(({ application }) => application)).toEqual(['regie']);
    const depositors = senders.filter(({ deposits }) => deposits !== undefined).map(({ application }) => application);
    expect(depositors).toEqual(['hopital-nord', 'labo-centre', 'radio-ouest', 'samu-15']);
  });
});

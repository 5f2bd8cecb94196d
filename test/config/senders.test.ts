import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { configOf } from '../../server/config/config.ts';
import { readEnv } from '../../server/config/env.ts';
import { readSenders } from '../../server/config/senders.ts';
import { senderOf } from '../../server/domain/sender.ts';
import { sandboxSenders } from '../../server/sandbox/senders.ts';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'opendmp-senders-'));
  file = join(folder, 'senders.json');
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
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readSenders(file);
};

describe('the file of senders', () => {
  test('is read as it is', () => {
    expect(read([sound])).toEqual({ listed: [sound], mistakes: [] });
  });

  test.each([
    ['no JSON', 'senders', 'cannot be read'],
    ['an unknown key', [{ ...sound, password: 'x' }], '[0] Unrecognized key: "password"'],
    ['an address that is none', [{ ...sound, addresses: ['labo.example.org'] }], '[0.addresses.0]'],
    ['no address', [{ ...sound, addresses: [] }], '[0.addresses]'],
    [
      'two senders that one message could be of',
      [sound, { ...sound, feeds: true }],
      'lists LABO of 1990000028 at 192.0.2.7 twice',
    ],
  ])('with %s is refused at start', (_, content, words) => {
    const { listed, mistakes } = read(content);
    expect(listed).toEqual([]);
    expect(mistakes).toContainEqual(expect.stringContaining(words));
    const start = () => configOf(readEnv({ DMP_MLLP_SENDERS: file, DMP_PORT: '99999' }), []);
    expect(start).toThrow(`✖ ${mistakes[0]}`);
    expect(start).toThrow('✖ DMP_PORT');
  });

  test('that is not there is refused at start', () => {
    expect(readSenders(join(folder, 'nowhere.json')).mistakes).toEqual([expect.stringContaining('cannot be read')]);
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

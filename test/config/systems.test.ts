import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { configOf } from '../../server/config/config.ts';
import { readEnv } from '../../server/config/env.ts';
import { readSystems } from '../../server/config/systems.ts';
import { systemRights } from '../../server/domain/actor.ts';

const folder = mkdtempSync(join(tmpdir(), 'opendmp-systems-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'systems.json');
const read = (content: unknown) => {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readSystems(file);
};

const subject = 'CN=registre,OU=1990000010,O=Hôpital Nord,C=FR';
const registry = { id: 'registry', name: 'Registry', structure: '1990000010', rights: ['register', 'onDemand'] };
const feeder = { id: 'feeder', name: 'Identities', structure: '1990000028', client: 'gam', rights: ['feed'] };

describe('the file of systems', () => {
  test('is read as it is', () => {
    const all = [registry, feeder, { id: 'app', name: 'By tokens alone', rights: [...systemRights] }];
    expect(read(all)).toEqual({ listed: all, mistakes: [] });
    expect(read([])).toEqual({ listed: [], mistakes: [] });
  });

  test('may give two certificates of one structure to two systems', () => {
    const two = [
      { ...registry, subject },
      { ...feeder, structure: '1990000010', subject: subject.replace('registre', 'gam') },
    ];
    expect(read(two)).toEqual({ listed: two, mistakes: [] });
  });

  test.each<[string, unknown, string[]]>([
    ['no JSON', 'systems', [`DMP_SYSTEMS names a file that cannot be read: ${file}`]],
    ['no list', registry, ['[] Invalid input: expected array']],
    ['an unknown key', [{ ...registry, secret: 'x' }], ['[0] Unrecognized key']],
    ['a right that is none', [{ ...registry, rights: ['all'] }], ['[0.rights.0] Invalid option']],
    ['a right twice', [{ ...registry, rights: ['feed', 'feed'] }], ['[0.rights] a right is listed twice']],
    ['a structure that is none', [{ ...registry, structure: 'CHU' }], ['[0.structure] no Struct_IdNat']],
    ['a subject that is none', [{ ...registry, subject: 'registre' }], ['[0.subject] no distinguished name']],
    [
      'a subject of another structure',
      [{ ...registry, structure: '1990000028', subject }],
      ['DMP_SYSTEMS names a subject of registry that is not of its structure 1990000028'],
    ],
    ['one id twice', [registry, { ...feeder, id: 'registry' }], ['DMP_SYSTEMS lists registry twice']],
    [
      'the id of one as the client of another',
      [registry, { ...feeder, client: 'registry' }],
      ['DMP_SYSTEMS gives the same tokens to registry and feeder'],
    ],
    [
      'one structure for two',
      [registry, { ...feeder, structure: '1990000010' }],
      ['DMP_SYSTEMS gives the same certificates to registry and feeder'],
    ],
    [
      'a structure and a subject of it',
      [registry, { ...feeder, structure: undefined, subject }],
      ['DMP_SYSTEMS gives the same certificates to registry and feeder'],
    ],
    [
      'one subject in two spellings',
      [
        { ...registry, subject },
        { ...feeder, structure: '1990000010', subject: 'c=FR, o=Hôpital  nord, ou=1990000010, cn=Registre' },
      ],
      ['DMP_SYSTEMS gives the same certificates to registry and feeder'],
    ],
    [
      'several mistakes',
      [
        { ...registry, rights: ['all'] },
        { name: '', rights: [] },
      ],
      ['[0.rights.0]', '[1.id]', '[1.name]'],
    ],
  ])('with %s gives nobody a right', (_, content, beginnings) => {
    const { listed, mistakes } = read(content);
    expect(listed).toEqual([]);
    for (const mistake of mistakes) expect(mistake).toMatch(/^DMP_SYSTEMS /);
    expect(mistakes).toEqual(beginnings.map((beginning) => expect.stringContaining(beginning)));
  });

  test('is wrong together with every other setting', () => {
    writeFileSync(file, JSON.stringify([{ ...registry, rights: ['all'] }]));
    const start = (systems: string) =>
      configOf(readEnv({ DMP_PORT: '99999', DMP_TRUST_CRL: join(folder, 'none'), DMP_SYSTEMS: systems }), []);
    expect(() => start(file)).toThrow(/DMP_PORT[\s\S]*DMP_SYSTEMS \S+ \[0\.rights\.0\][\s\S]*DMP_TRUST_CRL/);
    expect(() => start(join(folder, 'nowhere.json'))).toThrow(/DMP_SYSTEMS names a file that cannot be read/);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { configOf } from '../../server/config/config.ts';
import { readEnv } from '../../server/config/env.ts';
import { SettingsWrong } from '../../server/config/settings-wrong.ts';
import { makeRootAuthority } from '../../server/crypto/certificate-authority.ts';
import { putCards } from '../support/cards.ts';

let folder: string;
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const certificateOf = async (unit: string) => {
  const name = [[{ oid: '2.5.4.11', value: unit }], [{ oid: '2.5.4.3', value: 'AC' }]];
  return (await makeRootAuthority(name, Date.parse('2026-07-01'))).certificate;
};

/** Settings of a production server that starts. */
let production: Record<string, string>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'opendmp-settings-'));
  production = {
    DMP_MODE: 'production',
    DMP_DATA: join(folder, 'data'),
    DMP_PUBLIC_URL: 'https://dmp.example.org',
    DMP_TLS_FRONT: 'https://dmp.example.org',
    DMP_MASTER_KEY_FILE: file('master.key', `${'0a'.repeat(32)}\n`),
    DMP_LINK_KEY_FILE: file('links.key', 'AB'.repeat(32)),
    DMP_TRUST_STORE: file('trust.pem', await certificateOf('IGC')),
    DMP_TOKEN_ISSUER: 'https://issuer.example.org',
    DMP_TOKEN_JWKS: 'https://issuer.example.org/jwks',
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the server says of these settings; empty when it would start. */
function told(environment: Readonly<Record<string, string>>): string[] {
  try {
    configOf(readEnv(environment), []);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsWrong)) throw error;
    return error.message.split('\n').slice(1);
  }
}

test('nothing set is a sandbox that starts', () => {
  expect(told({})).toEqual([]);
});

test.each([
  ['nothing', {}, 'http://127.0.0.1:8080'],
  ['a port', { DMP_PORT: '9000' }, 'http://127.0.0.1:9000'],
  ['a port that is taken as it comes', { DMP_PORT: '0' }, 'http://127.0.0.1:8080'],
  [
    'a port and an address',
    { DMP_PORT: '9000', DMP_PUBLIC_URL: 'https://dmp.example.org/' },
    'https://dmp.example.org',
  ],
])('links and tokens name the address of a server that is told %s', (_, environment, address) => {
  const { env, tokens } = configOf(readEnv(environment), []);
  expect([env.DMP_PUBLIC_URL, tokens.audience, tokens.own]).toEqual([address, `${address}/fhir`, `${address}/auth`]);
});

test('a port that is none is one mistake', () => {
  expect(told({ DMP_PORT: '99999' })).toEqual([expect.stringMatching(/^✖ DMP_PORT: /)]);
});

test.each([
  ['off', {}],
  ['on', { DMP_LOT_SIGNATURE: 'on' }],
])('signatures of lots are required: %s', (setting, environment) => {
  expect(configOf(readEnv(environment), []).settings.regime.lotSignatureRequired).toBe(setting === 'on');
});

test('mistakes of form, of files and of production mode are told all at once, none of them twice', () => {
  const settings = {
    DMP_MODE: 'production',
    DMP_PORT: '99999',
    DMP_PUBLIC_URL: 'ftp://dmp.example.org',
    DMP_NOTHING: '1',
    DMP_DOMAIN: join(folder, 'nowhere.json'),
    DMP_MASTER_KEY_FILE: join(folder, 'nowhere.key'),
  };
  const expected = ['PORT', 'PUBLIC_URL', 'NOTHING', 'DOMAIN', 'MASTER_KEY_FILE', 'LINK_KEY_FILE', 'TRUST_STORE'];
  const lines = told(settings);
  for (const name of [...expected, 'TOKEN_ISSUER', 'TOKEN_JWKS', 'TLS_FRONT'])
    expect(lines.filter((line) => line.includes(`DMP_${name}`))).toHaveLength(1);
});

describe('production', () => {
  test('starts with what it needs', () => {
    expect(told(production)).toEqual([]);
  });

  const cases: readonly [string, () => Promise<Record<string, string>> | Record<string, string>, string][] = [
    ['plain HTTP', () => ({ DMP_PUBLIC_URL: 'http://dmp.example.org' }), 'DMP_PUBLIC_URL is plain http'],
    ['no TLS front', () => ({ DMP_TLS_FRONT: '' }), 'DMP_TLS_FRONT is required'],
    ['no master key', () => ({ DMP_MASTER_KEY_FILE: '' }), 'DMP_MASTER_KEY_FILE is required'],
    ['the test OID', () => ({ DMP_INS_OIDS: '1.2.250.1.213.1.4.10' }), 'DMP_INS_OIDS holds the test or demo OID'],
    ['the demo OID', () => ({ DMP_INS_OIDS: '1.2.250.1.213.1.4.11' }), 'DMP_INS_OIDS holds the test or demo OID'],
    ['the open domain', () => ({ DMP_DOMAIN: 'open' }), 'DMP_DOMAIN (open) asks for no credentials'],
    ['a key that is none', () => ({ DMP_LINK_KEY_FILE: file('x', 'secret') }), 'does not hold 64 hexadecimal digits'],
    ['a trust store that is none', () => ({ DMP_TRUST_STORE: file('y', 'x') }), 'does not hold certificates'],
    ['a trust store that is not there', () => ({ DMP_TRUST_STORE: join(folder, 'z') }), 'cannot be read'],
    [
      'a copy of the sandbox’s authority',
      async () => ({ DMP_TRUST_STORE: file('copy.pem', await certificateOf('BAC A SABLE')) }),
      'DMP_TRUST_STORE is a sandbox key',
    ],
  ];
  test.each(cases)('refuses %s', async (_, change, words) => {
    expect(told({ ...production, ...(await change()) })).toContainEqual(expect.stringContaining(words));
  });

  test('refuses the keys and the data of a sandbox', async () => {
    const data = join(folder, 'sandboxed');
    await putCards(data);
    const keys = {
      DMP_DATA: data,
      DMP_TRUST_STORE: join(data, 'sandbox', 'ca.pem'),
      DMP_TOKEN_JWKS: join(data, 'sandbox', 'jwks.json'),
    };
    expect(told({ ...production, ...keys })).toEqual([
      '✖ DMP_TRUST_STORE is a sandbox key',
      '✖ DMP_TOKEN_JWKS is a sandbox key',
      `✖ DMP_DATA (${data}) holds a sandbox`,
    ]);
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { putCards } from '../support/cards.ts';

const folder = mkdtempSync(join(tmpdir(), 'client-'));
const data = join(folder, 'data');
const script = resolve(import.meta.dirname, '../../scripts/dmp.ts');
beforeAll(async () => {
  await putCards(data);
  writeFileSync(join(folder, 'note.txt'), 'Bonjour\n');
  writeFileSync(join(folder, 'program.bin'), Buffer.from([0, 1, 2, 3]));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Port 9 of this machine answers nobody. */
const dmp = (args: readonly string[], more: NodeJS.ProcessEnv = {}) => {
  const env = { PATH: process.env['PATH'], INIT_CWD: folder, DMP_DATA: data, DMP_URL: 'http://127.0.0.1:9', ...more };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
};

describe('misuse ends with 2, says why, and prints nothing on standard output', () => {
  const note = ['submit', 'note.txt', '--as', 'dr-martin', '--patient', 'laurent'];
  test.each([
    [[], 'No command'],
    [['frobnicate'], 'Unknown command "frobnicate"'],
    [['people', '--loud'], "Unknown option '--loud'"],
    [['people', 'all'], 'Usage: npm run -s dmp -- people'],
    [['vihf'], '--as is missing'],
    [['vihf', '--as', 'nobody'], 'Nobody in the sandbox is called "nobody"'],
    [['vihf', '--as', 'laurent'], 'laurent has no card'],
    [['vihf', '--as', 'dr-martin', '--mode', 'urgent'], '--mode is one of normal, bris_de_glace, centre_15'],
    [['vihf', '--as', 'dr-martin', '--patient', '161053523812386'], 'no INS with a right key'],
    [['vihf', '--as', 'dr-martin', '--issued-at', 'yesterday'], '--issued-at is a time'],
    [['token', '--as', 'laurent', '--expires-in', 'soon'], '--expires-in is a number of seconds'],
    [['submit', '--as', 'dr-martin', '--patient', 'laurent'], 'Usage: npm run -s dmp -- submit FILE'],
    [['submit', 'absent.txt', '--as', 'dr-martin', '--patient', 'laurent'], 'absent.txt cannot be read'],
    [['submit', 'program.bin', '--as', 'dr-martin', '--patient', 'laurent'], 'program.bin is neither a CDA'],
    [[...note, '--type', '99999-9'], 'The DMP knows no type "99999-9"'],
    [[...note, '--hide', 'everyone'], '--hide is one of patient, professionals'],
    [['submit', 'note.txt', '--as', 'laurent'], 'laurent has no card'],
    [['find', '--as', 'dr-martin'], '--patient is missing'],
    [['find', '--as', 'dr-martin', '--patient', 'laurent', '--via', 'fax'], '--via is one of xds, fhir'],
    [['get', '--as', 'dr-martin', '--patient', 'laurent'], 'Usage: npm run -s dmp -- get ID'],
    [['get', '1.2', '--as', 'dr-martin', '--patient', 'laurent', '--json'], '--json needs --out'],
  ] as const)('dmp %j', (args, words) => {
    const { status, stdout, stderr } = dmp(args);
    expect(stderr).toContain(words);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  test('so does a data folder without a sandbox', () => {
    const { status, stderr } = dmp(['vihf', '--as', 'dr-martin'], { DMP_DATA: join(folder, 'empty') });
    expect(status).toBe(2);
    expect(stderr).toContain('start the sandbox first, or set DMP_DATA');
  });
});

test('no answer from the server ends with 1', () => {
  const { status, stderr } = dmp(['find', '--as', 'dr-martin', '--patient', 'laurent']);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^No answer from http:\/\/127\.0\.0\.1:9\/xds\/registry .*Is the server running\?/);
});

test.each([['--help'], ['find', '--help']])('%s %s is help, not misuse', (...args) => {
  const { status, stdout } = dmp(args);
  expect(status).toBe(0);
  expect(stdout).toContain('find --as SLUG');
});

test('people are an array with what the contract names', () => {
  const people = JSON.parse(dmp(['people', '--json']).stdout) as Record<string, unknown>[];
  const of = (slug: string) => people.find((p) => p['slug'] === slug);
  expect(people).toHaveLength(23);
  expect(of('dr-martin')).toMatchObject({
    kind: 'professional',
    family: 'MARTIN',
    given: 'Hélène',
    idNat: '899970000016',
    structIdNat: '499970000016001',
    profession: '10',
    specialty: 'SM26',
  });
  expect(of('samu-15')).toMatchObject({ kind: 'structure', structIdNat: '1990000044' });
  expect(of('casanova')).toMatchObject({
    kind: 'patient',
    gender: 'female',
    birthDate: '1974-09-18',
    ins: '274092B03304538',
    insOid: '1.2.250.1.213.1.4.10',
    insCx: '274092B03304538^^^&1.2.250.1.213.1.4.10&ISO^NH',
    insC: '1251034610083706982912',
    record: 'open',
  });
  expect(of('regie')).toMatchObject({
    kind: 'system',
    rights: ['feed', 'register', 'onDemand', 'multiPatient', 'remove', 'restrictedUpdate', 'auditFeed'],
  });
  expect(of('sophie-morel')).toMatchObject({ kind: 'representative', of: 'lea-morel' });
});

test('an assertion is one line, each its own', () => {
  const args = ['vihf', '--as', 'dr-leroy', '--patient', 'laurent', '--mode', 'bris_de_glace', '--reason', 'coma'];
  const [first, second] = [dmp(args).stdout, dmp(args).stdout];
  expect(first).toMatch(/^<saml:Assertion [^\n]*>coma<[^\n]*<\/saml:Assertion>\n$/);
  expect(first).not.toBe(second);
});

test('a system has an assertion too, of a patient or of none', () => {
  const [of, none] = [dmp(['vihf', '--as', 'regie', '--patient', 'laurent']), dmp(['vihf', '--as', 'regie'])];
  for (const { status, stdout } of [of, none]) {
    expect(status).toBe(0);
    expect(stdout).toMatch(/ac:classes:unspecified<.*>INDIRECTE<.*code="AUTOMATE"/);
  }
  expect(of.stdout).toContain('161053523812385');
  expect(none.stdout).not.toContain('resource-id');
});

test('a token lives as long as it was asked to, for whom it was asked', () => {
  const { stdout } = dmp([
    'token',
    '--as',
    'laurent',
    '--expires-in',
    '-60',
    '--audience',
    'https://elsewhere.example',
  ]);
  const claims = JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  expect(Number(claims['exp']) - Number(claims['iat'])).toBe(-60);
  expect(claims).toMatchObject({ aud: 'https://elsewhere.example', iss: 'http://127.0.0.1:9/auth' });
});

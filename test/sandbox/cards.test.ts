import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Identify } from '../../server/auth/credentials.ts';
import { makeIdentify } from '../../server/auth/identify.ts';
import { actorOf } from '../../server/sandbox/caller.ts';
import {
  type Card,
  CardsMissing,
  loadCard,
  loadTokenKey,
  makeCards,
  sandboxFolder,
} from '../../server/sandbox/cards.ts';
import { people, type SandboxPerson } from '../../server/sandbox/people.ts';
import { sandboxActivities, sandboxSystems } from '../../server/sandbox/systems.ts';
import { signToken } from '../../server/sandbox/token.ts';
import { signVihf } from '../../server/sandbox/vihf.ts';
import { envelope } from '../support/assertions.ts';

const data = mkdtempSync(join(tmpdir(), 'cards-'));
const now = Date.now();
const patient = '161053523812385^^^&1.2.250.1.213.1.4.10&ISO^NH';
const issuer = 'http://127.0.0.1:8080/auth';
const audience = 'http://127.0.0.1:8080/fhir';
const settings = {
  crls: '',
  allowSha1: false,
  skewSeconds: 120,
  maxAgeSeconds: 300,
  audience: 'http://127.0.0.1:8080',
  systems: sandboxSystems(),
  activities: new Map(sandboxActivities()),
};
let identify: Identify;
const lines: string[] = [];

beforeAll(async () => {
  await makeCards(data, (line) => lines.push(line));
  identify = await makeIdentify(
    {
      ...settings,
      authorities: readFileSync(join(sandboxFolder(data), 'ca.pem'), 'utf8'),
      issuers: [{ kind: 'own', issuer, audience, jwks: join(sandboxFolder(data), 'jwks.json') }],
    },
    () => now,
  );
});
afterAll(() => rmSync(data, { recursive: true }));

const files = ['ca.pem', 'cards.json', 'token-key.json', 'jwks.json'];
const read = () => files.map((name) => readFileSync(join(sandboxFolder(data), name), 'utf8'));
const cardOf = (slug: string): Card => {
  const card = loadCard(data, slug);
  if (card === undefined) throw new Error(`${slug} has no card`);
  return card;
};
const identified = (slug: string, options: Partial<Parameters<typeof signVihf>[1]> = {}) =>
  identify.assertion(
    envelope(signVihf(cardOf(slug), { mode: 'normal', issuedAt: now, id: crypto.randomUUID(), ...options })),
  );
const bearer = async (person: SandboxPerson, options: Partial<Parameters<typeof signToken>[2]> = {}) => {
  const all = {
    mode: 'normal',
    issuer,
    audience,
    issuedAt: now,
    lifetime: 300,
    id: crypto.randomUUID(),
    ...options,
  } as const;
  return identify.bearer(`Bearer ${await signToken(loadTokenKey(data), person, all)}`);
};

describe('the sandbox keys', () => {
  test('are made once, told once, and only their owner reads them', async () => {
    const before = read();
    await makeCards(data, (line) => lines.push(line));
    expect(read()).toEqual(before);
    expect(lines).toHaveLength(1);
    for (const name of files) expect(statSync(join(sandboxFolder(data), name)).mode & 0o777).toBe(0o600);
  });

  test('of a sandbox made before somebody came are kept; the newcomer gets a certificate that is trusted', async () => {
    const older = mkdtempSync(join(tmpdir(), 'cards-older-'));
    cpSync(data, older, { recursive: true });
    const file = (name: string) => join(sandboxFolder(older), name);
    const { regie: _regie, ...others } = JSON.parse(readFileSync(file('cards.json'), 'utf8')) as Record<string, object>;
    writeFileSync(file('cards.json'), JSON.stringify(others));
    const told: string[] = [];
    await makeCards(older, (line) => told.push(line));
    const [anchors = '', cards = '{}', tokenKey, jwks] = files.map((name) => readFileSync(file(name), 'utf8'));
    expect(told).toEqual(['Making the certificate of regie']);
    expect(JSON.parse(cards)).toEqual({ ...others, regie: expect.anything() });
    expect(anchors.startsWith(read()[0] ?? 'nothing')).toBe(true);
    expect([tokenKey, jwks]).toEqual(read().slice(2));
    const trusting = await makeIdentify(
      { ...settings, authorities: anchors, issuers: [{ kind: 'own', issuer, audience, jwks: file('jwks.json') }] },
      () => now,
    );
    for (const slug of ['regie', 'hopital-nord', 'dr-martin']) {
      const card = loadCard(older, slug);
      if (card === undefined) throw new Error(`${slug} has no card`);
      const signed = signVihf(card, { mode: 'normal', issuedAt: now, id: crypto.randomUUID() });
      await expect(trusting.assertion(envelope(signed))).resolves.toMatchObject({ actor: { kind: card.holder.kind } });
    }
    await makeCards(older, (line) => told.push(line));
    expect(told).toHaveLength(1);
    rmSync(older, { recursive: true });
  });

  test('are missing where no sandbox was started', () => {
    expect(() => loadCard(join(data, 'elsewhere'), 'dr-martin')).toThrow(CardsMissing);
  });

  test('patients and representatives have no card', () => {
    for (const slug of ['laurent', 'sophie-morel', 'nobody']) expect(loadCard(data, slug)).toBeUndefined();
  });
});

describe('an assertion of the sandbox', () => {
  test.each(people.filter((p) => p.kind === 'professional'))('identifies $slug by the card', async (person) => {
    const caller = await identified(person.slug, { patient });
    expect(caller.actor).toEqual({ ...actorOf(person), structure: { id: person.structIdNat } });
    expect(caller.patient).toEqual({ value: '161053523812385', oid: '1.2.250.1.213.1.4.10' });
  });

  test.each(people.filter((p) => p.kind === 'structure'))('identifies $slug by its certificate', async (person) => {
    expect((await identified(person.slug)).actor).toEqual(actorOf(person));
  });

  test.each(people.filter((p) => p.kind === 'system'))(
    'identifies $slug, with or without a patient',
    async (person) => {
      expect(await identified(person.slug)).toMatchObject({ actor: actorOf(person) });
      expect(await identified(person.slug, { patient })).toMatchObject({
        actor: actorOf(person),
        patient: { value: '161053523812385', oid: '1.2.250.1.213.1.4.10' },
      });
    },
  );

  test('carries mode and reason, whatever characters it holds', async () => {
    const caller = await identified('dr-leroy', { mode: 'bris_de_glace', reason: 'inconscient & <seul>\n"urgent"' });
    expect(caller).toMatchObject({ mode: 'breakGlass', reason: 'inconscient & <seul> "urgent"' });
  });

  test('carries a secret session', async () => {
    expect((await identified('dr-martin', { secret: true })).secret).toBe(true);
    expect((await identified('dr-martin')).secret).toBe(false);
  });

  test('that was issued yesterday identifies nobody', async () => {
    await expect(identified('dr-martin', { issuedAt: now - 86_400_000 })).rejects.toThrow('expired');
  });

  test('with one letter changed identifies nobody', async () => {
    const xml = signVihf(cardOf('dr-martin'), { mode: 'normal', issuedAt: now, id: crypto.randomUUID() });
    await expect(identify.assertion(envelope(xml.replace('MARTIN</saml', 'MARTIN2</saml')))).rejects.toMatchObject({
      name: 'NotIdentified',
    });
  });
});

describe('a token of the sandbox', () => {
  test.each([...people])('identifies $slug', async (person) => {
    expect((await bearer(person)).actor).toEqual(actorOf(person));
  });

  test('carries patient, mode and reason', async () => {
    const person = people.find((p) => p.slug === 'dr-leroy') ?? people[0];
    if (person === undefined) throw new Error('nobody');
    expect(await bearer(person, { patient, mode: 'bris_de_glace', reason: 'coma' })).toMatchObject({
      mode: 'breakGlass',
      reason: 'coma',
      patient: { value: '161053523812385', oid: '1.2.250.1.213.1.4.10' },
    });
  });

  test('of the past, or for another audience, identifies nobody', async () => {
    const [person] = people;
    if (person === undefined) throw new Error('nobody');
    await expect(bearer(person, { lifetime: -60 })).rejects.toMatchObject({ name: 'NotIdentified' });
    await expect(bearer(person, { audience: 'https://elsewhere.example' })).rejects.toMatchObject({
      name: 'NotIdentified',
    });
  });
});

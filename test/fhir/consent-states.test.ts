import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Consent, ConsentProvision } from 'fhir/r4.js';
import type { Json } from '../../server/fhir/json.ts';
import { validate } from '../../server/fhir/validate.ts';
import { profiles } from '../../server/fhir/vocabulary.ts';
import { consentFor, deny, permit, policies, purpose } from './consent-samples.ts';
import { type Door, openDoor, type TokenChanges } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(async () => {
  expect(door.faults).toEqual([]);
  await door.close();
});

const send = async (who: string, method: string, path: string, body: object) =>
  door.ask<Consent>(path, {
    method,
    headers: { 'Content-Type': 'application/fhir+json', Authorization: `Bearer ${await door.token(who)}` },
    body: JSON.stringify(body),
  });
const oppose: ConsentProvision = { type: 'deny', purpose: purpose('BTG') };
const open: ConsentProvision = { type: 'permit' };
const treating = { policy: [{ uri: policies.treatingDoctor }] };

describe('who may state what, of whom', () => {
  test.each<[string, string, string, ConsentProvision, number, Partial<Consent>?]>([
    ['casanova', 'casanova', 'an authorisation', permit('dr-nguyen'), 201],
    ['casanova', 'casanova', 'a block', deny('dr-nguyen'), 201],
    ['casanova', 'casanova', 'an opposition', oppose, 201],
    ['casanova', 'casanova', 'who treats the patient', permit('dr-bernard'), 201, treating],
    ['casanova', 'laurent', 'an authorisation', permit('dr-nguyen'), 403],
    ['lea-morel', 'lea-morel', 'a block', deny('dr-leroy'), 201],
    ['sophie-morel', 'lea-morel', 'an authorisation', permit('dr-bernard'), 201],
    ['sophie-morel', 'lea-morel', 'an opposition', oppose, 201],
    ['sophie-morel', 'casanova', 'an authorisation', permit('dr-bernard'), 403],
    ['dr-leroy', 'casanova', 'his own authorisation', permit('dr-leroy'), 201],
    ['dr-leroy', 'casanova', 'another’s authorisation', permit('dr-roux'), 403],
    ['dr-martin', 'casanova', 'a block', deny('dr-roux'), 403],
    ['dr-martin', 'casanova', 'an opposition', oppose, 403],
    ['dr-martin', 'casanova', 'the opening', open, 403],
    ['dr-leroy', 'casanova', 'himself as treating doctor', permit('dr-leroy'), 403, treating],
    ['dr-nguyen', 'blanc', 'his own authorisation, blocked', permit('dr-nguyen'), 403],
    ['regie', 'casanova', 'an authorisation', permit('dr-leroy'), 403],
    ['garnier', 'garnier', 'a block, without a record', deny('dr-leroy'), 404],
    ['faure', 'faure', 'a block, the record closed', deny('dr-leroy'), 403],
  ])('%s of %s: %s', async (who, whose, _, provision, status, changes = {}) => {
    const [system = '', value = ''] = door.of(whose).split('|');
    const before = door.world.tools.store.events().length;
    const answer = await send(
      who,
      'POST',
      'Consent',
      consentFor({ identifier: { system, value } }, provision, changes),
    );
    expect(answer.status).toBe(status);
    const events = door.world.tools.store.events().slice(before);
    expect(events.map(({ outcome, origin }) => [outcome, origin.transaction])).toEqual([
      [status === 201 ? 'done' : 'refused', 'ITI-108'],
    ]);
  });
});

describe('the samples', () => {
  const sample = (name: string) =>
    JSON.parse(readFileSync(new URL(`../../docs/samples/${name}.json`, import.meta.url), 'utf8')) as Consent;
  const finds = async (mode: TokenChanges = {}) =>
    (await door.get('dr-nguyen', `DocumentReference?patient.identifier=${door.of('laurent')}`, mode)).status;
  const breakGlass: TokenChanges = { mode: 'bris_de_glace', reason: 'patient inconscient' };

  test.each(['iti108-block', 'iti108-care-team-but-one'])('%s is valid against PCF Intermediate', (name) => {
    const { resource, problems } = validate(sample(name) as unknown as Json, 'Consent', [profiles.consentIntermediate]);
    expect([resource?.resourceType, problems]).toEqual(['Consent', []]);
  });

  test('a record open to the care team, one professional denied: no list, in no mode; lifted by PUT', async () => {
    expect(await finds()).toBe(200);
    const sent = sample('iti108-care-team-but-one');
    const { status, json } = await send('laurent', 'POST', 'Consent', sent);
    expect([status, json.provision]).toEqual([201, sent.provision]);
    expect([await finds(), await finds(breakGlass)]).toEqual([403, 403]);
    const { provision: _exceptions, ...root } = sent.provision ?? {};
    const lifted = await send('laurent', 'PUT', `Consent/${json.id}`, { ...json, provision: root });
    expect([lifted.status, lifted.json.status]).toEqual([200, 'active']);
    expect([await finds(), await finds(breakGlass)]).toEqual([403, 200]);
  });
});

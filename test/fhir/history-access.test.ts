import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditEvent, Bundle } from 'fhir/r4.js';
import { type Door, openDoor, type TokenChanges } from './door.ts';

let door: Door;
let theirs = '';
beforeAll(async () => {
  door = await openDoor();
  door.world.clock.now += 3_600_000;
  await door.get('dr-martin', `DocumentReference?patient.identifier=${door.of('laurent')}&status=current`);
  const [latest] = (await historyOf('laurent', 'laurent')).events;
  theirs = latest?.id ?? '';
});
afterAll(() => door.close());

async function historyOf(who: string, patient: string, changes: TokenChanges = {}) {
  const path = `AuditEvent?patient.identifier=${door.of(patient)}&date=ge2020&_count=500`;
  const { status, json } = await door.get<Bundle<AuditEvent>>(who, path, changes);
  return { status, events: (json.entry ?? []).flatMap(({ resource }) => resource ?? []) };
}
const users = (events: readonly AuditEvent[]) =>
  new Set(events.flatMap(({ agent }) => agent.filter(({ requestor }) => requestor).map(({ name }) => name)));

describe('the history of a child', () => {
  test('is whole for the child’s representative but for hidden documents, and tells of his own reading', async () => {
    await historyOf('sophie-morel', 'lea-morel');
    const { status, events } = await historyOf('sophie-morel', 'lea-morel');
    expect(status).toBe(200);
    expect(users(events).size).toBeGreaterThan(1);
    const [latest] = events;
    const user = latest?.agent.find(({ requestor }) => requestor);
    expect(user?.purposeOfUse?.[0]?.coding?.[0]?.code).toBe('PWATRNY');
    const { events: ofHolder } = await historyOf('lea-morel', 'lea-morel');
    const seen = new Set(events.map(({ id }) => id));
    const hidden = ofHolder.slice(1).filter(({ id }) => !seen.has(id));
    expect(ofHolder.length - 1 - hidden.length).toBe(events.length);
    for (const event of hidden) {
      expect(event.entity?.some(({ role }) => role?.code === '3')).toBe(true);
      expect((await door.get('sophie-morel', `AuditEvent/${event.id}`)).status).toBe(404);
    }
  });

  test('is no business of another’s representative', async () => {
    expect((await historyOf('sophie-morel', 'laurent')).status).toBe(403);
    expect((await door.get('sophie-morel', `AuditEvent/${theirs}`)).status).toBe(404);
  });
});

describe('the history of a record is refused to', () => {
  test.each([
    ['a structure', 'labo-centre', {}],
    ['a secretary', 'sec-moreau', {}],
    ['a system', 'regie', {}],
    ['a pharmacist without a right', 'pharm-durand', {}],
    ['a pharmacist who breaks the glass', 'pharm-durand', { mode: 'bris_de_glace', reason: 'urgence' }],
    ['a centre 15', 'samu-15', { mode: 'centre_15' }],
    ['the holder of another', 'garnier', {}],
  ] as const)('%s, and so is one event of it', async (_, who, changes) => {
    const { status, events } = await historyOf(who, 'laurent', changes);
    expect([status, events]).toEqual([403, []]);
    expect((await door.get(who, `AuditEvent/${theirs}`, changes)).status).toBe(404);
  });

  test('nobody who is not known', async () => {
    expect((await door.ask(`AuditEvent?patient.identifier=${door.of('laurent')}&date=ge2020`)).status).toBe(401);
  });
});

describe('a refused reading of the history', () => {
  test('is in the history, in the words that were told', async () => {
    await historyOf('pharm-durand', 'laurent');
    const { events } = await historyOf('laurent', 'laurent');
    const [found] = events.filter(({ subtype = [] }) => subtype.some(({ code }) => code === 'ITI-81'));
    expect(found).toMatchObject({ outcome: '8', outcomeDesc: expect.stringMatching(/access rights of this record/) });
    expect(users(found ? [found] : [])).toEqual(new Set(['Paul DURAND']));
  });

  test('of an unknown patient is found nowhere', async () => {
    const unknown = 'urn:oid:1.2.250.1.213.1.4.10|100000000000000';
    const path = `AuditEvent?patient.identifier=${unknown}&date=ge2020`;
    const { status, json } = await door.get<Bundle>('dr-martin', path);
    expect([status, json.entry]).toEqual([200, undefined]);
  });
});

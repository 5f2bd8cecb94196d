import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ConsentActor } from '../../server/domain/consent.ts';
import { Refused } from '../../server/domain/error.ts';
import { stateConsent, withdrawConsent } from '../../server/usecases/consent.ts';
import { authorisedBy, closeRecord, createRecord, monthsAfter } from '../../server/usecases/record.ts';
import { openWorld, worldBegins } from '../support/world.ts';

let world: Awaited<ReturnType<typeof openWorld>>;
beforeEach(async () => {
  world = await openWorld({ seeded: false });
  await create('dr-martin');
});

const traits = { family: 'CASANOVA', given: 'MARIA', gender: 'female', birthDate: '1974-09-18' } as const;
const ins = () => world.ins('casanova');
const create = (slug: string) =>
  createRecord(world.tools, world.as(slug), { ins: ins(), traits, oppositions: ['emergencyCentre'] });
const facts = async () => {
  const found = await world.tools.store.facts.recordByIdentifier(ins());
  if (found === undefined) throw new Error('no record');
  return found;
};
const standing = async () => (await facts()).consents.filter((c) => c.status === 'active').map((c) => c.statement);
const nguyen: ConsentActor = { kind: 'professional', id: '899970000024' };
const martin: ConsentActor = { kind: 'professional', id: '899970000016' };
const authorisation = (actor: ConsentActor, treatingDoctor = false) =>
  ({ kind: 'authorisation', actor, treatingDoctor }) as const;
const refusal = async (work: Promise<unknown>) => {
  const error: unknown = await work.catch((e: unknown) => e);
  return error instanceof Refused ? error.problems.map((p) => p.name) : 'not refused';
};

describe('creating a record', () => {
  test('states the opening, the oppositions and the authorisation of the creator for twelve months', async () => {
    const { record, consents } = await facts();
    expect(record).toMatchObject({ state: 'open', version: 1, attached: false, createdAt: worldBegins });
    expect(consents.map((c) => c.statement.kind).sort()).toEqual(['authorisation', 'opening', 'opposition']);
    expect(consents.find((c) => c.statement.kind === 'authorisation')).toMatchObject({
      statement: { actor: martin, treatingDoctor: false },
      until: Date.parse('2027-07-01T08:00:00Z'),
      statedBy: { kind: 'professional', id: '899970000016' },
    });
  });

  test('twice is refused', async () => {
    expect(await refusal(create('dr-martin'))).toEqual(['accessDenied']);
  });

  test('by a nurse without the card of a doctor is allowed, by a structure refused', async () => {
    world = await openWorld({ seeded: false });
    expect(await refusal(create('labo-centre'))).toEqual(['accessDenied']);
    expect(await refusal(create('inf-petit'))).toBe('not refused');
  });

  test('with an INS whose key is wrong is refused, and traced', async () => {
    const wrong = { value: '274092B03304539', oid: '1.2.250.1.213.1.4.10' };
    const opening = { ins: wrong, traits };
    expect(await refusal(createRecord(world.tools, world.as('dr-martin'), opening))).toEqual(['insMalformed']);
    expect(world.tools.store.events().at(-1)).toMatchObject({
      action: 'createRecord',
      outcome: 'failed',
      ground: 'insMalformed',
    });
  });

  test('by a professional is refused where the system creates', async () => {
    world = await openWorld({ regime: '2022', seeded: false });
    expect(await refusal(create('dr-martin'))).toEqual(['accessDenied']);
  });
});

describe('stating consents', () => {
  test('raises the version of the record', async () => {
    await stateConsent(world.tools, world.as('casanova'), ins(), authorisation(nguyen));
    expect((await facts()).record.version).toBe(2);
  });

  test('the holder names the creator as treating doctor: one authorisation of him stands', async () => {
    await stateConsent(world.tools, world.as('casanova'), ins(), authorisation(martin, true));
    expect((await standing()).filter((s) => s.kind === 'authorisation')).toEqual([authorisation(martin, true)]);
  });

  test('repeating what stands changes nothing', async () => {
    const first = await stateConsent(world.tools, world.as('casanova'), ins(), authorisation(nguyen));
    expect(await stateConsent(world.tools, world.as('casanova'), ins(), authorisation(nguyen))).toEqual(first);
    expect((await facts()).record.version).toBe(2);
  });

  test('a block ends the authorisation, an authorisation ends the block', async () => {
    const say = (statement: Parameters<typeof stateConsent>[3]) =>
      stateConsent(world.tools, world.as('casanova'), ins(), statement);
    await say(authorisation(nguyen));
    await say({ kind: 'block', actor: nguyen });
    const about = async () =>
      (await standing()).filter((s) => 'actor' in s && s.actor.kind === 'professional' && s.actor.id === nguyen.id);
    expect(await about()).toEqual([{ kind: 'block', actor: nguyen }]);
    await say(authorisation(nguyen));
    expect(await about()).toEqual([authorisation(nguyen)]);
  });

  test('the two oppositions stand beside each other', async () => {
    await stateConsent(world.tools, world.as('casanova'), ins(), { kind: 'opposition', to: 'breakGlass' });
    expect((await standing()).filter((s) => s.kind === 'opposition').map((s) => s.to)).toEqual([
      'emergencyCentre',
      'breakGlass',
    ]);
  });

  test('a professional declares himself for twelve months, and nobody else', async () => {
    const consent = await stateConsent(
      world.tools,
      world.as('dr-nguyen'),
      ins(),
      authorisation(nguyen),
      Number.MAX_SAFE_INTEGER,
    );
    expect(consent).toMatchObject({
      until: monthsAfter(worldBegins, 12),
      statedBy: { kind: 'professional', id: nguyen.id },
    });
    expect(await refusal(stateConsent(world.tools, world.as('dr-nguyen'), ins(), authorisation(martin)))).toEqual([
      'accessDenied',
    ]);
  });

  test('a secretary declares her structure', async () => {
    const practice: ConsentActor = { kind: 'structure', id: '499970000016001' };
    const consent = await stateConsent(world.tools, world.as('sec-moreau'), ins(), authorisation(practice));
    expect(consent.statement).toMatchObject({ actor: practice });
  });

  test('who is blocked does not declare himself', async () => {
    await stateConsent(world.tools, world.as('casanova'), ins(), { kind: 'block', actor: nguyen });
    expect(await refusal(stateConsent(world.tools, world.as('dr-nguyen'), ins(), authorisation(nguyen)))).toEqual([
      'accessDenied',
    ]);
  });

  test('another patient states nothing', async () => {
    expect(await refusal(stateConsent(world.tools, world.as('laurent'), ins(), authorisation(nguyen)))).toEqual([
      'patientDiffersFromCredential',
    ]);
  });

  test('masked documents in emergency are accepted, then no longer', async () => {
    await stateConsent(world.tools, world.as('casanova'), ins(), { kind: 'maskedInEmergency' });
    expect((await standing()).map((s) => s.kind)).toContain('maskedInEmergency');
    await withdrawConsent(world.tools, world.as('casanova'), ins(), { kind: 'maskedInEmergency' });
    expect((await standing()).map((s) => s.kind)).not.toContain('maskedInEmergency');
  });
});

describe('withdrawing', () => {
  test('a professional withdraws his own authorisation', async () => {
    const ended = await withdrawConsent(world.tools, world.as('dr-martin'), ins(), authorisation(martin));
    expect(ended).toMatchObject({ status: 'inactive', version: 2, until: worldBegins });
    expect((await facts()).record.version).toBe(2);
  });

  test('what does not stand changes nothing', async () => {
    expect(await withdrawConsent(world.tools, world.as('casanova'), ins(), authorisation(nguyen))).toBeUndefined();
    expect((await facts()).record.version).toBe(1);
  });
});

describe('closing a record', () => {
  test('ends all authorisations and keeps the oppositions', async () => {
    const motive = { motive: 'FERMETURE_DEMANDE_PATIENT', text: 'assez' };
    const record = await closeRecord(world.tools, world.as('casanova'), ins(), motive);
    expect(record).toMatchObject({ state: 'closed', version: 2, closed: { at: worldBegins, ...motive } });
    expect((await standing()).map((s) => s.kind).sort()).toEqual(['opening', 'opposition']);
  });

  test('twice is refused', async () => {
    const close = () => closeRecord(world.tools, world.as('casanova'), ins(), { motive: 'FERMETURE_DEMANDE_PATIENT' });
    await close();
    expect(await refusal(close())).toEqual(['recordClosed']);
  });

  test('by who is not authorised is refused', async () => {
    const work = closeRecord(world.tools, world.as('dr-leroy'), ins(), { motive: 'FERMETURE_DEMANDE_PATIENT' });
    expect(await refusal(work)).toEqual(['accessDenied']);
    expect((await facts()).record.state).toBe('open');
  });
});

test.each([
  ['2026-01-31T10:00:00Z', 1, '2026-02-28T10:00:00Z'],
  ['2024-02-29T10:00:00Z', 12, '2025-02-28T10:00:00Z'],
  ['2026-11-15T23:59:59Z', 3, '2027-02-15T23:59:59Z'],
  ['2026-07-01T08:00:00Z', 12, '2027-07-01T08:00:00Z'],
])('%s and %i months is %s', (from, months, to) => {
  expect(monthsAfter(Date.parse(from), months)).toBe(Date.parse(to));
});

test.each([
  [{}, { kind: 'structure', id: '1990000010' }],
  [{ claimed: true } as const, undefined],
])('the authorisation of a secretary is her structure’s, if that is proven: %j', (claimed, expected) => {
  const secretary = { kind: 'professional', id: '699970000016/0101', name: 'J', card: 'CPE', profession: 'X' } as const;
  expect(authorisedBy({ ...secretary, structure: { id: '1990000010', ...claimed } })).toEqual(expected);
});

import { beforeAll, describe, expect, test } from '@jest/globals';
import { people } from '../../server/sandbox/people.ts';
import { seed } from '../../server/sandbox/seed.ts';
import { mergeIdentities } from '../../server/usecases/feed.ts';
import { memoryBlobs } from '../support/memory-blobs.ts';
import { memoryStore } from '../support/memory-store.ts';
import { openWorld, type World, worldOn } from '../support/world.ts';

let world: World<Awaited<ReturnType<typeof openWorld>>['tools']['store']>;
beforeAll(async () => {
  world = await openWorld();
});

const factsOf = (slug: string) => world.tools.store.facts.recordByIdentifier(world.ins(slug));
const active = async (slug: string) =>
  (await factsOf(slug))?.consents.filter((c) => c.status === 'active').map((c) => c.statement) ?? [];

describe('the seeded sandbox', () => {
  test.each(people.filter((p) => p.kind === 'patient'))(
    '$slug has the record that the list says',
    async ({ slug, record }) => {
      expect((await factsOf(slug))?.record.state ?? 'none').toBe(record);
    },
  );

  test('seeding again changes nothing and traces nothing', async () => {
    const events = world.tools.store.events().length;
    const before = await factsOf('laurent');
    const lines: string[] = [];
    await seed(world.tools, (line) => lines.push(line));
    expect(world.tools.store.events()).toHaveLength(events);
    expect(await factsOf('laurent')).toEqual(before);
    expect(lines).toEqual([]);
  });

  test('seeding again leaves alone who was merged into another', async () => {
    const merged = await openWorld();
    const { tools, as, ins } = merged;
    await mergeIdentities(tools, as('regie'), { surviving: [ins('laurent')], subsumed: [ins('henry')] });
    const events = tools.store.events().length;
    await seed(tools, () => {});
    expect(tools.store.events()).toHaveLength(events);
  });

  test('everything was done, nothing refused', () => {
    expect(world.tools.store.events().filter((e) => e.outcome !== 'done')).toEqual([]);
  });

  test('laurent authorises six, one as treating doctor', async () => {
    const authorised = (await active('laurent')).filter((s) => s.kind === 'authorisation');
    expect(authorised.map((s) => (s.actor.kind === 'careTeam' ? '' : s.actor.name)).sort()).toEqual([
      'Hélène MARTIN',
      'Hôpital Nord',
      'Imagerie médicale de l’Ouest',
      'Laboratoire du Centre',
      'Minh NGUYEN',
      'Nadia PETIT',
    ]);
    expect(authorised.filter((s) => s.treatingDoctor)).toHaveLength(1);
  });

  test.each(['laurent', 'casanova', 'blanc', 'girard', 'henry', 'masson', 'lea-morel'])(
    'no authorisation of %s runs out',
    async (slug) => {
      const standing = (await factsOf(slug))?.consents.filter((c) => c.status === 'active') ?? [];
      expect(standing.filter((c) => c.until !== undefined)).toEqual([]);
    },
  );

  test('blanc blocks, girard opposes, henry accepts nothing masked in emergency', async () => {
    expect((await active('blanc')).filter((s) => s.kind === 'block')).toHaveLength(1);
    expect((await active('girard')).filter((s) => s.kind === 'opposition').map((s) => s.to)).toEqual([
      'breakGlass',
      'emergencyCentre',
    ]);
    expect((await active('henry')).filter((s) => s.kind === 'maskedInEmergency')).toEqual([]);
  });

  test('closing ended the authorisations of faure', async () => {
    expect((await active('faure')).filter((s) => s.kind === 'authorisation')).toEqual([]);
  });

  test('an authorisation that was withdrawn is kept as such', async () => {
    const consents = (await factsOf('masson'))?.consents.filter(
      (c) => c.statement.kind === 'authorisation' && c.status === 'inactive',
    );
    expect(consents?.some((c) => c.version === 2 && c.until !== undefined)).toBe(true);
  });
});

test('the regime of 2022 seeds too, its records opened by the system', async () => {
  const later = await openWorld({ regime: '2022' });
  const facts = await later.tools.store.facts.recordByIdentifier(later.ins('laurent'));
  expect(facts?.consents.find((c) => c.statement.kind === 'opening')?.statedBy.kind).toBe('system');
  expect(later.tools.store.events().filter((e) => e.outcome !== 'done')).toEqual([]);
});

test.each([1, 2, 7, 20, 35, 50])(
  'seeding that was cut off after %i changes is completed by the next',
  async (changes) => {
    let left = changes;
    const store = memoryStore({ fault: () => (left-- > 0 ? undefined : new Error('cut off')) });
    const cut = await worldOn({ store, blobs: memoryBlobs(store) }, { seeded: false });
    await expect(seed(cut.tools, () => {})).rejects.toThrow('cut off');
    left = Number.MAX_SAFE_INTEGER;
    await seed(cut.tools, () => {});
    const acts = (w: typeof cut) => w.tools.store.events().map((e) => `${e.action} ${e.outcome} ${e.patient?.value}`);
    expect(acts(cut)).toEqual(acts(world));
  },
);

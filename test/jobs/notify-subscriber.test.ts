import { beforeEach, describe, expect, test } from '@jest/globals';
import type { VisibilityCode } from '../../server/domain/document.ts';
import type { Interest } from '../../server/domain/subscription.ts';
import { makeAllowList } from '../../server/jobs/allow-list.ts';
import { makeNotifySubscriber, type Saying } from '../../server/jobs/handlers/notify-subscriber.ts';
import { openTeller } from '../../server/jobs/teller.ts';
import { sandboxSystems } from '../../server/sandbox/systems.ts';
import type { Row, StoredSubscription } from '../../server/store/port.ts';
import { perform } from '../../server/usecases/perform.ts';
import { subscribe, type Wanted } from '../../server/usecases/subscribe.ts';
import { association, confidential, document, folder } from '../support/registry.ts';
import { openWorld, type World } from '../support/world.ts';

const nobody = { professionals: [], structures: [], patient: false };
const documents: Interest = { object: 'document', kinds: ['created'], across: false };
const folders: Interest = { object: 'folder', kinds: ['created', 'grown'], across: false };

let world: World;
let said: Saying[];
beforeEach(async () => {
  world = await openWorld();
  said = [];
});

const wanted = (interest: Interest, more: Partial<Wanted> = {}): Wanted => ({
  interest,
  filter: {},
  channel: { kind: 'websocket', timeout: 1, most: 1 },
  headers: [],
  shown: 'id-only',
  form: '{}',
  status: 'requested',
  ...more,
});
const notifying = (systems = sandboxSystems()) => ({
  tools: world.tools,
  allowList: makeAllowList([]),
  write: (saying: Saying) => {
    said.push(saying);
    return { contentType: 'text/plain', body: saying.kind };
  },
  systems,
  endpoint: 'https://dmp.example/fhir',
  log: { info: () => {}, error: () => {} },
});
const put = (...rows: Row[]) =>
  perform(world.tools, world.as('dr-martin'), 'submitDocuments', { identifier: world.ins('laurent') }, () =>
    Promise.resolve({ answer: undefined, put: rows }),
  );
const kept = (n: number, ...codes: VisibilityCode[]): Row => ({
  kind: 'document',
  entry: document(n, { confidentialityCodes: confidential(...codes) }),
  registeredAt: n,
  owners: nobody,
});
/** What one who listens is told from now on. */
const listener = async ({ id, owner }: StoredSubscription, systems = sandboxSystems()) => {
  const teller = openTeller(notifying(systems));
  const greeted = await teller.greet(id, owner);
  if (greeted === undefined) throw new Error('nothing to listen to');
  return {
    place: greeted.place,
    signOfLife: () => teller.signOfLife(greeted.place),
    told: async () => {
      said.length = 0;
      for await (const body of teller.next(greeted.place)) expect(body).toBe('event-notification');
      return said.flatMap(({ told }) => told.map(({ number, event }) => [number, event.kind]));
    },
  };
};
const laurent = () => ({ patient: world.ins('laurent') });

describe('a folder', () => {
  test('into which a hidden document is put did not grow for who does not see it', async () => {
    const heard = await listener(await subscribe(world.tools, world.as('laurent'), wanted(folders, laurent())));
    await put({ kind: 'folder', folder: folder(501) });
    expect(await heard.told()).toEqual([[1, 'created']]);
    await put(kept(502, 'INVISIBLE_PATIENT'), { kind: 'association', association: association(503, 501, 502) });
    expect(await heard.told()).toEqual([]);
    await put(kept(504), { kind: 'association', association: association(505, 501, 504) });
    expect(await heard.told()).toEqual([[2, 'grown']]);
  });
});

describe('a system', () => {
  const everywhere = { ...documents, across: true };

  test('that is listed no more is told nothing more', async () => {
    const stored = await subscribe(world.tools, world.as('regie'), wanted(everywhere));
    const heard = await listener(stored);
    await put(kept(511));
    expect(await heard.told()).toEqual([[1, 'created']]);
    const without = await listener(stored, []);
    await put(kept(512));
    expect(await without.told()).toEqual([]);
  });

  test('that lost the right is told nothing more', async () => {
    const stored = await subscribe(world.tools, world.as('regie'), wanted(everywhere));
    const [regie, ...others] = sandboxSystems();
    const heard = await listener(stored, [...(regie ? [{ ...regie, rights: ['feed' as const] }] : []), ...others]);
    await put(kept(513));
    expect(await heard.told()).toEqual([]);
  });
});

describe('whoever listens', () => {
  test('in two places is told everything in both, under the same numbers', async () => {
    const stored = await subscribe(world.tools, world.as('dr-nguyen'), wanted(documents, laurent()));
    const [one, two] = [await listener(stored), await listener(stored)];
    await put(kept(521));
    await put(kept(522));
    expect(await one.told()).toEqual([
      [1, 'created'],
      [2, 'created'],
    ]);
    expect(await two.told()).toEqual([
      [1, 'created'],
      [2, 'created'],
    ]);
  });

  test('gets a sign of life when nothing was sent for so long', async () => {
    const channel = { kind: 'websocket', timeout: 1, most: 1, heartbeat: 60 } as const;
    const stored = await subscribe(world.tools, world.as('dr-nguyen'), wanted(documents, { ...laurent(), channel }));
    const heard = await listener(stored);
    world.clock.now += 59_999;
    expect(heard.signOfLife()).toBeUndefined();
    world.clock.now += 1;
    expect(heard.signOfLife()).toBe('heartbeat');
    expect(heard.signOfLife()).toBeUndefined();
  });

  test('is told when the subscription is over', async () => {
    const stored = await subscribe(world.tools, world.as('dr-nguyen'), wanted(documents, laurent()));
    const heard = await listener(stored);
    const now = await world.tools.store.subscriptions.find(stored.id);
    if (now === undefined) throw new Error('it is gone');
    await world.tools.store.subscriptions.advance(now, { ...now, status: 'off' }, []);
    expect(await heard.told()).toEqual([]);
    expect([said.map(({ status }) => status), heard.place.isOver]).toEqual([['off'], true]);
  });
});

test('a subscription by websocket to which nobody listens for 30 days is off', async () => {
  const { id } = await subscribe(world.tools, world.as('dr-nguyen'), wanted(documents, laurent()));
  const attend = makeNotifySubscriber(notifying());
  const work = async () => {
    const due = await world.tools.store.subscriptions.due(world.clock.now, 10);
    for (const one of due) await attend(one, new AbortController().signal);
    return due.length;
  };
  const day = 86_400_000;
  expect([await work(), await work()]).toEqual([1, 0]);
  world.clock.now += 29 * day;
  const found = await world.tools.store.subscriptions.find(id);
  await listener(found as StoredSubscription);
  world.clock.now += 2 * day;
  expect([await work(), (await world.tools.store.subscriptions.find(id))?.status]).toEqual([0, 'active']);
  world.clock.now += 28 * day;
  expect([await work(), await work()]).toEqual([1, 0]);
  expect(await world.tools.store.subscriptions.find(id)).toMatchObject({
    status: 'off',
    error: 'nobody listened for 30 days',
  });
});

test('a subscription whose headers cannot be opened fails alone, and says so', async () => {
  const channel = { kind: 'rest-hook', endpoint: 'http://127.0.0.1:9/hook', timeout: 1, most: 1 } as const;
  const { id } = await subscribe(world.tools, world.as('dr-nguyen'), wanted(documents, { ...laurent(), channel }));
  const stored = await world.tools.store.subscriptions.find(id);
  if (stored === undefined) throw new Error('it is gone');
  const broken = { ...channel, headers: { key: 'AAAA', sealed: 'AAAA' } };
  await world.tools.store.subscriptions.advance(stored, { ...stored, channel: broken }, []);
  const attend = makeNotifySubscriber({ ...notifying(), allowList: makeAllowList(['http://127.0.0.1:9/']) });
  const [due] = await world.tools.store.subscriptions.due(world.clock.now, 1);
  await attend(due as StoredSubscription, new AbortController().signal);
  expect(await world.tools.store.subscriptions.find(id)).toMatchObject({
    status: 'error',
    failures: 1,
    error: 'an error of the server',
    due: world.clock.now + 1000,
  });
});

import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import type { Resource as Validated } from '@medplum/fhirtypes';
import type { Bundle, DocumentReference, OperationOutcome, Parameters, Subscription } from 'fhir/r4.js';
import { invariantProblems } from '../../server/fhir/base/invariants.ts';
import type { JsonObject } from '../../server/fhir/json.ts';
import { structureFaults } from '../support/fhir-structure.ts';
import { consentFor, deny, policies } from './consent-samples.ts';
import { resourceIn } from './deposits.ts';
import {
  openSubscriptionDoor,
  type Received,
  type Said,
  type SubscriptionDoor,
  saidBy,
  topicBase,
} from './subscription-door.ts';

let door: SubscriptionDoor;
beforeAll(async () => {
  door = await openSubscriptionDoor();
});
afterAll(async () => {
  await door.close();
  expect(door.faults).toEqual([]);
});

afterEach(async () => {
  for (const { id } of await leftOver()) await door.send('dr-martin', 'DELETE', `Subscription/${id}`);
  door.receiver.taken();
});

const leftOver = async () =>
  (await door.send<Bundle>('dr-martin', 'GET', 'Subscription')).json.entry?.map(({ resource }) => ({
    id: resource?.id,
  })) ?? [];
const told = (): (Said & Pick<Received, 'headers'>)[] =>
  door.receiver.taken().map((one) => ({ ...saidBy(one), headers: one.headers }));
const numbers = (all: readonly { readonly events: readonly Record<string, unknown>[] }[]) =>
  all.flatMap(({ events }) => events.map((event) => event['event-number']));
const problemsOf = ({ json }: { readonly json: unknown }) =>
  (json as OperationOutcome).issue.map(({ details, expression }) => [details?.text, expression?.[0]]);
const statusOf = async (who: string, id: string) => {
  const { json } = await door.send<Bundle>(who, 'GET', `Subscription/${id}/$status`);
  const [entry] = json.entry ?? [];
  return saidBy({ bundle: { entry: [{ resource: entry?.resource }] } as Bundle });
};
const end = async (who: string, id: string) => {
  expect((await door.send(who, 'DELETE', `Subscription/${id}`)).status).toBe(204);
};
const hidden = {
  system: 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument',
  code: 'INVISIBLE_PATIENT',
};
const basic = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }] };
const patch = async (who: string, id: string, operations: unknown) => {
  const { status, json } = await door.ask(`DocumentReference/${id}`, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json-patch+json', Authorization: `Bearer ${await door.token(who)}` },
    body: JSON.stringify(operations),
  });
  if (status !== 200) throw new Error(JSON.stringify(json));
};
const hide: Parameters_<SubscriptionDoor['deposit']>[2] = (bundle) => {
  resourceIn(bundle, 'DocumentReference').securityLabel?.push({ coding: [hidden] });
};
type Parameters_<F> = F extends (...all: infer P) => unknown ? P : never;

describe('a subscription by rest-hook', () => {
  test('is greeted, and active once the receiver answers', async () => {
    const { status, json, headers } = await door.send(
      'dr-martin',
      'POST',
      'Subscription',
      door.subscription('laurent'),
    );
    const id = json.id ?? '';
    expect([status, json.status, headers.get('location')]).toEqual([
      201,
      'requested',
      `${door.base}/Subscription/${id}`,
    ]);
    await door.work();
    const [greeting] = told();
    expect(greeting).toMatchObject({
      subscription: { reference: `${door.base}/Subscription/${id}` },
      topic: `${topicBase}DocumentReference-PatientDependent`,
      type: 'handshake',
      'events-since-subscription-start': '0',
      events: [],
      entries: [],
    });
    expect((await door.send('dr-martin', 'GET', `Subscription/${id}`)).json.status).toBe('active');
    await end('dr-martin', id);
  });

  test.each([
    ['empty', [], undefined],
    ['id-only', ['POST DocumentReference'], undefined],
    ['full-resource', ['POST DocumentReference'], 'DocumentReference'],
  ])('with content %s is told as much of a deposit', async (content, requests, type) => {
    const id = await door.subscribe('dr-martin', 'laurent', { content });
    const document = await door.deposit('dr-martin', 'laurent');
    await door.work();
    const [one, ...more] = told();
    expect(more).toEqual([]);
    expect(one).toMatchObject({ type: 'event-notification', status: 'active', 'events-since-subscription-start': '1' });
    const focus = { reference: `${door.base}/DocumentReference/${document}` };
    expect(one?.events).toEqual([
      {
        'event-number': '1',
        timestamp: new Date(door.world.clock.now).toISOString(),
        ...(content !== 'empty' && { focus }),
      },
    ]);
    expect(one?.entries.map(({ request }) => `${request?.method} ${request?.url}`)).toEqual(requests);
    const read = await door.get<DocumentReference>('dr-martin', `DocumentReference/${document}`);
    expect(one?.entries[0]?.resource).toEqual(type === undefined ? undefined : read.json);
    await end('dr-martin', id);
  });

  test('each sending is a disclosure in the history of the patient, and a subscription is traced too', async () => {
    const id = await door.subscribe('dr-nguyen', 'laurent');
    const document = await door.deposit('dr-martin', 'laurent');
    await door.work();
    told();
    const events = door.world.tools.store.events().slice(-4);
    expect(events.map(({ action, outcome, actor }) => [action, outcome, actor && 'id' in actor && actor.name])).toEqual(
      expect.arrayContaining([['notifySubscriber', 'done', expect.stringMatching(/nguyen/i)]]),
    );
    const sending = events.find(({ action }) => action === 'notifySubscriber');
    expect(sending).toMatchObject({
      origin: { transaction: 'ITI-112' },
      ground: 'authorisation',
      documents: [{ entryUUID: `urn:uuid:${document}` }],
    });
    expect(events.find(({ action }) => action === 'subscribe')?.record).toBe(sending?.record);
    await end('dr-nguyen', id);
  });

  test('is told in order and once each, however many events one notification may hold', async () => {
    const id = await door.subscribe('dr-martin', 'laurent', { limits: { 'max-count': 2 } });
    for (let i = 0; i < 3; i++) await door.deposit('dr-martin', 'laurent');
    await door.work();
    const all = told();
    expect(all.map(({ events }) => events.length)).toEqual([2, 1]);
    expect(numbers(all)).toEqual(['1', '2', '3']);
    await end('dr-martin', id);
  });

  test('is told of no document that its filter leaves out', async () => {
    const id = await door.subscribe('dr-martin', 'laurent', { filters: ['type=http://loinc.org|57832-8'] });
    await door.deposit('dr-martin', 'laurent');
    const other = await door.subscribe('dr-martin', 'laurent', {
      filters: ['type=11488-4&status=current', 'author.family=martin'],
    });
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    expect(told().map((one) => one['subscription'])).toEqual([{ reference: `${door.base}/Subscription/${other}` }]);
    await end('dr-martin', id);
    await end('dr-martin', other);
  });

  test('is told nothing of other patients, of what was there before, nor of sets', async () => {
    const id = await door.subscribe('dr-martin', 'casanova', {});
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    expect(told()).toEqual([]);
    await end('dr-martin', id);
  });
});

describe('a receiver that fails', () => {
  test('is tried again, later each time; the subscription is in error after three, and nothing is lost or out of order', async () => {
    const id = await door.subscribe('dr-martin', 'laurent');
    door.receiver.mood.status = 503;
    const first = await door.deposit('dr-martin', 'laurent');
    await door.work();
    expect(numbers(told())).toEqual(['1']);
    const second = await door.deposit('dr-martin', 'laurent');
    await door.work();
    expect(told()).toEqual([]);
    door.world.clock.now += 1000;
    await door.work();
    expect([numbers(told()), (await statusOf('dr-martin', id))['status']]).toEqual([['1'], 'active']);
    door.world.clock.now += 2000;
    await door.work();
    expect([numbers(told()), await statusOf('dr-martin', id)]).toMatchObject([
      ['1'],
      { status: 'error', error: { text: 'the receiver answered 503' }, 'events-since-subscription-start': '0' },
    ]);
    door.receiver.mood.status = 200;
    door.world.clock.now += 4000;
    await door.work();
    const all = told();
    expect(numbers(all)).toEqual(['1', '2']);
    expect(all.flatMap(({ events }) => events.map(({ focus }) => (focus as { reference: string }).reference))).toEqual(
      [first, second].map((one) => `${door.base}/DocumentReference/${one}`),
    );
    expect(await statusOf('dr-martin', id)).toMatchObject({ status: 'active', 'events-since-subscription-start': '2' });
    await end('dr-martin', id);
  });

  test('at the handshake leaves the subscription in error; it is greeted before anything is told', async () => {
    door.receiver.mood.status = 404;
    const { json } = await door.send('dr-martin', 'POST', 'Subscription', door.subscription('laurent'));
    const id = json.id ?? '';
    await door.work();
    expect(told().map((one) => one['type'])).toEqual(['handshake']);
    expect(await statusOf('dr-martin', id)).toMatchObject({ status: 'error' });
    await door.deposit('dr-martin', 'laurent');
    door.receiver.mood.status = 200;
    door.world.clock.now += 1000;
    await door.work();
    expect(told().map((one) => one['type'])).toEqual(['handshake', 'event-notification']);
    await end('dr-martin', id);
  });

  test('for a day is given up: the subscription is off, and starts again when it is asked for', async () => {
    const id = await door.subscribe('dr-martin', 'laurent');
    door.receiver.mood.status = 500;
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    door.world.clock.now += 86_400_000;
    await door.work();
    told();
    expect(await statusOf('dr-martin', id)).toMatchObject({ status: 'off' });
    door.receiver.mood.status = 200;
    await door.deposit('dr-martin', 'laurent');
    door.world.clock.now += 86_400_000;
    await door.work();
    expect(told()).toEqual([]);
    const again = { ...door.subscription('laurent'), id };
    const { status, json } = await door.send('dr-martin', 'PUT', `Subscription/${id}`, again);
    expect([status, json.status]).toEqual([200, 'requested']);
    await door.work();
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    expect(told().map((one) => [one['type'], ...numbers([one])])).toEqual([['handshake'], ['event-notification', '1']]);
    await end('dr-martin', id);
  });

  test('by sending it elsewhere is not followed', async () => {
    const id = await door.subscribe('dr-martin', 'laurent');
    Object.assign(door.receiver.mood, { status: 307, headers: { Location: `${door.receiver.address}/elsewhere` } });
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    expect(door.receiver.taken().map(({ path }) => path)).toEqual(['/hook']);
    Object.assign(door.receiver.mood, { status: 200, headers: {} });
    expect(await statusOf('dr-martin', id)).toMatchObject({ error: { text: 'the receiver answered 307' } });
    await end('dr-martin', id);
  });

  test('by saying nothing is left after the time that the subscription gives it', async () => {
    const id = await door.subscribe('dr-martin', 'laurent', { limits: { timeout: 1 } });
    door.receiver.mood.status = 'silent';
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    door.receiver.mood.status = 200;
    told();
    expect(await statusOf('dr-martin', id)).toMatchObject({ error: { text: 'the receiver did not answer in time' } });
    await end('dr-martin', id);
  });
});

describe('signs of life and ends', () => {
  test('a heartbeat is sent when nothing else was for its period, and only then', async () => {
    const id = await door.subscribe('dr-martin', 'laurent', { limits: { 'heartbeat-period': 60 } });
    door.world.clock.now += 59_000;
    await door.work();
    expect(told()).toEqual([]);
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    expect(numbers(told())).toEqual(['1']);
    door.world.clock.now += 59_000;
    await door.work();
    expect(told()).toEqual([]);
    door.world.clock.now += 1000;
    await door.work();
    expect(told()).toMatchObject([{ type: 'heartbeat', 'events-since-subscription-start': '1', events: [] }]);
    await end('dr-martin', id);
  });

  test('a subscription ends at its end, and says so', async () => {
    const at = new Date(door.world.clock.now + 10_000).toISOString();
    const id = await door.subscribe('dr-martin', 'laurent', { changes: { end: at } });
    door.world.clock.now += 10_000;
    await door.work();
    expect(told()).toMatchObject([{ type: 'event-notification', status: 'off', events: [] }]);
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    expect(told()).toEqual([]);
    expect(await statusOf('dr-martin', id)).toMatchObject({ status: 'off' });
    await end('dr-martin', id);
  });

  test('a subscription that its owner ends is told nothing more', async () => {
    const id = await door.subscribe('dr-martin', 'laurent');
    const off = { ...door.subscription('laurent', { changes: { status: 'off' } }), id };
    expect((await door.send('dr-martin', 'PUT', `Subscription/${id}`, off)).json.status).toBe('off');
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    expect(told()).toEqual([]);
    await end('dr-martin', id);
  });
});

describe('what a subscriber may not see', () => {
  test('a document hidden from the patient leaves neither notification nor gap; once it is announced it is news', async () => {
    const id = await door.subscribe('laurent', 'laurent', { content: 'full-resource' });
    await door.deposit('dr-martin', 'laurent');
    const secret = await door.deposit('dr-martin', 'laurent', hide);
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    const before = told();
    expect(numbers(before)).toEqual(['1', '2']);
    expect(JSON.stringify(before)).not.toContain(secret);
    await patch('dr-martin', secret, [{ op: 'replace', path: '/securityLabel', value: [basic] }]);
    await door.work();
    expect(told()).toMatchObject([
      { events: [{ 'event-number': '3', focus: { reference: `${door.base}/DocumentReference/${secret}` } }] },
    ]);
    await end('laurent', id);
  });

  test('whom the patient blocks is told nothing more, and repeats nothing', async () => {
    const id = await door.subscribe('inf-petit', 'laurent');
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    expect(numbers(told())).toEqual(['1']);
    const { oid, value } = door.world.ins('laurent');
    const block = consentFor({ identifier: { system: `urn:oid:${oid}`, value } }, deny('inf-petit'), {
      policy: [{ uri: policies.normal }],
    });
    const stated = await door.send('laurent', 'POST', 'Consent', block);
    expect(stated.status).toBe(201);
    const traces = door.world.tools.store.events().length;
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    expect(told()).toEqual([]);
    expect(
      door.world.tools.store
        .events()
        .slice(traces)
        .map(({ action }) => action),
    ).toEqual(['submitDocuments']);
    expect((await door.send('inf-petit', 'GET', `Subscription/${id}/$events`)).status).toBe(403);
    expect((await door.send('inf-petit', 'POST', 'Subscription', door.subscription('laurent'))).status).toBe(403);
    expect(await statusOf('inf-petit', id)).toMatchObject({ status: 'active', 'events-since-subscription-start': '1' });
    await end('inf-petit', id);
  });

  test('nobody subscribes without a right, in break-glass, or to a patient who is unknown', async () => {
    const ask = async (who: string, whose: string, changes = {}) =>
      (await door.send(who, 'POST', 'Subscription', door.subscription(whose), {}, changes)).status;
    expect(await ask('dr-nguyen', 'casanova')).toBe(403);
    expect(await ask('hopital-nord', 'laurent')).toBe(403);
    expect(await ask('dr-leroy', 'casanova', { mode: 'bris_de_glace', reason: 'inconscient' })).toBe(403);
    expect(await ask('dr-martin', 'garnier')).toBe(404);
  });

  test('all patients are for the systems that have the right', async () => {
    const wish = { topic: 'DocumentReference-MultiPatient' };
    expect((await door.send('dr-martin', 'POST', 'Subscription', door.subscription(undefined, wish))).status).toBe(403);
    const id = await door.subscribe('regie', undefined, wish);
    const seen = [await door.deposit('dr-martin', 'laurent'), await door.deposit('dr-martin', 'casanova')];
    await door.deposit('dr-martin', 'laurent', hide);
    await door.work();
    const all = told();
    expect(numbers(all)).toEqual(['1', '2']);
    expect(all.flatMap(({ events }) => events.map(({ focus }) => (focus as { reference: string }).reference))).toEqual(
      seen.map((one) => `${door.base}/DocumentReference/${one}`),
    );
    await end('regie', id);
  });
});

describe('changes besides deposits', () => {
  test('a replacement, a deletion: who asked for changes of status is told, who asked for deposits alone of these', async () => {
    const minimal = await door.subscribe('dr-martin', 'casanova', {
      topic: 'DocReference-PatientDependent-MinUpdate',
      content: 'full-resource',
    });
    const first = await door.deposit('dr-martin', 'casanova');
    await door.work();
    expect(numbers(told())).toEqual(['1']);
    const second = await door.deposit('dr-martin', 'casanova', (bundle) => {
      const document = resourceIn(bundle, 'DocumentReference');
      document.relatesTo = [{ code: 'replaces', target: { reference: `DocumentReference/${first}` } }];
    });
    await door.work();
    const replaced = told().flatMap(({ entries }) => entries);
    expect(replaced.map(({ fullUrl, request }) => [fullUrl, request?.method]).sort()).toEqual(
      [
        [`${door.base}/DocumentReference/${first}`, 'PUT'],
        [`${door.base}/DocumentReference/${second}`, 'POST'],
      ].sort(),
    );
    expect((await door.send('dr-martin', 'DELETE', `DocumentReference/${second}`)).status).toBeLessThan(300);
    await door.work();
    expect(told().flatMap(({ entries }) => entries)).toEqual([
      {
        fullUrl: `${door.base}/DocumentReference/${second}`,
        request: { method: 'DELETE', url: `DocumentReference/${second}` },
        response: { status: '204' },
      },
    ]);
    await end('dr-martin', minimal);
  });

  test('a submission set is told with what the subscriber sees of it', async () => {
    const id = await door.subscribe('dr-martin', 'casanova', {
      topic: 'SubmissionSet-PatientDependent',
      content: 'full-resource',
      filters: ['code=submissionset'],
    });
    const document = await door.deposit('dr-martin', 'casanova');
    await door.work();
    const [one] = told();
    expect(one?.entries[0]?.resource).toMatchObject({
      resourceType: 'List',
      entry: [{ item: { reference: `DocumentReference/${document}` } }],
    });
    await end('dr-martin', id);
  });
});

describe('$events', () => {
  test('tells again, from and to a number, as much as is asked and no more than was asked for', async () => {
    const id = await door.subscribe('dr-martin', 'laurent');
    for (let i = 0; i < 3; i++) await door.deposit('dr-martin', 'laurent');
    await door.work();
    told();
    const events = async (query: string) => {
      const { json } = await door.send<Bundle>('dr-martin', 'GET', `Subscription/${id}/$events${query}`);
      return saidBy({ bundle: json });
    };
    const all = await events('');
    expect(all).toMatchObject({ type: 'query-event', 'events-since-subscription-start': '3' });
    expect(numbers([all])).toEqual(['1', '2', '3']);
    expect(numbers([await events('?eventsSinceNumber=2&eventsUntilNumber=2')])).toEqual(['2']);
    expect((await events('?eventsSinceNumber=3&content=empty')).entries).toEqual([]);
    expect((await events('?eventsSinceNumber=3&content=full-resource')).entries[0]?.resource).toBeUndefined();
    expect((await door.send('dr-martin', 'GET', `Subscription/${id}/$events?eventsSinceNumber=x`)).status).toBe(400);
    expect((await door.send('dr-nguyen', 'GET', `Subscription/${id}/$events`)).status).toBe(404);
    await end('dr-martin', id);
  });

  test('tells again what would not be told any more, by GET and by POST', async () => {
    const id = await door.subscribe('dr-martin', 'casanova', { filters: ['status=current'] });
    const replaced = await door.deposit('dr-martin', 'casanova');
    await door.work();
    await door.deposit('dr-martin', 'casanova', (bundle) => {
      const document = resourceIn(bundle, 'DocumentReference');
      document.relatesTo = [{ code: 'replaces', target: { reference: `DocumentReference/${replaced}` } }];
    });
    await door.work();
    expect(numbers(told())).toEqual(['1', '2']);
    const input = { resourceType: 'Parameters', parameter: [{ name: 'eventsUntilNumber', valueString: '1' }] };
    for (const [method, query, body] of [
      ['GET', '?eventsUntilNumber=1', undefined],
      ['POST', '', input],
    ] as const) {
      const { json } = await door.send<Bundle>('dr-martin', method, `Subscription/${id}/$events${query}`, body);
      expect(saidBy({ bundle: json }).entries.map(({ fullUrl }) => fullUrl)).toEqual([
        `${door.base}/DocumentReference/${replaced}`,
      ]);
    }
  });

  test('leaves out what is hidden since', async () => {
    const id = await door.subscribe('dr-nguyen', 'laurent');
    const masked = await door.deposit('dr-martin', 'laurent');
    await door.deposit('dr-martin', 'laurent');
    await door.work();
    told();
    const { json: before } = await door.send<Bundle>('dr-nguyen', 'GET', `Subscription/${id}/$events`);
    expect(numbers([saidBy({ bundle: before })])).toEqual(['1', '2']);
    const label = { coding: [{ ...hidden, code: 'MASQUE_PS' }] };
    await patch('laurent', masked, [{ op: 'add', path: '/securityLabel/-', value: label }]);
    await door.work();
    expect(told()).toEqual([]);
    const { json: after } = await door.send<Bundle>('dr-nguyen', 'GET', `Subscription/${id}/$events`);
    expect(numbers([saidBy({ bundle: after })])).toEqual(['2']);
    expect(JSON.stringify(after)).not.toContain(masked);
    await end('dr-nguyen', id);
  });
});

describe('one’s own subscriptions', () => {
  test('are found by their parameters; nobody finds, reads, changes or ends another’s', async () => {
    const id = await door.subscribe('dr-martin', 'laurent');
    const find = async (who: string, query: string) => {
      const { status, json } = await door.send<Bundle>(who, 'GET', `Subscription?${query}`);
      return [status, json.total, json.entry?.map(({ resource }) => resource?.id)];
    };
    const topic = encodeURIComponent(`${topicBase}DocumentReference-PatientDependent`);
    const filter = encodeURIComponent(`DocumentReference?patient.identifier=${door.of('laurent')}`).replace(
      '%7C',
      '%5C%7C',
    );
    for (const query of [
      `_id=${id}`,
      `topic=${topic}`,
      `url=${encodeURIComponent(door.receiver.address)}`,
      `filter-criteria=${filter}`,
    ])
      expect(await find('dr-martin', `status=active&${query}`)).toEqual([200, 1, [id]]);
    expect(await find('dr-martin', 'status=off')).toEqual([200, 0, undefined]);
    expect(await find('dr-nguyen', '')).toEqual([200, 0, undefined]);
    const mine = { ...door.subscription('laurent'), id };
    expect((await door.send('dr-nguyen', 'GET', `Subscription/${id}`)).status).toBe(404);
    expect((await door.send('dr-nguyen', 'PUT', `Subscription/${id}`, mine)).status).toBe(404);
    expect((await door.send('dr-nguyen', 'DELETE', `Subscription/${id}`)).status).toBe(404);
    await end('dr-martin', id);
    expect((await door.send('dr-martin', 'GET', `Subscription/${id}`)).status).toBe(404);
  });

  test('change under If-Match', async () => {
    const id = await door.subscribe('dr-martin', 'laurent');
    const next = { ...door.subscription('laurent', { content: 'empty' }), id };
    const put = (tag: string) => door.send('dr-martin', 'PUT', `Subscription/${id}`, next, { 'If-Match': tag });
    expect((await put('W/"7"')).status).toBe(412);
    const { status, headers, json } = await put('W/"1"');
    expect([status, headers.get('etag'), json.meta?.versionId]).toEqual([200, 'W/"2"', '2']);
    expect((await door.send('dr-martin', 'PUT', `Subscription/${id}`, { ...next, id: 'other' })).status).toBe(400);
    const moved = { ...door.subscription('casanova'), id };
    const refused = await door.send('dr-martin', 'PUT', `Subscription/${id}`, moved);
    expect([refused.status, problemsOf(refused)]).toEqual([
      422,
      [['subscriptionNotHonoured', 'Subscription.criteria']],
    ]);
    await end('dr-martin', id);
  });

  test('keep headers for the receiver, and tell them to nobody', async () => {
    const secret = 'Bearer s3cret';
    const id = await door.subscribe('dr-martin', 'laurent', { channel: { header: [`Authorization: ${secret}`] } });
    const read = async () => (await door.send('dr-martin', 'GET', `Subscription/${id}`)).json;
    const shown = await read();
    expect(JSON.stringify([shown, await door.world.tools.store.subscriptions.find(id), door.log])).not.toContain(
      's3cret',
    );
    const deposited = async () => {
      await door.deposit('dr-martin', 'laurent');
      await door.work();
      return told().map(({ headers }) => headers.authorization);
    };
    expect(await deposited()).toEqual([secret]);
    await door.send('dr-martin', 'PUT', `Subscription/${id}`, { ...shown, status: 'requested' } satisfies Subscription);
    await door.work();
    expect(told().map(({ headers }) => headers.authorization)).toEqual([secret]);
    const channel = { ...shown.channel, header: ['X-Other: 1'] };
    await door.send('dr-martin', 'PUT', `Subscription/${id}`, { ...shown, channel, status: 'requested' });
    await door.work();
    expect(told().map(({ headers }) => [headers.authorization, headers['x-other']])).toEqual([[undefined, '1']]);
    await end('dr-martin', id);
  });
});

describe('what cannot be honoured is refused, all of it at once', () => {
  const at = (part: string) => `Subscription.${part}`;
  const payloadContent = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content';
  test.each<[string, Parameters_<SubscriptionDoor['subscription']>[1], string]>([
    [
      'an address that is not listed',
      { channel: { endpoint: 'https://elsewhere.example/hook' } },
      at('channel.endpoint'),
    ],
    ['a password in the address', { channel: { endpoint: 'http://me:pw@127.0.0.1/hook' } }, at('channel.endpoint')],
    ['mail', { channel: { type: 'email' } }, at('channel.type')],
    ['another payload', { channel: { payload: 'text/plain' } }, at('channel.payload')],
    ['another content', { content: 'most-of-it' }, at('channel.payload.extension')],
    ...[null, 3, {}].map((code): [string, Parameters_<SubscriptionDoor['subscription']>[1], string] => [
      `${JSON.stringify(code)} for the content`,
      { channel: { _payload: { extension: [{ url: payloadContent, valueCode: code }] } } as object },
      at('channel.payload.extension'),
    ]),
    ['a topic that is not served', { topic: 'Folder-Subscription-for-Full-Events' }, at('criteria')],
    ['a parameter that the topic has not', { filters: ['description=x'] }, at('criteria.extension[1].value')],
    ['a modifier', { filters: ['type:not=11488-4'] }, at('criteria.extension[1].value')],
    ['too frequent heartbeats', { limits: { 'heartbeat-period': 1 } }, at('channel.extension')],
    ['an end that is over', { changes: { end: '2020-01-01T00:00:00Z' } }, at('end')],
    ['a status of the server', { changes: { status: 'error' } }, at('status')],
    ['a header of the connection', { channel: { header: ['Content-Length: 3'] } }, at('channel.header[0]')],
    ['two lines in a header', { channel: { header: ['X-A: b\r\nX-B: c'] } }, at('channel.header[0]')],
    [
      'an unknown extension',
      { channel: { extension: [{ url: 'https://x.example', valueCode: 'y' }] } },
      at('channel.extension[0]'),
    ],
  ])('%s', async (_what, wish, expression) => {
    const refused = await door.send('dr-martin', 'POST', 'Subscription', door.subscription('laurent', wish));
    expect(refused.status).toBe(422);
    expect(problemsOf(refused)).toContainEqual(['subscriptionNotHonoured', expression]);
  });

  test('no patient where the topic concerns one', async () => {
    const refused = await door.send('dr-martin', 'POST', 'Subscription', door.subscription(undefined));
    expect([refused.status, problemsOf(refused)]).toEqual([
      422,
      [['subscriptionNotHonoured', 'Subscription.criteria.extension']],
    ]);
  });

  test('several at once, without repeating the password', async () => {
    const wish = { channel: { endpoint: 'http://me:pw@x/', payload: 'text/plain' }, content: 'x' };
    const refused = await door.send('dr-martin', 'POST', 'Subscription', door.subscription('laurent', wish));
    expect(problemsOf(refused)).toHaveLength(3);
    expect(JSON.stringify(refused.json)).not.toContain('me:pw');
  });
});

test('the topics that are served are told as Basic and in the CapabilityStatement', async () => {
  const { json } = await door.send<Bundle>('dr-martin', 'GET', 'Basic?code=SubscriptionTopic&status=active');
  const canonicals = json.entry?.map(
    ({ resource }) => (resource as unknown as { extension: { valueUri: string }[] }).extension[0]?.valueUri,
  );
  expect(canonicals).toHaveLength(11);
  const metadata = await door.ask<{
    rest: { resource: { type: string; extension?: { valueCanonical: string }[] }[] }[];
  }>('metadata');
  const served = metadata.json.rest[0]?.resource.find(({ type }) => type === 'Subscription');
  expect(served?.extension?.map(({ valueCanonical }) => valueCanonical).sort()).toEqual(canonicals?.sort());
  const one = await door.send<Bundle>('dr-martin', 'GET', `Basic?url=${encodeURIComponent(canonicals?.[2] ?? '')}`);
  expect(one.json.total).toBe(1);
});

describe('subscriptions and topics are searched like everything else', () => {
  const walk = async (first: string) => {
    const pages: string[][] = [];
    for (let path: string | undefined = first; path !== undefined; ) {
      const { status, json }: { status: number; json: Bundle } = await door.send<Bundle>('dr-martin', 'GET', path);
      expect(status).toBe(200);
      pages.push((json.entry ?? []).map(({ resource }) => resource?.id ?? ''));
      path = json.link?.find(({ relation }) => relation === 'next')?.url;
    }
    return pages;
  };

  test('page by page, in either order', async () => {
    const pages = await walk('Basic?_count=4&_sort=_id');
    expect(pages.map(({ length }) => length)).toEqual([4, 4, 3]);
    const ids = pages.flat();
    expect(ids).toEqual([...new Set(ids)].sort());
    expect((await walk('Basic?_count=4')).flat()).toEqual([...ids].reverse());

    const made = [await door.subscribe('dr-martin', 'laurent'), await door.subscribe('dr-martin', 'laurent')];
    const own = await walk('Subscription?_count=1&status=active,requested');
    expect(own.every(({ length }) => length === 1)).toBe(true);
    expect(own.flat()).toEqual(expect.arrayContaining(made));
    const { json } = await door.send<Bundle>('dr-martin', 'GET', `Subscription?_id=${made[0]}&_summary=count`);
    expect([json.total, json.entry]).toEqual([1, undefined]);
    const shown = await door.send<Bundle>('dr-martin', 'GET', `Subscription?_id=${made[0]}&_elements=status`);
    expect(shown.json.entry?.[0]?.resource).not.toHaveProperty('channel');
  });

  test('and what operations do not know is told, or refused where there is no place to tell it', async () => {
    const id = await door.subscribe('dr-martin', 'laurent');
    const status = await door.send<Bundle>('dr-martin', 'GET', `Subscription/${id}/$status?colour=red`);
    expect(status.json.entry?.map(({ search }) => search?.mode)).toEqual(['match', 'outcome']);
    const token = `Subscription/$get-ws-binding-token`;
    const posted = { resourceType: 'Parameters', parameter: [{ name: 'colour', valueBoolean: true }] };
    const events = await door.send('dr-martin', 'POST', `Subscription/${id}/$events`, posted);
    expect([events.status, problemsOf(events)]).toEqual([400, [['parameterUnknown', 'http.colour']]]);
    for (const path of [`Subscription/${id}/$status`, 'Subscription/$status', token]) {
      const answer = await door.send('dr-martin', 'GET', `${path}?colour=red`, undefined, {
        Prefer: 'handling=strict',
      });
      expect([path, answer.status, problemsOf(answer)]).toEqual([path, 400, [['parameterUnknown', 'http.colour']]]);
    }
  });

  test('with the modifiers of tokens; others are refused', async () => {
    const of = async (query: string) => (await door.send<Bundle>('dr-martin', 'GET', `Basic?${query}`)).json.total;
    expect([await of('status:not=active'), await of('code:not=x'), await of('status:missing=true')]).toEqual([
      0, 11, 0,
    ]);
    const refused = await door.send('dr-martin', 'GET', 'Subscription?status:text=a');
    expect([refused.status, problemsOf(refused).map(([name]) => name)]).toEqual([400, ['parameterUnknown']]);
    expect((await door.send('dr-martin', 'GET', 'Subscription?_page=altered')).status).toBe(400);
  });
});

test('what is answered and sent obeys FHIR', async () => {
  const structures = new URL('../../profiles/fhir/structures.json', import.meta.url);
  indexStructureDefinitionBundle(JSON.parse(readFileSync(structures, 'utf8')) as never);
  const id = await door.subscribe('dr-martin', 'laurent', { content: 'full-resource' });
  await door.deposit('dr-martin', 'laurent');
  await door.work();
  const sent = door.receiver.taken().map(({ bundle }) => bundle);
  expect(sent).toHaveLength(1);
  const off = { ...door.subscription('laurent', { changes: { status: 'off' } }), id };
  const answered = [
    await door.send('dr-martin', 'GET', 'Subscription'),
    await door.send('dr-martin', 'GET', `Subscription/${id}/$status`),
    await door.send('dr-martin', 'GET', `Subscription/${id}/$events`),
    await door.send('dr-martin', 'GET', 'Basic'),
    await door.send('dr-martin', 'PUT', `Subscription/${id}`, off),
  ];
  for (const resource of [...sent, ...answered.map(({ json }) => json)]) {
    const json = resource as unknown as JsonObject;
    expect([...structureFaults(json), ...invariantProblems(json)]).toEqual([]);
    validateResource(resource as Validated);
  }
});

test('XML is sent where it is asked for', async () => {
  const id = await door.subscribe('dr-martin', 'laurent', {
    content: 'full-resource',
    channel: { payload: 'application/fhir+xml' },
  });
  const document = await door.deposit('dr-martin', 'laurent');
  await door.work();
  const [one] = door.receiver.taken();
  expect(one?.headers['content-type']).toBe('application/fhir+xml; charset=utf-8');
  const read = await door.send('dr-martin', 'GET', `DocumentReference/${document}`, undefined, {
    Accept: 'application/fhir+xml',
  });
  const resource = /<DocumentReference[\s\S]*<\/DocumentReference>/;
  expect(resource.exec(one?.text ?? '')?.[0]).toBe(
    resource.exec(read.bytes.toString())?.[0].replace(' xmlns="http://hl7.org/fhir"', ''),
  );
  await end('dr-martin', id);
});

test('XML is read and answered', async () => {
  const id = await door.subscribe('dr-martin', 'laurent');
  await door.deposit('dr-martin', 'laurent');
  await door.work();
  const xml = async (path: string) => {
    const { status, headers, bytes } = await door.send('dr-martin', 'GET', path, undefined, {
      Accept: 'application/fhir+xml',
    });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/fhir+xml; charset=utf-8']);
    return bytes.toString();
  };
  const text = await xml(`Subscription/${id}`);
  for (const path of ['Subscription', `Subscription/${id}/$status`, `Subscription/${id}/$events`, 'Basic', 'metadata'])
    await xml(path);
  const { status, json } = await door.ask<Subscription>(`Subscription/${id}`, {
    method: 'PUT',
    headers: {
      'Content-Type': 'application/fhir+xml',
      Authorization: `Bearer ${await door.token('dr-martin')}`,
    },
    body: text.replace('<status value="active"/>', '<status value="off"/>'),
  });
  expect([status, json.status]).toEqual([200, 'off']);
});

test('a token for websockets binds those of the caller alone', async () => {
  const hook = await door.subscribe('dr-martin', 'laurent');
  const none = await door.send('dr-martin', 'GET', 'Subscription/$get-ws-binding-token');
  expect(none.status).toBe(404);
  expect((await door.send('dr-martin', 'POST', `Subscription/${hook}/$get-ws-binding-token`)).status).toBe(404);
  const wish = { channel: { type: 'websocket' as const, endpoint: undefined as never } };
  const { json } = await door.send('dr-martin', 'POST', 'Subscription', door.subscription('laurent', wish));
  expect(json.status).toBe('active');
  const bound = await door.send<Parameters>('dr-martin', 'POST', `Subscription/${json.id}/$get-ws-binding-token`);
  expect(bound.json.parameter?.map(({ name }) => name)).toEqual([
    'token',
    'expiration',
    'subscription',
    'websocket-url',
  ]);
  expect((await door.send('dr-nguyen', 'GET', `Subscription/${json.id}/$get-ws-binding-token`)).status).toBe(404);
  await end('dr-martin', hook);
  await end('dr-martin', json.id ?? '');
});

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bundle, BundleEntry, Parameters, Subscription } from 'fhir/r4.js';
import { documentWriter } from '../../server/fhir/document-writer.ts';
import { notificationWriter } from '../../server/fhir/map/notification.ts';
import { makeAllowList } from '../../server/jobs/allow-list.ts';
import { makeNotifySubscriber } from '../../server/jobs/handlers/notify-subscriber.ts';
import { sandboxSystems } from '../../server/sandbox/systems.ts';
import { tokenOf } from '../support/clients.ts';
import { bundleOf, post } from './deposits.ts';
import { openDoor, type TokenChanges } from './door.ts';

const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';
export const topicBase = 'https://profiles.ihe.net/ITI/DSUBm/SubscriptionTopic/DSUBm-SubscriptionTopic-';

export type Received = {
  readonly headers: IncomingHttpHeaders;
  readonly bundle: Bundle;
  readonly path: string;
  readonly text: string;
};

export type Said = Readonly<Record<string, unknown>> & {
  readonly events: readonly Readonly<Record<string, unknown>>[];
  readonly entries: readonly BundleEntry[];
};

/** What a notification says of itself, by the names of its parameters; events by number. */
export function saidBy({ bundle }: Pick<Received, 'bundle'>): Said {
  const parameters = bundle.entry?.[0]?.resource as Parameters;
  const said = (one: object) => Object.entries(one).find(([name]) => name.startsWith('value'))?.[1] as unknown;
  const single = (parameters.parameter ?? []).filter(({ part }) => part === undefined);
  const events = (parameters.parameter ?? []).filter(({ name }) => name === 'notification-event');
  return {
    ...Object.fromEntries(single.map((one) => [one.name, said(one)])),
    events: events.map(({ part = [] }) => Object.fromEntries(part.map((one) => [one.name, said(one)]))),
    entries: (bundle.entry ?? []).slice(1),
  };
}

/** A receiver on this machine, which answers as it is told. */
export async function openReceiver() {
  const received: Received[] = [];
  const waiting: ((one: Received) => void)[] = [];
  const mood: { status: number | 'silent'; headers: Record<string, string> } = { status: 200, headers: {} };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const bundle = (text.startsWith('{') ? JSON.parse(text) : { resourceType: 'Bundle' }) as Bundle;
      const one = { headers: request.headers, bundle, text, path: request.url ?? '' };
      const waiter = waiting.shift();
      if (waiter === undefined) received.push(one);
      else waiter(one);
      if (mood.status !== 'silent') response.writeHead(mood.status, mood.headers).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}/hook`,
    mood,
    /** What came since it was asked last. */
    taken: () => received.splice(0),
    /** What comes next, or came first of what was not taken. */
    next: (): Promise<Received> => {
      const one = received.shift();
      return one === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(one);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A subscription as one asks for it: criteria, the channel and how much notifications are to hold. */
export function subscriptionTo(
  topic: string,
  criteria: readonly string[],
  channel: Partial<Subscription['channel']>,
  content = 'id-only',
): Subscription {
  return {
    resourceType: 'Subscription',
    meta: { profile: [`${backport}/backport-subscription`] },
    status: 'requested',
    reason: 'a test',
    criteria: topicBase + topic,
    _criteria: {
      extension: criteria.map((valueString) => ({ url: `${backport}/backport-filter-criteria`, valueString })),
    },
    channel: {
      type: 'rest-hook',
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${backport}/backport-payload-content`, valueCode: content }] },
      ...channel,
    },
  };
}

/** One to the documents of a patient of the sandbox. */
export function subscriptionToDocuments(
  patient: string,
  channel: Partial<Subscription['channel']>,
  content?: string,
): Subscription {
  const criteria = `DocumentReference?patient.identifier=${tokenOf(patient)}`;
  return subscriptionTo('DocumentReference-PatientDependent', [criteria], channel, content);
}

export type Wish = {
  readonly topic?: string;
  readonly filters?: readonly string[];
  readonly content?: string;
  readonly channel?: Partial<Subscription['channel']>;
  readonly limits?: Readonly<Record<string, number>>;
  readonly changes?: Partial<Subscription>;
};

/** The FHIR face with a receiver, and the background work done when a test says so, on the test's clock. */
export async function openSubscriptionDoor() {
  const receiver = await openReceiver();
  const allowList = makeAllowList([receiver.address]);
  const door = await openDoor({ subscribing: { isAllowed: (address) => allowList.allowed(address) !== undefined } });
  const { tools } = door.world;
  const { base } = door;
  const log: unknown[] = [];
  const attend = makeNotifySubscriber({
    tools,
    allowList,
    write: notificationWriter({ base, writeDocument: documentWriter(base), newId: tools.newId, now: tools.now }),
    systems: sandboxSystems(),
    endpoint: base,
    log: { info: (...all) => void log.push(all), error: (...all) => void log.push(all) },
  });

  const subscription = (whose: string | undefined, wish: Wish = {}): Subscription => {
    const { topic = 'DocumentReference-PatientDependent', filters = [], content = 'id-only', limits = {} } = wish;
    const type = topic.startsWith('Doc') ? 'DocumentReference' : 'List';
    const ofPatient = whose === undefined ? [] : [`${type}?patient.identifier=${door.of(whose)}`];
    const criteria = [...ofPatient, ...filters.map((filter) => `${type}?${filter}`)];
    return {
      ...subscriptionTo(
        topic,
        criteria,
        {
          endpoint: receiver.address,
          ...(Object.keys(limits).length > 0 && {
            extension: Object.entries(limits).map(([name, value]) => ({
              url: `${backport}/backport-${name}`,
              ...(name === 'max-count' ? { valuePositiveInt: value } : { valueUnsignedInt: value }),
            })),
          }),
          ...wish.channel,
        },
        content,
      ),
      ...wish.changes,
    };
  };
  const send = async <T = Subscription>(
    who: string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    changes: TokenChanges = {},
  ) =>
    door.ask<T>(path, {
      method,
      headers: {
        ...headers,
        ...(body !== undefined && { 'Content-Type': 'application/fhir+json' }),
        Authorization: `Bearer ${await door.token(who, changes)}`,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  /** Does all that is due now. */
  const work = async () => {
    for (let round = 0; round < 50; round++) {
      const due = await tools.store.subscriptions.due(tools.now(), 10);
      if (due.length === 0) return;
      for (const one of due) await attend(one, new AbortController().signal);
    }
    throw new Error('the work does not end');
  };
  return {
    ...door,
    receiver,
    log,
    subscription,
    send,
    work,
    subscribe: async (who: string, whose: string | undefined, wish: Wish = {}) => {
      const answer = await send(who, 'POST', 'Subscription', subscription(whose, wish));
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.json));
      await work();
      receiver.taken();
      return answer.json.id ?? '';
    },
    /** Deposits one document, and answers the id of its DocumentReference. */
    deposit: async (who: string, whose: string, change: (bundle: ReturnType<typeof bundleOf>) => void = () => {}) => {
      const bundle = bundleOf(door, who, whose);
      change(bundle);
      const { status, json } = await post<Bundle>(door, who, bundle);
      if (status !== 200) throw new Error(JSON.stringify(json));
      const location = json.entry
        ?.map(({ response }) => response?.location ?? '')
        .find((at) => at.includes('DocumentReference/'));
      return /DocumentReference\/([^/]+)/.exec(location ?? '')?.[1] ?? '';
    },
    close: async () => {
      await receiver.close();
      await door.close();
    },
  };
}
export type SubscriptionDoor = Awaited<ReturnType<typeof openSubscriptionDoor>>;

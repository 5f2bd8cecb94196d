import type { Bundle, BundleEntry, DocumentReference, FhirResource, Parameters, ParametersParameter } from 'fhir/r4.js';
import type { Shown, SubscriptionStatus } from '../../domain/subscription.ts';
import type { Subscription as StoredSubscription } from '../../store/port.ts';
import type { Told } from '../../usecases/notify.ts';
import type { DocumentWriter } from '../document-writer.ts';
import type { Json } from '../json.ts';
import { listNamed } from '../list-writer.ts';
import { mediaTypes } from '../media-type.ts';
import { subscriptions } from '../vocabulary.ts';
import { writeXml } from '../xml/write.ts';
import { idOf } from './document-reference.ts';

/** What a notification is about. Subscriptions R5 Backport, subscription-notification-type. */
export type NotificationKind = 'handshake' | 'heartbeat' | 'event-notification' | 'query-event' | 'query-status';

/** An event with its number. */
export type Numbered = Told & { readonly number: number };

/** What a notification says. */
export type Notification = {
  readonly kind: NotificationKind;
  readonly subscription: Pick<StoredSubscription, 'id' | 'form' | 'error'>;
  readonly status: SubscriptionStatus;
  /** Events told so far, those of this notification included. */
  readonly count: number;
  readonly told: readonly Numbered[];
  readonly shown: Shown;
};

export type Writing = {
  /** The public address of this face. */
  readonly base: string;
  readonly writeDocument: DocumentWriter;
  readonly now: number;
  readonly newId: () => string;
};

/**
 * A notification Bundle: its first entry is how the subscription stands, the others what the events are about, as far as the subscriber asked.
 * Subscriptions R5 Backport 1.1, backport-subscription-notification-r4; IHE DSUBm, ITI-112.
 */
export function notificationOf(notification: Notification, writing: Writing): Bundle {
  const { base, now, newId } = writing;
  const { subscription, told, shown } = notification;
  const status: BundleEntry = {
    fullUrl: `urn:uuid:${newId()}`,
    resource: statusOf(notification, base),
    request: { method: 'GET', url: `${base}/Subscription/${subscription.id}/$status` },
    response: { status: '200' },
  };
  return {
    resourceType: 'Bundle',
    id: newId(),
    meta: { profile: [subscriptions.notification] },
    type: 'history',
    timestamp: new Date(now).toISOString(),
    entry: [status, ...(shown === 'empty' ? [] : told.map((one) => entryOf(one, shown, writing)))],
  };
}

/** Writes notifications to be sent. */
export function notificationWriter({ now, ...writing }: Omit<Writing, 'now'> & { readonly now: () => number }) {
  type Said = Omit<Notification, 'shown'> & { readonly subscription: Pick<StoredSubscription, 'shown' | 'channel'> };
  return (notification: Said) => {
    const { shown, channel } = notification.subscription;
    const bundle = notificationOf({ ...notification, shown }, { ...writing, now: now() });
    const body = JSON.stringify(bundle);
    if (channel.xml !== true) return { contentType: mediaTypes.json, body };
    return { contentType: mediaTypes.xml, body: writeXml(JSON.parse(body) as Json) };
  };
}

/** How a subscription stands. Subscriptions R5 Backport 1.1, backport-subscription-status-r4. */
export function statusOf({ kind, subscription, status, count, told, shown }: Notification, base: string): Parameters {
  // What was asked for, as it was checked.
  const { criteria } = JSON.parse(subscription.form) as { readonly criteria: string };
  return {
    resourceType: 'Parameters',
    meta: { profile: [subscriptions.statusParameters] },
    parameter: [
      { name: 'subscription', valueReference: { reference: `${base}/Subscription/${subscription.id}` } },
      { name: 'topic', valueCanonical: criteria },
      { name: 'status', valueCode: status },
      { name: 'type', valueCode: kind },
      { name: 'events-since-subscription-start', valueString: String(count) },
      ...told.map((one) => eventOf(one, shown, base)),
      ...(subscription.error === undefined
        ? []
        : [{ name: 'error', valueCodeableConcept: { text: subscription.error } }]),
    ],
  };
}

function eventOf({ number, event }: Numbered, shown: Shown, base: string): ParametersParameter {
  return {
    name: 'notification-event',
    part: [
      { name: 'event-number', valueString: String(number) },
      { name: 'timestamp', valueInstant: new Date(event.at).toISOString() },
      ...(shown === 'empty' ? [] : [{ name: 'focus', valueReference: { reference: `${base}/${nameOf(event)}` } }]),
    ],
  };
}

function nameOf({ object, name }: Told['event']): string {
  return `${object === 'document' ? 'DocumentReference' : 'List'}/${idOf(name)}`;
}

function entryOf(told: Numbered, shown: Shown, writing: Writing): BundleEntry {
  const { event } = told;
  const name = nameOf(event);
  const [type = ''] = name.split('/');
  const resource = shown === 'full-resource' && event.kind !== 'removed' ? resourceOf(told, writing) : undefined;
  const did = {
    created: { request: { method: 'POST', url: type }, response: { status: '201' } },
    removed: { request: { method: 'DELETE', url: name }, response: { status: '204' } },
  } as const;
  const changed = { request: { method: 'PUT', url: name }, response: { status: '200' } } as const;
  const { request, response } = event.kind === 'created' || event.kind === 'removed' ? did[event.kind] : changed;
  return { fullUrl: `${writing.base}/${name}`, ...(resource && { resource }), request, response };
}

function resourceOf(told: Numbered, { base, writeDocument }: Writing): FhirResource | undefined {
  const { event, document, relations, found } = told;
  if (document === undefined) return listNamed(found, event.name, base);
  // What our own writer wrote.
  return JSON.parse(writeDocument(document, relations).resource.toString()) as DocumentReference;
}

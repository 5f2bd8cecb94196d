import type { Extension, Subscription } from 'fhir/r4.js';
import { type Problem, problem } from '../../domain/error.ts';
import type { Shown } from '../../domain/subscription.ts';
import type { Wanted } from '../../usecases/subscribe.ts';
import { topicOf, topics } from '../subscription-topics.ts';
import { fhirJson, fhirXml, subscriptions } from '../vocabulary.ts';
import { filterIn } from './subscription-filter.ts';

/** What this server sends to, and with which limits. */
export type Reach = {
  /** The public address of the face. */
  readonly base: string;
  readonly isAllowed: (address: string) => boolean;
  readonly now: number;
};

const path = 'Subscription';
type Say = (expression: string, detail: string, value?: string) => void;

/** Seconds. */
const heartbeats = { least: 30, most: 604_800 };
const timeouts = { least: 1, most: 60, usual: 20 };
const counts = { least: 1, most: 100 };

/**
 * What a Subscription asks for, or everything that cannot be honoured. FHIR R4 subscription.html; Subscriptions R5 Backport 1.1,
 * backport-subscription; IHE DSUBm, ITI-110.
 */
export function wantedIn(
  resource: Subscription,
  reach: Reach,
): { readonly wanted?: Wanted; readonly problems: Problem[] } {
  const problems: Problem[] = [];
  const say: Say = (expression, detail, value) =>
    problems.push(
      problem('subscriptionNotHonoured', {
        expression: `${path}.${expression}`,
        detail,
        ...(value !== undefined && { value }),
      }),
    );
  const topic = topicOf(resource.criteria);
  if (topic === undefined)
    say(
      'criteria',
      `the canonical address of a topic is expected: ${subscriptions.topicBases[0]} and one of ${topics.map(({ name }) => name).join(', ')}`,
      resource.criteria,
    );
  const texts = filterTexts(resource, say);
  const filtered = topic && filterIn(texts, topic, reach.base);
  problems.push(...(filtered?.problems ?? []));
  const status = statusIn(resource, say);
  const end = endIn(resource, reach, say);
  const channel = channelIn(resource, reach, say);
  const headers = headersIn(resource, say);
  const shown = shownIn(resource, say);
  profilesIn(resource, topic?.name ?? '', say);
  if (problems.length > 0 || topic === undefined || filtered === undefined) return { problems };
  const { patient, filter } = filtered;
  const wanted: Wanted = {
    ...(patient && { patient }),
    interest: topic.interest,
    filter,
    channel,
    headers,
    shown,
    form: formOf(resource),
    status,
    ...(end !== undefined && { end }),
  };
  return { wanted, problems };
}

/** Extensions of a primitive element, whose structure FHIR's JSON sets apart. */
function ofPrimitive(element: object | undefined, say: Say, at: string, known: readonly string[]): Extension[] {
  const found: unknown = element && 'extension' in element ? element.extension : undefined;
  if (found === undefined) return [];
  const all = (Array.isArray(found) ? found : [undefined]) as unknown[];
  return all.flatMap((one, i): Extension[] => {
    const isExtension = typeof one === 'object' && one !== null && 'url' in one && typeof one.url === 'string';
    // Its url was looked at; a value of another type than expected is found where it is used.
    const extension = isExtension ? (one as Extension) : undefined;
    if (extension !== undefined && known.includes(extension.url)) return [extension];
    say(`${at}.extension[${i}]`, `${known.join(', ')} is expected`, extension?.url);
    return [];
  });
}

function filterTexts(resource: Subscription, say: Say): string[] {
  return ofPrimitive(resource._criteria, say, 'criteria', [subscriptions.filter]).flatMap(({ valueString }, i) => {
    if (typeof valueString === 'string') return [valueString];
    say(`criteria.extension[${i}].value`, 'a string is expected');
    return [];
  });
}

function statusIn({ status }: Subscription, say: Say): Wanted['status'] {
  if (status === 'off') return 'off';
  if (status !== 'requested' && status !== 'active') say('status', 'requested or off is expected', status);
  return 'requested';
}

function endIn({ end }: Subscription, { now }: Reach, say: Say): number | undefined {
  if (end === undefined) return undefined;
  const at = Date.parse(end);
  if (!(at > now)) say('end', 'it is over', end);
  return at;
}

function channelIn(resource: Subscription, { isAllowed }: Reach, say: Say): Wanted['channel'] {
  const { type, endpoint, payload } = resource.channel;
  const { extension = [] } = resource.channel;
  const known: readonly string[] = [subscriptions.heartbeat, subscriptions.timeout, subscriptions.most];
  extension.forEach(({ url }, i) => {
    if (!known.includes(url)) say(`channel.extension[${i}]`, `${known.join(', ')} is expected`, url);
  });
  ofPrimitive(resource.channel._type, say, 'channel.type', []);
  if (type !== 'rest-hook' && type !== 'websocket') say('channel.type', 'rest-hook or websocket is expected', type);
  if (type === 'websocket' && endpoint !== undefined)
    say('channel.endpoint', 'a websocket is opened by the subscriber', endpoint);
  if (type === 'rest-hook' && endpoint === undefined)
    say('channel.endpoint', 'the address of the receiver is expected');
  if (type === 'rest-hook' && endpoint !== undefined && !isAllowed(endpoint))
    say(
      'channel.endpoint',
      'the operator of this server did not list the address (DMP_NOTIFY_TO)',
      shownAddress(endpoint),
    );
  const isXml = payload === fhirXml;
  if (payload !== fhirJson && !isXml) say('channel.payload', `${fhirJson} or ${fhirXml} is expected`, payload);
  const heartbeat = numberIn(extension, subscriptions.heartbeat, heartbeats, say);
  return {
    kind: type === 'websocket' ? 'websocket' : 'rest-hook',
    timeout: numberIn(extension, subscriptions.timeout, timeouts, say) ?? timeouts.usual,
    most: numberIn(extension, subscriptions.most, counts, say) ?? 1,
    ...(isXml && { xml: true }),
    ...(endpoint !== undefined && { endpoint }),
    ...(heartbeat !== undefined && { heartbeat }),
  };
}

/** Without credentials, which an error shall not repeat. */
function shownAddress(endpoint: string): string {
  return endpoint.replace(/\/\/[^/@]*@/, '//…@').replace(/\?.*$/s, '?…');
}

function numberIn(
  extension: readonly Extension[],
  url: string,
  { least, most }: { readonly least: number; readonly most: number },
  say: Say,
): number | undefined {
  const [first, ...more] = extension.filter((one) => one.url === url);
  if (first === undefined) return undefined;
  const value = first.valueUnsignedInt ?? first.valuePositiveInt;
  if (more.length > 0 || value === undefined || value < least || value > most) {
    const name = url.slice(url.lastIndexOf('/') + 1);
    say(
      'channel.extension',
      `${name} is one number from ${least} to ${most}`,
      value === undefined ? undefined : String(value),
    );
  }
  return value;
}

function shownIn({ channel }: Subscription, say: Say): Shown {
  const [first, ...more] = ofPrimitive(channel._payload, say, 'channel.payload', [subscriptions.content]);
  const code = first?.valueCode;
  if (more.length === 0 && (code === 'empty' || code === 'id-only' || code === 'full-resource')) return code;
  say('channel.payload.extension', 'one payload content is expected: empty, id-only or full-resource', code);
  return 'empty';
}

/** Names that are the connection's own, or the server's. */
const reserved =
  /^(host|content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|proxy-.*|cookie2?|date|via|forwarded|x-forwarded-.*|sec-.*)$/i;

/** Headers for the receiver: `Name: value`. Their values are never repeated. FHIR R4 Subscription.channel.header. */
function headersIn({ channel }: Subscription, say: Say): Wanted['headers'] {
  const { header } = channel;
  if (header === undefined) return 'kept';
  if (channel.type !== 'rest-hook') say('channel.header', 'a websocket takes none');
  const names = new Set<string>();
  header.forEach((text, i) => {
    const [, name] =
      text.length > 4200
        ? []
        : (/^([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}):[ \t]*([\t\x20-\x7e]{1,4000})$/.exec(text) ?? []);
    if (name === undefined) say(`channel.header[${i}]`, 'Name: value in printable ASCII is expected');
    else if (reserved.test(name)) say(`channel.header[${i}]`, `${name} is set by this server`);
    else if (names.has(name.toLowerCase())) say(`channel.header[${i}]`, `${name} is given twice`);
    names.add((name ?? '').toLowerCase());
  });
  if (header.length > 10 || header.join('').length > 8000)
    say('channel.header', '10 headers of 8000 characters are the most');
  return header;
}

/** Profiles that are claimed are those of the guides. */
function profilesIn({ meta }: Subscription, topic: string, say: Say): void {
  (meta?.profile ?? []).forEach((text, i) => {
    const [url = ''] = text.split('|');
    const isKnown = url === subscriptions.profile || (topic !== '' && url.startsWith(subscriptions.guideProfiles));
    if (!isKnown) say(`meta.profile[${i}]`, `${subscriptions.profile}, or a profile of DSUBm, is expected`, text);
  });
}

/** For reading back: all but what the server tells itself, and secrets. */
function formOf({ id: _id, status: _status, error: _error, text: _text, ...resource }: Subscription): string {
  const { header: _header, ...channel } = resource.channel;
  const { versionId: _version, lastUpdated: _updated, ...meta } = resource.meta ?? {};
  return JSON.stringify({ ...resource, meta, channel });
}

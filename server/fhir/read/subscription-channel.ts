import type { Extension, Subscription } from 'fhir/r4.js';
import type { Shown } from '../../domain/subscription.ts';
import type { Wanted } from '../../usecases/subscribe.ts';
import { fhirJson, fhirXml, subscriptions } from '../vocabulary.ts';

/** What this server sends to, and with which limits. */
export type Reach = {
  /** The public address of the face. */
  readonly base: string;
  readonly isAllowed: (address: string) => boolean;
  readonly now: number;
};

/** Tells what cannot be honoured: an element below Subscription, and why. */
export type Say = (expression: string, detail: string, value?: string) => void;

/** Seconds. */
const heartbeats = { least: 30, most: 604_800 };
const timeouts = { least: 1, most: 60, usual: 20 };
const counts = { least: 1, most: 100 };

/** Extensions of a primitive element, whose structure FHIR's JSON sets apart. */
export function ofPrimitive(element: object | undefined, say: Say, at: string, known: readonly string[]): Extension[] {
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

/** Where and how it is told. FHIR R4 Subscription.channel; Subscriptions R5 Backport 1.1, backport-subscription. */
export function channelIn(resource: Subscription, { isAllowed }: Reach, say: Say): Wanted['channel'] {
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

/** How much of what happened a notification holds. */
export function shownIn({ channel }: Subscription, say: Say): Shown {
  const [first, ...more] = ofPrimitive(channel._payload, say, 'channel.payload', [subscriptions.content]);
  const value: unknown = first?.valueCode;
  const code = typeof value === 'string' ? value : undefined;
  if (more.length === 0 && (code === 'empty' || code === 'id-only' || code === 'full-resource')) return code;
  say('channel.payload.extension', 'one payload content is expected: empty, id-only or full-resource', code);
  return 'empty';
}

/** Names that are the connection's own, or the server's. */
const reserved =
  /^(host|content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|proxy-.*|cookie2?|date|via|forwarded|x-forwarded-.*|sec-.*)$/i;

/** Headers for the receiver: `Name: value`. Their values are never repeated. FHIR R4 Subscription.channel.header. */
export function headersIn({ channel }: Subscription, say: Say): Wanted['headers'] {
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

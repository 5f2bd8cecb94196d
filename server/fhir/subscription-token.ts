import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';

/** Leave to hear by websocket what these subscriptions of one owner are told. */
export type Binding = {
  readonly owner: string;
  readonly subscriptions: readonly string[];
  /** When a connection can no longer be bound with it, in milliseconds. */
  readonly until: number;
};

/** The token of a binding: signed, so that nobody else can make or alter one. The server keeps nothing. */
export function bindingToken(key: KeyObject, { owner, subscriptions, until }: Binding): string {
  const payload = Buffer.from(JSON.stringify([owner, subscriptions, until])).toString('base64url');
  return `${payload}.${signature(key, payload).toString('base64url')}`;
}

/** The binding of a token; undefined for one that was altered or is over. */
export function readBindingToken(key: KeyObject, token: string, now: number): Binding | undefined {
  const [payload = '', mac = '', ...more] = token.split('.');
  const given = Buffer.from(mac, 'base64url');
  const right = signature(key, payload);
  if (more.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  // Signed by this server.
  const [owner, subscriptions, until] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [
    string,
    readonly string[],
    number,
  ];
  return until > now ? { owner, subscriptions, until } : undefined;
}

function signature(key: KeyObject, payload: string): Buffer {
  return createHmac('sha256', key).update('ws-binding\n').update(payload).digest();
}

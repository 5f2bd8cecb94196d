import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Actor, Caller } from '../domain/actor.ts';
import { type Problem, refuse } from '../domain/error.ts';
import { outcomeOf } from './outcome.ts';
import { type Given, queryString } from './search.ts';

export type Searchset = {
  /** How many match in all; absent where that is not counted. */
  readonly total?: number;
  readonly self: string;
  readonly next?: string;
  readonly entries: readonly { readonly fullUrl: string; readonly json: string }[];
  /** Reported as an entry of mode outcome. */
  readonly warnings: readonly Problem[];
};

/** A Bundle of type searchset, as text, since its entries are. FHIR R4 bundle.html#searchset. */
export function searchset({ total, self, next, entries, warnings }: Searchset, requestId: string): string {
  const links = [{ relation: 'self', url: self }, ...(next === undefined ? [] : [{ relation: 'next', url: next }])];
  const rows = entries.map(
    ({ fullUrl, json }) => `{"fullUrl":${JSON.stringify(fullUrl)},"resource":${json},"search":{"mode":"match"}}`,
  );
  if (warnings.length > 0)
    rows.push(`{"resource":${JSON.stringify(outcomeOf(warnings, requestId, 'warning'))},"search":{"mode":"outcome"}}`);
  const counted = total === undefined ? '' : `"total":${total},`;
  const list = rows.length === 0 ? '' : `,"entry":[${rows.join(',')}]`;
  return `{"resourceType":"Bundle","type":"searchset",${counted}"link":${JSON.stringify(links)}${list}}`;
}

/** A page of a search: its parameters, and the position after which it begins. */
type Place = { readonly search: string; readonly before: number };

/**
 * The token of a page: what is asked and where it begins, signed together with who asks, so that it serves nobody else and cannot be altered.
 * The server keeps nothing.
 */
export function pageToken(key: KeyObject, caller: Caller, type: string, { search, before }: Place): string {
  const payload = Buffer.from(JSON.stringify([search, before])).toString('base64url');
  return `${payload}.${signature(key, caller, type, payload).toString('base64url')}`;
}

/**
 * @param others the parameters that came with the token: none, or those of the search
 * @throws Refused pageLinkBroken for a token that was altered, made for somebody else, or joined with another search
 */
export function readPageToken(key: KeyObject, caller: Caller, type: string, token: string, others: Given): Place {
  const [payload = '', mac = '', ...more] = token.split('.');
  const given = Buffer.from(mac, 'base64url');
  const right = signature(key, caller, type, payload);
  if (more.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) refuse('pageLinkBroken');
  const [search, before] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [string, number];
  const asked = queryString(others.filter(([name]) => name !== '_format'));
  if (asked !== '' && asked !== search) refuse('pageLinkBroken');
  return { search, before };
}

function signature(key: KeyObject, caller: Caller, type: string, payload: string): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify([type, nameOf(caller.actor), caller.mode, payload]))
    .digest();
}

function nameOf(actor: Actor): readonly string[] {
  if (actor.kind === 'structure') return [actor.kind, actor.structure.id, actor.employee?.id ?? ''];
  return actor.kind === 'patient' ? [actor.kind, actor.ins.oid, actor.ins.value] : [actor.kind, actor.id];
}

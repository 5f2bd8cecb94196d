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
  /** As `entryOf` writes them. */
  readonly entries: readonly Uint8Array[];
  /** Reported as an entry of mode outcome. */
  readonly warnings: readonly Problem[];
};

/** One match of a searchset in UTF-8, and where in it the resource lies. */
export function entryOf(fullUrl: string, resource: string): { bytes: Buffer; from: number; to: number } {
  const head = `{"fullUrl":${JSON.stringify(fullUrl)},"resource":`;
  const tail = ',"search":{"mode":"match"}}';
  const bytes = Buffer.from(head + resource + tail);
  return { bytes, from: Buffer.byteLength(head), to: bytes.length - tail.length };
}

/** A Bundle of type searchset in UTF-8, put together from entries that are written already. FHIR R4 bundle.html#searchset. */
export function searchset({ total, self, next, entries, warnings }: Searchset, requestId: string): Buffer {
  const links = [{ relation: 'self', url: self }, ...(next === undefined ? [] : [{ relation: 'next', url: next }])];
  const counted = total === undefined ? '' : `"total":${total},`;
  const head = `{"resourceType":"Bundle","type":"searchset",${counted}"link":${JSON.stringify(links)}`;
  const rows = warnings.length === 0 ? entries : [...entries, warningEntry(warnings, requestId)];
  if (rows.length === 0) return Buffer.from(`${head}}`);
  const pieces: Uint8Array[] = [Buffer.from(`${head},"entry":[`)];
  for (const [i, row] of rows.entries()) {
    if (i > 0) pieces.push(comma);
    pieces.push(row);
  }
  return Buffer.concat([...pieces, end]);
}

/** A version of a resource, as its history tells it. */
export type HistoryVersion = {
  readonly fullUrl: string;
  /** JSON. */
  readonly resource: string;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly request: { readonly method: 'POST' | 'PUT'; readonly url: string };
};

/** A Bundle of type history, newest first. FHIR R4 http.html#history. */
export function historyBundle(self: string, versions: readonly HistoryVersion[]): string {
  const entries = versions.map(({ fullUrl, resource, version, at, request }) => {
    const response = {
      status: request.method === 'POST' ? '201' : '200',
      etag: `W/"${version}"`,
      lastModified: new Date(at).toISOString(),
    };
    const [url, asked, answered] = [fullUrl, request, response].map((part) => JSON.stringify(part));
    return `{"fullUrl":${url},"resource":${resource},"request":${asked},"response":${answered}}`;
  });
  const link = JSON.stringify([{ relation: 'self', url: self }]);
  const head = `{"resourceType":"Bundle","type":"history","total":${versions.length},"link":${link}`;
  return entries.length === 0 ? `${head}}` : `${head},"entry":[${entries.join(',')}]}`;
}

const comma = Buffer.from(',');
const end = Buffer.from(']}');

function warningEntry(warnings: readonly Problem[], requestId: string): Buffer {
  const outcome = JSON.stringify(outcomeOf(warnings, requestId, 'warning'));
  return Buffer.from(`{"resource":${outcome},"search":{"mode":"outcome"}}`);
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

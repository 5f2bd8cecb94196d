import type { KeyObject } from 'node:crypto';
import { openJson, sealJsonAlike } from '../crypto/sealed-json.ts';
import { type Caller, nameOfActor } from '../domain/actor.ts';
import { type Problem, refuse } from '../domain/error.ts';
import type { PageKey } from '../usecases/paging.ts';
import { outcomeOf } from './outcome.ts';
import { type Given, isOfForm, queryString } from './search.ts';

export type Searchset = {
  /** How many match in all; absent where that is not counted. */
  readonly total?: number;
  readonly self: string;
  readonly first?: string;
  readonly next?: string;
  /** As `entryOf` writes them. */
  readonly entries: readonly Uint8Array[];
  /** Reported as an entry of mode outcome. */
  readonly warnings: readonly Problem[];
};

/** One entry of a searchset in UTF-8, and where in it the resource lies. */
export function entryOf(
  fullUrl: string,
  resource: string,
  mode: 'match' | 'include' = 'match',
): { bytes: Buffer; from: number; to: number } {
  const head = `{"fullUrl":${JSON.stringify(fullUrl)},"resource":`;
  const tail = `,"search":{"mode":"${mode}"}}`;
  const bytes = Buffer.from(head + resource + tail);
  return { bytes, from: Buffer.byteLength(head), to: bytes.length - tail.length };
}

/** A Bundle of type searchset in UTF-8, put together from entries that are written already. FHIR R4 bundle.html#searchset. */
export function searchset({ total, self, first, next, entries, warnings }: Searchset, requestId: string): Buffer {
  const links = Object.entries({ self, first, next }).flatMap(([relation, url]) =>
    url === undefined ? [] : [{ relation, url }],
  );
  const counted = total === undefined ? '' : `"total":${total},`;
  const head = `{"resourceType":"Bundle","type":"searchset",${counted}"link":${JSON.stringify(links)}`;
  const rows = warnings.length === 0 ? entries : [...entries, warningEntry(warnings, requestId, self)];
  if (rows.length === 0) return Buffer.from(`${head}}`);
  const pieces: Uint8Array[] = [Buffer.from(`${head},"entry":[`)];
  for (const [i, row] of rows.entries()) {
    if (i > 0) pieces.push(comma);
    pieces.push(row);
  }
  return Buffer.concat([...pieces, end]);
}

const comma = Buffer.from(',');
const end = Buffer.from(']}');

/** Every entry has a fullUrl. IHE MHD 2:3.67.4.2.2; FHIR R4 bundle.html. */
function warningEntry(warnings: readonly Problem[], requestId: string, self: string): Buffer {
  const outcome = JSON.stringify(outcomeOf(warnings, requestId, 'warning'));
  const fullUrl = JSON.stringify(new URL(`OperationOutcome/${requestId}`, self));
  return Buffer.from(`{"fullUrl":${fullUrl},"resource":${outcome},"search":{"mode":"outcome"}}`);
}

/** A page of a search: its parameters, and the key after which it begins. */
type Place = { readonly search: string; readonly after: PageKey };

/**
 * The token of a page: what is asked and where it begins, sealed together with who asks, so that it serves nobody else, cannot be altered, and
 * tells nobody how many objects there are that he does not see. The same page has the same token. The server keeps nothing.
 */
export function pageToken(key: KeyObject, caller: Caller, type: string, { search, after }: Place): string {
  return sealJsonAlike(key, purposeOf(caller, type), [search, after]);
}

/**
 * @param others the parameters that came with the token: none, or those of the search
 * @throws Refused pageLinkBroken for a token that was altered, made for somebody else, or joined with another search
 */
export function readPageToken(key: KeyObject, caller: Caller, type: string, token: string, others: Given): Place {
  // Sealed by this server.
  const place = openJson(key, purposeOf(caller, type), token) as readonly [string, PageKey] | undefined;
  if (place === undefined) refuse('pageLinkBroken');
  const [search, after] = place;
  const asked = queryString(others.filter(([name]) => !isOfForm(name)));
  if (asked !== '' && asked !== search) refuse('pageLinkBroken');
  return { search, after };
}

function purposeOf({ actor, mode }: Caller, type: string): string {
  return JSON.stringify(['page', type, nameOfActor(actor), mode]);
}

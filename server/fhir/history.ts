import { pageToken, readPageToken } from './bundle.ts';
import type { Answer, Exchange } from './exchange.ts';
import { malformed, none } from './malformed.ts';
import { isOfForm, type Paging, type ParameterTable, queryString, readSearch } from './search.ts';
import { both, instantsOf, readDate, type Span } from './search-values.ts';

/** A version of a resource, as its history tells it. */
export type Version = {
  /** JSON; absent where the version says that it is deleted. */
  readonly resource?: Uint8Array | string;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly at: number;
};

/**
 * A Bundle of type history of the resource in the path, newest first: versions since `_since`, and those that were current within `_at`, in
 * pages of `_count`. FHIR R4 http.html#history.
 * @throws Refused parameterMalformed, parameterUnknown, pageLinkBroken
 */
export function historyOf(exchange: Exchange, type: string, versions: readonly Version[]): Answer {
  const { base, id, linkKey, request } = exchange;
  const name = `${type}/${id}`;
  const place = `${name}/_history`;
  const { asked, text, after } = askedIn(exchange, place);
  const told = versions.filter((_, index) => isTold(versions, index, asked));
  const rest = told.filter(({ version }) => after === undefined || version < after);
  const page = rest.slice(0, asked.count);
  const last = page.at(-1);
  const entries = page.map(({ resource, version, at }) => {
    const method = resource === undefined ? 'DELETE' : version === 1 ? 'POST' : 'PUT';
    const response = {
      status: { DELETE: '204', POST: '201', PUT: '200' }[method],
      etag: `W/"${version}"`,
      lastModified: new Date(at).toISOString(),
    };
    const request = { method, url: method === 'POST' ? type : name };
    const shown = resource === undefined ? '' : `"resource":${Buffer.from(resource).toString()},`;
    const [url, asked, answered] = [`${base}/${name}`, request, response].map((part) => JSON.stringify(part));
    return `{"fullUrl":${url},${shown}"request":${asked},"response":${answered}}`;
  });
  const query = text === '' ? '' : `?${text}`;
  const links = [{ relation: 'self', url: `${base}/${place}${query}` }];
  if (last !== undefined && rest.length > page.length) {
    const token = pageToken(linkKey, request.caller, place, { search: text, after: [last.version] });
    links.push({ relation: 'next', url: `${base}/${place}?_page=${token}` });
  }
  const link = JSON.stringify(links);
  const head = `{"resourceType":"Bundle","type":"history","total":${told.length},"link":${link}`;
  return { body: entries.length === 0 ? `${head}}` : `${head},"entry":[${entries.join(',')}]}` };
}

type Asked = Paging & { since?: number; at?: Span };

/** FHIR R4 http.html#history. */
const parametersServed: ParameterTable<Asked> = {
  _since: {
    type: 'date',
    read(value, asked, name) {
      const date = readDate(value);
      if (date?.prefix !== 'eq') return malformed(name, value, 'an instant is expected');
      asked.since = date.from;
      return none;
    },
  },
  _at: {
    type: 'date',
    read(value, asked, name) {
      const date = readDate(value);
      const span = date && instantsOf(date);
      if (span === undefined) return malformed(name, value, 'one date with eq, ge, gt, le, lt, sa or eb is expected');
      asked.at = both(asked.at, span);
      return none;
    },
  },
};

function askedIn({ parameters, linkKey, request, strict }: Exchange, place: string) {
  const token = parameters.find(([name]) => name === '_page')?.[1];
  const others = parameters.filter(([name]) => name !== '_page');
  const page = token === undefined ? undefined : readPageToken(linkKey, request.caller, place, token, others);
  const asked: Asked = {};
  const given = page === undefined ? others : [...new URLSearchParams(page.search)];
  const { used } = readSearch(given, parametersServed, asked, strict);
  const text = queryString(used.filter(([name]) => !isOfForm(name)));
  const [after] = page?.after ?? [];
  return { asked, text, ...(after !== undefined && { after: Number(after) }) };
}

/** A version is current until the next one, which is told before it. */
function isTold(versions: readonly Version[], index: number, { since, at }: Asked): boolean {
  const { at: from = 0 } = versions[index] ?? {};
  const until = versions[index - 1]?.at ?? Number.POSITIVE_INFINITY;
  if (since !== undefined && from < since) return false;
  return at === undefined || (from < (at.to ?? Number.POSITIVE_INFINITY) && until > (at.from ?? 0));
}

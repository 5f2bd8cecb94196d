import { problem, Refused } from '../domain/error.ts';
import type { Answer, Exchange } from './exchange.ts';
import { pagingParameters } from './search.ts';
import { readDate } from './search-values.ts';

/** A version of a resource, as its history tells it. */
export type Version = {
  /** JSON; absent where the version says that it is deleted. */
  readonly resource?: Uint8Array | string;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly at: number;
};

/**
 * A Bundle of type history of the resource in the path, newest first: versions since `_since`, `_count` at most. FHIR R4 http.html#history.
 * @throws Refused parameterMalformed
 */
export function historyOf({ base, id, parameters }: Exchange, type: string, versions: readonly Version[]): Answer {
  const { since, count } = limitsIn(parameters);
  const name = `${type}/${id}`;
  const told = versions.filter(({ at }) => since === undefined || at >= since);
  const entries = told.slice(0, count).map(({ resource, version, at }) => {
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
  const link = JSON.stringify([{ relation: 'self', url: `${base}/${name}/_history` }]);
  const head = `{"resourceType":"Bundle","type":"history","total":${told.length},"link":${link}`;
  return { body: entries.length === 0 ? `${head}}` : `${head},"entry":[${entries.join(',')}]}` };
}

function limitsIn(parameters: Exchange['parameters']): { readonly since?: number; readonly count?: number } {
  const limits: { since?: number; count?: number } = {};
  for (const [name, value] of parameters) {
    if (name === '_since') {
      const date = readDate(value);
      if (date?.prefix !== 'eq')
        throw new Refused([
          problem('parameterMalformed', { attribute: name, value, detail: 'an instant is expected' }),
        ]);
      limits.since = date.from;
    }
    const problems = name === '_count' ? pagingParameters['_count']?.read(value, limits, name) : undefined;
    if (problems !== undefined && problems.length > 0) throw new Refused(problems);
  }
  return limits;
}

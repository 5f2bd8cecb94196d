import type { CodeMatch, DocumentFilter, Exclusion, TimeRange } from '../port.ts';
import { codeToken, either, escaped, every, holds, type SqlCondition } from '../visibility.ts';
import { statuses } from './names.ts';

/** The filter on the columns of the search row `s`. */
export function filterCondition(filter: DocumentFilter): SqlCondition {
  return every([
    ...(filter.allVersions === true ? [] : [is('latest', 1)]),
    ...anyOf(filter.statuses, (status) => is('status', statuses.indexOf(status))),
    ...anyOf(filter.availabilities, (availability) => is('offline', availability === 'offline' ? 1 : 0)),
    ...attributes(filter),
    ...within('created', filter.creationTime, filter.creationTime?.orAbsent === true),
    ...within('started', filter.serviceStartTime, filter.serviceStartTime?.present !== true),
    ...within('stopped', filter.serviceStopTime, filter.serviceStopTime?.present !== true),
    ...between('changed', filter.changedAt),
    ...attributes(filter.exclude ?? {}).map(not),
  ]);
}

/** One condition for each field that is given. */
function attributes(filter: Exclusion): SqlCondition[] {
  return [
    ...anyOf(filter.objectTypes, (type) => is('on_demand', type === 'onDemand' ? 1 : 0)),
    ...anyOf(filter.classCodes, coded('class')),
    ...anyOf(filter.typeCodes, coded('type')),
    ...anyOf(filter.formatCodes, coded('format')),
    ...anyOf(filter.practiceSettingCodes, coded('setting')),
    ...anyOf(filter.healthcareFacilityTypeCodes, coded('facility')),
    ...allOf(filter.eventCodes, coded('event')),
    ...allOf(filter.confidentialityCodes, coded('confidentiality')),
    ...allOf(filter.referenceIds, referring),
    ...anyOf(filter.authorPersons, authoredBy),
  ];
}

function anyOf<T>(wanted: readonly T[] | undefined, condition: (value: T) => SqlCondition): SqlCondition[] {
  return wanted === undefined ? [] : [either(wanted.map(condition))];
}

function allOf<T>(
  wanted: readonly (readonly T[])[] | undefined,
  condition: (value: T) => SqlCondition,
): SqlCondition[] {
  return wanted === undefined ? [] : [every(wanted.flatMap((some) => anyOf(some, condition)))];
}

function not({ sql, params }: SqlCondition): SqlCondition {
  return { sql: `NOT ${sql}`, params };
}

function is(column: string, value: number): SqlCondition {
  return { sql: `s.${column} = ?`, params: [value] };
}

function coded(column: string): (wanted: CodeMatch) => SqlCondition {
  return ({ code, system }) =>
    holds(column, system === undefined ? `|${escaped(code)}^` : `|${codeToken({ code, system })}|`);
}

/** With wildcards, the tokens of the column are taken apart, so that no `%` reaches from one to the next. */
function referring(pattern: string): SqlCondition {
  if (!/[%_]/.test(pattern)) return holds('reference', `|${escaped(pattern)}|`);
  const sql = `EXISTS (
    WITH RECURSIVE token (one, rest) AS (
      SELECT NULL, substr(s.reference, 2)
      UNION ALL SELECT substr(rest, 1, instr(rest, '|') - 1), substr(rest, instr(rest, '|') + 1) FROM token WHERE rest <> ''
    )
    SELECT 1 FROM token WHERE replace(replace(replace(one, '%7C', '|'), '%5E', '^'), '%25', '%') LIKE ?)`;
  return { sql, params: [pattern] };
}

/** Each author is a text of its own, so that no `%` reaches from one to the next. The connection makes LIKE case-sensitive. */
function authoredBy(pattern: string): SqlCondition {
  return { sql: 'EXISTS (SELECT 1 FROM json_each(s.authors) WHERE value LIKE ?)', params: [pattern] };
}

function between(column: string, { from, to }: NonNullable<DocumentFilter['changedAt']> = {}): SqlCondition[] {
  return [
    ...(from === undefined ? [] : [{ sql: `s.${column} >= ?`, params: [from] }]),
    ...(to === undefined ? [] : [{ sql: `s.${column} < ?`, params: [to] }]),
  ];
}

function within(column: string, range: TimeRange | undefined, absentMatches: boolean): SqlCondition[] {
  if (range === undefined) return [];
  const bounds: SqlCondition[] = [];
  if (range.from !== undefined) bounds.push({ sql: `s.${column} >= ?`, params: [Number(range.from)] });
  if (range.to !== undefined) bounds.push({ sql: `s.${column} < ?`, params: [Number(range.to)] });
  if (absentMatches) return [either([{ sql: `s.${column} IS NULL`, params: [] }, every(bounds)])];
  return [every([{ sql: `s.${column} IS NOT NULL`, params: [] }, ...bounds])];
}

import { type Identifier, isOid } from '../domain/identifier.ts';
import { dateTimeOf, dtmOf, isDtm } from '../domain/time.ts';
import type { CodeMatch, TimeRange } from '../store/port.ts';
import { systemOf } from './vocabulary.ts';

/** The alternatives of one parameter: separated by commas, unless escaped. FHIR R4 search.html#escaping. */
export function alternatives(text: string): string[] {
  return text.split(/(?<=(?<!\\)(?:\\\\)*),/);
}

/** A token: `code`, `system|code`, `|code` (system is then empty) or `system|` (code is then empty). FHIR R4 search.html#token. */
export type Token = { readonly system?: string; readonly code: string };

/** Splits at the first `|` that is not escaped. FHIR R4 search.html#escaping. */
export function readToken(text: string): Token {
  const at = text.search(/(?<=(?<!\\)(?:\\\\)*)\|/);
  if (at < 0) return { code: unescaped(text) };
  return { system: unescaped(text.slice(0, at)), code: unescaped(text.slice(at + 1)) };
}

/** The tokens that may mean a code whose system FHIR fixes: they name that system, or none. FHIR R4 search.html#token. */
export function tokensUnder(systems: readonly string[], value: string): Token[] {
  return alternatives(value)
    .map(readToken)
    .filter(({ system = '' }) => system === '' || systems.includes(system));
}

/** The text that is meant. FHIR R4 search.html#escaping. */
export function unescaped(text: string): string {
  return text.replace(/\\([,|$\\])/g, '$1');
}

/** A code to look for, its system as the domain stores it; undefined without a code. */
export function readCode(text: string): CodeMatch | undefined {
  const { system, code } = readToken(text);
  if (code === '') return undefined;
  return system === undefined ? { code } : { code, system: systemOf(system) };
}

/** `urn:oid:<oid>|<value>`, or the bare OID; undefined for anything else, since no identity of a patient has another system. */
export function readIdentifier(text: string): Identifier | undefined {
  const { system = '', code: value } = readToken(text);
  const oid = system.startsWith('urn:oid:') ? system.slice(8) : system;
  return isOid(oid) && value !== '' ? { oid, value } : undefined;
}

/** A date with its prefix: the half-open range of milliseconds that its precision covers. */
export type DateValue = { readonly prefix: string; readonly from: number; readonly to: number };

const date =
  /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?((?!0000)\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+ -](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?)?)?)?$/;

/**
 * A date of any precision; without a zone it is UTC, as all dates of the registry are. A blank before the zone is a plus sign that the
 * query string did not escape. FHIR R4 search.html#date.
 */
export function readDate(text: string): DateValue | undefined {
  const [, prefix = 'eq', year, month, day, hour, minute, second, fraction, zone] = date.exec(text) ?? [];
  if (year === undefined) return undefined;
  if (!isDtm([year, month, day, hour, minute, second].join(''))) return undefined;
  const [y, mo, d, h, mi, s] = [year, month ?? 1, day ?? 1, hour ?? 0, minute ?? 0, second ?? 0].map(Number) as Six;
  const ms = fraction === undefined ? 0 : Math.trunc(Number(`0.${fraction}`) * 1000);
  const shift = offset(zone);
  const from = Date.UTC(y, mo - 1, d, h, mi, s, ms) - shift;
  const to =
    month === undefined
      ? Date.UTC(y + 1, 0)
      : day === undefined
        ? Date.UTC(y, mo)
        : from + (hour === undefined ? 86_400_000 : second === undefined ? 60_000 : fraction === undefined ? 1000 : 1);
  return { prefix, from, to };
}
type Six = [number, number, number, number, number, number];

function offset(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

/** A half-open range of milliseconds; an absent end is open. */
export type Span = { readonly from?: number; readonly to?: number };

/** The instants that a date asks for; undefined for a prefix that no half-open range can say (ne, ap). FHIR R4 search.html#prefix. */
export function instantsOf({ prefix, from, to }: DateValue): Span | undefined {
  switch (prefix) {
    case 'eq':
      return { from, to };
    case 'ge':
      return { from };
    case 'gt':
    case 'sa':
      return { from: to };
    case 'le':
      return { to };
    case 'lt':
    case 'eb':
      return { to: from };
    default:
      return undefined;
  }
}

/** When something is or lasts, in milliseconds, half-open. */
export type Lasting = { readonly from: number; readonly to: number };

/**
 * Whether what a resource says passes the date. What lasts is at or after the date when some of it is, and likewise at or before it, as ranges of
 * times are asked of a registry. `ap` is wider by a tenth of the time between the date and `now`. FHIR R4 search.html#prefix.
 */
export function passesDate({ from, to }: Lasting, date: DateValue, now: number): boolean {
  const isWithin = from >= date.from && to <= date.to;
  switch (date.prefix) {
    case 'ne':
      return !isWithin;
    case 'gt':
      return to > date.to;
    case 'ge':
      return to > date.from;
    case 'lt':
      return from < date.from;
    case 'le':
      return from < date.to;
    case 'sa':
      return from >= date.to;
    case 'eb':
      return to <= date.from;
    case 'ap': {
      const tenth = Math.abs(now - date.from) / 10;
      return from < date.to + tenth && to > date.from - tenth;
    }
    default:
      return isWithin;
  }
}

/** All that a DTM can mean. */
export function lastingOf(dtm: string): Lasting {
  const date = readDate(dateTimeOf(dtm));
  const from = date?.from ?? 0;
  const width = dtm.length === 10 ? 3_600_000 : dtm.length === 12 ? 60_000 : undefined;
  return { from, to: width === undefined ? (date?.to ?? 0) : from + width };
}

/** Whether a token asks for this value; systems of either are read as URL, `urn:oid:` or OID. FHIR R4 search.html#token. */
export function isToken(value: { readonly system?: string; readonly code: string }, { system, code }: Token): boolean {
  if (code !== '' && value.code !== code) return false;
  if (system === undefined) return true;
  return systemOf(value.system ?? '') === systemOf(system);
}

/** Without case and accents. FHIR R4 search.html#string. */
export function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** What is in both. */
export function both(a: Span | undefined, b: Span): Span {
  const from = a?.from === undefined ? b.from : Math.max(a.from, b.from ?? a.from);
  const to = a?.to === undefined ? b.to : Math.min(a.to, b.to ?? a.to);
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

/** The same as a range of DTMs: seconds, rounded up, so that nothing before the start or at the end is in it. */
export function timeRange({ from, to }: Span): TimeRange {
  const up = (ms: number) => dtmOf(Math.ceil(ms / 1000) * 1000);
  return { ...(from !== undefined && { from: up(from) }), ...(to !== undefined && { to: up(to) }) };
}

import type { Visibility } from '../domain/decision.ts';
import { type DocumentEntry, type VisibilityCode, visibilityCodes, visibilityOf } from '../domain/document.ts';
import { professionalsAmong, structuresAmong } from '../domain/people.ts';
import type { Owners } from './port.ts';

/** All that decides whether a document exists for a viewer. */
export type DocumentFacts = {
  readonly codes: readonly VisibilityCode[];
  readonly typeCode: string;
  readonly owners: Owners;
};

/** The facts of an entry; its authors count beside whoever deposited it, by identifiers (XCN.1 and 9, XON.10) and never by names. */
export function factsOfDocument(entry: DocumentEntry, depositor: Owners): DocumentFacts {
  const professionals = new Set([...depositor.professionals, ...professionalsAmong(entry.authors)]);
  const structures = new Set([...depositor.structures, ...structuresAmong(entry.authors)]);
  return {
    codes: visibilityOf(entry.confidentialityCodes),
    typeCode: entry.typeCode.code,
    owners: { professionals: [...professionals], structures: [...structures], patient: depositor.patient },
  };
}

/** Whether the document exists for the viewer. Says the same as `visibilityFilter`. */
export function isVisible({ codes, typeCode, owners }: DocumentFacts, visibility: Visibility): boolean {
  const { viewer, hidden, refusedTypes, only } = visibility;
  if (only === 'ownStructure' && !includes(owners.structures, viewer.structure)) return false;
  const own = isOwn(owners, viewer);
  if (hidden.some(({ code, exceptOwn }) => codes.includes(code) && !(exceptOwn && own))) return false;
  return own || (refusedTypes !== 'all' && !refusedTypes.includes(typeCode));
}

/** Whether the viewer wrote or filed it: the professional where one is named, else the structure; the patient for the holder's own. */
export function isOwn(owners: Owners, viewer: Visibility['viewer']): boolean {
  if (viewer.patient === true && owners.patient) return true;
  return viewer.professional === undefined
    ? includes(owners.structures, viewer.structure)
    : owners.professionals.includes(viewer.professional);
}

/** Whether nothing exists for the viewer but own documents, and what holds them. */
export function seesOwnAlone({ only, refusedTypes }: Visibility): boolean {
  return only === 'ownStructure' || refusedTypes === 'all';
}

/** Whether nothing of a record is hidden from the viewer. */
export function seesEverything({ hidden, refusedTypes, only }: Visibility): boolean {
  return only === 'all' && hidden.length === 0 && refusedTypes !== 'all' && refusedTypes.length === 0;
}

/** A condition on the columns `owners`, `flags` and `type` of the search row `s`, with its parameters in order. */
export type SqlCondition = { readonly sql: string; readonly params: readonly (string | number)[] };

/** The rows that exist for the viewer. Says the same as `isVisible`. */
export function visibilityFilter({ viewer, hidden, refusedTypes, only }: Visibility): SqlCondition {
  const conditions: SqlCondition[] = [];
  if (only === 'ownStructure')
    conditions.push(viewer.structure === undefined ? never : holds('owners', structureToken(viewer.structure)));
  const own = ownFilter(viewer);
  const always = flagsOf(hidden.filter((row) => !row.exceptOwn).map((row) => row.code));
  const exceptOwn = flagsOf(hidden.filter((row) => row.exceptOwn).map((row) => row.code));
  if (always !== 0) conditions.push({ sql: '(s.flags & ?) = 0', params: [always] });
  // What most rows pass comes first, and costs less.
  if (exceptOwn !== 0) conditions.push(either([{ sql: '(s.flags & ?) = 0', params: [exceptOwn] }, own]));
  if (refusedTypes === 'all') conditions.push(own);
  else if (refusedTypes.length > 0) {
    const refused = either(refusedTypes.map((code) => holds('type', `|${escaped(code)}^`)));
    conditions.push(either([own, { sql: `NOT ${refused.sql}`, params: refused.params }]));
  }
  return every(conditions);
}

/** The rows that are the viewer's own. Says the same as `isOwn`. */
export function ownFilter(viewer: Visibility['viewer']): SqlCondition {
  const conditions: SqlCondition[] = [];
  if (viewer.patient === true) conditions.push(holds('owners', holderToken));
  if (viewer.professional !== undefined) conditions.push(holds('owners', professionalToken(viewer.professional)));
  else if (viewer.structure !== undefined) conditions.push(holds('owners', structureToken(viewer.structure)));
  return conditions.length === 0 ? never : either(conditions);
}

const never: SqlCondition = { sql: '0', params: [] };

/** The column, a text of tokens between bars, contains this piece of text. Case-sensitive, no wildcards. */
export function holds(column: string, piece: string): SqlCondition {
  return { sql: `instr(s.${column}, ?) > 0`, params: [piece] };
}

/** OR; false when empty. */
export function either(conditions: readonly SqlCondition[]): SqlCondition {
  return joined(conditions, ' OR ', '0');
}

/** AND; true when empty. */
export function every(conditions: readonly SqlCondition[]): SqlCondition {
  return joined(conditions, ' AND ', '1');
}

function joined(conditions: readonly SqlCondition[], by: string, empty: string): SqlCondition {
  if (conditions.length === 0) return { sql: empty, params: [] };
  return { sql: `(${conditions.map((c) => c.sql).join(by)})`, params: conditions.flatMap((c) => c.params) };
}

const holderToken = '|H|';
const professionalToken = (id: string) => `|P:${escaped(id)}|`;
const structureToken = (id: string) => `|S:${escaped(id)}|`;

/** The column `owners`: `|P:899900000001|S:1100000001|H|`. */
export function ownersText({ professionals, structures, patient }: Owners): string {
  return tokens([
    ...professionals.map((id) => `P:${escaped(id)}`),
    ...structures.map((id) => `S:${escaped(id)}`),
    ...(patient ? ['H'] : []),
  ]);
}

/** The owners that such a column names. */
export function ownersIn(text: string): Owners {
  const all = text.split('|').filter((token) => token !== '');
  const of = (prefix: string) =>
    all.filter((token) => token.startsWith(prefix)).map((token) => decodeURIComponent(token.slice(prefix.length)));
  return { professionals: of('P:'), structures: of('S:'), patient: all.includes('H') };
}

/** The owners of two columns together. */
export function joinedOwners(...texts: readonly string[]): string {
  return tokens([...new Set(texts.flatMap((text) => text.split('|').filter((token) => token !== '')))]);
}

/** The column `flags`: one bit for each visibility code. */
export function flagsOf(codes: readonly VisibilityCode[]): number {
  return codes.reduce((flags, code) => flags | (1 << visibilityCodes.indexOf(code)), 0);
}

/** The codes that such a column names. */
export function codesIn(flags: number): VisibilityCode[] {
  return visibilityCodes.filter((_, bit) => (flags & (1 << bit)) !== 0);
}

/** Several values in one text, each between bars; empty without values. */
export function tokens(values: readonly string[]): string {
  return values.length === 0 ? '' : `|${values.join('|')}|`;
}

/** A code in a text of tokens: `code^system`. */
export function codeToken({ code, system }: { readonly code: string; readonly system: string }): string {
  return `${escaped(code)}^${escaped(system)}`;
}

/** A value without the bar and the caret that separate tokens. */
export function escaped(value: string): string {
  return value.replace(/[%|^]/g, encodeURIComponent);
}

function includes(ids: readonly string[], id: string | undefined): boolean {
  return id !== undefined && ids.includes(id);
}

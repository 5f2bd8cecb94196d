import { refuse } from '../domain/error.ts';
import type { StoredDocument } from '../store/port.ts';

/** FHIR R4 http.html#versioning. */
function etagOf({ revision }: Pick<StoredDocument, 'revision'>): string {
  return `W/"${revision}"`;
}

/** The headers that tell the state of a document. */
export function stateHeaders(
  document: Pick<StoredDocument, 'revision' | 'changedAt'>,
): Readonly<Record<string, string>> {
  return { ETag: etagOf(document), 'Last-Modified': new Date(document.changedAt).toUTCString() };
}

/** The change was made for this state. FHIR R4 http.html#concurrency. @throws Refused versionDiffers */
export function checkState(document: StoredDocument, ifMatch: string): void {
  const named = ifMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (ifMatch === '' || named.includes('*') || named.includes(`"${document.revision}"`)) return;
  refuse('versionDiffers', { value: ifMatch, detail: `it is at ${etagOf(document)}` });
}

/** The version of an If-Match; NaN, which no version is, for what is no ETag of ours. FHIR R4 http.html#concurrency. */
export function versionExpected(ifMatch: string): number | undefined {
  if (ifMatch === '' || ifMatch === '*') return undefined;
  return Number(/^(?:W\/)?"([1-9]\d{0,8})"$/.exec(ifMatch.trim())?.[1] ?? Number.NaN);
}

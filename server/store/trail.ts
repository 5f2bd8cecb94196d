import { createHash } from 'node:crypto';
import type { AuditEvent } from '../domain/event.ts';

/** What the first event of the chain names as its predecessor. */
export const chainStart = '0'.repeat(64);

/** The hash of an event: SHA-256 of the previous hash (its 32 bytes) and of the event's JSON in UTF-8; hexadecimal. */
export function chainHash(previous: string, json: string): string {
  return createHash('sha256').update(previous, 'hex').update(json).digest('hex');
}

/**
 * The event as a viewer may read it: hidden documents are not named, nor does a query spell one out; a look-up shows its names only where
 * the viewer sees a document behind each. Undefined when the event named only hidden ones, or a submission set that is; and when a partner told it and
 * it says the name of anything hidden.
 * @param isHidden of an entryUUID; of what a partner told, of any of its names
 */
export function withoutHidden(event: AuditEvent, isHidden: (entryUUID: string) => boolean): AuditEvent | undefined {
  if (event.told?.names.some(isHidden) === true) return undefined;
  const { query, ...rest } = event;
  const { submissionSet } = event;
  const all = event.documents ?? [];
  const documents = all.filter((d) => !isHidden(d.entryUUID));
  if (all.length > 0 && documents.length === 0) return undefined;
  if (documents.length === 0 && submissionSet !== undefined && isHidden(submissionSet.entryUUID)) return undefined;
  const spells = all.some(
    (d) => !documents.includes(d) && [d.entryUUID, d.uniqueId].some((name) => query?.includes(name) === true),
  );
  const isTold = event.action === 'lookUpDocuments' ? namesOnly(query, documents) : !spells;
  return {
    ...rest,
    ...(event.documents !== undefined && { documents }),
    ...(query !== undefined && isTold && { query }),
  };
}

/** Whether each name of a look-up is that of one of these documents. */
function namesOnly(query: string | undefined, documents: NonNullable<AuditEvent['documents']>): boolean {
  const names = query?.slice(query.indexOf('=') + 1).split(',') ?? [];
  return names.every((name) => documents.some((d) => d.entryUUID === name || d.uniqueId === name));
}

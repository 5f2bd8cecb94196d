import { createHash } from 'node:crypto';
import type { AuditEvent } from '../domain/event.ts';

/** What the first event of the chain names as its predecessor. */
export const chainStart = '0'.repeat(64);

/** The hash of an event: SHA-256 of the previous hash (its 32 bytes) and of the event's JSON in UTF-8; hexadecimal. */
export function chainHash(previous: string, json: string): string {
  return createHash('sha256').update(previous, 'hex').update(json).digest('hex');
}

/**
 * The event as a viewer may read it: hidden documents are not named. A query that names objects is told only where the event names, and the viewer
 * sees, the document behind each: what of it is left out is the same for a hidden object and for none. Undefined when the event named only hidden
 * documents, or a submission set that is; and when a partner told it and it says the name of anything hidden.
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
  const isTold = event.action === 'lookUpDocuments' ? namesOnly(query, documents) : spellsOnly(event, documents);
  return {
    ...rest,
    ...(event.documents !== undefined && { documents }),
    ...(query !== undefined && isTold && { query }),
  };
}

type Named = NonNullable<AuditEvent['documents']>;

/** Whether each name of a look-up is that of one of these documents. */
function namesOnly(query: string | undefined, documents: Named): boolean {
  const names = query?.slice(query.indexOf('=') + 1).split(',') ?? [];
  return names.every((name) => documents.some((d) => d.entryUUID === name || d.uniqueId === name));
}

const uuids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;
/** OIDs that are no assigning authority and no code system: `^^^&OID`, `^^OID`, `OID|` and the system of an identifier of a Patient are. */
const oids = /(?<![\d.^&]|"system":"urn:oid:)[0-2](?:\.\d+){4,}(?![\d.|])/g;

/** Whether whatever the query could name by UUID or OID is one of these documents, or the record itself. */
function spellsOnly({ query = '', record }: AuditEvent, documents: Named): boolean {
  const text = decoded(query);
  const byUuid = (text.match(uuids) ?? []).map((uuid) => uuid.toLowerCase());
  const isOf = (uuid: string) => (d: Named[number]) =>
    d.entryUUID.endsWith(uuid) || d.logicalID?.endsWith(uuid) === true;
  return (
    byUuid.every((uuid) => uuid === record || documents.some(isOf(uuid))) &&
    (text.match(oids) ?? []).every((oid) => documents.some((d) => d.uniqueId.split('^')[0] === oid))
  );
}

/** A query of an address is percent-encoded; a percent sign that begins no character stands for itself. */
function decoded(query: string): string {
  return query.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString());
}

import type { DocumentReferenceRelatesTo } from 'fhir/r4.js';
import type { DocumentEntry } from '../domain/document.ts';
import type { StoredDocument } from '../store/port.ts';
import type { Relation } from '../usecases/relations.ts';
import { entryOf } from './bundle.ts';
import { relatesToOf } from './map/association.ts';
import { documentReferenceOf, idOf } from './map/document-reference.ts';
import { uris } from './vocabulary.ts';

/** A document's resource in UTF-8 JSON, alone and as entry of a searchset. */
export type WrittenDocument = { readonly fullUrl: string; readonly resource: Buffer; readonly entry: Buffer };

/** `relations`: to documents that exist for the caller. */
export type DocumentWriter = (document: StoredDocument, relations?: readonly Relation[]) => WrittenDocument;

type Kept = WrittenDocument & { readonly of: StoredDocument; readonly relatesTo: string };

/**
 * Writes documents as DocumentReference. What was written for an entry is kept as long as the store keeps that very entry, and written anew
 * where the document is in another state or relates to others.
 * @param base the public address of this face
 */
export function documentWriter(base: string): DocumentWriter {
  const known = new WeakMap<DocumentEntry, Kept>();
  return (document, relations = []) => {
    const { entry, record, registeredAt, revision, changedAt, kept } = document;
    const related = relations.flatMap(({ association, target }) => relationTo(association, target));
    const relatesTo = related.length === 0 ? '' : JSON.stringify(related);
    const found = known.get(entry);
    const { of } = found ?? {};
    const isSame = of?.record === record && of.registeredAt === registeredAt && of.changedAt === changedAt;
    if (found !== undefined && isSame && of.revision === revision && found.relatesTo === relatesTo) return found;
    const written = { ...write(document, related, base), of: document, relatesTo };
    if (kept === true) known.set(entry, written);
    return written;
  };
}

function relationTo(association: Relation['association'], target: Relation['target']): DocumentReferenceRelatesTo[] {
  const named =
    'document' in target
      ? { reference: `DocumentReference/${idOf(target.document.entry.logicalID)}` }
      : // What is no document has no address that FHIR lets stand here.
        { identifier: { use: 'official' as const, system: uris, value: target.set.entryUUID } };
  const relation = relatesToOf(association, named);
  return relation === undefined ? [] : [relation];
}

function write(document: StoredDocument, relatesTo: DocumentReferenceRelatesTo[], base: string): WrittenDocument {
  const resource = { ...documentReferenceOf(document, base), ...(relatesTo.length > 0 && { relatesTo }) };
  const fullUrl = `${base}/DocumentReference/${idOf(document.entry.logicalID)}`;
  const { bytes, from, to } = entryOf(fullUrl, JSON.stringify(resource));
  return { fullUrl, resource: bytes.subarray(from, to), entry: bytes };
}

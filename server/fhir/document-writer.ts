import type { DocumentEntry } from '../domain/document.ts';
import type { StoredDocument } from '../store/port.ts';
import { entryOf } from './bundle.ts';
import { documentReferenceOf, idOf } from './map/document-reference.ts';

/** A document's resource in UTF-8 JSON, alone and as entry of a searchset. */
export type WrittenDocument = { readonly resource: Buffer; readonly entry: Buffer };

export type DocumentWriter = (document: StoredDocument) => WrittenDocument;

/**
 * Writes documents as DocumentReference. What was written for an entry is kept as long as the store keeps that very entry.
 * @param base the public address of this face
 */
export function documentWriter(base: string): DocumentWriter {
  const known = new WeakMap<DocumentEntry, WrittenDocument & { readonly of: StoredDocument }>();
  return (document) => {
    const { entry, record, registeredAt, revision, changedAt } = document;
    const found = known.get(entry);
    const { of } = found ?? {};
    const isSame = of?.record === record && of.registeredAt === registeredAt && of.changedAt === changedAt;
    if (found !== undefined && isSame && of.revision === revision) return found;
    const written = { ...write(document, base), of: document };
    known.set(entry, written);
    return written;
  };
}

function write(document: StoredDocument, base: string): WrittenDocument {
  const json = JSON.stringify(documentReferenceOf(document, base));
  const { bytes, from, to } = entryOf(`${base}/DocumentReference/${idOf(document.entry.logicalID)}`, json);
  return { resource: bytes.subarray(from, to), entry: bytes };
}

import type { StoredDocument } from '../store/port.ts';
import { entryOf } from './bundle.ts';
import { documentReferenceOf, idOf } from './map/document-reference.ts';

/** A document's resource in UTF-8 JSON, alone and as entry of a searchset. */
export type WrittenDocument = { readonly resource: Buffer; readonly entry: Buffer };

export type DocumentWriter = (document: StoredDocument) => WrittenDocument;

/**
 * Writes documents as DocumentReference and keeps the bytes of the last ones, since an entry of one version and status never changes.
 * @param base the public address of this face
 * @param kept how many documents, of about 4 kB each
 */
export function documentWriter(base: string, kept: number): DocumentWriter {
  const known = new Map<string, WrittenDocument>();
  return (document) => {
    const { entryUUID, version, status } = document.entry;
    const key = `${entryUUID} ${version} ${status}`;
    const found = known.get(key);
    const written = found ?? write(document, base);
    if (found !== undefined) known.delete(key);
    known.set(key, written);
    if (known.size > kept) known.delete(known.keys().next().value ?? key);
    return written;
  };
}

function write(document: StoredDocument, base: string): WrittenDocument {
  const json = JSON.stringify(documentReferenceOf(document, base));
  const { bytes, from, to } = entryOf(`${base}/DocumentReference/${idOf(document.entry.entryUUID)}`, json);
  return { resource: bytes.subarray(from, to), entry: bytes };
}

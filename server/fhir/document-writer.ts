import type { StoredDocument } from '../store/port.ts';
import { documentReferenceOf } from './map/document-reference.ts';

/** The JSON of a document's resource. */
export type DocumentWriter = (document: StoredDocument) => string;

/**
 * Writes documents as DocumentReference and keeps the text of the last ones, since an entry of one version and status never changes.
 * @param base the public address of this face
 * @param kept how many texts, of about 4 kB each
 */
export function documentWriter(base: string, kept: number): DocumentWriter {
  const texts = new Map<string, string>();
  return (document) => {
    const { entryUUID, version, status } = document.entry;
    const key = `${entryUUID} ${version} ${status}`;
    const known = texts.get(key);
    if (known !== undefined) {
      texts.delete(key);
      texts.set(key, known);
      return known;
    }
    const text = JSON.stringify(documentReferenceOf(document, base));
    texts.set(key, text);
    if (texts.size > kept) texts.delete(texts.keys().next().value ?? key);
    return text;
  };
}

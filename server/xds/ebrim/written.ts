import type { DocumentEntry } from '../../domain/document.ts';
import { writeDocument } from './write.ts';

const known = new WeakMap<DocumentEntry, Buffer>();

/** The same as `writeDocument`, in UTF-8. What was written for an entry is kept as long as the store keeps that very entry. */
export function writtenDocument(entry: DocumentEntry): Uint8Array {
  const written = known.get(entry) ?? Buffer.from(writeDocument(entry));
  known.set(entry, written);
  return written;
}

import type { DocumentEntry } from '../../domain/document.ts';
import type { StoredDocument } from '../../store/port.ts';
import { writeDocument } from './write.ts';

const known = new WeakMap<DocumentEntry, Buffer>();

/** The same as `writeDocument`; for an entry that the store keeps it is kept too, in UTF-8. */
export function writtenDocument({ entry, kept }: Pick<StoredDocument, 'entry' | 'kept'>): string | Uint8Array {
  if (kept !== true) return writeDocument(entry);
  const written = known.get(entry) ?? Buffer.from(writeDocument(entry));
  known.set(entry, written);
  return written;
}

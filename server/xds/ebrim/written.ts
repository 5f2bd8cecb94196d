import type { DocumentEntry } from '../../domain/document.ts';
import { writeDocument } from './write.ts';

const known = new WeakMap<DocumentEntry, string>();

/** The same as `writeDocument`. What was written for an entry is kept as long as the store keeps that very entry. */
export function writtenDocument(entry: DocumentEntry): string {
  const found = known.get(entry);
  if (found !== undefined) return found;
  const text = flat(writeDocument(entry));
  known.set(entry, text);
  return text;
}

/** A text put together from many pieces is laid out once, by looking into it, and not again in every answer that holds it. */
function flat(text: string): string {
  text.charCodeAt(0);
  return text;
}

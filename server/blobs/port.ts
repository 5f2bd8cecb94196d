import type { RecordKey } from '../crypto/keyring.ts';
import type { ContentPlace, SealedContent, Staged, StagedContent } from '../store/port.ts';

/** Bytes of a document from `from` to before `to`; what lies beyond its end is not there. */
export type Span = { readonly from: number; readonly to: number };

/**
 * A document that came in: hashed and sealed while it streamed, not yet anybody's. Hashes are lower-case hex, size is in bytes.
 * Exactly one of `keep`, `stage` and `discard` is called, `open` before it or never.
 */
export type Received = {
  readonly size: number;
  readonly sha1: string;
  readonly sha256: string;
  /** The bytes again, or those of a span. */
  open(span?: Span): Promise<Uint8Array | AsyncIterable<Uint8Array>>;
  /** Binds the sealed bytes to a record by wrapping their key with the record's; durable on disk when they are a file. */
  keep(key: RecordKey): Promise<SealedContent>;
  /** Leaves the sealed bytes in their file, to be bound later; durable on disk. For what was received into a file. */
  stage(key: RecordKey): Promise<StagedContent>;
  /** Forgets the bytes; a file is unlinked, unless it was staged. */
  discard(): Promise<void>;
};

/** Documents' bytes, encrypted with a key per document, wrapped by the record's key. */
export interface Blobs {
  /**
   * Reads a document to its end. Up to the inline limit it stays in memory, beyond it goes sealed to a file that nobody sees until a
   * commit names it. Pieces of the source that are marked as disposable are given back.
   * @param into `file`: it goes to a file whatever its size
   * @throws ContentTooLarge beyond `limit` bytes, StoreFull when the disk is full; the rest of the source is then left unread.
   */
  receive(source: AsyncIterable<Uint8Array>, limit: number, into?: 'file'): Promise<Received>;
  /** The same for bytes already in memory. */
  receiveBytes(bytes: Uint8Array): Received;
  /**
   * What was staged, to be kept now: its file becomes the document's without being written again. @throws ContentDamaged for another key
   */
  resume(key: RecordKey, staged: Pick<Staged, 'size' | 'sha1' | 'sha256' | 'content'>): Received;
  /**
   * The document's bytes, or those of a span, of which no other segment is read. An array for what fits in one segment of 64 KiB, else a stream
   * of verified segments: no byte leaves before its segment was authenticated, and a truncated or altered document ends in an error.
   * @throws ContentDamaged
   */
  open(key: RecordKey, place: ContentPlace, span?: Span): Promise<Uint8Array | AsyncIterable<Uint8Array>>;
  /** Unlinks files that no commit named and that are older than an hour (`olderThan` in milliseconds since 1970). Answers how many. */
  sweep(olderThan: number, isNamed: (file: string) => Promise<boolean>): Promise<number>;
}

/** More bytes came than the limit allows: nothing of them is kept. */
export class ContentTooLarge extends Error {
  override readonly name = 'ContentTooLarge';
}
/** What was stored does not open: bytes, keys or header are not those that were sealed. A fault of the store, never of the caller. */
export class ContentDamaged extends Error {
  override readonly name = 'ContentDamaged';
}

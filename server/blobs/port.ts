import type { RecordKey } from '../crypto/keyring.ts';
import type { ContentPlace, SealedContent } from '../store/port.ts';

/**
 * A document that came in: hashed and sealed while it streamed, not yet anybody's. Hashes are lower-case hex, size is in bytes.
 * Exactly one of `keep` and `discard` is called, `open` before it or never.
 */
export type Received = {
  readonly size: number;
  readonly sha1: string;
  readonly sha256: string;
  /** The bytes again. */
  open(): Promise<Uint8Array | AsyncIterable<Uint8Array>>;
  /** Binds the sealed bytes to a record by wrapping their key with the record's; durable on disk when they are a file. */
  keep(key: RecordKey): Promise<SealedContent>;
  /** Forgets the bytes; a file is unlinked. */
  discard(): Promise<void>;
};

/** Documents' bytes, encrypted with a key per document, wrapped by the record's key. */
export interface Blobs {
  /**
   * Reads a document to its end. Up to the inline limit it stays in memory, beyond it goes sealed to a file that nobody sees until a
   * commit names it. Pieces of the source that are marked as disposable are given back.
   * @throws ContentTooLarge beyond `limit` bytes, StoreFull when the disk is full; the rest of the source is then left unread.
   */
  receive(source: AsyncIterable<Uint8Array>, limit: number): Promise<Received>;
  /** The same for bytes already in memory. */
  receiveBytes(bytes: Uint8Array): Received;
  /**
   * The document's bytes. An array for what fits in one segment of 64 KiB, else a stream of verified segments: no byte leaves before its
   * segment was authenticated, and a truncated or altered document ends in an error.
   * @throws ContentDamaged
   */
  open(key: RecordKey, place: ContentPlace): Promise<Uint8Array | AsyncIterable<Uint8Array>>;
  /** Unlinks files that no commit named and that are older than an hour (`olderThan` in milliseconds since 1970). Answers how many. */
  sweep(olderThan: number, isNamed: (file: string) => Promise<boolean>): Promise<number>;
}

export class ContentTooLarge extends Error {
  override readonly name = 'ContentTooLarge';
}
export class ContentDamaged extends Error {
  override readonly name = 'ContentDamaged';
}

import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomFillSync } from 'node:crypto';
import { type RecordKey, unwrapKey, wrapKey } from '../crypto/keyring.ts';
import { ContentDamaged } from './port.ts';

/**
 * A sealed document: header ‖ block ‖ block …, each block 64 KiB of the document (the last one shorter) enciphered with AES-256-GCM and followed by
 * its tag; the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance).
 * Nonce = prefix 7 ‖ block number 4 ‖ last 1. Header = `DMPC` ‖ version 1 ‖ prefix 7 ‖ content id 16, these 28 bytes authenticated with every block,
 * ‖ the document's key wrapped by the record's key for this content id and record, 60. Any block opens alone; a missing end does not go unseen.
 */
export const blockBytes = 65_536;
const tagBytes = 16;
export const sealedBlockBytes = blockBytes + tagBytes;
const magic = Buffer.from('DMPC\u0001', 'latin1');
export const wrappedKeyOffset = 28;
const wrappedKeyBytes = 60;
export const headerBytes = wrappedKeyOffset + wrappedKeyBytes;

/** A document's key with the authenticated part of its header. */
export type Envelope = { readonly key: KeyObject; readonly fixed: Buffer };

/** Random bytes, fresh at each call. */
export type Randomness = (bytes: number) => Buffer;

/** Draws from a pool, which is cheaper than asking the system each time; what was given out is wiped from the pool. */
export function randomPool(poolBytes = 16_384): Randomness {
  const pool = Buffer.alloc(poolBytes);
  let used = poolBytes;
  return (bytes) => {
    if (used + bytes > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    const taken = Buffer.from(pool.subarray(used, used + bytes));
    pool.fill(0, used, used + bytes);
    used += bytes;
    return taken;
  };
}

/** A new key and nonce prefix for one document, never used for another. */
export function newEnvelope(random: Randomness, contentId: Buffer): Envelope {
  const bytes = random(32);
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { key, fixed: Buffer.concat([magic, random(7), contentId]) };
}

/** The whole header, with the document's key wrapped for a record. `nonce`: 12 random bytes, drawn where none are given. */
export function headerFor({ key, fixed }: Envelope, by: RecordKey, nonce?: Uint8Array): Buffer {
  const bytes = key.export();
  const wrapped = wrapKey(by.key, bytes, associated(fixed, by), nonce);
  bytes.fill(0);
  return Buffer.concat([fixed, wrapped]);
}

/** @throws ContentDamaged when this is no header, or not one for this record. */
export function readHeader(header: Buffer, by: RecordKey): Envelope {
  const fixed = header.subarray(0, wrappedKeyOffset);
  if (!fixed.subarray(0, magic.length).equals(magic)) throw new ContentDamaged('no sealed document');
  try {
    return { key: unwrapKey(by.key, header.subarray(wrappedKeyOffset, headerBytes), associated(fixed, by)), fixed };
  } catch (error) {
    throw new ContentDamaged("the document's key does not open with the record's", { cause: error });
  }
}

/** The content id of a sealed document, in hexadecimal, from the authenticated part of its header. */
export function contentIdOf(fixed: Buffer): string {
  return fixed.subarray(12, wrappedKeyOffset).toString('hex');
}

function associated(fixed: Buffer, { record }: RecordKey): string {
  return `${contentIdOf(fixed)}|${record}`;
}

/** How many bytes a document of `size` bytes takes when sealed; the empty one has one empty block. */
export function sealedLength(size: number): number {
  return headerBytes + size + tagBytes * Math.max(1, Math.ceil(size / blockBytes));
}

/**
 * How the blocks lie in a sealed document of `length` bytes: their number, and where each begins and ends.
 * @throws ContentDamaged when no document has this length.
 */
export function blocksOf(length: number): { readonly count: number; readonly endOf: (index: number) => number } {
  const body = length - headerBytes;
  const count = Math.ceil(body / sealedBlockBytes);
  if (count < 1 || body - (count - 1) * sealedBlockBytes < tagBytes)
    throw new ContentDamaged('the length is impossible');
  return { count, endOf: (index) => (index === count - 1 ? length : headerBytes + (index + 1) * sealedBlockBytes) };
}

/** Writes a sealed block into `target` from `at`; answers where it ends. */
export function sealBlock(
  { key, fixed }: Envelope,
  block: { readonly index: number; readonly last: boolean; readonly plain: Uint8Array },
  target: Uint8Array,
  at: number,
): number {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(fixed, block), { authTagLength: tagBytes });
  cipher.setAAD(fixed);
  const enciphered = cipher.update(block.plain);
  target.set(enciphered, at);
  release(enciphered);
  cipher.final();
  const tagAt = at + block.plain.length;
  target.set(cipher.getAuthTag(), tagAt);
  return tagAt + tagBytes;
}

/** Frees the bytes now: by the time a collection came, a large document would leave tens of megabytes of them behind. */
function release({ buffer, byteLength }: Buffer<ArrayBuffer>): void {
  if (buffer.byteLength === byteLength) buffer.transfer(0);
}

/** @throws ContentDamaged when the block was altered, moved or is not the one asked for. */
export function openBlock(
  { key, fixed }: Envelope,
  block: { readonly index: number; readonly last: boolean; readonly sealed: Uint8Array },
): Buffer {
  const end = block.sealed.length - tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(fixed, block), { authTagLength: tagBytes });
  decipher.setAAD(fixed);
  decipher.setAuthTag(block.sealed.subarray(end));
  const plain = decipher.update(block.sealed.subarray(0, end));
  try {
    decipher.final();
  } catch (error) {
    throw new ContentDamaged(`block ${block.index} is not authentic`, { cause: error });
  }
  return plain;
}

function nonce(fixed: Buffer, { index, last }: { readonly index: number; readonly last: boolean }): Buffer {
  const bytes = Buffer.allocUnsafe(12);
  fixed.copy(bytes, 0, 5, 12);
  bytes.writeUInt32BE(index, 7);
  bytes[11] = last ? 1 : 0;
  return bytes;
}

/** A whole document sealed in memory, in an array of its own, which may be transferred to another thread. */
export function seal(plain: Uint8Array, by: RecordKey, random: Randomness): Buffer {
  const envelope = newEnvelope(random, random(16));
  const sealed = Buffer.allocUnsafeSlow(sealedLength(plain.length));
  sealed.set(headerFor(envelope, by, random(12)));
  const { count } = blocksOf(sealed.length);
  let at = headerBytes;
  for (let index = 0; index < count; index++) {
    const block = plain.subarray(index * blockBytes, (index + 1) * blockBytes);
    at = sealBlock(envelope, { index, last: index === count - 1, plain: block }, sealed, at);
  }
  return sealed;
}

import { hash } from 'node:crypto';
import { isUuid } from '../../domain/identifier.ts';
import type { ObjectKind } from '../port.ts';

/** How the tables write the kinds of objects, statuses and the like: by their place in these lists, which only ever grow. */
export const kinds = ['document', 'submissionSet', 'folder', 'association'] as const satisfies readonly ObjectKind[];
export const statuses = ['approved', 'deprecated', 'archived', 'deleted'] as const;

/** `urn:uuid:…` as 32 hexadecimal digits; undefined for anything else. */
export function uuidHex(entryUUID: string): string | undefined {
  return isUuid(entryUUID) ? entryUUID.slice(9).replaceAll('-', '') : undefined;
}

/** The 16 bytes of an entryUUID; throws for what is none, since a caller registers only what it checked. */
export function uuidBytes(entryUUID: string): Buffer {
  const hex = uuidHex(entryUUID);
  if (hex === undefined) throw new TypeError('An entryUUID is urn:uuid: and a UUID');
  return Buffer.from(hex, 'hex');
}

/** 32 hexadecimal digits as an entryUUID. */
export function uuidOf(hex: string): string {
  return `urn:uuid:${hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`;
}

/** The entryUUID of 16 bytes. */
export function uuidText(bytes: Uint8Array): string {
  return uuidOf(Buffer.from(bytes).toString('hex'));
}

/** 48 bits of SHA-256: finds the few candidates for a uniqueId, which are then compared in full. */
export function uniqueIdHash(uniqueId: string): number {
  const known = hashed.get(uniqueId);
  if (known !== undefined) return known;
  const made = hash('sha256', uniqueId, 'buffer').readUIntBE(0, 6);
  if (hashed.size >= 64) hashed.clear();
  hashed.set(uniqueId, made);
  return made;
}

/** Whoever asks for a uniqueId writes it next. */
const hashed = new Map<string, number>();

/** A JSON column: BLOB, read faster than TEXT. */
export function readJson(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
}

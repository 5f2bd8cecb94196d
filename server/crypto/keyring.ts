import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

/** The key of one record, unwrapped: wraps the keys of its documents. */
export type RecordKey = { readonly record: string; readonly key: KeyObject };

/** Makes and opens the keys of records under one master key. */
export type Keyring = {
  /** A new record's key, wrapped for the store. */
  newKey(record: string): Uint8Array;
  /** @throws when the bytes were not wrapped by this master key for this record. */
  unwrap(record: string, wrapped: Uint8Array): RecordKey;
};

/** `master` is 32 bytes. Wrapping is AES-256-GCM with the record's id as associated data: nonce 12 ‖ ciphertext 32 ‖ tag 16. */
export function makeKeyring(master: Buffer): Keyring {
  const masterKey = createSecretKey(master);
  const unwrapped = new Map<string, RecordKey>();
  return {
    newKey: (record) => wrapKey(masterKey, randomBytes(32), `pk|${record}`),
    unwrap(record, wrapped) {
      const id = `${record}|${Buffer.from(wrapped.buffer, wrapped.byteOffset, wrapped.byteLength).toString('latin1')}`;
      const known = unwrapped.get(id);
      if (known !== undefined) return known;
      const key = { record, key: unwrapKey(masterKey, wrapped, `pk|${record}`) };
      if (unwrapped.size >= 10_000) unwrapped.delete(unwrapped.keys().next().value ?? '');
      unwrapped.set(id, key);
      return key;
    },
  };
}

/** Wraps 32 bytes under a key; the associated data must be given again to unwrap. `nonce`: 12 random bytes used for nothing else. Answers 60 bytes. */
export function wrapKey(
  by: KeyObject,
  bytes: Uint8Array,
  associated: string,
  nonce: Uint8Array = randomBytes(12),
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', by, nonce, { authTagLength: 16 });
  cipher.setAAD(Buffer.from(associated));
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** Enciphers a short text, with AES-256-GCM as `wrapKey` does. */
export function sealText(by: KeyObject, text: string, associated: string): Buffer {
  return wrapKey(by, Buffer.from(text), associated);
}

/** @throws when the bytes were altered, or sealed by another key or for other associated data. */
export function openText(by: KeyObject, sealed: Uint8Array, associated: string): string {
  const decipher = createDecipheriv('aes-256-gcm', by, sealed.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(associated));
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString();
}

/** @throws when the bytes were altered, or wrapped by another key or for other associated data. */
export function unwrapKey(by: KeyObject, wrapped: Uint8Array, associated: string): KeyObject {
  const decipher = createDecipheriv('aes-256-gcm', by, wrapped.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(associated));
  decipher.setAuthTag(wrapped.subarray(44, 60));
  return createSecretKey(Buffer.concat([decipher.update(wrapped.subarray(12, 44)), decipher.final()]));
}

import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

/**
 * Seals a value into text that its holder can neither read nor alter: AES-256-GCM, nonce 12 ‖ ciphertext ‖ tag 16, in base64url. `purpose` must
 * be given again to open it, so that what was sealed for one use serves no other.
 */
export function sealJson(key: KeyObject, purpose: string, value: unknown): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  cipher.setAAD(Buffer.from(purpose));
  const sealed = [cipher.update(JSON.stringify(value)), cipher.final()];
  return Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
}

/** What was sealed by this key for this purpose; undefined for anything else. */
export function openJson(key: KeyObject, purpose: string, text: string): unknown {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < 28 || bytes.toString('base64url') !== text) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(bytes.subarray(-16));
  try {
    return JSON.parse(`${decipher.update(bytes.subarray(12, -16), undefined, 'utf8')}${decipher.final('utf8')}`);
  } catch {
    return undefined;
  }
}

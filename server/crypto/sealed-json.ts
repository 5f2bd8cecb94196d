import { createCipheriv, createDecipheriv, createHmac, type KeyObject, randomBytes } from 'node:crypto';

/**
 * Seals a value into text that its holder can neither read nor alter: AES-256-GCM, nonce 12 ‖ ciphertext ‖ tag 16, in base64url. `purpose` must
 * be given again to open it, so that what was sealed for one use serves no other.
 */
export function sealJson(key: KeyObject, purpose: string, value: unknown): string {
  return sealed(key, purpose, JSON.stringify(value), randomBytes(12));
}

/**
 * The same, but the same text for the same value and purpose, whose holders may learn that they are the same: the nonce is a MAC of both, so that
 * none serves two values.
 */
export function sealJsonAlike(key: KeyObject, purpose: string, value: unknown): string {
  const text = JSON.stringify(value);
  const mac = createHmac('sha256', key)
    .update(JSON.stringify(['nonce', purpose, text]))
    .digest();
  return sealed(key, purpose, text, mac.subarray(0, 12));
}

function sealed(key: KeyObject, purpose: string, text: string, nonce: Uint8Array): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  cipher.setAAD(Buffer.from(purpose));
  const pieces = [cipher.update(text), cipher.final()];
  return Buffer.concat([nonce, ...pieces, cipher.getAuthTag()]).toString('base64url');
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

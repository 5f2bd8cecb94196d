import { randomBytes } from 'node:crypto';

/** A new uniqueId under the arc of examples. */
export function uniqueId(): string {
  return `1.2.250.1.999.9.${BigInt(`0x${randomBytes(12).toString('hex')}`)}`;
}

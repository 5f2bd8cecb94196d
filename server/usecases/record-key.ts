import type { RecordKey } from '../crypto/keyring.ts';
import type { Permit } from '../domain/decision.ts';
import { refuse } from '../domain/error.ts';
import type { Tools } from './perform.ts';

/**
 * The key by which documents of the permit's record are sealed.
 * @throws Refused `unknownPatient` when it was destroyed
 */
export async function recordKey({ store, keyring }: Tools, permit: Permit): Promise<RecordKey> {
  const wrapped = await store.read.wrappedKey(permit);
  if (wrapped === undefined || permit.record === undefined) refuse('unknownPatient', {}, 'the record has no key');
  return keyring.unwrap(permit.record, wrapped);
}

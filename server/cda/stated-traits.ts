import type { Received } from '../blobs/port.ts';
import type { Regime } from '../domain/regime.ts';
import { type StatedTraits, traitsOfV3 } from '../domain/stated-traits.ts';
import { type CdaFacts, readCda } from './header.ts';

type Deposit = { readonly documents: readonly { readonly id: string; readonly received: Received }[] };

/** The largest document whose header is read, in bytes. */
const largest = 64 * 2 ** 20;

/**
 * The same with what the header of each CDA says of the patient, where a setting compares it. Where bytes cannot be read, everything received
 * is discarded.
 */
export async function withStatedTraits<T extends Deposit>(
  deposit: T,
  { traitsCompared }: Regime,
): Promise<T & { readonly stated?: readonly StatedTraits[] }> {
  if (traitsCompared === 'off') return deposit;
  try {
    const stated = await Promise.all(deposit.documents.map(({ id, received }) => statedBy(id, received)));
    return { ...deposit, stated: stated.flat() };
  } catch (error) {
    await Promise.allSettled(deposit.documents.map(({ received }) => received.discard()));
    throw error;
  }
}

async function statedBy(object: string, received: Received): Promise<readonly StatedTraits[]> {
  if (received.size > largest) return [];
  const bytes = await received.open();
  const facts = readCda(bytes instanceof Uint8Array ? bytes : Buffer.concat(await Array.fromAsync(bytes)));
  return facts === undefined ? [] : [traitsIn(object, facts)];
}

/** What the header of one says. */
export function traitsIn(object: string, { patient }: CdaFacts): StatedTraits {
  const { family, birthTime = '', gender = '' } = patient;
  return {
    object,
    attribute: 'recordTarget',
    families: family === undefined ? [] : [family],
    ...traitsOfV3(birthTime, gender),
  };
}

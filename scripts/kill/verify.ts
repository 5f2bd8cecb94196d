import { join } from 'node:path';
import { openDatabase } from '../../server/store/embedded/driver.ts';
import { chainHash, chainStart } from '../../server/store/trail.ts';

/** Up to where the chain of events was found right. */
export type ChainEnd = { readonly sequence: number; readonly hash: string };

export const chainBegin: ChainEnd = { sequence: 0, hash: chainStart };

type EventRow = { readonly sequence: number; readonly hash: string; readonly json: Uint8Array };

/**
 * Checks the files of a data folder that no server runs on: pages and indexes (`thorough`, else pages alone), numbers without a gap and
 * hashes of all events after `from`, and a search row, a name and a uniqueId for each document. Answers the end of the chain.
 * @throws with words for what is wrong
 */
export function verifyFiles(folder: string, { from = chainBegin, thorough = false } = {}): ChainEnd {
  const database = openDatabase(join(folder, 'store.sqlite'));
  try {
    const check = database
      .prepare<Record<string, string>>(`PRAGMA ${thorough ? 'integrity_check' : 'quick_check'}`)
      .all();
    const found = check.flatMap((row) => Object.values(row)).filter((text) => text !== 'ok');
    if (found.length > 0) throw new Error(`The file is damaged: ${found.join('; ')}`);
    const halves = database
      .prepare<{ position: number }>(
        `SELECT d.position FROM document d
         LEFT JOIN search s ON s.position = d.position
         LEFT JOIN name n ON n.kind = 0 AND n.key = d.position AND n.record = s.record
         LEFT JOIN unique_id u ON u.kind = 0 AND u.key = d.position
         WHERE s.position IS NULL OR n.key IS NULL OR u.key IS NULL`,
      )
      .all();
    if (thorough && halves.length > 0) throw new Error(`${halves.length} documents are half there`);
    return chainEnd(
      database
        .prepare<EventRow>(
          'SELECT sequence, lower(hex(hash)) AS hash, json FROM event WHERE sequence > ? ORDER BY sequence',
        )
        .all(from.sequence),
      from,
    );
  } finally {
    database.close();
  }
}

function chainEnd(events: readonly EventRow[], from: ChainEnd): ChainEnd {
  let end = from;
  for (const { sequence, hash, json } of events) {
    if (sequence !== end.sequence + 1)
      throw new Error(`The chain has a gap: ${end.sequence} is followed by ${sequence}`);
    if (chainHash(end.hash, Buffer.from(json).toString()) !== hash)
      throw new Error(`Event ${sequence} does not carry its hash`);
    end = { sequence, hash };
  }
  return end;
}

import type { AuditEvent, EventDraft } from '../../domain/event.ts';
import type { EventFilter, EventPageRequest, EventPlace, Holder, Page } from '../port.ts';
import { chainStart, withoutHidden } from '../trail.ts';
import { escaped } from '../visibility.ts';
import type { Database } from './driver.ts';
import { readJson, uniqueIdHash, uuidText } from './names.ts';
import type { HiddenAmong, Reading } from './visible.ts';

type Row = {
  readonly sequence: number;
  readonly at: number;
  readonly hash: string;
  readonly previous: string | null;
  readonly json: Uint8Array;
};

const none: ReadonlyMap<string, readonly string[]> = new Map();

/** Later than every event. */
const last: EventPlace = { at: Number.MAX_SAFE_INTEGER - 1, sequence: Number.MAX_SAFE_INTEGER };

const columns = `e.sequence, e.at, lower(hex(e.hash)) AS hash, e.json,
  (SELECT lower(hex(p.hash)) FROM event p WHERE p.sequence = e.sequence - 1) AS previous`;
const ofRecord = 'e.record = (SELECT key FROM record WHERE id = ?)';

/** Reads of a record's events. */
export function makeEventReads(
  database: Database,
  hiddenAmong: HiddenAmong,
  hiddenSets: HiddenAmong,
  holders: (uniqueIds: readonly string[]) => ReadonlyMap<string, readonly Pick<Holder, 'entryUUID'>[]>,
) {
  const newest = database.prepare<Row>(
    `SELECT ${columns} FROM event e
     WHERE ${ofRecord} AND (e.at, e.sequence) < (?, ?) AND e.at >= ? AND e.at < ? AND instr(e.actors, ?) > 0
     ORDER BY e.at DESC, e.sequence DESC LIMIT ?`,
  );
  const gone = database.prepare<{ uuid: Uint8Array }>('SELECT uuid FROM removed WHERE named = ?');
  const one = database.prepare<Row>(`SELECT ${columns} FROM event e WHERE ${ofRecord} AND e.sequence = ?`);

  /** entryUUIDs of what has these uniqueIds, and of documents that had them and are removed. */
  function heldBy(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
    const registered = holders(names);
    return new Map(
      names.map((name) => [
        name,
        [
          ...(registered.get(name) ?? []).map(({ entryUUID }) => entryUUID),
          ...gone.all(uniqueIdHash(name)).map(({ uuid }) => uuidText(uuid)),
        ],
      ]),
    );
  }

  function shown(reading: Reading, rows: readonly Row[]): AuditEvent[] {
    const events = rows.map(eventOf);
    const names = [...new Set(events.flatMap(({ told }) => told?.names ?? []))];
    const held = names.length === 0 ? none : heldBy(names);
    const objects = [...names, ...[...held.values()].flat()];
    const hidden = hiddenAmong(reading, [
      ...events.flatMap(({ documents }) => documents?.map(({ entryUUID }) => entryUUID) ?? []),
      ...objects,
    ]);
    const sets = hiddenSets(reading, [
      ...events.flatMap(({ submissionSet, documents = [] }) =>
        submissionSet === undefined || documents.length > 0 ? [] : [submissionSet.entryUUID],
      ),
      ...objects,
    ]);
    const isHidden = (name: string): boolean =>
      hidden.has(name) || sets.has(name) || held.get(name)?.some(isHidden) === true;
    return events.flatMap((event) => withoutHidden(event, isHidden) ?? []);
  }

  return {
    events(reading: Reading, { from, to, actor }: EventFilter, { before, limit }: EventPageRequest): Page<AuditEvent> {
      return database.transaction(() => {
        const items: AuditEvent[] = [];
        const piece = actor === undefined ? '' : `|${escaped(actor)}|`;
        for (let bound = before ?? last; items.length <= limit; ) {
          // Where the index is entered: a place alone does not say it.
          const end = Math.min(to ?? last.at, bound.at + 1);
          const rows = newest.all(
            reading.record,
            bound.at,
            bound.sequence,
            from ?? Number.MIN_SAFE_INTEGER,
            end,
            piece,
            limit + 1,
          );
          items.push(...shown(reading, rows));
          const lowest = rows.at(-1);
          if (rows.length <= limit || lowest === undefined) break;
          bound = lowest;
        }
        return { items: items.slice(0, limit), more: items.length > limit };
      });
    },
    event(reading: Reading, sequence: number): AuditEvent | undefined {
      if (!Number.isSafeInteger(sequence)) return undefined;
      return database.transaction(() => {
        const row = one.get(reading.record, sequence);
        return row === undefined ? undefined : shown(reading, [row])[0];
      });
    },
  };
}

function eventOf({ sequence, hash, previous, json }: Row): AuditEvent {
  // JSON of the store's own writing.
  return { ...(readJson(json) as EventDraft), sequence, previous: previous ?? chainStart, hash };
}

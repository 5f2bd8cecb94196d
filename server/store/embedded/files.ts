import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openLargeFiles } from '../../blobs/files.ts';
import { openSegmentWriter } from '../../blobs/segments.ts';
import { openDatabase } from './driver.ts';
import { openKeys } from './keys.ts';
import { lockFolder } from './lock.ts';
import { migrate } from './schema.ts';
import { type GroupWriter, openWriter } from './writer.ts';

/** Where things lie in the data folder. */
export const filesOf = (folder: string) => ({
  main: join(folder, 'store.sqlite'),
  keys: join(folder, 'keys.sqlite'),
  documents: join(folder, 'documents'),
});

export type WriterFiles = {
  readonly folder: string;
  /** A segment file ends at this size; 1 GiB. */
  readonly segmentBytes?: number;
  /** The main file grows no further: beyond it the store is full. */
  readonly maxBytes?: number;
};

/**
 * Opens the writing side: lock, tables brought up to date, keys, segments. Nothing is scanned, whatever the size.
 * @throws StoreTaken, StoreTooNew
 */
export function openWriterFiles({ folder, segmentBytes, maxBytes }: WriterFiles): GroupWriter {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const release = lockFolder(folder);
  try {
    const files = filesOf(folder);
    const main = openDatabase(files.main);
    main.exec('PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = -65536; PRAGMA foreign_keys = ON');
    migrate(main, folder);
    if (maxBytes !== undefined) main.exec(`PRAGMA max_page_count = ${Math.floor(maxBytes / 4096)}`);
    const segments = openSegmentWriter(files.documents, segmentBytes === undefined ? {} : { segmentBytes });
    const writer = openWriter(main, openKeys(files.keys, folder), segments, openLargeFiles(files.documents));
    return {
      commit: (sets) => writer.commit(sets),
      async close() {
        await writer.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

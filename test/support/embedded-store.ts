import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { openSegmentReader } from '../../server/blobs/segments.ts';
import { openEmbedded } from '../../server/store/embedded/open.ts';
import type { Store } from '../../server/store/port.ts';
import type { Subject } from '../contract/store.ts';

/** Makes embedded stores for the tests of a file: each is a copy of an empty one, whose tables are made once. */
export function embeddedSubjects(seenAs: (store: Store, folder: string) => Store): () => Promise<Subject> {
  const empty = mkdtempSync(join(tmpdir(), 'opendmp-store-'));
  beforeAll(async () => (await openEmbedded({ folder: empty, threads: false })).close());
  afterAll(() => rmSync(empty, { recursive: true }));

  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'opendmp-store-'));
    cpSync(empty, folder, { recursive: true });
    const store = await openEmbedded({ folder, threads: false });
    const segments = openSegmentReader(join(folder, 'documents'));
    return {
      store: seenAs(store, folder),
      bytes(place) {
        const bytes = Buffer.alloc(place.length);
        return 'segment' in place && segments.read(place.segment, place.offset, bytes) ? bytes : undefined;
      },
      async dispose() {
        segments.close();
        await store.close();
        rmSync(folder, { recursive: true });
      },
    };
  };
}

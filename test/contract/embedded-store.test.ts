import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSegmentReader } from '../../server/blobs/segments.ts';
import { openEmbedded } from '../../server/store/embedded/open.ts';
import { storeContract } from './store.ts';

storeContract('the embedded store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'opendmp-store-'));
  const store = await openEmbedded({ folder, threads: false });
  const segments = openSegmentReader(join(folder, 'documents'));
  return {
    store,
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
});

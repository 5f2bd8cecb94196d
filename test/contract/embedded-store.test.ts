import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { openSegmentReader } from '../../server/blobs/segments.ts';
import { openEmbedded } from '../../server/store/embedded/open.ts';
import { permitAcross } from '../support/permits.ts';
import { acrossContract } from './across.ts';
import { consentContract } from './consents.ts';
import { directoryContract } from './directory.ts';
import { historyContract } from './history.ts';
import { holderContract } from './holders.ts';
import { mergeContract } from './merges.ts';
import { outboxContract } from './outbox.ts';
import { relationsContract } from './relations.ts';
import { removalContract } from './removal.ts';
import { stagingContract } from './staging.ts';
import { type Subject, storeContract } from './store.ts';
import { queryContract } from './store-queries.ts';
import { subscriptionContract } from './subscriptions.ts';

/** An empty store, of which each test has a copy: its tables are made once. */
const empty = mkdtempSync(join(tmpdir(), 'opendmp-store-'));
beforeAll(async () => (await openEmbedded({ folder: empty, threads: false })).close());
afterAll(() => rmSync(empty, { recursive: true }));

async function open(): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'opendmp-store-'));
  cpSync(empty, folder, { recursive: true });
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
}

storeContract('the embedded store', open);
queryContract('the embedded store', open);
removalContract('the embedded store', open);
historyContract('the embedded store', open);
relationsContract('the embedded store', open);
acrossContract('the embedded store', open, permitAcross);
mergeContract('the embedded store', open);
outboxContract('the embedded store', open);
consentContract('the embedded store', open);
stagingContract('the embedded store', open);
holderContract('the embedded store', open);
directoryContract('the embedded store', open);
subscriptionContract('the embedded store', open);

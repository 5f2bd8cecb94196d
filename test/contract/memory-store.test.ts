import { memoryStore } from '../support/memory-store.ts';
import { permitAcross } from '../support/permits.ts';
import { acrossContract } from './across.ts';
import { consentContract } from './consents.ts';
import { directoryContract } from './directory.ts';
import { historyContract } from './history.ts';
import { holderContract } from './holders.ts';
import { mergeContract } from './merges.ts';
import { moveContract } from './moves.ts';
import { outboxContract } from './outbox.ts';
import { relationsContract } from './relations.ts';
import { removalContract } from './removal.ts';
import { stagingContract } from './staging.ts';
import { type Subject, storeContract } from './store.ts';
import { queryContract } from './store-queries.ts';
import { subscriptionContract } from './subscriptions.ts';

function open(): Promise<Subject> {
  const store = memoryStore();
  return Promise.resolve({ store, bytes: store.sealed, dispose: () => store.close() });
}

storeContract('the store in memory', open);
queryContract('the store in memory', open);
removalContract('the store in memory', open);
historyContract('the store in memory', open);
relationsContract('the store in memory', open);
acrossContract('the store in memory', open, permitAcross);
mergeContract('the store in memory', open);
moveContract('the store in memory', open);
outboxContract('the store in memory', open);
consentContract('the store in memory', open);
stagingContract('the store in memory', open);
holderContract('the store in memory', open);
directoryContract('the store in memory', open);
subscriptionContract('the store in memory', open);

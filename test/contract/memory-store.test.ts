import { memoryStore } from '../support/memory-store.ts';
import { storeContract } from './store.ts';

storeContract('the store in memory', () => {
  const store = memoryStore();
  return Promise.resolve({ store, bytes: store.sealed, dispose: () => store.close() });
});

import type { Store } from './port.ts';

/** The same store; tells when a commit changed something that a subscription waits for. */
export function waking<S extends Store>(store: S, wake: () => void): S {
  return {
    ...store,
    write: {
      ...store.write,
      async commit(permit, changes) {
        const outcome = await store.write.commit(permit, changes);
        if (outcome.done && outcome.awaited === true) wake();
        return outcome;
      },
    },
  };
}

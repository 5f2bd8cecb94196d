import { expect } from '@jest/globals';
import { makeChangeCounts } from '../../server/store/embedded/change-counts.ts';
import { filesOf } from '../../server/store/embedded/files.ts';
import { openReader } from '../../server/store/embedded/reader.ts';
import type { FactsReader, Reader, Store } from '../../server/store/port.ts';
import { embeddedSubjects } from '../support/embedded-store.ts';
import { consentContract } from './consents.ts';
import { historyContract } from './history.ts';
import { mergeContract } from './merges.ts';
import { moveContract } from './moves.ts';
import { relationsContract } from './relations.ts';
import { removalContract } from './removal.ts';
import { storeContract } from './store.ts';
import { queryContract } from './store-queries.ts';

type Reads = { readonly facts: FactsReader; readonly read: Reader };
type Question = (reads: Reads) => Promise<unknown>;

/** The same reads, each noted so that it can be asked again. */
function noting<T extends object>(reads: T, of: (all: Reads) => T, note: (question: Question) => void): T {
  return new Proxy(reads, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...given: unknown[]) => {
        note(async (all) => (Reflect.get(of(all), name) as (...g: unknown[]) => unknown)(...given));
        return (method as (...g: unknown[]) => unknown)(...given);
      };
    },
  });
}

/** What is answered, errors too; whether an entry was read before is no part of it. */
async function answerTo(question: Question, reads: Reads): Promise<string> {
  try {
    const answer: unknown = await question(reads);
    const plain = answer instanceof Map || answer instanceof Set ? [...(answer as Iterable<unknown>)] : answer;
    return JSON.stringify([plain], (name, value: unknown) => (name === 'kept' ? undefined : value));
  } catch (error) {
    return String(error);
  }
}

/** Before each change all questions so far are asked twice, and after it the answers are those of a reader that recalls nothing. */
function askedAgain(store: Store, folder: string): Store {
  const questions: Question[] = [];
  const note = (question: Question) => void questions.push(question);
  const all = { facts: store.facts, read: store.read };
  const inOrder = async (reads: Reads) => {
    const answers: string[] = [];
    for (const question of questions) answers.push(await answerTo(question, reads));
    return answers;
  };
  return {
    ...store,
    facts: noting(store.facts, ({ facts }) => facts, note),
    read: noting(store.read, ({ read }) => read, note),
    write: {
      ...store.write,
      async commit(permit, changes) {
        await inOrder(all);
        await inOrder(all);
        const outcome = await store.write.commit(permit, changes);
        const files = filesOf(folder);
        const fresh = openReader(files.main, files.keys, makeChangeCounts());
        try {
          expect(await inOrder(all)).toEqual(await inOrder(fresh));
        } finally {
          fresh.close();
        }
        return outcome;
      },
    },
  };
}

const open = embeddedSubjects(askedAgain);

for (const contract of [
  storeContract,
  queryContract,
  removalContract,
  historyContract,
  relationsContract,
  mergeContract,
  moveContract,
  consentContract,
])
  contract('the embedded store, asked again after each change', open);

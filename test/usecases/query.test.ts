import { beforeAll, describe, expect, test } from '@jest/globals';
import { Refused } from '../../server/domain/error.ts';
import type { Tools } from '../../server/usecases/perform.ts';
import { type Found, findDocuments, getDocuments } from '../../server/usecases/query.ts';
import { retrieve } from '../../server/usecases/retrieve.ts';
import { searchDocuments } from '../../server/usecases/search-documents.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import { openWorld, type World } from '../support/world.ts';

let world: World<MemoryStore>;
beforeAll(async () => {
  world = await openWorld();
});

const everything = () => ({ patient: world.ins('laurent'), filter: {}, query: 'everything' });

/** Tools whose store gives at most so many documents at once. */
function inSlices(limit: number): Tools {
  const { store } = world.tools;
  const { read } = store;
  return {
    ...world.tools,
    store: {
      ...store,
      read: {
        ...read,
        documents: (permit, filter, page) =>
          read.documents(permit, filter, { ...page, limit: Math.min(limit, page.limit) }),
      },
    },
  };
}

async function problemOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refused) return error.problems.map((p) => p.name).join();
    throw error;
  }
  return 'none';
}

describe('finding', () => {
  test('all documents are read in slices, each once, newest first', async () => {
    const whole = await findDocuments(world.tools, world.as('laurent'), everything());
    const sliced = await findDocuments(inSlices(4), world.as('laurent'), everything());
    expect(whole).toHaveLength(13);
    expect(sliced.map((d) => d.entry.uniqueId)).toEqual(whole.map((d) => d.entry.uniqueId));
  });

  test('what is found can be worked on while its event is being written, and is answered after that alone', async () => {
    const { store } = world.tools;
    const seen: string[] = [];
    const slow: Tools = {
      ...world.tools,
      store: {
        ...store,
        write: {
          ...store.write,
          async commit(permit, changes) {
            seen.push('sent');
            await worked;
            seen.push('written');
            return store.write.commit(permit, changes);
          },
        },
      },
    };
    let wake = () => {};
    const worked = new Promise<void>((resolve) => (wake = resolve));
    const meanwhile = ({ documents }: Found) => {
      seen.push(`${documents.length} found`);
      wake();
    };
    const found = await findDocuments(slow, world.as('laurent'), { ...everything(), meanwhile });
    expect([...seen, `${found.length} answered`]).toEqual(['sent', '13 found', 'written', '13 answered']);
  });

  test('of work that fails beside the event nothing is answered', async () => {
    const meanwhile = () => {
      throw new RangeError('too long');
    };
    const found = findDocuments(world.tools, world.as('laurent'), { ...everything(), meanwhile });
    await expect(found).rejects.toThrow(RangeError);
  });

  test('exactly the limit is found, one more is too many', async () => {
    const limited = (limit: number) => findDocuments(world.tools, world.as('laurent'), { ...everything(), limit });
    expect(await limited(13)).toHaveLength(13);
    expect(await problemOf(limited(12))).toBe('tooManyResults');
  });

  test('pages follow each other; the total is counted when asked for', async () => {
    const besides = { targets: false, packages: false };
    const all = { ...everything(), tests: [], orders: ['arrival'], besides } as const;
    const first = await searchDocuments(world.tools, world.as('laurent'), { ...all, page: { limit: 8 }, count: true });
    expect([first.items.length, first.next, first.total]).toEqual([8, [first.items.at(-1)?.position], 13]);
    const page = { limit: 8, ...(first.next && { after: first.next }) };
    const second = await searchDocuments(world.tools, world.as('laurent'), { ...all, page, count: false });
    expect([second.items.length, second.next, second.total]).toEqual([5, undefined, undefined]);
    const whole = await findDocuments(world.tools, world.as('laurent'), everything());
    expect([...first.items, ...second.items].map((d) => d.position)).toEqual(whole.map((d) => d.position));
  });

  test('hidden documents are not counted either', async () => {
    const page = { limit: 10 };
    const how = { tests: [], orders: ['arrival'], besides: { targets: false, packages: false } } as const;
    const asked = { patient: world.ins('masson'), filter: {}, query: 'q', page, count: true, ...how };
    for (const tests of [[], [() => true]]) {
      expect((await searchDocuments(world.tools, world.as('masson'), { ...asked, tests })).total).toBe(1);
      expect((await searchDocuments(world.tools, world.as('dr-martin'), { ...asked, tests })).total).toBe(2);
    }
  });

  test('a very long question is cut in the trace', async () => {
    await findDocuments(world.tools, world.as('laurent'), { ...everything(), query: 'x'.repeat(10_000) });
    expect(world.tools.store.events().at(-1)?.query).toBe(`${'x'.repeat(4000)}…`);
  });
});

describe('the record asked about', () => {
  test('nobody names a patient: no record is asked', async () => {
    const nobody = { filter: {}, query: 'q' };
    expect(await problemOf(findDocuments(world.tools, world.as('dr-martin'), nobody))).toBe('patientNotNamed');
  });

  test.each([
    ['that does not exist', '1.2.3.4', 'unknownRecord'],
    ['of a record without authorisation', '1.2.250.1.999.1.3.101', 'notAuthorised'],
    ['of a patient who blocks him', '1.2.250.1.999.1.3.301', 'blocked'],
    ['of a closed record', '1.2.250.1.999.1.3.201', 'recordClosed'],
  ])('nobody names a patient: a document %s is as unknown as any other, and traced', async (_, uniqueId, ground) => {
    const who = ground === 'blocked' ? 'dr-nguyen' : 'pharm-durand';
    const found = await getDocuments(world.tools, world.as(who), { by: 'uniqueId', values: [uniqueId] });
    expect(found).toEqual([]);
    expect(world.tools.store.events().at(-1)).toMatchObject({ action: 'lookUpDocuments', ground });
  });

  test('the patient of the credential, or of the document named', async () => {
    const inLaurent = world.as('dr-martin', { patient: world.ins('laurent') });
    const [document] = await getDocuments(world.tools, inLaurent, {
      by: 'uniqueId',
      values: ['1.2.250.1.999.1.3.101'],
    });
    const entryUUID = document?.entry.entryUUID ?? '';
    const byUuid = { by: 'entryUUID', values: [entryUUID] } as const;
    expect(await getDocuments(world.tools, world.as('dr-martin'), byUuid)).toHaveLength(1);
    const byUniqueId = { by: 'uniqueId', values: ['1.2.250.1.999.1.3.101'] } as const;
    expect(await getDocuments(world.tools, world.as('dr-martin'), byUniqueId)).toHaveLength(1);
    expect((await retrieve(world.tools, world.as('dr-martin'), byUuid)).documents).toHaveLength(1);
    expect(
      await problemOf(getDocuments(world.tools, world.as('dr-leroy', { patient: world.ins('girard') }), byUuid)),
    ).toBe('none');
  });

  test('a record may be named by its own id', async () => {
    const facts = await world.tools.store.facts.recordByIdentifier(world.ins('laurent'));
    const patient = { record: facts?.record.id ?? '' };
    expect(await findDocuments(world.tools, world.as('laurent'), { ...everything(), patient })).toHaveLength(13);
  });
});

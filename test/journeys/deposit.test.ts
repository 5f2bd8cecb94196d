import { hash } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Received } from '../../server/blobs/port.ts';
import { visibilitySystem } from '../../server/domain/document.ts';
import { problem, Refused } from '../../server/domain/error.ts';
import { professionalAuthority, structureAuthority } from '../../server/domain/people.ts';
import { type Store, StoreFull } from '../../server/store/port.ts';
import type { Deposit } from '../../server/usecases/deposit.ts';
import { isTraced, type Request } from '../../server/usecases/perform.ts';
import { getDocuments } from '../../server/usecases/query.ts';
import { submit } from '../../server/usecases/submit.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import { type Changes, submissionWith } from '../support/submission.ts';
import { openWorld, type World } from '../support/world.ts';

/** A document whose keeping and discarding is counted. */
type Counted = Received & { readonly calls: string[] };

function bytes(text: string): Counted {
  const content = Buffer.from(text);
  const calls: string[] = [];
  const called = <T>(name: string, value: T) => {
    calls.push(name);
    return Promise.resolve(value);
  };
  return {
    size: content.length,
    sha1: hash('sha1', content, 'hex'),
    sha256: hash('sha256', content, 'hex'),
    open: () => Promise.resolve(content),
    keep: () => called('keep', { sealed: content }),
    stage: () => Promise.reject(new Error('nothing is staged here')),
    discard: () => called('discard', undefined),
    calls,
  };
}

/** The author of whom a caller's set must be. */
function authorOf({ caller: { actor } }: Request) {
  if (actor.kind !== 'professional') throw new Error('only professionals deposit here');
  return {
    person: { id: actor.id, family: 'X', authority: { oid: professionalAuthority } },
    institutions: [{ name: 'S', authority: { oid: structureAuthority }, id: actor.structure?.id }],
    roles: [],
    specialties: [],
    telecommunications: [],
  };
}

let world: World<MemoryStore>;
let number = 0;
beforeEach(async () => {
  world = await openWorld();
});

/** A sound deposit of one document for `laurent`, with changes; its uniqueIds are new unless changed. */
function deposit(request: Request, changes: Changes = {}, received: Counted = bytes('a document')): Deposit {
  const { value, oid } = world.ins('laurent');
  const patientId = { id: value, authority: { oid } };
  number++;
  const submission = submissionWith({
    'sets/0/patientId': patientId,
    'sets/0/authors': [authorOf(request)],
    'sets/0/uniqueId': `2.999.61.${number}`,
    'entries/0/patientId': patientId,
    'entries/0/authors': [authorOf(request)],
    'entries/0/uniqueId': `2.999.62.${number}`,
    ...changes,
  });
  return { submission, documents: [{ id: 'doc1', received }] };
}

const related = (type: string, target: string): Changes => ({
  'associations/1': { id: 'a2', type, source: 'doc1', target, extra: [] },
});
const visibility = (...codes: string[]): Changes => ({
  'entries/0/confidentialityCodes': [
    { code: 'N', system: '2.16.840.1.113883.5.25' },
    ...codes.map((code) => ({ code, system: visibilitySystem })),
  ],
});

const namesOf = (done: Promise<unknown>): Promise<string[]> =>
  done.then(
    () => [],
    (error: unknown) => {
      if (!(error instanceof Refused)) throw error;
      return error.problems.map(({ name, about }) => [name, about.object, about.attribute].filter(Boolean).join(' '));
    },
  );

async function found(as: string, entryUUID: string) {
  const [document] = await getDocuments(world.tools, world.as(as), {
    by: 'entryUUID',
    values: [entryUUID],
    patient: world.ins('laurent'),
  });
  return document;
}

describe('a deposit', () => {
  test('is found at once by whoever is authorised, and kept once', async () => {
    const received = bytes('a document');
    const request = world.as('dr-martin');
    const { set, entries } = await submit(world.tools, request, deposit(request, {}, received));
    expect(received.calls).toEqual(['keep']);
    const document = await found('dr-nguyen', entries[0]?.entryUUID ?? '');
    expect(document?.entry).toEqual(entries[0]);
    expect(document).toMatchObject({ own: false, sha256: received.sha256, registeredAt: world.clock.now });
    expect((await found('dr-martin', entries[0]?.entryUUID ?? ''))?.own).toBe(true);
    expect(world.tools.store.events().at(-3)).toMatchObject({
      action: 'submitDocuments',
      outcome: 'done',
      documents: [{ entryUUID: entries[0]?.entryUUID, uniqueId: entries[0]?.uniqueId }],
      submissionSet: { entryUUID: set.entryUUID, uniqueId: set.uniqueId },
    });
  });

  test('is the depositor’s too when another is named as author', async () => {
    const request = world.as('dr-martin');
    const changes = { 'entries/0/authors': [authorOf(world.as('dr-leroy'))], ...visibility('MASQUE_PS') };
    const { entries } = await submit(world.tools, request, deposit(request, changes));
    const [entry] = entries;
    expect((await found('dr-martin', entry?.entryUUID ?? ''))?.own).toBe(true);
    expect(await found('dr-nguyen', entry?.entryUUID ?? '')).toBeUndefined();
  });
});

describe('a refused deposit', () => {
  test('tells what reading and rules found, once each, writes its event alone and discards the bytes', async () => {
    const received = bytes('a document');
    const request = world.as('dr-martin');
    const before = world.tools.store.events().length;
    const wrong = deposit(
      request,
      { 'entries/0/classCode': null, 'entries/0/typeCode': null, 'entries/0/size': 1 },
      received,
    );
    const problems = [problem('attributeMalformed', { attribute: 'classCode', object: 'doc1', value: '' })];
    expect(await namesOf(submit(world.tools, request, { ...wrong, problems }))).toEqual([
      'attributeMalformed doc1 classCode',
      'attributeMissing doc1 typeCode',
      'sizeDiffers doc1',
    ]);
    expect(received.calls).toEqual(['discard']);
    expect(world.tools.store.events().slice(before)).toEqual([
      expect.objectContaining({ action: 'submitDocuments', outcome: 'failed', ground: 'attributeMalformed' }),
    ]);
  });

  test('by the decision discards the bytes', async () => {
    const received = bytes('a document');
    const request = world.as('dr-bernard');
    expect(await namesOf(submit(world.tools, request, deposit(request, {}, received)))).toEqual(['accessDenied']);
    expect(received.calls).toEqual(['discard']);
  });

  test('for nobody known is an unknown patient', async () => {
    const request = world.as('dr-martin');
    const { value, oid } = world.ins('garnier');
    const patientId = { id: value, authority: { oid } };
    const changes = { 'sets/0/patientId': patientId, 'entries/0/patientId': patientId };
    expect(await namesOf(submit(world.tools, request, deposit(request, changes)))).toEqual(['unknownPatient']);
  });

  test('for two patients is shown in the history of neither', async () => {
    const received = bytes('a document');
    const request = world.as('dr-martin');
    const before = world.tools.store.events().length;
    const { value, oid } = world.ins('blanc');
    const wrong = deposit(request, { 'entries/0/patientId': { id: value, authority: { oid } } }, received);
    const refusal = await submit(world.tools, request, wrong).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refused);
    expect((refusal as Refused).problems.map((p) => p.name)).toEqual(['patientIdsDiffer']);
    expect(isTraced(refusal as Refused)).toBe(false);
    expect(world.tools.store.events()).toHaveLength(before);
    expect(received.calls).toEqual(['discard']);
  });

  test('without a patientId is judged for the patient of the credential', async () => {
    const request = world.as('dr-martin', { patient: world.ins('laurent') });
    const wrong = deposit(request, { 'sets/0/patientId': null, 'entries/0/patientId': null });
    expect(await namesOf(submit(world.tools, request, wrong))).toEqual([
      'attributeMissing ss1 patientId',
      'attributeMissing doc1 patientId',
    ]);
    expect(world.tools.store.events().at(-1)).toMatchObject({ outcome: 'failed', patient: world.ins('laurent') });
  });

  test('without a patientId anywhere is judged all the same', async () => {
    const request = world.as('dr-martin');
    const wrong = deposit(request, { 'sets/0/patientId': null, 'entries/0/patientId': null });
    expect(await namesOf(submit(world.tools, request, wrong))).toEqual([
      'attributeMissing ss1 patientId',
      'attributeMissing doc1 patientId',
    ]);
  });
});

describe('one uniqueId', () => {
  test.each([
    ['with the same bytes', 'a document', ['uniqueIdInUse doc1']],
    ['with other bytes', 'another one', ['nonIdenticalHash doc1']],
  ])('is refused a second time, %s', async (_, text, problems) => {
    const request = world.as('dr-martin');
    const first = deposit(request);
    await submit(world.tools, request, first);
    const uniqueId = first.submission.entries[0]?.uniqueId;
    const again = deposit(request, { 'entries/0/uniqueId': uniqueId }, bytes(text));
    expect(await namesOf(submit(world.tools, request, again))).toEqual(problems);
  });

  test.each([
    ['masked to him', 'dr-nguyen', 'laurent', visibility('MASQUE_PS')],
    ['of another record', 'dr-martin', 'casanova', {}],
  ])('of a document %s does not tell the depositor whether his bytes are the same', async (_, who, of, hidden) => {
    const owner = world.as('dr-martin');
    const first = deposit(owner, hidden);
    await submit(world.tools, owner, first);
    const { value, oid } = world.ins(of);
    const patientId = { id: value, authority: { oid } };
    const changes = {
      'sets/0/patientId': patientId,
      'entries/0/patientId': patientId,
      'entries/0/uniqueId': first.submission.entries[0]?.uniqueId,
    };
    for (const text of ['a document', 'another one']) {
      const again = deposit(world.as(who), changes, bytes(text));
      expect(await namesOf(submit(world.tools, world.as(who), again))).toEqual(['uniqueIdInUse doc1']);
    }
  });

  test('sent twice at the same time is registered once', async () => {
    const request = world.as('dr-martin');
    const [one, two] = [bytes('a document'), bytes('a document')];
    const first = deposit(request, {}, one);
    const uniqueId = first.submission.entries[0]?.uniqueId;
    const second = deposit(request, { 'entries/0/uniqueId': uniqueId }, two);
    const outcomes = await Promise.all([
      namesOf(submit(world.tools, request, first)),
      namesOf(submit(world.tools, request, second)),
    ]);
    expect(outcomes.sort()).toEqual([[], ['uniqueIdInUse doc1']]);
    expect([one.calls, two.calls]).toEqual([['keep'], ['keep']]);
    const documents = await getDocuments(world.tools, request, {
      by: 'uniqueId',
      values: [uniqueId ?? ''],
      patient: world.ins('laurent'),
    });
    expect(documents).toHaveLength(1);
  });

  test('a UUID that is registered cannot be given again', async () => {
    const request = world.as('dr-martin');
    const { entries } = await submit(world.tools, request, deposit(request));
    const taken = entries[0]?.entryUUID ?? '';
    const again = deposit(request, { 'entries/0/id': taken, 'associations/0/target': taken });
    const documents = again.documents.map((d) => ({ ...d, id: taken }));
    expect(await namesOf(submit(world.tools, request, { ...again, documents }))).toEqual([`entryUuidInUse ${taken}`]);
  });
});

describe('when the store', () => {
  /** The world's store with another way to commit. */
  const committing = (commit: Store['write']['commit']) => ({
    ...world.tools,
    store: { ...world.tools.store, write: { ...world.tools.store.write, commit } },
  });

  test('finds that the facts changed, all is judged again and the bytes are kept once', async () => {
    const received = bytes('a document');
    const request = world.as('dr-martin');
    let calls = 0;
    const tools = committing((permit, changes) =>
      ++calls === 1
        ? Promise.resolve({ done: false, conflicts: [], spent: false })
        : world.tools.store.write.commit(permit, changes),
    );
    const { entries } = await submit(tools, request, deposit(request, {}, received));
    expect(await found('dr-martin', entries[0]?.entryUUID ?? '')).toMatchObject({ entry: { status: 'approved' } });
    expect([calls, received.calls]).toEqual([2, ['keep']]);
  });

  test('is full, the fault passes through and nothing is registered', async () => {
    const received = bytes('a document');
    const request = world.as('dr-martin');
    const tools = committing(() => Promise.reject(new StoreFull('full')));
    const wanted = deposit(request, {}, received);
    await expect(submit(tools, request, wanted)).rejects.toBeInstanceOf(StoreFull);
    expect(received.calls).toEqual(['keep']);
    const { entries } = await submit(world.tools, request, wanted);
    expect(entries.map(({ uniqueId }) => uniqueId)).toEqual([wanted.submission.entries[0]?.uniqueId]);
  });

  test('fails before the bytes are kept, they are discarded', async () => {
    const received = bytes('a document');
    const request = world.as('dr-martin');
    const { store } = world.tools;
    const read = { ...store.read, holders: () => Promise.reject(new Error('broken')) };
    const tools = { ...world.tools, store: { ...store, read } };
    await expect(submit(tools, request, deposit(request, {}, received))).rejects.toThrow('broken');
    expect(received.calls).toEqual(['discard']);
  });
});

describe('a replacement', () => {
  test('deprecates its target with the addenda in the same commit', async () => {
    const request = world.as('dr-martin');
    const old = (await submit(world.tools, request, deposit(request))).entries[0]?.entryUUID ?? '';
    const addendum = (await submit(world.tools, request, deposit(request, related('APND', old)))).entries[0];
    await submit(world.tools, request, deposit(request, related('RPLC', old)));
    expect((await found('dr-martin', old))?.entry.status).toBe('deprecated');
    expect((await found('dr-martin', addendum?.entryUUID ?? ''))?.entry.status).toBe('deprecated');
  });

  test('of a document replaced already is refused', async () => {
    const request = world.as('dr-martin');
    const old = (await submit(world.tools, request, deposit(request))).entries[0]?.entryUUID ?? '';
    await submit(world.tools, request, deposit(request, related('RPLC', old)));
    const again = deposit(request, related('RPLC', old));
    expect(await namesOf(submit(world.tools, request, again))).toEqual(['targetDeprecated a2']);
  });

  test('twice at the same time happens once', async () => {
    const request = world.as('dr-martin');
    const old = (await submit(world.tools, request, deposit(request))).entries[0]?.entryUUID ?? '';
    const outcomes = await Promise.all(
      [1, 2].map(() => namesOf(submit(world.tools, request, deposit(request, related('RPLC', old))))),
    );
    expect(outcomes.sort()).toEqual([[], ['targetDeprecated a2']]);
  });

  test('by another professional is refused', async () => {
    const request = world.as('dr-martin');
    const old = (await submit(world.tools, request, deposit(request))).entries[0]?.entryUUID ?? '';
    const other = world.as('dr-nguyen');
    const wanted = deposit(other, related('RPLC', old));
    expect(await namesOf(submit(world.tools, other, wanted))).toEqual(['notYoursToReplace a2']);
  });

  test('of a document that is masked to the caller finds nothing to replace', async () => {
    const request = world.as('dr-martin');
    const masked = deposit(request, visibility('MASQUE_PS'));
    const old = (await submit(world.tools, request, masked)).entries[0]?.entryUUID ?? '';
    const other = world.as('dr-nguyen');
    const wanted = deposit(other, related('RPLC', old));
    expect(await namesOf(submit(world.tools, other, wanted))).toEqual(['referenceUnresolved a2 targetObject']);
  });
});

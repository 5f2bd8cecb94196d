import { beforeEach, describe, expect, test } from '@jest/globals';
import type { VisibilityCode } from '../../server/domain/document.ts';
import { Refused } from '../../server/domain/error.ts';
import type { StoredDocument } from '../../server/store/port.ts';
import type { Request } from '../../server/usecases/perform.ts';
import { findDocuments } from '../../server/usecases/query.ts';
import { amend, type Wish } from '../../server/usecases/visibility.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import { openWorld, type World } from '../support/world.ts';

let world: World<MemoryStore>;
beforeEach(async () => {
  world = await openWorld({ regime: '2022' });
});

const origin = { transaction: 'internal', requestId: 'job', endpoint: 'job' } as const;
/** One of our own jobs. */
const job: Request = {
  caller: {
    actor: { kind: 'system', id: 'opendmp', name: 'OpenDMP', rights: [] },
    mode: 'normal',
    secret: false,
    credential: { kind: 'internal', id: 'job' },
  },
  origin,
};

const documents = (who: string, patient: string): Promise<readonly StoredDocument[]> =>
  findDocuments(world.tools, world.as(who), { patient: world.ins(patient), filter: {}, query: 'all' });
const codes = ({ entry }: StoredDocument) => entry.confidentialityCodes.map(({ code }) => code);
async function hidden(code: VisibilityCode, who: string, patient: string): Promise<StoredDocument> {
  const found = (await documents(who, patient)).find((document) => codes(document).includes(code));
  if (found === undefined) throw new Error(`${patient} has no document with ${code}`);
  return found;
}
const change = (request: Request, { entry }: StoredDocument, wish: Wish) =>
  amend(world.tools, request, { by: 'logicalID', values: [entry.logicalID], wish: () => wish });
const problemsOf = async (work: Promise<unknown>) => {
  try {
    await work;
    return [];
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.problems.map(({ name }) => name);
  }
};

describe('our own job', () => {
  test('announces a document that was hidden from the patient', async () => {
    const document = await hidden('INVISIBLE_PATIENT', 'dr-martin', 'masson');
    const after = await change(job, document, { show: ['INVISIBLE_PATIENT'] });
    expect([codes(after), after.revision, after.entry.version]).toEqual([['N'], 2, 2]);
    const seen = await documents('masson', 'masson');
    expect(seen.map(({ entry }) => entry.logicalID)).toContain(document.entry.logicalID);
    const announced = world.tools.store.events().filter(({ action }) => action === 'announce');
    expect(announced).toMatchObject([{ outcome: 'done', documents: [{ entryUUID: after.entry.entryUUID }] }]);
  });

  test('does nothing else to it', async () => {
    const document = await hidden('INVISIBLE_PATIENT', 'dr-martin', 'masson');
    expect(await problemsOf(change(job, document, { status: 'deleted' }))).toEqual(['accessDenied']);
  });
});

test('visibility and status change in one version', async () => {
  const [document] = (await documents('dr-nguyen', 'laurent')).filter(({ own }) => own);
  if (document === undefined) throw new Error('dr-nguyen wrote nothing');
  const after = await change(world.as('dr-nguyen'), document, { hide: ['MASQUE_PS'], status: 'archived' });
  expect([codes(after), after.entry.status, after.entry.version, after.revision]).toEqual([
    ['N', 'MASQUE_PS'],
    'archived',
    2,
    2,
  ]);
  const found = (await documents('dr-nguyen', 'laurent')).find(
    ({ entry }) => entry.entryUUID === after.entry.entryUUID,
  );
  expect(found).toMatchObject({ entry: after.entry, revision: 2, changedAt: after.changedAt });
});

test('the patient masks and unmasks; a set of his own is filed for each', async () => {
  const [document] = await documents('laurent', 'laurent');
  if (document === undefined) throw new Error('laurent has no document');
  const sets = world.tools.store.held().submission_set;
  const masked = await change(world.as('laurent'), document, { hide: ['MASQUE_PS'] });
  const shown = await change(world.as('laurent'), masked, { show: ['MASQUE_PS'] });
  expect([codes(masked), codes(shown)]).toEqual([['N', 'MASQUE_PS'], ['N']]);
  expect(world.tools.store.held().submission_set).toBe(sets + 2);
});

test.each<Wish>([{ show: ['MASQUE_PS'] }, { status: 'approved' }, {}])(
  'where %j is so already nothing is filed',
  async (wish) => {
    const [document] = (await documents('dr-nguyen', 'laurent')).filter(({ own }) => own);
    if (document === undefined) throw new Error('dr-nguyen wrote nothing');
    const held = world.tools.store.held();
    expect((await change(world.as('dr-nguyen'), document, wish)).revision).toBe(1);
    expect(world.tools.store.held()).toEqual(held);
  },
);

test('two at once: one is done first, the other on what it left', async () => {
  const [document] = await documents('laurent', 'laurent');
  if (document === undefined) throw new Error('laurent has no document');
  const both = await Promise.all([
    change(world.as('laurent'), document, { hide: ['MASQUE_PS'] }),
    change(world.as('laurent'), document, { hide: ['MASQUE_PS'] }),
  ]);
  expect(both.map(({ revision }) => revision)).toEqual([2, 2]);
});

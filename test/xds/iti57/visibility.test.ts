import { beforeEach, describe, expect, test } from '@jest/globals';
import type { DocumentEntry, VisibilityCode } from '../../../server/domain/document.ts';
import { writeDocument } from '../../../server/xds/ebrim/write.ts';
import { iti57 } from '../../../server/xds/iti57.ts';
import { confidential } from '../../support/registry.ts';
import { openWorld } from '../../support/world.ts';
import { handled, seen } from '../handled.ts';
import { entryOf, everyVersion, registered, registering, type Sandbox, stored, versionsOf } from '../registered.ts';
import { linking, memberOf, nextVersion, restating, setOf, submitting } from '../registry-messages.ts';

let world: Sandbox;
beforeEach(async () => {
  world = await openWorld();
});

const send = async (slug: string, ...objects: string[]) =>
  seen(await handled(iti57, world, world.as(slug), submitting(setOf(world, slug), ...objects)));

/** What one answer says: Success, or the codes, and for refusals by right their mark. */
const outcome = async (slug: string, ...objects: string[]) => {
  const { status, errors } = await send(slug, ...objects);
  return status === 'Success'
    ? 'done'
    : errors.map(({ code, context }) => (context.startsWith('DMPAccessDenied') ? 'no right' : code)).join(' ');
};
const actions = () =>
  world.tools.store
    .events()
    .filter(({ origin }) => origin.transaction === 'ITI-57')
    .map(({ action, outcome: end, ground }) => `${action} ${end}${end === 'done' ? '' : ` ${ground}`}`);
const codes = (...all: VisibilityCode[]) => ({ confidentialityCodes: confidential(...all) });
const visibility = (entry: DocumentEntry, ...all: VisibilityCode[]) => nextVersion(entry, codes(...all));

/** A document of `dr-nguyen`, who is authorised by `laurent` and not his treating doctor. */
async function ofNguyen(uniqueId: string, ...all: VisibilityCode[]): Promise<DocumentEntry> {
  return registered(world, uniqueId, { codes: all, changes: { authors: [author('899970000024')] }, by: 'dr-nguyen' });
}
const author = (id: string, oid = '1.2.250.1.71.4.2.1') => ({
  person: { id, family: 'X', authority: { oid } },
  institutions: [],
  roles: [],
  specialties: [],
  telecommunications: [],
});

/** What the patient deposited himself. */
async function ofPatient(uniqueId: string): Promise<DocumentEntry> {
  const { value, oid } = world.ins('laurent');
  return registered(world, uniqueId, { changes: { authors: [author(value, oid)] }, by: 'laurent' });
}

describe('masking', () => {
  test('the patient masks; professionals but the author and the treating doctor lose sight of every version', async () => {
    const entry = await ofNguyen('2.999.80.1');
    expect(await outcome('laurent', visibility(entry, 'MASQUE_PS'))).toBe('done');
    expect(actions()).toEqual(['mask done']);
    expect(await versionsOf(world, '2.999.80.1', 'inf-petit')).toEqual([]);
    for (const slug of ['dr-nguyen', 'dr-martin', 'laurent'])
      expect(await versionsOf(world, '2.999.80.1', slug)).toHaveLength(2);
  });

  test('so does an authorised professional, who then does not see it any more', async () => {
    const entry = await registered(world, '2.999.80.1');
    expect(await outcome('dr-nguyen', visibility(entry, 'MASQUE_PS'))).toBe('done');
    expect(await versionsOf(world, '2.999.80.1', 'dr-nguyen')).toEqual([]);
  });

  test('the whole replacement chain goes along, in one commit and one event', async () => {
    const first = await registered(world, '2.999.80.1');
    const second = await registered(world, '2.999.80.2', { more: [linking('RPLC', 'doc1', first.entryUUID)] });
    await registered(world, '2.999.80.3', { more: [linking('RPLC', 'doc1', second.entryUUID)] });
    expect(await outcome('laurent', visibility(await stored(world, '2.999.80.2'), 'MASQUE_PS'))).toBe('done');
    for (const uniqueId of ['2.999.80.1', '2.999.80.2', '2.999.80.3']) {
      expect(await versionsOf(world, uniqueId, 'dr-nguyen')).toEqual([]);
      expect(await stored(world, uniqueId)).toMatchObject({ version: 2, ...codesHeld('MASQUE_PS') });
    }
    expect((await stored(world, '2.999.80.1')).status).toBe('deprecated');
    expect((await stored(world, '2.999.80.3')).status).toBe('approved');
    const [event] = world.tools.store.events().filter(({ action }) => action === 'mask');
    expect(event?.documents?.map(({ uniqueId }) => uniqueId).sort()).toEqual([
      '2.999.80.1',
      '2.999.80.2',
      '2.999.80.3',
    ]);
  });

  test('unmasking takes the chain along too, over documents that its author cannot see', async () => {
    const first = await registered(world, '2.999.80.1', { codes: ['MASQUE_PS'] });
    await registered(world, '2.999.80.3', { codes: ['MASQUE_PS'], more: [linking('RPLC', 'doc1', first.entryUUID)] });
    expect(await outcome('laurent', visibility(await stored(world, '2.999.80.3')))).toBe('done');
    expect(await versionsOf(world, '2.999.80.1', 'dr-nguyen')).toHaveLength(2);
    expect(actions()).toEqual(['unmask done']);
  });

  test.each([
    ['dr-nguyen', 'done'],
    ['dr-martin', 'done'],
    ['laurent', 'done'],
    ['inf-petit', 'UnresolvedReferenceException'],
  ])('unmasking a document of dr-nguyen by %s: %s', async (slug, expected) => {
    const entry = await ofNguyen('2.999.80.1', 'MASQUE_PS');
    expect(await outcome(slug, visibility(entry))).toBe(expected);
  });
});

const codesHeld = (...all: VisibilityCode[]) => ({
  confidentialityCodes: expect.arrayContaining(all.map((code) => expect.objectContaining({ code }))),
});

describe('announcing', () => {
  test('any authorised professional opens a hidden document to the patient, for good', async () => {
    const entry = await registered(world, '2.999.80.1', { codes: ['INVISIBLE_PATIENT'] });
    expect(await versionsOf(world, '2.999.80.1', 'laurent')).toEqual([]);
    expect(await outcome('dr-nguyen', visibility(entry))).toBe('done');
    expect(actions()).toEqual(['announce done']);
    const [next] = await versionsOf(world, '2.999.80.1', 'laurent');
    expect(next).toMatchObject({ version: 2 });
    expect(await outcome('dr-martin', visibility(await entryOf(world, '2.999.80.1'), 'INVISIBLE_PATIENT'))).toBe(
      'XDSRegistryMetadataError',
    );
    expect(await everyVersion(world, '2.999.80.1')).toHaveLength(2);
  });

  test('the patient, for whom it does not exist, cannot', async () => {
    const entry = await registered(world, '2.999.80.1', { codes: ['INVISIBLE_PATIENT'] });
    expect(await outcome('laurent', visibility(entry))).toBe('UnresolvedReferenceException');
  });

  test('nobody hides from representatives later either', async () => {
    const entry = await registered(world, '2.999.80.1');
    expect(await outcome('dr-martin', visibility(entry, 'INVISIBLE_REPRESENTANTS_LEGAUX'))).toBe(
      'XDSRegistryMetadataError',
    );
  });

  test('what is hidden from the patient is not masked as well', async () => {
    const entry = await registered(world, '2.999.80.1', { codes: ['INVISIBLE_PATIENT'] });
    expect(await outcome('dr-martin', visibility(entry, 'INVISIBLE_PATIENT', 'MASQUE_PS'))).toBe(
      'XDSRegistryMetadataError',
    );
  });
});

test.each([
  ['dr-martin', 'done'],
  ['dr-nguyen', 'done'],
  ['laurent', 'done'],
  ['inf-petit', 'no right'],
])('lifting the veil from representatives of a document of dr-nguyen by %s: %s', async (slug, expected) => {
  const entry = await ofNguyen('2.999.80.1', 'INVISIBLE_REPRESENTANTS_LEGAUX');
  expect(await outcome(slug, visibility(entry))).toBe(expected);
  expect(actions()).toEqual([
    expected === 'done' ? 'revealToRepresentatives done' : 'updateDocument failed changeNotYours',
  ]);
});

test.each(['dr-martin', 'dr-nguyen'])('a signature of a lot stays hidden, whatever %s wants', async (slug) => {
  const signature = {
    classCode: { code: 'urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1', system: 'URN' },
    typeCode: { code: 'E1762', system: 'ASTM' },
    formatCode: { code: 'http://www.w3.org/2000/09/xmldsig#', system: 'URN' },
  };
  const entry = await registered(world, '2.999.80.1', { codes: ['INVISIBLE_PATIENT'], changes: signature });
  expect(await outcome(slug, visibility(entry))).toBe('XDSRegistryMetadataError');
  expect(await versionsOf(world, '2.999.80.1', 'laurent')).toEqual([]);
});

test.each([
  ['EXPPAT_1', 'XDSRegistryMetadataError'],
  ['CERT_DECL', 'done'],
])('a professional who makes his document one of type %s, the patient’s alone or not: %s', async (code, expected) => {
  const entry = await ofNguyen('2.999.80.1');
  const typeCode = { code, system: '1.2.250.1.213.1.1.4.12', display: code };
  const classCode = { code: code === 'EXPPAT_1' ? '90' : '52', system: '1.2.250.1.213.1.1.4.1', display: code };
  expect(await outcome('dr-nguyen', nextVersion(entry, { typeCode, classCode }))).toBe(expected);
});

describe('archiving', () => {
  test.each([
    ['dr-nguyen', 'done'],
    ['dr-martin', 'done'],
    ['inf-petit', 'no right'],
    ['dr-leroy', 'no right'],
    ['laurent', 'no right'],
    ['hopital-nord', 'UnresolvedReferenceException'],
  ])('a document of dr-nguyen by %s: %s', async (slug, expected) => {
    const { entryUUID } = await ofNguyen('2.999.80.1');
    expect(await outcome(slug, restating(entryUUID, 'approved', 'archived'))).toBe(expected);
    expect(await stored(world, '2.999.80.1')).toMatchObject({
      entryUUID,
      version: 1,
      status: expected === 'done' ? 'archived' : 'approved',
    });
  });

  test.each([
    ['laurent', 'done'],
    ['dr-martin', 'done'],
    ['dr-nguyen', 'no right'],
  ])('a document of the patient by %s: %s', async (slug, expected) => {
    const { entryUUID } = await ofPatient('2.999.80.1');
    expect(await outcome(slug, restating(entryUUID, 'approved', 'archived'))).toBe(expected);
  });

  test('is undone by taking it out again', async () => {
    const { entryUUID } = await ofNguyen('2.999.80.1');
    await send('dr-nguyen', restating(entryUUID, 'approved', 'archived'));
    expect(await outcome('dr-nguyen', restating(entryUUID, 'archived', 'approved'))).toBe('done');
    expect(actions()).toEqual(['archive done', 'unarchive done']);
    expect((await stored(world, '2.999.80.1')).status).toBe('approved');
  });

  test('a replaced document comes out of the archive deprecated', async () => {
    const { entryUUID } = await registered(world, '2.999.80.1');
    await registered(world, '2.999.80.2', { more: [linking('RPLC', 'doc1', entryUUID)] });
    await send('dr-martin', restating(entryUUID, 'deprecated', 'archived'));
    expect(await outcome('dr-martin', restating(entryUUID, 'archived', 'approved'))).toBe('XDSMetadataUpdateError');
    expect(await outcome('dr-martin', restating(entryUUID, 'archived', 'deprecated'))).toBe('done');
  });
});

describe('deleting', () => {
  test('is of the status alone, and final', async () => {
    const { entryUUID } = await ofNguyen('2.999.80.1');
    expect(await outcome('dr-nguyen', restating(entryUUID, 'approved', 'deleted'))).toBe('done');
    expect(actions()).toEqual(['deleteDocument done']);
    expect((await versionsOf(world, '2.999.80.1', 'inf-petit')).map(({ status }) => status)).toEqual(['deleted']);
    for (const status of ['approved', 'archived', 'deprecated'] as const)
      expect(await outcome('dr-nguyen', restating(entryUUID, 'deleted', status))).toBe('XDSMetadataUpdateError');
  });

  test('of an archived document, and from what it was', async () => {
    const { entryUUID } = await ofNguyen('2.999.80.1');
    await send('dr-nguyen', restating(entryUUID, 'approved', 'archived'));
    expect(await outcome('dr-nguyen', restating(entryUUID, 'approved', 'deleted'))).toBe('XDSMetadataUpdateError');
    expect(await outcome('dr-nguyen', restating(entryUUID, 'archived', 'deleted'))).toBe('done');
  });

  test.each([
    ['dr-martin', 'no right'],
    ['laurent', 'no right'],
    ['inf-petit', 'no right'],
  ])('another’s document by %s: %s', async (slug, expected) => {
    const { entryUUID } = await ofNguyen('2.999.80.1');
    expect(await outcome(slug, restating(entryUUID, 'approved', 'deleted'))).toBe(expected);
  });

  test.each([
    ['laurent', 'done'],
    ['dr-martin', 'done'],
    ['dr-nguyen', 'no right'],
  ])('a document of the patient by %s: %s', async (slug, expected) => {
    const { entryUUID } = await ofPatient('2.999.80.1');
    expect(await outcome(slug, restating(entryUUID, 'approved', 'deleted'))).toBe(expected);
  });

  test('one’s own needs no authorisation; anything else is told as no right, whether it exists or not', async () => {
    const own = await registered(world, '2.999.80.1', { changes: { authors: [author('899970000057')] } });
    const stranger = world.as('pharm-durand').caller.actor;
    const id = 'id' in stranger ? stranger.id : '';
    const mine = await registered(world, '2.999.80.2', { changes: { authors: [author(id)] }, by: 'pharm-durand' });
    expect(await outcome('pharm-durand', restating(mine.entryUUID, 'approved', 'deleted'))).toBe('done');
    expect(await outcome('pharm-durand', restating(own.entryUUID, 'approved', 'deleted'))).toBe('no right');
    const nowhere = 'urn:uuid:00000000-0000-4000-8000-00000000dead';
    expect(await outcome('pharm-durand', restating(nowhere, 'approved', 'deleted'))).toBe('no right');
  });

  test('a structure deletes its own', async () => {
    const structure = world.as('hopital-nord').caller.actor;
    const id = structure.kind === 'structure' ? structure.structure.id : '';
    const institutions = [{ name: 'Hôpital', id, authority: { oid: '1.2.250.1.71.4.2.2' } }];
    const { entryUUID } = await registered(world, '2.999.80.1', {
      changes: { authors: [{ ...author('899970000099'), institutions }] },
      by: 'hopital-nord',
    });
    expect(await outcome('hopital-nord', restating(entryUUID, 'approved', 'archived'))).toBe('no right');
    expect(await outcome('hopital-nord', restating(entryUUID, 'approved', 'deleted'))).toBe('done');
    const other = await registered(world, '2.999.80.2');
    expect(await outcome('hopital-nord', restating(other.entryUUID, 'approved', 'deleted'))).toBe(
      'UnresolvedReferenceException',
    );
  });
});

describe('any other attribute', () => {
  test.each([
    ['dr-nguyen', 'done'],
    ['regie', 'done'],
    ['dr-martin', 'no right'],
    ['laurent', 'no right'],
    ['dr-roux', 'no right'],
  ])('of a document of dr-nguyen is changed by %s: %s', async (slug, expected) => {
    const entry = await ofNguyen('2.999.80.1');
    expect(await outcome(slug, nextVersion(entry, { title: { value: 'Corrected' } }))).toBe(expected);
  });

  test('together with a mask are two actions, both judged, both traced', async () => {
    const entry = await ofNguyen('2.999.80.1');
    const both = nextVersion(entry, { title: { value: 'Corrected' }, ...codes('MASQUE_PS') });
    expect(await outcome('dr-martin', both)).toBe('no right');
    expect(await outcome('dr-nguyen', both)).toBe('done');
    expect(actions().slice(1)).toEqual(['mask done', 'updateDocument done']);
  });

  test('a system does not hide, show, archive or delete', async () => {
    const entry = await ofNguyen('2.999.80.1');
    expect(await outcome('regie', visibility(entry, 'MASQUE_PS'))).toBe('no right');
    expect(await outcome('regie', restating(entry.entryUUID, 'approved', 'deleted'))).toBe('no right');
    expect(await outcome('regie', restating(entry.entryUUID, 'approved', 'deprecated'))).toBe('done');
    expect(actions()).toEqual([
      'mask refused rightMissing',
      'deleteDocument refused rightMissing',
      'updateDocument done',
    ]);
  });

  test('a mask leaves everything else as it was registered', async () => {
    const entry = await ofNguyen('2.999.80.1');
    const display = { ...entry.classCode, display: 'Another name' };
    expect(await outcome('laurent', nextVersion(entry, { classCode: display, ...codes('MASQUE_PS') }))).toBe('done');
    expect((await stored(world, '2.999.80.1')).classCode).toEqual(entry.classCode);
  });

  test('several changes of several documents are one commit, each with its event', async () => {
    const one = await ofNguyen('2.999.80.1');
    const other = await ofNguyen('2.999.80.2');
    const message = [visibility(one, 'MASQUE_PS'), restating(other.entryUUID, 'approved', 'archived')];
    expect(await outcome('dr-nguyen', ...message)).toBe('done');
    expect(actions()).toEqual(['mask done', 'archive done']);
    expect(await outcome('inf-petit', restating(other.entryUUID, 'archived', 'approved'))).toBe('no right');
    expect((await stored(world, '2.999.80.2')).status).toBe('archived');
  });
});

describe('who files an update', () => {
  test('a set of another author', async () => {
    const entry = await ofNguyen('2.999.80.1');
    const message = submitting(setOf(world, 'dr-martin'), visibility(entry, 'MASQUE_PS'));
    const answer = await seen(await handled(iti57, world, world.as('dr-nguyen'), message));
    expect(answer.errors.map(({ code }) => code)).toEqual(['XDSRegistryMetadataError']);
  });

  test('a professional whom nobody authorised, and one in an emergency', async () => {
    const entry = await ofNguyen('2.999.80.1');
    expect(await outcome('pharm-durand', visibility(entry, 'MASQUE_PS'))).toBe('no right');
    const emergency = world.as('dr-leroy', { mode: 'breakGlass', reason: 'inconscient' });
    const message = submitting(setOf(world, 'dr-leroy'), visibility(entry, 'MASQUE_PS'));
    const answer = await seen(await handled(iti57, world, emergency, message));
    expect(answer.errors.map(({ context }) => context)).toEqual([expect.stringMatching(/^DMPAccessDenied/)]);
    const archive = submitting(setOf(world, 'dr-leroy'), restating(entry.entryUUID, 'approved', 'archived'));
    expect(await seen(await handled(iti57, world, emergency, archive))).toMatchObject({ status: 'Success' });
    expect(world.tools.store.jobs().map(({ kind }) => kind)).toContain('reviewEmergencyAccess');
  });
});

describe('folders and associations', () => {
  const filed = async () => {
    const old = await ofNguyen('2.999.80.1');
    const next = await registering(
      world,
      'dr-nguyen',
      writeDocument({ ...old, entryUUID: 'doc2', logicalID: 'doc2', uniqueId: '2.999.80.2' }),
      memberOf('doc2', { submissionSetStatus: 'Original' }),
      linking('APND', 'doc2', old.entryUUID, { entryUUID: 'urn:uuid:00000000-0000-4000-8000-00000000aaaa' }),
    );
    expect(next.status).toBe('Success');
    return 'urn:uuid:00000000-0000-4000-8000-00000000aaaa';
  };

  test('an association is deprecated by the author of its source', async () => {
    const name = await filed();
    expect(await outcome('inf-petit', restating(name, 'approved', 'deprecated'))).toBe('no right');
    expect(await outcome('dr-nguyen', restating(name, 'approved', 'archived'))).toBe('XDSMetadataUpdateError');
    expect(await outcome('dr-nguyen', restating(name, 'approved', 'deprecated'))).toBe('done');
    expect(await outcome('dr-nguyen', restating(name, 'approved', 'deprecated'))).toBe('XDSMetadataUpdateError');
  });
});

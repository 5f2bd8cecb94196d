import { beforeEach, describe, expect, test } from '@jest/globals';
import type { DocumentEntry } from '../../../server/domain/document.ts';
import { iti92 } from '../../../server/xds/iti92.ts';
import { confidential } from '../../support/registry.ts';
import { openWorld } from '../../support/world.ts';
import { handled, seen } from '../handled.ts';
import { everyVersion, foldered, registered, type Sandbox, stored } from '../registered.ts';
import { cxOf, linking, nextFolder, nextVersion, restating, setOf, submitting } from '../registry-messages.ts';

let world: Sandbox;
let entry: DocumentEntry;
beforeEach(async () => {
  world = await openWorld();
  entry = await registered(world, '2.999.80.1');
});

const send = async (slug: string, ...objects: string[]) =>
  seen(await handled(iti92, world, world.as(slug), submitting(setOf(world, 'dr-martin'), ...objects)));
const without = (name: string, message: string) =>
  message.replace(new RegExp(`<rim:Slot name="${name}">.*?</rim:Slot>`), '');
const title = { title: { value: 'Corrected' } };

test('a system with the right corrects what an entry says', async () => {
  expect(await send('regie', nextVersion(entry, title))).toMatchObject({ status: 'Success', errors: [] });
  const [former, next] = await everyVersion(world, '2.999.80.1');
  expect(next).toMatchObject({
    ...title,
    version: 2,
    status: 'approved',
    logicalID: entry.logicalID,
    hash: entry.hash,
  });
  expect(former?.status).toBe('deprecated');
  const event = world.tools.store.events().findLast(({ origin }) => origin.transaction === 'ITI-92');
  expect(event).toMatchObject({
    action: 'restrictedUpdate',
    outcome: 'done',
    ground: 'systemRight',
    documents: [{ entryUUID: next?.entryUUID }],
  });
});

test.each(['dr-martin', 'laurent', 'hopital-nord'])('nobody else: %s', async (slug) => {
  const { errors } = await send(slug, nextVersion(entry, title));
  expect(errors).toMatchObject([{ code: 'XDSRegistryError', context: expect.stringMatching(/^DMPAccessDenied/) }]);
  expect(world.tools.store.events().at(-1)).toMatchObject({ action: 'restrictedUpdate', outcome: 'refused' });
});

test('the entry may be named by its uniqueId alone', async () => {
  const message = nextVersion(entry, title).replace(/ lid="[^"]*"/, '');
  expect(await send('regie', message)).toMatchObject({ status: 'Success' });
  expect(await stored(world, '2.999.80.1')).toMatchObject({ ...title, version: 2, logicalID: entry.logicalID });
});

test('what stays may be left out', async () => {
  const message = ['hash', 'size', 'repositoryUniqueId'].reduce(
    (m, name) => without(name, m),
    nextVersion(entry, title),
  );
  expect(await send('regie', message)).toMatchObject({ status: 'Success' });
  const { hash, size, repositoryUniqueId } = entry;
  expect(await stored(world, '2.999.80.1')).toMatchObject({ hash, size, repositoryUniqueId });
});

describe('what a restricted update leaves alone', () => {
  const nowhere = 'urn:uuid:00000000-0000-4000-8000-00000000dead';
  test.each([
    [
      'repositoryUniqueId',
      () => nextVersion(entry, { repositoryUniqueId: '2.999.7' }),
      'UnmodifiableMetadataError next1',
    ],
    ['objectType', () => nextVersion(entry, { objectType: 'onDemand' }), 'UnmodifiableMetadataError next1'],
    [
      'sourcePatientId',
      () => nextVersion(entry, { sourcePatientId: cxOf(world.ins('casanova')) }),
      'UnmodifiableMetadataError next1',
    ],
    ['availabilityStatus', () => nextVersion(entry, { status: 'deprecated' }), 'UnmodifiableMetadataError next1'],
    [
      'documentAvailability',
      () => nextVersion(entry, { documentAvailability: 'offline' }),
      'UnmodifiableMetadataError next1',
    ],
    ['version', () => nextVersion(entry, { version: 9 }), 'UnmodifiableMetadataError next1'],
    ['hash', () => nextVersion(entry, { hash: '0'.repeat(40) }), 'UnmodifiableMetadataError next1'],
    [
      'patientId',
      () => nextVersion(entry, { patientId: cxOf(world.ins('casanova')) }),
      'XDSPatientIDReconciliationError next1',
    ],
    ['uniqueId', () => nextVersion(entry, { uniqueId: '2.999.80.99' }), 'XDSMetadataIdentifierError next1'],
    ['logicalID', () => nextVersion(entry, { logicalID: nowhere }), 'XDSMetadataIdentifierError next1'],
    [
      'visibility codes',
      () => nextVersion(entry, { confidentialityCodes: confidential('MASQUE_PS') }),
      'LocalPolicyRestrictionError next1',
    ],
    [
      'availabilityStatus of its own',
      () => restating(entry.entryUUID, 'approved', 'deprecated'),
      'UnmodifiableMetadataError',
    ],
  ])('%s', async (_, message, error) => {
    const { status, errors } = await send('regie', message());
    expect(status).toBe('Failure');
    expect(errors.map(({ code, location }) => `${code} ${location}`)).toEqual([expect.stringContaining(error)]);
    expect(await everyVersion(world, '2.999.80.1')).toEqual([entry]);
  });

  test('what was sent and what is registered are both told', async () => {
    const { errors } = await send('regie', nextVersion(entry, { version: 9 }));
    expect(errors[0]?.context).toContain('version of next1 "9" may not be changed: it is 1');
  });
});

describe('how it is sent', () => {
  test.each([
    ['PreviousVersion missing', () => without('PreviousVersion', nextVersion(entry, title)), 'XDSMetadataVersionError'],
    ['PreviousVersion stale', () => nextVersion(entry, title, { previousVersion: '2' }), 'XDSMetadataVersionError'],
    ['no HasMember', () => nextVersion(entry, title).replace(/<rim:Association.*/, ''), 'XDSMetadataAnnotationError'],
    [
      'AssociationPropagation "no"',
      () => nextVersion(entry, title, { associationPropagation: false }),
      'XDSMetadataAnnotationError',
    ],
    [
      'an entry that is not there',
      () => nextVersion({ ...entry, uniqueId: '2.999.80.99', logicalID: 'next1' }, title),
      'UnresolvedReferenceException',
    ],
    [
      'another association',
      () => linking('XFRM', 'next1', entry.entryUUID) + nextVersion(entry),
      'XDSMetadataUpdateOperationError',
    ],
    [
      'the same entry twice',
      () => nextVersion(entry) + nextVersion(entry, { entryUUID: 'next2' }),
      'XDSMetadataUpdateOperationError',
    ],
    ['an attribute missing', () => without('languageCode', nextVersion(entry)), 'XDSRegistryMetadataError'],
  ])('%s', async (_, message, error) => {
    const { status, errors } = await send('regie', message());
    expect(status).toBe('Failure');
    expect(errors.map(({ code }) => code)).toContain(error);
    expect(await everyVersion(world, '2.999.80.1')).toEqual([entry]);
  });

  test('a folder', async () => {
    const folder = await foldered(world, '2.999.81.1', entry);
    const { errors } = await send('regie', nextFolder(folder));
    expect(errors.map(({ code, location }) => `${code} ${location}`)).toEqual(['XDSObjectTypeError folder1']);
  });
});

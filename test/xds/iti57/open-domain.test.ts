import { beforeEach, describe, expect, test } from '@jest/globals';
import { anybody } from '../../../server/domain/actor.ts';
import type { DocumentEntry } from '../../../server/domain/document.ts';
import { feedIdentity } from '../../../server/usecases/feed.ts';
import { perform, type Request } from '../../../server/usecases/perform.ts';
import { writeDocument, writeSubmissionSet } from '../../../server/xds/ebrim/write.ts';
import type { XdsTransaction } from '../../../server/xds/exchange.ts';
import { iti42 } from '../../../server/xds/iti42.ts';
import { iti57 } from '../../../server/xds/iti57.ts';
import { iti62 } from '../../../server/xds/iti62.ts';
import { confidential, document, submissionSet } from '../../support/registry.ts';
import { openWorld } from '../../support/world.ts';
import { handled, seen } from '../handled.ts';
import type { Sandbox } from '../registered.ts';
import { linking, memberOf, nextVersion, restating, submitting } from '../registry-messages.ts';

const authority = '1.2.250.1.999.7';
const patient = (id: string) => ({ id, authority: { oid: authority } });

let world: Sandbox;
let request: Request;
let sets = 0;
beforeEach(async () => {
  world = await openWorld({ seeded: false, domain: 'open' });
  request = { caller: anybody, origin: { transaction: 'internal', requestId: 'test', endpoint: 'test' } };
  const traits = { family: 'P', given: 'P', gender: 'unknown', birthDate: '1990-01-01' } as const;
  for (const value of ['P1', 'P2'])
    await feedIdentity(world.tools, request, { identifiers: [{ value, oid: authority }], traits }, { message: 'add' });
});

const send = async (transaction: XdsTransaction, of: string, ...objects: string[]) => {
  const set = writeSubmissionSet(
    submissionSet(1, { entryUUID: 'ss1', uniqueId: `2.999.77.${++sets}`, patientId: patient(of), authors: [] }),
  );
  const { status, errors } = await seen(await handled(transaction, world, request, submitting(set, ...objects)));
  return status === 'Success' ? 'Success' : errors.map(({ code }) => code).join(' ');
};
const member = memberOf('doc1', { submissionSetStatus: 'Original' });
const draft = (uniqueId: string, of = 'P1') =>
  writeDocument(
    document(1, {
      entryUUID: 'doc1',
      logicalID: 'doc1',
      uniqueId,
      repositoryUniqueId: '2.999.7',
      patientId: patient(of),
      sourcePatientId: patient('S'),
    }),
  );
async function stored(uniqueId: string, of = 'P1'): Promise<readonly DocumentEntry[]> {
  const identifier = { value: of, oid: authority };
  const found = await perform(world.tools, request, 'lookUpDocuments', { identifier }, async (permit) => ({
    answer: await world.tools.store.read.documentsByUniqueId(permit, [uniqueId]),
  }));
  return found.map(({ entry }) => entry);
}
const registered = async (uniqueId: string, of = 'P1'): Promise<DocumentEntry> => {
  expect(await send(iti42, of, draft(uniqueId, of), member)).toBe('Success');
  const [entry] = await stored(uniqueId, of);
  if (entry === undefined) throw new Error('not registered');
  return entry;
};

describe('registering', () => {
  test('a document of another repository, and the same bytes under the same name again', async () => {
    const { repositoryUniqueId, hash } = await registered('2.999.80.1');
    expect(repositoryUniqueId).toBe('2.999.7');
    expect(await send(iti42, 'P1', draft('2.999.80.1'), member)).toBe('Success');
    expect(await stored('2.999.80.1')).toHaveLength(2);
    const other = draft('2.999.80.1').replace(hash ?? '', '0'.repeat(40));
    expect(await send(iti42, 'P1', other, member)).toBe('XDSNonIdenticalHash');
  });

  test('a relation across patients is told; by reference a set may have another patient’s document', async () => {
    const { entryUUID } = await registered('2.999.80.1', 'P2');
    const relation = linking('RPLC', 'doc1', entryUUID);
    expect(await send(iti42, 'P1', draft('2.999.80.2'), member, relation)).toBe('XDSPatientIdDoesNotMatch');
    const reference = memberOf(entryUUID, { submissionSetStatus: 'Reference' });
    expect(await send(iti42, 'P1', draft('2.999.80.2'), member, reference)).toBe('Success');
  });
});

describe('a document to which another patient’s set refers', () => {
  const referred = async () => {
    const entry = await registered('2.999.80.1', 'P2');
    const reference = memberOf(entry.entryUUID, { submissionSetStatus: 'Reference', entryUUID: referenceId });
    const set = writeSubmissionSet(
      submissionSet(1, { entryUUID: setId, uniqueId: `2.999.77.${++sets}`, patientId: patient('P1'), authors: [] }),
    );
    const sent = submitting(set, reference.replaceAll('"ss1"', `"${setId}"`));
    expect(await seen(await handled(iti42, world, request, sent))).toMatchObject({ status: 'Success' });
    return entry;
  };
  const [setId, referenceId] = [77, 78].map((n) => `urn:uuid:00000000-0000-4000-8000-0000000000${n}`) as [
    string,
    string,
  ];
  const removing = async (...names: string[]) => {
    const refs = names.map((id) => `<ObjectRef id="${id}"/>`).join('');
    const message = `<RemoveObjectsRequest xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"><ObjectRefList xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">${refs}</ObjectRefList></RemoveObjectsRequest>`;
    const { status, errors } = await seen(await handled(iti62, world, request, message));
    return status === 'Success' ? status : errors.map(({ code }) => code).join(' ');
  };
  const membershipsOf = async (entryUUID: string) => {
    const identifier = { value: 'P2', oid: authority };
    const found = await perform(world.tools, request, 'lookUpDocuments', { identifier }, async (permit) => ({
      answer: await world.tools.store.read.everyAssociationOf(permit, [entryUUID]),
    }));
    return found.filter((a) => a.entryUUID !== referenceId).flatMap((a) => [a.source, a.entryUUID]);
  };

  test('is replaced and updated as any other', async () => {
    const entry = await referred();
    expect(await send(iti57, 'P2', nextVersion(entry, { title: { value: 'New' }, patientId: patient('P2') }))).toBe(
      'Success',
    );
    const [next] = await stored('2.999.80.1', 'P2');
    const replacing = linking('RPLC', 'doc1', next?.entryUUID ?? '');
    expect(await send(iti42, 'P2', draft('2.999.80.3', 'P2'), member, replacing)).toBe('Success');
    expect((await stored('2.999.80.1', 'P2')).map(({ status }) => status)).toEqual(['deprecated', 'deprecated']);
  });

  test('is removed with the reference, not without it', async () => {
    const entry = await referred();
    const own = [entry.entryUUID, ...(await membershipsOf(entry.entryUUID))];
    expect(await removing(...own)).toBe('ReferencesExistException');
    expect(await removing(...own, setId, referenceId)).toBe('Success');
    expect(await stored('2.999.80.1', 'P2')).toEqual([]);
  });

  test('stays when the set that refers to it is removed', async () => {
    const entry = await referred();
    expect(await removing(setId, referenceId)).toBe('Success');
    expect(await stored('2.999.80.1', 'P2')).toEqual([entry]);
    expect(await removing(entry.entryUUID, ...(await membershipsOf(entry.entryUUID)))).toBe('Success');
  });
});

describe('updating', () => {
  test('whoever asks changes what he likes; visibility codes mean nothing', async () => {
    const entry = await registered('2.999.80.1');
    const changes = { title: { value: 'New' }, confidentialityCodes: confidential('INVISIBLE_PATIENT') };
    expect(await send(iti57, 'P1', nextVersion(entry, changes))).toBe('Success');
    const [next, former] = await stored('2.999.80.1');
    expect(next).toMatchObject({ ...changes, version: 2, status: 'approved', repositoryUniqueId: '2.999.7' });
    expect(former).toMatchObject({ version: 1, status: 'deprecated' });
    expect(world.tools.store.events().filter(({ action }) => action === 'updateDocument')).toMatchObject([
      { outcome: 'done', ground: 'openDomain' },
    ]);
    expect(await send(iti57, 'P1', restating(next?.entryUUID ?? '', 'approved', 'deprecated'))).toBe('Success');
    expect(await send(iti57, 'P1', restating(next?.entryUUID ?? '', 'deprecated', 'approved'))).toBe('Success');
  });

  test('what a message names of two patients is not one: the set, and all that it brings, are of one', async () => {
    const entry = await registered('2.999.80.1');
    expect(await send(iti57, 'P1', nextVersion(entry, { patientId: patient('P2') }))).toBe(
      'XDSPatientIDReconciliationError',
    );
    expect(await send(iti57, 'P2', nextVersion(entry, {}))).toBe('XDSPatientIDReconciliationError');
    expect(await stored('2.999.80.1')).toEqual([entry]);
  });

  test('a submission set of the same patient is told as what it is: no end of a new association, and without a status', async () => {
    const { entryUUID } = await registered('2.999.80.1');
    const naming = await perform(
      world.tools,
      request,
      'lookUpDocuments',
      { identifier: { value: 'P1', oid: authority } },
      async (permit) => ({
        answer: await world.tools.store.read.everyAssociationOf(permit, [entryUUID]),
      }),
    );
    const set = naming[0]?.source ?? '';
    const joining = [linking('APND', entryUUID, set, { entryUUID: 'x1' }), linking('SubmitAssociation', 'ss1', 'x1')];
    expect(await send(iti57, 'P1', ...joining)).toBe('XDSRegistryMetadataError');
    expect(await send(iti57, 'P1', restating(set, 'approved', 'deprecated'))).toBe('XDSRegistryMetadataError');
  });

  test('no document is joined with another patient’s', async () => {
    const one = await registered('2.999.80.1');
    const other = await registered('2.999.80.2', 'P2');
    const message = [
      linking('APND', other.entryUUID, one.entryUUID, { entryUUID: 'x1' }),
      linking('SubmitAssociation', 'ss1', 'x1'),
    ];
    expect(await send(iti57, 'P1', ...message)).toBe('XDSPatientIDReconciliationError');
  });
});

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, DocumentReference, List } from '@medplum/fhirtypes';
import type { Association, DocumentEntry } from '../../../server/domain/document.ts';
import { patientOf, testInsOid } from '../../../server/sandbox/people.ts';
import { writeAssociation, writeDocument, writeFolder, writeSubmissionSet } from '../../../server/xds/ebrim/write.ts';
import { action, namespace, statusUrn, storedQuery } from '../../../server/xds/vocabulary.ts';
import { readAnswer, type XdsAnswer } from '../../support/clients.ts';
import { association, document, folder, submissionSet, uuid } from '../../support/registry.ts';
import { openServer, type TestServer } from '../../support/server.ts';
import { plain, post } from '../../support/wire.ts';
import { submitting } from '../registry-messages.ts';

/** What was filed for `laurent` by mistake is brought to `blanc`, and looked for by every door. */
let server: TestServer;
beforeAll(async () => {
  server = await openServer({ DMP_DOMAIN: 'open', DMP_INLINE_CONTENT: '65536' });
});
afterAll(() => server.close());

type Slug = 'laurent' | 'blanc';
const repository = '1.2.250.1.213.4.1.1.1.2';
const cx = (slug: Slug) => ({ id: patientOf(slug)?.ins ?? '', authority: { oid: testInsOid } });
const inQuery = (slug: Slug) => `'${cx(slug).id}^^^&amp;${testInsOid}&amp;ISO'`;
const idOf = (name: string) => name.slice('urn:uuid:'.length);

let last = 1000;
const nextNumber = () => (last += 100);
let messages = 0;

async function send(name: 'iti18' | 'iti41' | 'iti43' | 'iti57' | 'iti62' | 'iti92', body: string): Promise<XdsAnswer> {
  const id = `urn:uuid:00000000-0000-4000-8000-${String(++messages).padStart(12, '0')}`;
  const head = `<a:Action s:mustUnderstand="1">${action[name][0]}</a:Action><a:MessageID>${id}</a:MessageID>`;
  const names = `xmlns:s="${namespace.soap12}" xmlns:a="${namespace.wsa}"`;
  const text = `<s:Envelope ${names}><s:Header>${head}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;
  const path = name === 'iti41' || name === 'iti43' ? '/xds/repository' : '/xds/registry';
  return readAnswer(await post(server.port, path, plain, [text]));
}
const told = ({ status, errors }: XdsAnswer) => [status, ...errors.map(({ code }) => code)].join(' ');

const link = (source: string, target: string, { type = 'HasMember', ...more }: Partial<Association> = {}): string =>
  writeAssociation({ ...association(nextNumber(), 1, 1), type, source, target, ...more });
const original = { submissionSetStatus: 'Original' } as const;

/** The set that files a message for somebody. */
function filing(slug: Slug, ...objects: string[]): string {
  const set = submissionSet(nextNumber(), { entryUUID: 'ss', patientId: cx(slug), authors: [] });
  return submitting(writeSubmissionSet(set), ...objects);
}

function entryOf(number: number, bytes: Buffer): DocumentEntry {
  const hash = createHash('sha1').update(bytes).digest('hex');
  const of = { patientId: cx('laurent'), sourcePatientId: cx('laurent'), mimeType: 'application/pdf' };
  return document(number, { ...of, hash, size: bytes.length, repositoryUniqueId: repository });
}

/** A document of `laurent`, with what else the message files. */
async function filed(bytes = Buffer.from('a letter'), ...more: string[]): Promise<DocumentEntry> {
  const entry = entryOf(nextNumber(), bytes);
  const metadata = filing('laurent', writeDocument(entry), link('ss', entry.entryUUID, original), ...more);
  const content = `<x:Document id="${entry.entryUUID}">${bytes.toString('base64')}</x:Document>`;
  const message = `<x:ProvideAndRegisterDocumentSetRequest xmlns:x="${namespace.xds}">${metadata}${content}</x:ProvideAndRegisterDocumentSetRequest>`;
  expect(told(await send('iti41', message))).toBe('Success');
  return entry;
}

/** The version that follows as `id`, with its membership. */
function versionOf(
  entry: DocumentEntry,
  changes: Partial<DocumentEntry> = {},
  membership: Partial<Association> = {},
): string {
  const { entryUUID = uuid(nextNumber()) } = changes;
  const previousVersion = String(entry.version);
  const draft = { ...entry, patientId: cx('blanc'), ...changes, entryUUID };
  return writeDocument(draft) + link('ss', entryUUID, { ...original, previousVersion, ...membership });
}
const alone = { associationPropagation: false } as const;
const moved = async (entry: DocumentEntry, changes: Partial<DocumentEntry> = {}, slug: Slug = 'blanc') => {
  const next = { ...entry, ...changes, entryUUID: uuid(nextNumber()), version: entry.version + 1, patientId: cx(slug) };
  const { entryUUID, patientId } = next;
  expect(told(await send('iti57', filing(slug, versionOf(entry, { ...changes, entryUUID, patientId }, alone))))).toBe(
    'Success',
  );
  return next;
};

function asking(name: keyof typeof storedQuery, slots: Record<string, string>, returnType = 'LeafClass'): string {
  const all = Object.entries(slots).map(
    ([slot, value]) => `<r:Slot name="$${slot}"><r:ValueList><r:Value>${value}</r:Value></r:ValueList></r:Slot>`,
  );
  return `<q:AdhocQueryRequest xmlns:q="${namespace.query}" xmlns:r="${namespace.rim}"><q:ResponseOption returnType="${returnType}" returnComposedObjects="true"/><r:AdhocQuery id="${storedQuery[name]}">${all.join('')}</r:AdhocQuery></q:AdhocQueryRequest>`;
}
const found = async (name: keyof typeof storedQuery, slots: Record<string, string>, returnType?: string) => {
  const answer = await send('iti18', asking(name, slots, returnType));
  return answer.status === 'Success' ? answer.objects : told(answer);
};
const anyStatus = `('${statusUrn.approved}','${statusUrn.deprecated}')`;
const everyLevel = { MetadataLevel: '2' };
const documentsOf = (slug: Slug, more = {}) =>
  found('FindDocuments', { XDSDocumentEntryPatientId: inQuery(slug), XDSDocumentEntryStatus: anyStatus, ...more });
const retrieved = async (uniqueId: string) => {
  const request = `<DocumentRequest><RepositoryUniqueId>${repository}</RepositoryUniqueId><DocumentUniqueId>${uniqueId}</DocumentUniqueId></DocumentRequest>`;
  const message = `<RetrieveDocumentSetRequest xmlns="${namespace.xds}">${request}</RetrieveDocumentSetRequest>`;
  return (await send('iti43', message)).documents;
};

describe('a document that an update brings to another patient', () => {
  test('is his: it is no current document of the patient for whom it had been filed', async () => {
    const entry = await filed();
    const { entryUUID } = await moved(entry);
    expect(await documentsOf('blanc')).toContain(entryUUID);
    expect(await documentsOf('laurent')).not.toContain(entry.entryUUID);
    expect(await documentsOf('laurent', everyLevel)).toContain(entry.entryUUID);
    const { text } = await send(
      'iti18',
      asking('GetDocuments', { XDSDocumentEntryEntryUUID: `('${entry.entryUUID}')`, ...everyLevel }),
    );
    expect(text).toContain(statusUrn.deprecated);
  });

  test.each([
    ['beside others', 8],
    ['in a file of its own', 200_000],
  ])('is retrieved once, with its bytes that lie %s', async (_, size) => {
    const bytes = Buffer.alloc(size, 'abcdefg');
    const entry = await filed(bytes);
    await moved(entry);
    const [only, ...more] = await retrieved(entry.uniqueId);
    expect([only?.bytes.equals(bytes), more]).toEqual([true, []]);
  });

  test('is found by its names at level 1; at level 2 its versions are of two patients', async () => {
    const entry = await filed();
    const { entryUUID } = await moved(entry);
    const names = { XDSDocumentEntryUniqueId: `('${entry.uniqueId}')` };
    const line = { XDSDocumentEntryLogicalID: `('${entry.entryUUID}')` };
    expect(await found('GetDocuments', names)).toEqual([entryUUID]);
    expect(await found('GetDocuments', { ...line, ...everyLevel })).toBe('Failure XDSResultNotSinglePatient');
    expect(await found('GetDocuments', { ...names, ...everyLevel })).toBe('Failure XDSResultNotSinglePatient');
    for (const slots of [names, line]) {
      const refs = await found('GetDocuments', { ...slots, ...everyLevel }, 'ObjectRef');
      expect([...refs].sort()).toEqual([entry.entryUUID, entryUUID].sort());
    }
  });

  test('keeps its id for apps, with the patient and the state it has now', async () => {
    const bytes = Buffer.from('the same letter');
    const entry = await filed(bytes);
    await moved(entry, { title: { value: 'Of the right patient' } });
    const id = idOf(entry.entryUUID);
    const { status, json } = await server.fhir.get<DocumentReference>(undefined, `DocumentReference/${id}`);
    expect([status, json.content[0]?.attachment.title, json.status, json.meta?.versionId]).toEqual([
      200,
      'Of the right patient',
      'current',
      '2',
    ]);
    expect(json.subject?.identifier?.value ?? json.subject?.reference).toContain(cx('blanc').id);
    expect((await server.fhir.get(undefined, `Binary/${id}`)).bytes).toEqual(bytes);
    const identifier = await server.fhir.get<Bundle>(
      undefined,
      `DocumentReference?identifier=urn:oid:${entry.uniqueId}`,
    );
    expect(identifier.json.entry?.map(({ resource }) => resource?.id)).toEqual([id]);
    const history = await server.fhir.get<Bundle>(undefined, `DocumentReference/${id}/_history`);
    expect(history.json.entry?.map(({ resource }) => resource?.meta?.versionId)).toEqual(['2']);
  });

  test('is traced to both patients', async () => {
    const entry = await filed();
    const before = server.ledger.last();
    await moved(entry);
    const events = server.ledger.after(before).filter((event) => event.action === 'updateDocument');
    expect(events.map((event) => event.documents?.map((d) => d.uniqueId))).toEqual([
      [entry.uniqueId],
      [entry.uniqueId],
    ]);
    expect(new Set(events.map((event) => event.record)).size).toBe(2);
  });

  test('goes on from there: the next version, a status, and back to where it came from', async () => {
    const bytes = Buffer.alloc(100_000, 'xyz');
    const entry = await filed(bytes);
    const second = await moved(entry);
    const third = await moved(second, { title: { value: 'Again' } });
    const restating = (target: string) =>
      link('ss', target, { type: 'UpdateAvailabilityStatus', originalStatus: 'approved', newStatus: 'deprecated' });
    expect(told(await send('iti57', filing('laurent', restating(third.entryUUID))))).toBe(
      'Failure XDSPatientIDReconciliationError',
    );
    const fourth = await moved(third, {}, 'laurent');
    expect(await documentsOf('laurent')).toContain(fourth.entryUUID);
    expect(await documentsOf('blanc')).not.toContain(third.entryUUID);
    expect((await retrieved(entry.uniqueId)).map((one) => one.bytes.equals(bytes))).toEqual([true]);
    expect(told(await send('iti57', filing('laurent', restating(fourth.entryUUID))))).toBe('Success');
  });

  test('takes no part in a restricted update, nor is an outdated version the one before', async () => {
    const entry = await filed();
    const change = { title: { value: 'New' } };
    const restricted = filing('blanc', versionOf(entry, { ...change, patientId: cx('laurent') }));
    expect((await send('iti92', restricted)).errors.map(({ code }) => code)).toContain(
      'XDSPatientIDReconciliationError',
    );
    await moved(entry);
    const stale = filing('blanc', versionOf(entry, change, alone));
    expect(told(await send('iti57', stale))).toBe('Failure XDSMetadataVersionError');
  });

  test('is where it was once its version there is removed', async () => {
    const entry = await filed();
    const { entryUUID } = await moved(entry);
    const naming = await found('GetAssociations', { uuid: `('${entryUUID}')` }, 'ObjectRef');
    const { text } = await send('iti18', asking('GetSubmissionSets', { uuid: `('${entryUUID}')` }));
    const set = /<(?:\w+:)?RegistryPackage[^>]* id="([^"]+)"/.exec(text)?.[1] ?? '';
    const refs = [entryUUID, set, ...naming].map((id) => `<ObjectRef id="${id}"/>`).join('');
    const removal = `<RemoveObjectsRequest xmlns="${namespace.lcm}"><ObjectRefList xmlns="${namespace.rim}">${refs}</ObjectRefList></RemoveObjectsRequest>`;
    expect(told(await send('iti62', removal))).toBe('Success');
    expect(await documentsOf('laurent')).toContain(entry.entryUUID);
    const { json } = await server.fhir.get<DocumentReference>(undefined, `DocumentReference/${idOf(entry.entryUUID)}`);
    expect(json.status).toBe('superseded');
  });
});

describe('what is related to a document that moves', () => {
  const inFolder = async () => {
    const box = folder(nextNumber(), { patientId: cx('laurent') });
    const entry = await filed(undefined);
    const inside = link(box.entryUUID, entry.entryUUID, { entryUUID: 'inside' });
    const members = [link('ss', box.entryUUID), link('ss', 'inside')];
    const message = filing('laurent', writeFolder(box), ...members, inside);
    const register = `<x:ProvideAndRegisterDocumentSetRequest xmlns:x="${namespace.xds}">${message}</x:ProvideAndRegisterDocumentSetRequest>`;
    expect(told(await send('iti41', register))).toBe('Success');
    return { box, entry };
  };
  const membersOf = async (name: string) => {
    const documents = { XDSFolderEntryUUID: `'${name}'`, ...everyLevel };
    return (await send('iti18', asking('GetFolderAndContents', documents))).uniqueIds;
  };

  test('stays behind where it is current: propagation would join two patients, and is refused', async () => {
    const { box, entry } = await inFolder();
    const refused = await send('iti57', filing('blanc', versionOf(entry)));
    expect(told(refused)).toBe('Failure XDSPatientIDReconciliationError');
    expect(refused.errors[0]?.context).toContain(box.entryUUID);
    expect(refused.errors[0]?.context).toContain('AssociationPropagation');
    await moved(entry);
    expect(await membersOf(box.entryUUID)).toEqual([entry.uniqueId]);
  });

  test('comes along in the same message: folder and document are one patient’s again', async () => {
    const { box, entry } = await inFolder();
    const next = { ...box, entryUUID: uuid(nextNumber()), patientId: cx('blanc'), title: { value: 'Moved' } };
    const version = writeFolder(next) + link('ss', next.entryUUID, { previousVersion: '1' });
    expect(told(await send('iti57', filing('blanc', version, versionOf(entry))))).toBe('Success');
    expect(await membersOf(next.entryUUID)).toEqual([entry.uniqueId]);
    const { json } = await server.fhir.get<List>(undefined, `List/${idOf(box.entryUUID)}`);
    expect([json.title, json.status]).toEqual(['Moved', 'current']);
    const folders = (slug: Slug) =>
      found('FindFolders', { XDSFolderPatientId: inQuery(slug), XDSFolderStatus: anyStatus }, 'ObjectRef');
    expect([await folders('laurent'), await folders('blanc')]).toEqual([
      expect.not.arrayContaining([box.entryUUID]),
      expect.arrayContaining([next.entryUUID]),
    ]);
    const stale = writeFolder({ ...box, entryUUID: uuid(nextNumber()) });
    const target = /id="([^"]+)"/.exec(stale)?.[1] ?? '';
    const again = filing('laurent', stale, link('ss', target, { previousVersion: '1' }));
    expect((await send('iti57', again)).errors.map(({ code }) => code)).toContain('XDSMetadataVersionError');
  });

  test('is joined with it anew by a submitted association', async () => {
    const there = folder(nextNumber(), { patientId: cx('blanc') });
    const message = filing('blanc', writeFolder(there), link('ss', there.entryUUID));
    const register = `<x:ProvideAndRegisterDocumentSetRequest xmlns:x="${namespace.xds}">${message}</x:ProvideAndRegisterDocumentSetRequest>`;
    expect(told(await send('iti41', register))).toBe('Success');
    const entry = await filed();
    const entryUUID = uuid(nextNumber());
    const joining = [
      link(there.entryUUID, entryUUID, { entryUUID: 'joined' }),
      link('ss', 'joined', { type: 'SubmitAssociation' }),
    ];
    expect(told(await send('iti57', filing('blanc', versionOf(entry, { entryUUID }), ...joining)))).toBe('Success');
    expect(await membersOf(there.entryUUID)).toEqual([entry.uniqueId]);
  });

  test('stays behind where it is out of date, and is not told to the other patient', async () => {
    const old = await filed();
    const replacing = nextNumber();
    const next = entryOf(replacing, Buffer.from('a better letter'));
    const metadata = filing(
      'laurent',
      writeDocument(next),
      link('ss', next.entryUUID, original),
      link(next.entryUUID, old.entryUUID, { type: 'RPLC' }),
    );
    const content = Buffer.from('a better letter').toString('base64');
    const message = `<x:ProvideAndRegisterDocumentSetRequest xmlns:x="${namespace.xds}">${metadata}<x:Document id="${next.entryUUID}">${content}</x:Document></x:ProvideAndRegisterDocumentSetRequest>`;
    expect(told(await send('iti41', message))).toBe('Success');
    const entryUUID = uuid(nextNumber());
    expect(told(await send('iti57', filing('blanc', versionOf(next, { entryUUID }))))).toBe('Success');
    const naming = await send('iti18', asking('GetAssociations', { uuid: `('${entryUUID}')` }));
    expect(naming.text).not.toContain(old.entryUUID);
  });

  test('the documents of two patients are no members of one set by reference', async () => {
    const entry = await filed();
    const reference = link('ss', entry.entryUUID, { submissionSetStatus: 'Reference' });
    expect(told(await send('iti57', filing('blanc', reference)))).toBe('Failure XDSPatientIDReconciliationError');
  });

  test('a deprecated document is no member of a new set', async () => {
    const entry = await filed();
    await moved(entry);
    const reference = link('ss', entry.entryUUID, { submissionSetStatus: 'Reference' });
    expect(told(await send('iti57', filing('laurent', reference)))).toBe('Failure XDSRegistryDeprecatedDocumentError');
  });
});

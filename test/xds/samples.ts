import { readFileSync } from 'node:fs';
import type { DocumentEntry } from '../../server/domain/document.ts';
import { writeDocument, writeFolder } from '../../server/xds/ebrim/write.ts';
import type { XdsTransaction } from '../../server/xds/exchange.ts';
import { iti42 } from '../../server/xds/iti42.ts';
import { iti61 } from '../../server/xds/iti61.ts';
import { action, multiPatientQuery, namespace, statusUrn, storedQuery } from '../../server/xds/vocabulary.ts';
import { escapeText } from '../../server/xml/write.ts';
import { brokenSourceId, sourceId } from '../fuzz/stage.ts';
import { repository } from '../support/messages.ts';
import { folder, uuid } from '../support/registry.ts';
import { mtom, packaged, plain, xopType } from '../support/wire.ts';
import type { World } from '../support/world.ts';
import { handled, seen } from './handled.ts';
import { foldersOf, type Sandbox, sound, stored } from './registered.ts';
import { cxOf, linking, memberOf, nextFolder, nextVersion, restating, setOf, submitting } from './registry-messages.ts';

/** A sound message as it travels: its content type, an empty line, its body. */
export type SampleText = { readonly receiver: XdsTransaction['receiver']; readonly text: string };

const file = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');
const original = { submissionSetStatus: 'Original' } as const;

/**
 * What the samples name: documents 1 and 2 of `laurent` in folder 10; 3, replaced by 4; 5 of `casanova`; 6 on demand, and 9 of a source that
 * fails; 7 by `dr-nguyen`; 8, which transforms 2. Their uniqueIds are 2.999.80.n, their memberships of sets 30 + n.
 */
async function prepare(world: Sandbox, usual: DocumentEntry): Promise<void> {
  const put = async (xml: string, transaction: XdsTransaction = iti42) => {
    const answer = await seen(await handled(transaction, world, world.as('regie'), xml));
    if (answer.status !== 'Success') throw new Error(answer.errors.map(({ context }) => context).join('\n'));
  };
  const entry = (n: number): DocumentEntry => named(usual, uuid(n), `2.999.80.${n}`);
  const filed = (n: number) => memberOf(uuid(n), { ...original, entryUUID: uuid(30 + n) });
  const set = setOf(world, 'dr-martin');
  const binder = folder(10, { uniqueId: '2.999.81.10', patientId: cxOf(world.ins('laurent')) });
  await put(
    submitting(
      set,
      ...[writeDocument(entry(1)), filed(1), writeDocument(entry(2)), filed(2)],
      ...[writeDocument(entry(3)), filed(3), writeFolder(binder), memberOf(uuid(10))],
      ...[
        linking('HasMember', uuid(10), uuid(1), { entryUUID: uuid(21) }),
        memberOf(uuid(21), { entryUUID: uuid(22) }),
      ],
      ...[
        linking('HasMember', uuid(10), uuid(2), { entryUUID: uuid(24) }),
        memberOf(uuid(24), { entryUUID: uuid(25) }),
      ],
    ),
  );
  const authors = entry(7).authors.map((author) => ({
    ...author,
    ...(author.person && { person: { ...author.person, id: '899970000024' } }),
    institutions: [],
  }));
  const more = submitting(
    setOf(world, 'dr-martin'),
    ...[writeDocument(entry(4)), filed(4), linking('RPLC', uuid(4), uuid(3))],
    ...[writeDocument(entry(8)), filed(8), linking('XFRM', uuid(8), uuid(2), { entryUUID: uuid(23) })],
  );
  await put(more);
  await put(submitting(setOf(world, 'dr-nguyen'), writeDocument({ ...entry(7), authors }), filed(7)));
  const patientId = cxOf(world.ins('casanova'));
  await put(submitting(setOf(world, 'dr-martin', { patientId }), writeDocument({ ...entry(5), patientId }), filed(5)));
  const { hash: _hash, size: _size, creationTime: _time, ...draft } = entry(6);
  const id = (n: number) => ({ entryUUID: uuid(n), logicalID: uuid(n), uniqueId: `2.999.80.${n}` });
  const assembled = { ...draft, objectType: 'onDemand' } as const;
  await put(
    submitting(
      setOf(world, 'dr-martin'),
      ...[writeDocument({ ...assembled, repositoryUniqueId: sourceId }), filed(6)],
      ...[writeDocument({ ...assembled, ...id(9), repositoryUniqueId: brokenSourceId }), filed(9)],
    ),
    iti61,
  );
}

function named(usual: DocumentEntry, entryUUID: string, uniqueId: string): DocumentEntry {
  return { ...usual, entryUUID, logicalID: entryUUID, uniqueId };
}

/** One sound message of each transaction, in a world that was made ready for them. */
export async function samplesOf(world: World): Promise<Readonly<Record<string, SampleText>>> {
  const sandbox = world as Sandbox;
  const usual = await sound(sandbox, 'doc1', '2.999.82.1');
  await prepare(sandbox, usual);
  const two = await stored(sandbox, '2.999.80.2');
  const [binder] = await foldersOf(sandbox, uuid(10));
  if (binder === undefined) throw new Error('no folder');
  const draft: DocumentEntry = {
    ...usual,
    serviceStartTime: '20260601',
    serviceStopTime: '20260602',
  };
  const { hash: _hash, size: _size, creationTime: _time, ...onDemand } = draft;
  const set = setOf(world, 'dr-martin', { uniqueId: '2.999.83.1' });
  const inSet = memberOf('doc1', { ...original, entryUUID: 'a1' });
  const cx = (slug: string) => `${world.ins(slug).value}^^^&${world.ins(slug).oid}&ISO`;
  const slot = (name: string, value: string) =>
    `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${escapeText(value)}</rim:Value></rim:ValueList></rim:Slot>`;
  const query = (id: string, ...slots: readonly string[]) =>
    `<query:AdhocQueryRequest xmlns:query="${namespace.query}" xmlns:rim="${namespace.rim}">` +
    `<query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/><rim:AdhocQuery id="${id}">${slots.join('')}</rim:AdhocQuery></query:AdhocQueryRequest>`;
  const status = slot('$XDSDocumentEntryStatus', `('${statusUrn.approved}')`);
  const request = (at: string, id: string) =>
    `<xds:DocumentRequest><xds:RepositoryUniqueId>${at}</xds:RepositoryUniqueId><xds:DocumentUniqueId>${id}</xds:DocumentUniqueId></xds:DocumentRequest>`;
  const deposit = file('iti41/submission.xml').replace(
    'Qm9uam91cg==',
    '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:doc1@example.org"/>',
  );
  const martin = 'dr-martin for laurent';
  return {
    'ITI-18': registry(
      action.iti18[0],
      'dr-martin',
      query(storedQuery.FindDocuments, slot('$XDSDocumentEntryPatientId', `'${cx('laurent')}'`), status),
    ),
    'ITI-18 GetDocuments': registry(
      action.iti18[0],
      'dr-martin',
      query(storedQuery.GetDocuments, slot('$XDSDocumentEntryEntryUUID', `('${uuid(1)}','${uuid(2)}')`)),
    ),
    'ITI-41': {
      receiver: 'repository',
      text: `Content-Type: ${mtom()}\r\n\r\n${packaged([
        { id: 'root@example.org', type: xopType, body: envelope('repository', action.iti41[0], martin, deposit) },
        { id: 'doc1@example.org', type: 'text/xml', body: 'Bonjour' },
      ]).toString()}`,
    },
    'ITI-42': registry(
      action.iti42[0],
      'regie',
      submitting(
        set,
        ...[writeDocument(draft), inSet, linking('APND', 'doc1', uuid(1), { entryUUID: 'a2' })],
        writeFolder({ ...binder, entryUUID: 'folder1', logicalID: 'folder1', uniqueId: '2.999.84.1' }),
        memberOf('folder1', { entryUUID: 'a3' }),
        linking('HasMember', 'folder1', uuid(1), { entryUUID: 'a4' }),
        memberOf('a4', { entryUUID: 'a5' }),
      ),
    ),
    'ITI-43': repositoryRequest(
      action.iti43[0],
      martin,
      `<xds:RetrieveDocumentSetRequest xmlns:xds="${namespace.xds}">${request(repository, '1.2.250.1.999.1.3.101')}</xds:RetrieveDocumentSetRequest>`,
    ),
    'ITI-44': registry(
      action.iti44.PRPA_IN201302UV02,
      'regie',
      file('iti44/revise.xml').replaceAll('{ins}', world.ins('laurent').value).replaceAll('{birth}', '19610514'),
    ),
    'ITI-51': registry(
      action.iti51[0],
      'regie',
      query(
        multiPatientQuery.FindDocumentsForMultiplePatients,
        slot('$XDSDocumentEntryPatientId', `('${cx('laurent')}','${cx('casanova')}')`),
        status,
      ),
    ),
    'ITI-57': registry(
      action.iti57[0],
      martin,
      submitting(set, nextVersion(two, { title: { value: 'Corrected' } }, { entryUUID: 'a1' })),
    ),
    'ITI-57 of a folder': registry(
      action.iti57[0],
      martin,
      submitting(set, nextFolder(binder, { title: { value: 'Corrected' } }, { entryUUID: 'a1' })),
    ),
    'ITI-57 of a status': registry(
      action.iti57[0],
      martin,
      submitting(set, restating(uuid(1), 'approved', 'archived').replace(/ id="link\d+"/, ' id="a1"')),
    ),
    'ITI-61': registry(
      action.iti61[0],
      'regie',
      submitting(set, writeDocument({ ...onDemand, objectType: 'onDemand', repositoryUniqueId: sourceId }), inSet),
    ),
    'ITI-62': registry(
      action.iti62[0],
      'regie',
      `<lcm:RemoveObjectsRequest xmlns:lcm="${namespace.lcm}" xmlns:rim="${namespace.rim}"><rim:ObjectRefList><rim:ObjectRef id="${uuid(21)}"/><rim:ObjectRef id="${uuid(22)}"/></rim:ObjectRefList></lcm:RemoveObjectsRequest>`,
    ),
    'ITI-86': repositoryRequest(
      action.iti86[0],
      'regie',
      `<rmd:RemoveDocumentsRequest xmlns:rmd="${namespace.rmd}" xmlns:xds="${namespace.xds}">${request(repository, '1.2.250.1.999.1.3.101')}</rmd:RemoveDocumentsRequest>`,
    ),
    'ITI-92': registry(
      action.iti92[0],
      'regie',
      submitting(set, nextVersion(two, { title: { value: 'Corrected' } }, { entryUUID: 'a1' })),
    ),
  };
}

function registry(verb: string, who: string, body: string): SampleText {
  return { receiver: 'registry', text: `Content-Type: ${plain}\r\n\r\n${envelope('registry', verb, who, body)}` };
}

function repositoryRequest(verb: string, who: string, body: string): SampleText {
  return { receiver: 'repository', text: `Content-Type: ${plain}\r\n\r\n${envelope('repository', verb, who, body)}` };
}

/** Who sends is named where the assertion would stand. */
function envelope(receiver: SampleText['receiver'], verb: string, who: string, body: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope xmlns:s="${namespace.soap12}" xmlns:a="${namespace.wsa}"><s:Header>` +
    `<a:Action s:mustUnderstand="1">${verb}</a:Action><a:MessageID>urn:uuid:5b7b3a5e-0a1d-4c43-9a0c-0d3c3a6f9d11</a:MessageID>` +
    `<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo><a:To>http://dmp.example.org/xds/${receiver}</a:To>` +
    `<w:Security xmlns:w="${namespace.wsse}" s:mustUnderstand="1">as ${who}</w:Security></s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}

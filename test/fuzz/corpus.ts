import { readFileSync } from 'node:fs';
import type { DocumentEntry } from '../../server/domain/document.ts';
import { writeDocument, writeFolder } from '../../server/xds/ebrim/write.ts';
import type { XdsTransaction } from '../../server/xds/exchange.ts';
import {
  action,
  associationUrn,
  entryType,
  multiPatientQuery,
  namespace,
  statusUrn,
  storedQuery,
} from '../../server/xds/vocabulary.ts';
import { escapeText } from '../../server/xml/write.ts';
import { repository } from '../support/messages.ts';
import { folder } from '../support/registry.ts';
import { mtom, packaged, plain, xopType } from '../support/wire.ts';
import type { World } from '../support/world.ts';
import { associationsOf, foldered, registered, type Sandbox } from '../xds/registered.ts';
import {
  cxOf,
  linking,
  memberOf,
  nextFolder,
  nextVersion,
  restating,
  setOf,
  submitting,
} from '../xds/registry-messages.ts';
import type { Wire } from './mutate.ts';
import type { Chance } from './random.ts';
import { ownAddress, sourceId } from './stage.ts';

/** A sound message of some transaction, new each time. */
export type Sample = { readonly name: string; readonly receiver: XdsTransaction['receiver']; readonly wire: Wire };

const file = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const submission = file('xds/iti41/submission.xml');
const episode = file('xds/iti41/folder-and-replacement.xml');
const laboratory = file('../docs/samples/iti41-laboratory-report.mtom');
const feeds = {
  add: file('xds/iti44/add.xml'),
  revise: file('xds/iti44/revise.xml'),
  merge: file('xds/iti44/merge.xml'),
};

/** What a stage's messages are made from: documents and a folder of `laurent` that can be named, replaced, revised and removed. */
export async function corpusOf(world: World): Promise<(chance: Chance) => Sample> {
  const sandbox = world as Sandbox;
  const targets: DocumentEntry[] = [];
  for (let n = 1; n <= 12; n++) targets.push(await registered(sandbox, `2.999.90.${n}`));
  const [one, two] = targets;
  if (one === undefined || two === undefined) throw new Error('no targets');
  const binders = [await foldered(sandbox, '2.999.91.1', one), await foldered(sandbox, '2.999.91.2', two)];
  const binder = folder(1, { entryUUID: 'f1', logicalID: 'f1', patientId: cxOf(world.ins('laurent')) });
  const removable: string[][] = [];
  for (const { entryUUID } of targets.slice(2)) {
    const links = await associationsOf(sandbox, entryUUID);
    removable.push([entryUUID, ...links.flatMap(({ entryUUID: id, source }) => [id, source])]);
  }
  const patient = `${world.ins('laurent').value}^^^&${world.ins('laurent').oid}&ISO`;
  let number = 0;
  const fresh = (xml: string) => {
    number++;
    return xml
      .replaceAll('1.2.250.1.213.99.50.1', `2.999.92.${number}`)
      .replaceAll('1.2.250.1.213.99.51.1', `2.999.93.${number}`);
  };
  const draft = () => ({
    ...one,
    entryUUID: 'doc1',
    logicalID: 'doc1',
    uniqueId: `2.999.94.${++number}`,
    status: 'approved' as const,
    version: 1,
  });
  const original = { submissionSetStatus: 'Original' } as const;
  const slots = (id: string, chance: Chance) => {
    const uuids = `('${one.entryUUID}','${two.entryUUID}')`;
    const all: Readonly<Record<string, string>> = {
      $XDSDocumentEntryPatientId: `'${patient}'`,
      $XDSSubmissionSetPatientId: `'${patient}'`,
      $XDSFolderPatientId: `'${patient}'`,
      $patientId: `'${patient}'`,
      $XDSDocumentEntryStatus: `('${statusUrn.approved}','${statusUrn.deprecated}')`,
      $XDSSubmissionSetStatus: `('${statusUrn.approved}')`,
      $XDSFolderStatus: `('${statusUrn.approved}')`,
      $XDSDocumentEntryEntryUUID: uuids,
      $XDSDocumentEntryUniqueId: `('2.999.90.1')`,
      $XDSDocumentEntryTypeCode: `('11488-4^^2.16.840.1.113883.6.1')`,
      $XDSDocumentEntryConfidentialityCode: `('N^^2.16.840.1.113883.5.25')`,
      $XDSDocumentEntryAuthorPerson: `('%MART_N%')`,
      $XDSDocumentEntryCreationTimeFrom: '2020',
      $XDSDocumentEntryType: `('${entryType.stable}','${entryType.onDemand}')`,
      $XDSDocumentEntryReferenceIdList: `('X^^^&2.999&ISO^urn:ihe:iti:xds:2013:order')`,
      $XDSFolderUniqueId: `'2.999.91.1'`,
      $XDSSubmissionSetUniqueId: `'2.999.77.1'`,
      $uuid: uuids,
      $AssociationTypes: `('${associationUrn.RPLC}','${associationUrn.APND}')`,
      $MetadataLevel: '2',
    };
    const given = Object.entries(all).filter(
      ([name]) => name.includes('PatientId') || name === '$patientId' || name.includes('Status') || chance.happens(0.4),
    );
    const written = given.map(
      ([name, value]) =>
        `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${escapeText(value)}</rim:Value></rim:ValueList></rim:Slot>`,
    );
    return (
      `<query:AdhocQueryRequest xmlns:query="${namespace.query}" xmlns:rim="${namespace.rim}"><query:ResponseOption returnComposedObjects="true" ` +
      `returnType="${chance.pick(['LeafClass', 'ObjectRef'])}"/><rim:AdhocQuery id="${id}">${written.join('')}</rim:AdhocQuery></query:AdhocQueryRequest>`
    );
  };
  const requests = (root: string, prefix: string, ids: readonly string[]) =>
    `<${prefix}${root} xmlns:r="${namespace.rmd}" xmlns="${namespace.xds}">` +
    ids
      .map(
        (id) =>
          `<DocumentRequest><RepositoryUniqueId>${repository}</RepositoryUniqueId><DocumentUniqueId>${id}</DocumentUniqueId></DocumentRequest>`,
      )
      .join('') +
    `</${prefix}${root}>`;
  const feed = (xml: string) => {
    number++;
    return xml
      .replaceAll('{ins}', world.ins('laurent').value)
      .replaceAll('{birth}', '19610514')
      .replaceAll('{old}', world.ins('casanova').value)
      .replace('4711', `${number}`);
  };
  const inPackage = (xml: string) =>
    xml.replace(
      /(<xds:Document id="doc1">)[^<]*/,
      '$1<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:doc1@example.org"/>',
    );

  const kinds: Readonly<Record<string, (chance: Chance) => Sample>> = {
    'ITI-41 inline': () => sample('ITI-41 inline', 'repository', action.iti41[0], 'dr-martin', fresh(submission)),
    'ITI-41 package': () => {
      const name = 'ITI-41 package';
      const { receiver, wire } = sample(name, 'repository', action.iti41[0], 'dr-martin', inPackage(fresh(submission)));
      const parts = [
        { id: 'root@example.org', type: xopType, body: wire.body },
        { id: 'doc1@example.org', type: 'text/xml', body: 'Bonjour' },
      ];
      return { name, receiver, wire: { contentType: mtom(), body: packaged(parts) } };
    },
    'ITI-41 episode': () =>
      sample(
        'ITI-41 episode',
        'repository',
        action.iti41[0],
        'dr-martin',
        `<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds="${namespace.xds}">${episode}</xds:ProvideAndRegisterDocumentSetRequest>`,
      ),
    'ITI-41 laboratory': () => {
      const text = laboratory
        .replace('@ASSERTION@', 'as dr-martin for laurent')
        .replaceAll('--sample', '--MIMEB1')
        .replaceAll('@UNIQUE@', `.${++number}`);
      return {
        name: 'ITI-41 laboratory',
        receiver: 'repository',
        wire: { contentType: mtom('root@sample'), body: Buffer.from(text) },
      };
    },
    'ITI-42': (chance) =>
      registry(
        'ITI-42',
        action.iti42[0],
        'regie',
        submitting(
          setOf(world, 'dr-martin'),
          writeDocument(draft()),
          memberOf('doc1', original),
          linking('APND', 'doc1', chance.pick(targets).entryUUID),
        ),
      ),
    'ITI-42 replacement': (chance) =>
      registry(
        'ITI-42 replacement',
        action.iti42[0],
        'regie',
        submitting(
          setOf(world, 'dr-martin'),
          writeDocument(draft()),
          memberOf('doc1', original),
          linking('RPLC', 'doc1', chance.pick(targets).entryUUID),
        ),
      ),
    'ITI-42 folder': (chance) =>
      registry(
        'ITI-42 folder',
        action.iti42[0],
        'regie',
        submitting(
          setOf(world, 'dr-martin'),
          writeFolder({ ...binder, uniqueId: `2.999.95.${++number}` }),
          memberOf('f1'),
          linking('HasMember', 'f1', chance.pick(targets).entryUUID, { entryUUID: 'in1' }),
          memberOf('in1'),
        ),
      ),
    'ITI-57': (chance) =>
      registry(
        'ITI-57',
        action.iti57[0],
        'dr-martin',
        submitting(
          setOf(world, 'dr-martin'),
          nextVersion(chance.pick(targets), { title: { value: `t${++number}` } }, { associationPropagation: true }),
        ),
      ),
    'ITI-57 folder': (chance) =>
      registry(
        'ITI-57 folder',
        action.iti57[0],
        'dr-martin',
        submitting(setOf(world, 'dr-martin'), nextFolder(chance.pick(binders), { title: { value: `f${number}` } })),
      ),
    'ITI-57 status': (chance) =>
      registry(
        'ITI-57 status',
        action.iti57[0],
        'dr-martin',
        submitting(
          setOf(world, 'dr-martin'),
          restating(
            chance.pick(targets).entryUUID,
            chance.pick(['approved', 'deprecated']),
            chance.pick(['archived', 'deprecated', 'approved', 'deleted']),
          ),
        ),
      ),
    'ITI-92': (chance) =>
      registry(
        'ITI-92',
        action.iti92[0],
        'regie',
        submitting(setOf(world, 'dr-martin'), nextVersion(chance.pick(targets), { comments: { value: 'c' } })),
      ),
    'ITI-61': () => {
      const { hash: _hash, size: _size, creationTime: _time, ...rest } = draft();
      return registry(
        'ITI-61',
        action.iti61[0],
        'regie',
        submitting(
          setOf(world, 'dr-martin'),
          writeDocument({ ...rest, objectType: 'onDemand', repositoryUniqueId: sourceId }),
          memberOf('doc1', original),
        ),
      );
    },
    'ITI-62': (chance) =>
      registry(
        'ITI-62',
        action.iti62[0],
        'regie',
        `<lcm:RemoveObjectsRequest xmlns:lcm="${namespace.lcm}" xmlns:rim="${namespace.rim}"><rim:ObjectRefList>${chance
          .pick(removable)
          .map((id) => `<rim:ObjectRef id="${id}"/>`)
          .join('')}</rim:ObjectRefList></lcm:RemoveObjectsRequest>`,
      ),
    'ITI-43': (chance) =>
      sample(
        'ITI-43',
        'repository',
        action.iti43[0],
        'dr-martin',
        requests(
          'RetrieveDocumentSetRequest',
          '',
          ['1.2.250.1.999.1.3.105', '1.2.250.1.999.1.3.110', '2.999.404'].slice(0, 1 + chance.below(3)),
        ),
      ),
    'ITI-86': (chance) =>
      sample(
        'ITI-86',
        'repository',
        action.iti86[0],
        'regie',
        requests(
          'RemoveDocumentsRequest',
          'r:',
          [`1.2.250.1.999.1.3.${101 + chance.below(13)}`, '2.999.404'].slice(0, 1 + chance.below(2)),
        ),
      ),
    'ITI-18': (chance) =>
      registry('ITI-18', action.iti18[0], 'dr-martin', slots(chance.pick(Object.values(storedQuery)), chance)),
    'ITI-51': (chance) =>
      registry('ITI-51', action.iti51[0], 'regie', slots(chance.pick(Object.values(multiPatientQuery)), chance)),
    'ITI-44 add': () => registry('ITI-44 add', action.iti44.PRPA_IN201301UV02, 'regie', feed(feeds.add)),
    'ITI-44 revise': () => registry('ITI-44 revise', action.iti44.PRPA_IN201302UV02, 'regie', feed(feeds.revise)),
    'ITI-44 merge': () => registry('ITI-44 merge', action.iti44.PRPA_IN201304UV02, 'regie', feed(feeds.merge)),
  };
  const names = Object.keys(kinds);
  return (chance) => {
    const made = kinds[chance.pick(names)]?.(chance);
    if (made === undefined) throw new Error('no such sample');
    return made;
  };
}

function registry(name: string, verb: string, slug: string, body: string): Sample {
  return sample(name, 'registry', verb, slug, body);
}

function sample(name: string, receiver: Sample['receiver'], verb: string, slug: string, body: string): Sample {
  const way = body.length % 7;
  const reply = way === 0 ? ownAddress : 'http://www.w3.org/2005/08/addressing/anonymous';
  const own = way === 0 ? `<a:FaultTo><a:Address>${ownAddress}</a:Address></a:FaultTo>` : '';
  const envelope =
    `<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope xmlns:s="${namespace.soap12}" xmlns:a="${namespace.wsa}"><s:Header>` +
    `<a:Action s:mustUnderstand="1">${verb}</a:Action><a:MessageID>urn:uuid:5b7b3a5e-0a1d-4c43-9a0c-0d3c3a6f9d11</a:MessageID>` +
    `<a:ReplyTo><a:Address>${reply}</a:Address></a:ReplyTo>${own}<a:To>http://dmp.example.org/xds/${receiver}</a:To>` +
    `<w:Security xmlns:w="${namespace.wsse}" s:mustUnderstand="true">as ${slug} for laurent</w:Security></s:Header><s:Body>${body}</s:Body></s:Envelope>`;
  return { name, receiver, wire: { contentType: plain, body: Buffer.from(envelope) } };
}

/** Values that occur in a message. */
export function wordsIn({ wire }: Sample): string[] {
  const text = wire.body.toString();
  return [...text.matchAll(/="([^"]*)"|>([^<>]+)</g)].map((m) => m[1] ?? m[2] ?? '');
}

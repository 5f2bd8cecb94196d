import { randomUUID } from 'node:crypto';
import type { Association, DocumentEntry, SubmissionSet } from '../../server/domain/document.ts';
import type { Identifier } from '../../server/domain/identifier.ts';
import { describe } from '../../server/sandbox/metadata.ts';
import { personOf } from '../../server/sandbox/people.ts';
import { readSubmission } from '../../server/xds/ebrim/read.ts';
import { writeAssociation, writeDocument, writeSubmissionSet } from '../../server/xds/ebrim/write.ts';
import { action, namespace, statusUrn, storedQuery } from '../../server/xds/vocabulary.ts';
import { child } from '../../server/xml/element.ts';
import { defaultXmlLimits, parseXml } from '../../server/xml/read.ts';
import { benchDocument, benchHolder } from './document.ts';
import { benchPatient } from './fill.ts';
import type { Prepared } from './load.ts';
import {
  askedAbout,
  assertion,
  type Bench,
  cardOf,
  depositedTo,
  envelope,
  mtom,
  post,
  repository,
} from './requests.ts';
import { uniqueId } from './unique-id.ts';

const plain = 'application/soap+xml; charset=UTF-8';

/** ITI-18 GetDocuments of two documents by uniqueId, LeafClass. */
export function getDocuments(bench: Bench, count: number): Prepared[] {
  const patients = [...bench.known.keys()];
  return Array.from({ length: count }, (_, n) => {
    const number = patients[n % patients.length] ?? 0;
    const names = (bench.known.get(number) ?? []).map((document) => `'${document.uniqueId}'`);
    return query(bench, benchPatient(number), 'GetDocuments', { $XDSDocumentEntryUniqueId: `(${names.join(',')})` });
  });
}

/** ITI-18 GetAll of a patient with a hundred documents, LeafClass: two hundred objects and more. */
export function getAll(bench: Bench, count: number): Prepared[] {
  const status = `('${statusUrn.approved}')`;
  return queries(bench, count, 'GetAll', {
    $XDSDocumentEntryStatus: status,
    $XDSSubmissionSetStatus: status,
    $XDSFolderStatus: status,
  });
}

/** ITI-18 FindSubmissionSets of a patient, LeafClass: five of them. */
export function findSubmissionSets(bench: Bench, count: number): Prepared[] {
  return queries(bench, count, 'FindSubmissionSets', { $XDSSubmissionSetStatus: `('${statusUrn.approved}')` });
}

/** ITI-42 of one entry by a system. */
export function registrations(bench: Bench, count: number): Prepared[] {
  const card = cardOf(bench.data, 'regie');
  return Array.from({ length: count }, (_, n) => {
    const patient = benchPatient(depositedTo(bench.patients, n));
    const { entries, set } = filed(patient, 1);
    const body = submitting([...entries.map(writeDocument), writeSubmissionSet(set), ...entries.map(membership)]);
    return registry(bench, action.iti42[0], assertion(card, patient), body);
  });
}

/** ITI-57 of a new title for a document that the server has, each once. */
export async function updates(bench: Bench, count: number): Promise<Prepared[]> {
  const card = cardOf(bench.data);
  const requests: Prepared[] = [];
  const half = Math.ceil(bench.patients / 2);
  for (let n = 0; n < half && requests.length < count; n++) {
    const patient = benchPatient(depositedTo(bench.patients, n));
    for (const entry of await currentEntries(bench, patient)) {
      if (requests.length === count) break;
      const { set } = filed(patient, 0);
      const next = { ...entry, entryUUID: 'next', title: { value: `Revised ${randomUUID()}` } };
      const member = { ...member0, target: 'next', previousVersion: String(entry.version) };
      const body = submitting([writeDocument(next), writeSubmissionSet(set), writeAssociation(member)]);
      requests.push(registry(bench, action.iti57[0], assertion(card, patient), body));
    }
  }
  return requests;
}

/** ITI-41 of 500 documents of 400 bytes each in one transaction. */
export function largeSubmissions(bench: Bench, count: number): Prepared[] {
  const card = cardOf(bench.data);
  return Array.from({ length: count }, (_, n) => {
    const patient = benchPatient(depositedTo(bench.patients, n));
    const { entries, set, bytes } = filed(patient, 500);
    const documents = entries.map(
      ({ entryUUID }, index) =>
        `<xds:Document id="${entryUUID}"><xop:Include xmlns:xop="${namespace.xop}" href="cid:doc${index === 0 ? '' : index}@bench"/></xds:Document>`,
    );
    const list = submitting([...entries.map(writeDocument), writeSubmissionSet(set), ...entries.map(membership)]);
    const body = `<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds="${namespace.xds}">${list}${documents.join('')}</xds:ProvideAndRegisterDocumentSetRequest>`;
    const message = mtom(envelope(action.iti41[0], assertion(card, patient), body), ...bytes);
    return post(bench, '/xds/repository', message.contentType, message.body);
  });
}

const member0: Association = {
  entryUUID: 'member',
  type: 'HasMember',
  source: 'set',
  target: '',
  status: 'approved',
  submissionSetStatus: 'Original',
  extra: [],
};

function membership({ entryUUID }: DocumentEntry): string {
  return writeAssociation({ ...member0, entryUUID: `in-${entryUUID}`, target: entryUUID });
}

/** Entries of new documents and the set that files them, by the doctor. */
function filed(patient: Identifier, count: number) {
  const martin = personOf('dr-martin');
  if (martin?.kind !== 'professional') throw new Error('the sandbox has no dr-martin');
  const described = Array.from({ length: Math.max(1, count) }, (_, n) => {
    const { bytes, facts } = benchDocument(patient, 400, n);
    const about = {
      facts: { ...facts, uniqueId: uniqueId() },
      bytes,
      depositor: martin,
      patient: benchHolder(patient),
    };
    const names = { entryUuid: randomUUID(), setUuid: randomUUID(), setUniqueId: uniqueId() };
    return { bytes, ...describe({ ...about, ...names, at: Date.now() }) };
  });
  const [first] = described;
  if (first === undefined) throw new Error('nothing is filed');
  const set: SubmissionSet = { ...first.set, entryUUID: 'set' };
  const entries = described.slice(0, count).map(
    ({ entry }, n): DocumentEntry => ({
      ...entry,
      entryUUID: `doc-${n}`,
      logicalID: `doc-${n}`,
      repositoryUniqueId: repository,
    }),
  );
  return { set, entries, bytes: described.map(({ bytes }) => bytes) };
}

function queries(
  bench: Bench,
  count: number,
  name: keyof typeof storedQuery,
  slots: Readonly<Record<string, string>>,
): Prepared[] {
  return Array.from({ length: count }, (_, n) =>
    query(bench, benchPatient(askedAbout(bench.patients, n)), name, slots),
  );
}

/** The patient is the one of the assertion. */
function query(
  bench: Bench,
  patient: Identifier,
  name: keyof typeof storedQuery,
  slots: Readonly<Record<string, string>>,
): Prepared {
  const written = Object.entries(slots).map(
    ([slot, value]) =>
      `<rim:Slot name="${slot}"><rim:ValueList><rim:Value>${value}</rim:Value></rim:ValueList></rim:Slot>`,
  );
  const body =
    `<query:AdhocQueryRequest xmlns:query="${namespace.query}" xmlns:rim="${namespace.rim}"><query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>` +
    `<rim:AdhocQuery id="${storedQuery[name]}">${written.join('')}</rim:AdhocQuery></query:AdhocQueryRequest>`;
  return registry(bench, action.iti18[0], assertion(cardOf(bench.data), patient), body);
}

function registry(bench: Bench, verb: string, vihf: string, body: string): Prepared {
  return post(bench, '/xds/registry', plain, Buffer.from(envelope(verb, vihf, body)));
}

function submitting(objects: readonly string[]): string {
  return (
    `<lcm:SubmitObjectsRequest xmlns:lcm="${namespace.lcm}" xmlns:rim="${namespace.rim}"><rim:RegistryObjectList>` +
    `${objects.join('')}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>`
  );
}

/** The entries of a patient as the server has them now. */
async function currentEntries(bench: Bench, patient: Identifier): Promise<DocumentEntry[]> {
  const request = query(bench, patient, 'FindDocuments', { $XDSDocumentEntryStatus: `('${statusUrn.approved}')` });
  const answer = await fetch(new URL('/xds/registry', bench.url), {
    method: 'POST',
    headers: { 'Content-Type': plain },
    body: new Uint8Array(request.subarray(request.indexOf('\r\n\r\n') + 4)),
  });
  const root = parseXml(await answer.text(), defaultXmlLimits);
  const response = child(root, namespace.soap12, 'Body')?.children[0];
  const list = child(response, namespace.rim, 'RegistryObjectList');
  if (list === undefined) throw new Error('the server does not answer with its entries');
  return readSubmission(list).submission.entries.map(
    // What a registry answers has every attribute that it requires.
    ({ id, ...entry }) => ({ ...entry, entryUUID: id }) as DocumentEntry,
  );
}

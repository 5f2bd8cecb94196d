import { randomUUID } from 'node:crypto';
import type { Identifier } from '../../server/domain/identifier.ts';
import { type Card, loadCard, loadTokenKey } from '../../server/sandbox/cards.ts';
import { describe } from '../../server/sandbox/metadata.ts';
import { personOf } from '../../server/sandbox/people.ts';
import { signToken } from '../../server/sandbox/token.ts';
import { signVihf } from '../../server/sandbox/vihf.ts';
import { writeAssociation, writeDocument, writeSubmissionSet } from '../../server/xds/ebrim/write.ts';
import { namespace, storedQuery } from '../../server/xds/vocabulary.ts';
import { benchDocument, benchHolder } from './document.ts';
import { benchPatient } from './fill.ts';
import type { Prepared } from './load.ts';
import { uniqueId } from './unique-id.ts';

/** What the prepared requests are made from. */
export type Bench = {
  readonly data: string;
  readonly url: URL;
  readonly patients: number;
  /** uniqueIds and FHIR ids of documents that are there, by patient number. */
  readonly known: ReadonlyMap<number, readonly { readonly uniqueId: string; readonly id: string }[]>;
};

/** Deposits go to the second half of the patients: those of the first, who are asked about, keep their hundred documents run after run. */
export function depositedTo(patients: number, n: number): number {
  const half = Math.floor(patients / 2);
  return half + (n % (patients - half));
}

export function askedAbout(patients: number, n: number): number {
  return n % Math.max(1, Math.floor(patients / 2));
}

export const repository = '1.2.250.1.213.4.1.1.1.2';

export function cardOf(data: string, slug = 'dr-martin'): Card {
  const card = loadCard(data, slug);
  if (card === undefined) throw new Error(`the sandbox has no card for ${slug}`);
  return card;
}

/** ITI-41 by MTOM with a document of 20 kB; the document is the same, its names are new. About 37 kB. */
export function deposits(bench: Bench, count: number): Prepared[] {
  return depositMessages(bench, count).map(({ contentType, body }) =>
    post(bench, '/xds/repository', contentType, body),
  );
}

/** One deposit as a message, with what it names. */
export type Deposit = {
  readonly patient: Identifier;
  readonly uniqueId: string;
  readonly document: Uint8Array;
  readonly contentType: string;
  readonly body: Buffer;
};

/** The same as messages, for clients that write their own HTTP. */
export function depositMessages(bench: Pick<Bench, 'data' | 'patients'>, count: number): Deposit[] {
  const card = cardOf(bench.data);
  const { bytes, facts } = benchDocument(benchPatient(0), 15_000, 0);
  const martin = personOf('dr-martin');
  if (martin?.kind !== 'professional') throw new Error('the sandbox has no dr-martin');
  return Array.from({ length: count }, (_, n) => {
    const patient = benchPatient(depositedTo(bench.patients, n));
    const { entry, set } = describe({
      bytes,
      facts: { ...facts, uniqueId: uniqueId() },
      depositor: martin,
      patient: benchHolder(patient),
      entryUuid: randomUUID(),
      setUuid: randomUUID(),
      setUniqueId: uniqueId(),
      at: Date.now(),
    });
    const named = { ...entry, entryUUID: 'doc', logicalID: 'doc' };
    const filed = { ...set, entryUUID: 'set' };
    const list =
      writeDocument(named).replace(' lid="doc"', '') +
      writeSubmissionSet(filed) +
      writeAssociation({
        entryUUID: 'member',
        type: 'HasMember',
        source: 'set',
        target: 'doc',
        status: 'approved',
        submissionSetStatus: 'Original',
        extra: [],
      });
    const body =
      `<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds="${namespace.xds}" xmlns:lcm="${namespace.lcm}" xmlns:rim="${namespace.rim}">` +
      `<lcm:SubmitObjectsRequest><rim:RegistryObjectList>${list}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>` +
      `<xds:Document id="doc"><xop:Include xmlns:xop="${namespace.xop}" href="cid:doc@bench"/></xds:Document></xds:ProvideAndRegisterDocumentSetRequest>`;
    const xml = envelope('urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b', assertion(card, patient), body);
    return { patient, uniqueId: entry.uniqueId, document: bytes, ...mtom(xml, bytes) };
  });
}

/** ITI-18 FindDocuments, LeafClass, of one type of a patient's hundred documents: about ten of them by date. */
export function finds(bench: Bench, count: number): Prepared[] {
  const card = cardOf(bench.data);
  return Array.from({ length: count }, (_, n) => {
    const patient = benchPatient(askedAbout(bench.patients, n));
    const slot = (name: string, value: string) =>
      `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${value}</rim:Value></rim:ValueList></rim:Slot>`;
    const body =
      `<query:AdhocQueryRequest xmlns:query="${namespace.query}" xmlns:rim="${namespace.rim}"><query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>` +
      `<rim:AdhocQuery id="${storedQuery.FindDocuments}">` +
      slot('$XDSDocumentEntryPatientId', `'${patient.value}^^^&amp;${patient.oid}&amp;ISO^NH'`) +
      slot('$XDSDocumentEntryStatus', "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')") +
      slot('$XDSDocumentEntryCreationTimeFrom', '20251222') +
      slot('$XDSDocumentEntryCreationTimeTo', '20260101') +
      '</rim:AdhocQuery></query:AdhocQueryRequest>';
    return post(
      bench,
      '/xds/registry',
      'application/soap+xml; charset=UTF-8',
      Buffer.from(envelope('urn:ihe:iti:2007:RegistryStoredQuery', assertion(card, patient), body)),
    );
  });
}

/** ITI-43 of one document of 20 kB. */
export function retrieves(bench: Bench, count: number): Prepared[] {
  const card = cardOf(bench.data);
  const patients = [...bench.known.keys()];
  return Array.from({ length: count }, (_, n) => {
    const number = patients[n % patients.length] ?? 0;
    const documents = bench.known.get(number) ?? [];
    const document = documents[n % documents.length];
    const body =
      `<xds:RetrieveDocumentSetRequest xmlns:xds="${namespace.xds}"><xds:DocumentRequest><xds:RepositoryUniqueId>${repository}</xds:RepositoryUniqueId>` +
      `<xds:DocumentUniqueId>${document?.uniqueId ?? ''}</xds:DocumentUniqueId></xds:DocumentRequest></xds:RetrieveDocumentSetRequest>`;
    const { contentType, body: message } = mtom(
      envelope('urn:ihe:iti:2007:RetrieveDocumentSet', assertion(card, benchPatient(number)), body),
    );
    return post(bench, '/xds/repository', contentType, message);
  });
}

/** FHIR searches, a page of 20 documents each. */
export async function searches(bench: Bench): Promise<Prepared[]> {
  const token = await tokenOf(bench);
  return Array.from({ length: Math.min(1000, bench.patients) }, (_, n) => {
    const { oid, value } = benchPatient(askedAbout(bench.patients, n));
    return get(
      bench,
      `/fhir/DocumentReference?patient.identifier=urn:oid:${oid}%7C${value}&status=current&_count=20`,
      token,
      'application/fhir+json',
    );
  });
}

/** FHIR reads of documents' bytes, 20 kB each. */
export async function reads(bench: Bench): Promise<Prepared[]> {
  const token = await tokenOf(bench);
  return namesOf(bench).map((id) => get(bench, `/fhir/Binary/${id}`, token, '*/*'));
}

/** FHIR reads of one DocumentReference each. */
export async function resourceReads(bench: Bench): Promise<Prepared[]> {
  const token = await tokenOf(bench);
  return namesOf(bench).map((id) => get(bench, `/fhir/DocumentReference/${id}`, token, 'application/fhir+json'));
}

function namesOf({ known }: Bench): string[] {
  return [...known.values()].flatMap((documents) => documents.map(({ id }) => id));
}

export async function tokenOf({ data, url }: Bench): Promise<string> {
  const martin = personOf('dr-martin');
  if (martin === undefined) throw new Error('the sandbox has no dr-martin');
  return signToken(loadTokenKey(data), martin, {
    mode: 'normal',
    issuer: `${url.origin}/auth`,
    audience: `${url.origin}/fhir`,
    issuedAt: Date.now(),
    lifetime: 3600,
    id: randomUUID(),
  });
}

export function assertion(card: Card, patient: Identifier): string {
  return signVihf(card, {
    patient: `${patient.value}^^^&${patient.oid}&ISO^NH`,
    mode: 'normal',
    issuedAt: Date.now(),
    id: randomUUID(),
  });
}

export function envelope(action: string, vihf: string, body: string): string {
  return (
    `<soap:Envelope xmlns:soap="${namespace.soap12}" xmlns:wsa="${namespace.wsa}"><soap:Header>` +
    `<wsa:Action soap:mustUnderstand="true">${action}</wsa:Action><wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID>` +
    '<wsa:ReplyTo><wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address></wsa:ReplyTo>' +
    `<wsse:Security xmlns:wsse="${namespace.wsse}" soap:mustUnderstand="true">${vihf}</wsse:Security>` +
    `</soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`
  );
}

function head(bench: Bench, method: string, path: string, headers: readonly string[]): Buffer {
  return Buffer.from([`${method} ${path} HTTP/1.1`, `Host: ${bench.url.host}`, ...headers, '', ''].join('\r\n'));
}

export function post(bench: Bench, path: string, contentType: string, body: Buffer): Prepared {
  return Buffer.concat([
    head(bench, 'POST', path, [`Content-Type: ${contentType}`, `Content-Length: ${body.length}`]),
    body,
  ]);
}

/** A package of a root and of documents, which are named `doc`, `doc1`, `doc2` … at `bench`. */
export function mtom(
  xml: string,
  ...documents: readonly Uint8Array[]
): { readonly contentType: string; readonly body: Buffer } {
  const part = (type: string, id: string) =>
    `--bench\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${id}>\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(`${part('application/xop+xml; charset=UTF-8; type="application/soap+xml"', 'root@bench')}${xml}\r\n`),
    ...documents.flatMap((document, n) => [
      Buffer.from(part('text/xml', `doc${n === 0 ? '' : n}@bench`)),
      document,
      Buffer.from('\r\n'),
    ]),
    Buffer.from('--bench--\r\n'),
  ]);
  const contentType =
    'multipart/related; type="application/xop+xml"; start="<root@bench>"; start-info="application/soap+xml"; boundary="bench"';
  return { contentType, body };
}

function get(bench: Bench, path: string, token: string, accept: string): Prepared {
  return head(bench, 'GET', path, [`Authorization: Bearer ${token}`, `Accept: ${accept}`]);
}

import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * Transactions as a client knows them, written by hand from IHE ITI TF-2 3.18, 3.41, 3.42, 3.43, 3.44, 3.51, 3.61, 3.62, 3.86, Metadata
 * Update 3.57 and Restricted Metadata Update 3.92.
 */
export const transactions = {
  find: { path: '/xds/registry', action: 'urn:ihe:iti:2007:RegistryStoredQuery' },
  deposit: { path: '/xds/repository', action: 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b' },
  update: { path: '/xds/registry', action: 'urn:ihe:iti:2010:UpdateDocumentSet' },
  retrieve: { path: '/xds/repository', action: 'urn:ihe:iti:2007:RetrieveDocumentSet' },
  register: { path: '/xds/registry', action: 'urn:ihe:iti:2007:RegisterDocumentSet-b' },
  addPatient: { path: '/xds/registry', action: 'urn:hl7-org:v3:PRPA_IN201301UV02' },
  findAcross: { path: '/xds/registry', action: 'urn:ihe:iti:2009:MultiPatientStoredQuery' },
  registerOnDemand: { path: '/xds/registry', action: 'urn:ihe:iti:2010:RegisterOnDemandDocumentEntry' },
  removeMetadata: { path: '/xds/registry', action: 'urn:ihe:iti:2010:DeleteDocumentSet' },
  removeDocuments: { path: '/xds/repository', action: 'urn:ihe:iti:2017:RemoveDocuments' },
  restrictedUpdate: { path: '/xds/registry', action: 'urn:ihe:iti:2018:RestrictedUpdateDocumentSet' },
} as const;
export type XdsVerb = keyof typeof transactions;

export const repository = '1.2.250.1.213.4.1.1.1.2';

/** A SOAP 1.2 message; `security` is what stands in wsse:Security, undefined for none of it. */
export function envelope(verb: XdsVerb, security: string | undefined, body: string): string {
  const { action, path } = transactions[verb];
  return (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>' +
    `<a:Action s:mustUnderstand="1">${action}</a:Action><a:MessageID>urn:uuid:${randomUUID()}</a:MessageID>` +
    `<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo><a:To>http://dmp.example.org${path}</a:To>` +
    (security === undefined
      ? ''
      : '<wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd" ' +
        `s:mustUnderstand="1">${security}</wsse:Security>`) +
    `</s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}

export type ReturnType = 'LeafClass' | 'ObjectRef';

function adhocQuery(id: string, slots: Readonly<Record<string, string>>, returnType: ReturnType): string {
  const written = Object.entries(slots).map(
    ([name, value]) =>
      `<rim:Slot name="$XDSDocumentEntry${name}"><rim:ValueList><rim:Value>${escaped(value)}</rim:Value></rim:ValueList></rim:Slot>`,
  );
  return (
    '<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">' +
    `<q:ResponseOption returnComposedObjects="true" returnType="${returnType}"/><rim:AdhocQuery id="${id}">${written.join('')}</rim:AdhocQuery>` +
    '</q:AdhocQueryRequest>'
  );
}

/** FindDocuments of the current documents; the patient as CX, or left to the assertion. */
export function findDocuments(cx: string | undefined, returnType: ReturnType = 'LeafClass'): string {
  return adhocQuery(
    'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d',
    {
      ...(cx !== undefined && { PatientId: `'${cx}'` }),
      Status: "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",
    },
    returnType,
  );
}

/** GetDocuments by names: entryUUIDs with their prefix, or uniqueIds. */
export function getDocuments(names: readonly string[], returnType: ReturnType = 'LeafClass'): string {
  const by = names[0]?.startsWith('urn:uuid:') === true ? 'EntryUUID' : 'UniqueId';
  const list = `(${names.map((name) => `'${name}'`).join(',')})`;
  return adhocQuery('urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4', { [by]: list }, returnType);
}

export function retrieveDocuments(uniqueIds: readonly string[]): string {
  const asked = uniqueIds.map(
    (id) =>
      `<DocumentRequest><RepositoryUniqueId>${repository}</RepositoryUniqueId><DocumentUniqueId>${id}</DocumentUniqueId></DocumentRequest>`,
  );
  return `<RetrieveDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007">${asked.join('')}</RetrieveDocumentSetRequest>`;
}

/** Who files: `person` and `structure` as an author is written, by national identifiers. */
export type Filer = { readonly idNat: string; readonly family: string; readonly structIdNat: string };

/** What is filed; what is left out is as in the sample: a consultation report. */
export type Filed = {
  readonly cx: string;
  readonly filer: Filer;
  readonly uniqueId: string;
  readonly bytes: Uint8Array;
  readonly title?: string;
  readonly type?: string;
  readonly format?: string;
  /** A code of visibility beside N. */
  readonly hide?: string;
  /** How the document comes: by reference to a part (its Content-ID), or inline in base64. */
  readonly include?: string;
};

const sample = readFileSync(new URL('../xds/iti41/submission.xml', import.meta.url), 'utf8');

/** A submission of one document: the sample message with other values. */
export function submission(filed: Filed): string {
  const { cx, filer, uniqueId, bytes, title = 'Consultation', type, format, hide, include } = filed;
  const content =
    include === undefined
      ? Buffer.from(bytes).toString('base64')
      : `<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:${include}"/>`;
  const hidden =
    '<rim:Classification id="c31" classificationScheme="urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f" classifiedObject="doc1" ' +
    `nodeRepresentation="${hide}"><rim:Slot name="codingScheme"><rim:ValueList><rim:Value>1.2.250.1.213.1.1.4.13</rim:Value></rim:ValueList></rim:Slot>` +
    `<rim:Name><rim:LocalizedString value="${hide}"/></rim:Name></rim:Classification>`;
  return sample
    .replaceAll('161053523812385^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH', escaped(cx))
    .replaceAll('899970000016^MARTIN^Hélène', `${filer.idNat}^${filer.family}^`)
    .replaceAll('499970000016001', filer.structIdNat)
    .replaceAll('1.2.250.1.213.99.50.1', uniqueId)
    .replaceAll('1.2.250.1.213.99.51.1', `${uniqueId}.1`)
    .replace('F30ECBF5B1CB85C631FDEC0B39678550973CFCBC', createHash('sha1').update(bytes).digest('hex'))
    .replace('<rim:Value>7</rim:Value>', `<rim:Value>${bytes.length}</rim:Value>`)
    .replace("Note d'essai", escaped(title))
    .replace('"11488-4"', `"${type ?? '11488-4'}"`)
    .replace('urn:ihe:iti:xds-sd:text:2008', format ?? 'urn:ihe:iti:xds-sd:text:2008')
    .replace('<rim:Classification id="c4"', `${hide === undefined ? '' : hidden}<rim:Classification id="c4"`)
    .replace('Qm9uam91cg==', content);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

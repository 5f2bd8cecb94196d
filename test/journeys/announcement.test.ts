import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AuditEvent, Bundle, DocumentReference } from 'fhir/r4.js';
import { personOf } from '../../server/sandbox/people.ts';
import { cxOf, tokenOf } from '../support/clients.ts';
import { findDocuments } from '../support/messages.ts';
import { openServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server.close());

const find = (slug: string) =>
  server.xds.ask('find', server.credentials.vihf(slug, { patient: 'masson' }), findDocuments(cxOf('masson')));
const get = async <T>(path: string) => server.fhir.get<T>(await server.credentials.token('masson'), path);
/** What the patient finds, by uniqueId. */
async function search(uniqueId: string): Promise<readonly DocumentReference[]> {
  const path = `DocumentReference?patient.identifier=${tokenOf('masson')}&status=current&_count=100`;
  const { json } = await get<Bundle<DocumentReference>>(path);
  const found = (json.entry ?? []).flatMap(({ resource }) => resource ?? []);
  return found.filter(({ masterIdentifier }) => masterIdentifier?.value === `urn:oid:${uniqueId}`);
}

/** The entry of a LeafClass answer that is hidden from the patient, as it travelled. */
function hiddenIn(answer: string): string {
  const entries = answer.match(/<rim:ExtrinsicObject [\s\S]*?<\/rim:ExtrinsicObject>/g) ?? [];
  const [hidden] = entries.filter((entry) => entry.includes('nodeRepresentation="INVISIBLE_PATIENT"'));
  if (hidden === undefined) throw new Error('nothing is hidden');
  return hidden;
}

const one = (text: string, pattern: RegExp) => pattern.exec(text)?.[1] ?? '';

/** The update by which a professional's software shows the document: what the query gave, without the code. DMP TD3.3b. */
function announcing(entry: string, uniqueId: string): string {
  const { idNat = '', structIdNat = '' } = personOf('dr-martin') as { idNat?: string; structIdNat?: string };
  const shown = entry
    .replace(/<rim:Classification [^>]*nodeRepresentation="INVISIBLE_PATIENT"[\s\S]*?<\/rim:Classification>/, '')
    .replaceAll(one(entry, /<rim:ExtrinsicObject id="([^"]*)"/), 'next')
    .replace(/ lid="next"/, ` lid="${one(entry, / lid="([^"]*)"/)}"`);
  const slot = (name: string, value: string) =>
    `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${value}</rim:Value></rim:ValueList></rim:Slot>`;
  const named = (name: string) => `<rim:Name><rim:LocalizedString value="${name}"/></rim:Name>`;
  const identifier = (id: string, scheme: string, value: string, name: string) =>
    `<rim:ExternalIdentifier id="${id}" registryObject="ss" identificationScheme="urn:uuid:${scheme}" value="${value}">${named(name)}</rim:ExternalIdentifier>`;
  const set =
    `<rim:RegistryPackage id="ss">${slot('submissionTime', '20260701080000')}` +
    '<rim:Classification id="c1" classifiedObject="ss" classificationScheme="urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d" nodeRepresentation="">' +
    slot('authorPerson', `${idNat}^MARTIN^Hélène^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^IDNPS`) +
    `${slot('authorInstitution', `Cabinet^^^^^&amp;1.2.250.1.71.4.2.2&amp;ISO^IDNST^^^${structIdNat}`)}</rim:Classification>` +
    '<rim:Classification id="c2" classifiedObject="ss" classificationScheme="urn:uuid:aa543740-bdda-424e-8c96-df4873be8500" nodeRepresentation="07">' +
    `${slot('codingScheme', '1.2.250.1.213.2.2')}${named('Consultation')}</rim:Classification>` +
    '<rim:Classification id="c3" classifiedObject="ss" classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>' +
    identifier(
      'e1',
      '6b5aea1a-874d-4603-a4bc-96a0a7b38446',
      cxOf('masson').replaceAll('&', '&amp;'),
      'XDSSubmissionSet.patientId',
    ) +
    identifier('e2', '554ac39e-e3fe-47fe-b233-965d2a147832', '2.999.60', 'XDSSubmissionSet.sourceId') +
    `${identifier('e3', '96fdda7c-d067-4183-912e-bf5ee74998a8', uniqueId, 'XDSSubmissionSet.uniqueId')}</rim:RegistryPackage>`;
  const membership =
    '<rim:Association id="a1" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember" sourceObject="ss" targetObject="next">' +
    `${slot('SubmissionSetStatus', 'Original')}${slot('PreviousVersion', one(entry, /versionName="(\d+)"/))}</rim:Association>`;
  return (
    '<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">' +
    `<rim:RegistryObjectList>${shown}${set}${membership}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>`
  );
}

test('a document hidden until the consultation is announced: the patient finds and reads it, and sees who showed it', async () => {
  const entry = hiddenIn((await find('dr-martin')).text);
  const uniqueId = one(entry, /2e82c1f6-a085-4c72-9da3-8640a32e42ab" value="([^"]*)"/);
  expect(await search(uniqueId)).toEqual([]);

  const update = announcing(Buffer.from(entry, 'latin1').toString(), '2.999.77.1');
  const announce = () => server.xds.ask('update', server.credentials.vihf('dr-martin', { patient: 'masson' }), update);
  expect(await announce()).toMatchObject({ http: 200, status: 'Success', errors: [] });

  const [found, ...others] = await search(uniqueId);
  expect(others).toEqual([]);
  const address = found?.content[0]?.attachment.url ?? '';
  const { bytes } = await get<unknown>(address.slice(address.indexOf('Binary/')));
  expect(bytes.toString()).toContain('ClinicalDocument');

  const history = await get<Bundle<AuditEvent>>(
    `AuditEvent?patient.identifier=${tokenOf('masson')}&date=ge2026-01-01&_count=500`,
  );
  const codes = history.json.entry?.map(({ resource }) => resource?.subtype?.map(({ code }) => code));
  expect(codes?.filter((of) => of?.includes('ITI-57') === true)).toHaveLength(1);
  expect(await announce()).toMatchObject({ status: 'Failure' });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditEvent, Bundle } from 'fhir/r4.js';
import { type SystemRight, systemRights } from '../../server/domain/actor.ts';
import type { DocumentEntry } from '../../server/domain/document.ts';
import type { JsonObject } from '../../server/fhir/json.ts';
import { validate } from '../../server/fhir/validate.ts';
import { patientOf, personOf, testInsOid } from '../../server/sandbox/people.ts';
import { writeAssociation, writeDocument, writeSubmissionSet } from '../../server/xds/ebrim/write.ts';
import { tokenOf, type XdsAnswer } from '../support/clients.ts';
import { repository, retrieveDocuments, type XdsVerb } from '../support/messages.ts';
import { association, code, document, submissionSet, uuid } from '../support/registry.ts';
import { openServer, type TestServer } from '../support/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'opendmp-systems-'));
const source = '2.999.8';
const regie = '1.2.250.1.999.1.1';

/** Each of these has every right that the other lacks. */
const halves: Readonly<Record<string, readonly SystemRight[]>> = {
  'hopital-nord': ['feed', 'onDemand', 'restrictedUpdate', 'auditFeed'],
  'labo-centre': ['register', 'multiPatient', 'remove'],
};
const without = (right: SystemRight) =>
  Object.keys(halves).find((slug) => halves[slug]?.includes(right) === false) ?? 'nobody';

let server: TestServer;
beforeAll(async () => {
  const listed = Object.entries(halves).map(([slug, rights]) => {
    const person = personOf(slug);
    return { id: `system-${slug}`, name: slug, structure: person?.kind === 'structure' && person.structIdNat, rights };
  });
  writeFileSync(join(folder, 'systems.json'), JSON.stringify(listed));
  server = await openServer({
    DMP_SYSTEMS: join(folder, 'systems.json'),
    DMP_ON_DEMAND_SOURCES: `${source}=http://127.0.0.1:9/`,
  });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const ins = patientOf('laurent')?.ins ?? '';
const patientId = { id: ins, authority: { oid: testInsOid } };
const entry = (number: number, changes: Partial<DocumentEntry> = {}): DocumentEntry =>
  document(number, {
    patientId,
    sourcePatientId: patientId,
    sourcePatientInfo: [],
    repositoryUniqueId: repository,
    classCode: code('11', '1.2.250.1.213.1.1.4.1', 'Synthèse'),
    typeCode: code('60591-5', '2.16.840.1.113883.6.1', 'Synthèse médicale'),
    practiceSettingCode: code('AMBULATOIRE', '1.2.250.1.213.1.1.4.9', 'Ambulatoire'),
    healthcareFacilityTypeCode: code('SA43', '1.2.250.1.71.4.2.4', 'x'),
    confidentialityCodes: [code('N', '2.16.840.1.113883.5.25', 'Normal')],
    ...changes,
  });

/** One entry in a set of its own: `number` names the entry, the next two the set and the membership. */
function submitting(number: number, sent: DocumentEntry, previousVersion?: string): string {
  const set = submissionSet(number + 1, {
    patientId,
    contentTypeCode: code('07', '1.2.250.1.213.2.2', 'Consultations'),
  });
  const member = {
    ...association(number + 2, number + 1, number),
    target: sent.entryUUID,
    submissionSetStatus: 'Original' as const,
    ...(previousVersion !== undefined && { previousVersion }),
  };
  return (
    '<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">' +
    `<rim:RegistryObjectList>${writeSubmissionSet(set)}${writeDocument(sent)}${writeAssociation(member)}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>`
  );
}

const adding = (): string => {
  const text = readFileSync(new URL('./iti44/add.xml', import.meta.url), 'utf8');
  return text.replaceAll('{ins}', ins).replaceAll('{birth}', patientOf('laurent')?.birthDate.replaceAll('-', '') ?? '');
};

/** Documents of several patients. */
const across = (...slugs: readonly string[]): string => {
  const patients = slugs.map((slug) => `'${patientOf(slug)?.ins}^^^&amp;${testInsOid}&amp;ISO^NH'`);
  const slots = {
    $XDSDocumentEntryPatientId: `(${patients.join(',')})`,
    $XDSDocumentEntryStatus: "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",
  };
  return (
    '<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">' +
    '<q:ResponseOption returnType="LeafClass" returnComposedObjects="true"/><rim:AdhocQuery id="urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f">' +
    Object.entries(slots)
      .map(([n, v]) => `<rim:Slot name="${n}"><rim:ValueList><rim:Value>${v}</rim:Value></rim:ValueList></rim:Slot>`)
      .join('') +
    '</rim:AdhocQuery></q:AdhocQueryRequest>'
  );
};

const removing = (...numbers: readonly number[]): string =>
  '<lcm:RemoveObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><rim:ObjectRefList>' +
  `${numbers.map((n) => `<rim:ObjectRef id="${uuid(n)}"/>`).join('')}</rim:ObjectRefList></lcm:RemoveObjectsRequest>`;

const removingBytes = (uniqueId: string): string =>
  '<rmd:RemoveDocumentsRequest xmlns:rmd="urn:ihe:iti:rmd:2017" xmlns:xds="urn:ihe:iti:xds-b:2007"><xds:DocumentRequest>' +
  `<xds:RepositoryUniqueId>${repository}</xds:RepositoryUniqueId><xds:DocumentUniqueId>${uniqueId}</xds:DocumentUniqueId></xds:DocumentRequest></rmd:RemoveDocumentsRequest>`;

const next = (number: number): string =>
  submitting(number + 50, entry(number + 50, { logicalID: uuid(number), uniqueId: `2.999.1.${number}` }), '1');

const ask = (slug: string, verb: XdsVerb, body: string, patient?: string) =>
  server.xds.ask(verb, server.credentials.vihf(slug, patient === undefined ? {} : { patient }), body);

const registerFirst = async (number: number): Promise<void> => {
  expect(await ask('regie', 'register', submitting(number, entry(number)))).toMatchObject({ status: 'Success' });
};

/** By `dr-martin`, with bytes. */
const depositFirst = async (number: number): Promise<void> => {
  const filer = personOf('dr-martin');
  if (filer?.kind !== 'professional') throw new Error('dr-martin is no professional');
  const { idNat, family, structIdNat } = filer;
  const answer = await server.xds.deposit(server.credentials.vihf('dr-martin', { patient: 'laurent' }), {
    cx: `${ins}^^^&${testInsOid}&ISO^NH`,
    filer: { idNat, family, structIdNat },
    uniqueId: `2.999.1.${number}`,
    bytes: Buffer.from('Bonjour'),
  });
  expect(answer).toMatchObject({ status: 'Success' });
};

type Case = readonly [
  transaction: string,
  verb: XdsVerb,
  right: SystemRight,
  message: (number: number) => string,
  prepare?: (number: number) => Promise<void>,
];
const cases: readonly Case[] = [
  ['ITI-42', 'register', 'register', (n) => submitting(n, entry(n))],
  ['ITI-44', 'addPatient', 'feed', adding],
  ['ITI-51', 'findAcross', 'multiPatient', () => across('laurent')],
  [
    'ITI-61',
    'registerOnDemand',
    'onDemand',
    (n) => {
      const { creationTime: _time, hash: _hash, size: _size, ...rest } = entry(n);
      return submitting(n, { ...rest, objectType: 'onDemand', repositoryUniqueId: source });
    },
  ],
  ['ITI-62', 'removeMetadata', 'remove', (n) => removing(n, n + 1, n + 2), registerFirst],
  ['ITI-86', 'removeDocuments', 'remove', (n) => removingBytes(`2.999.1.${n}`), depositFirst],
  ['ITI-92', 'restrictedUpdate', 'restrictedUpdate', next, registerFirst],
];

function expectDone({ status, errors, text }: XdsAnswer): void {
  if (text.includes('MCCI_IN000002UV01')) expect(text).toContain('<typeCode code="CA"/>');
  else expect({ status, errors }).toEqual({ status: 'Success', errors: [] });
}

/** Events of a transaction as laurent reads them. */
async function traces(transaction: string): Promise<AuditEvent[]> {
  const query = `AuditEvent?patient.identifier=${tokenOf('laurent')}&date=ge2026-01-01&_count=500`;
  const { json } = await server.fhir.get<Bundle<AuditEvent>>(await server.credentials.token('laurent'), query);
  return (json.entry ?? [])
    .flatMap(({ resource }) => resource ?? [])
    .filter(({ subtype }) => subtype?.some((coding) => coding.code === transaction) === true);
}
const actorsOf = (events: readonly AuditEvent[]) =>
  events.flatMap(({ agent, outcome }) =>
    agent.filter(({ requestor }) => requestor).map(({ who }) => [who?.identifier?.value, outcome]),
  );

describe.each(cases)('%s', (transaction, verb, right, message, prepare) => {
  const number = 500 + 100 * cases.findIndex(([name]) => name === transaction);

  test(`is done for a system with the right ${right}, and its patient sees by whom`, async () => {
    await prepare?.(number);
    const answer = await ask('regie', verb, message(number));
    expectDone(answer);
    const events = await traces(transaction);
    expect(actorsOf(events)).toContainEqual([regie, '0']);
    for (const event of events) expect(validate(event as unknown as JsonObject, 'AuditEvent').problems).toEqual([]);
  });

  test('is done where the assertion names the patient', async () => {
    await prepare?.(number + 10);
    expectDone(await ask('regie', verb, message(number + 10), 'laurent'));
  });

  test('never reaches a patient other than the one whom the assertion names', async () => {
    await prepare?.(number + 30);
    const { answer, unchanged } = await server.ledger.traced(() => ask('regie', verb, message(number + 30), 'girard'));
    expect(unchanged).toBe(true);
    expect(answer.uniqueIds).toEqual([]);
    expect(answer.text).toContain(verb === 'addPatient' ? '<typeCode code="CE"/>' : 'ResponseStatusType:Failure"');
  });

  test(`is refused to a system with other rights alone, without ${right}`, async () => {
    await prepare?.(number + 20);
    const slug = without(right);
    const { answer, events, unchanged } = await server.ledger.traced(() => ask(slug, verb, message(number + 20)));
    expect(answer.text).toContain(verb === 'addPatient' ? '<typeCode code="CE"/>' : 'ResponseStatusType:Failure"');
    expect(answer.text).toContain(verb === 'addPatient' ? 'NS200' : 'DMPAccessDeniedByRightsService');
    expect(unchanged).toBe(true);
    expect(events).toMatchObject([
      { actor: { kind: 'system', id: `system-${slug}` }, outcome: 'refused', origin: { transaction } },
    ]);
  });
});

test('a query across patients finds documents of each', async () => {
  const { text, uniqueIds } = await ask('regie', 'findAcross', across('laurent', 'girard'));
  expect(uniqueIds.length).toBeGreaterThan(1);
  for (const slug of ['laurent', 'girard']) expect(text).toContain(patientOf(slug)?.ins);
});

test('every right together opens no document', async () => {
  await depositFirst(9000);
  const { answer, events } = await server.ledger.traced(() =>
    ask('regie', 'retrieve', retrieveDocuments(['2.999.1.9000']), 'laurent'),
  );
  expect(answer).toMatchObject({ status: 'Failure', documents: [] });
  expect(events).toMatchObject([{ actor: { kind: 'system', id: regie }, outcome: 'refused' }]);
});

test('an assertion of a system serves one request', async () => {
  const security = server.credentials.vihf('regie');
  expectDone(await server.xds.ask('register', security, submitting(9100, entry(9100))));
  const again = await server.xds.ask('register', security, submitting(9200, entry(9200)));
  expect(again.status).toBe('Fault');
});

test('rights are spread over the halves, and regie has them all', () => {
  expect(Object.values(halves).flat().toSorted()).toEqual([...systemRights].toSorted());
  expect(personOf('regie')).toMatchObject({ rights: systemRights });
});

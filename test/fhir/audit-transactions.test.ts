import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditEvent, Bundle, Consent, FhirResource } from 'fhir/r4.js';
import type { Transaction } from '../../server/domain/event.ts';
import type { JsonObject } from '../../server/fhir/json.ts';
import { auditEventOf } from '../../server/fhir/map/audit-event.ts';
import { validate } from '../../server/fhir/validate.ts';
import { patientOf, personOf } from '../../server/sandbox/people.ts';
import { cda, openDoor as openLine, message as v2 } from '../hl7/door.ts';
import { cxOf, tokenOf } from '../support/clients.ts';
import { findDocuments, retrieveDocuments } from '../support/messages.ts';
import { openServer, type TestServer } from '../support/server.ts';
import { consentFor, permit } from './consent-samples.ts';
import { bundleOf, post, resourceIn } from './deposits.ts';
import { localOid, openIdentityDoor, patientFor } from './identity-door.ts';
import { openSubscriptionDoor, type SubscriptionDoor } from './subscription-door.ts';

const ihe = 'https://profiles.ihe.net/ITI';
const balp = (name: string) => `${ihe}/BALP/StructureDefinition/IHE.BasicAudit.${name}`;
const mhd = (name: string) => `${ihe}/MHD/StructureDefinition/IHE.MHD.${name}`;
const pdqm = (name: string) => `${ihe}/PDQm/StructureDefinition/IHE.PDQm.${name}`;
const pixm = (name: string) => `${ihe}/PIXm/StructureDefinition/IHE.PIXm.${name}`;

let door: SubscriptionDoor;
let documentId = '';
let record = '';
let consent: Consent;
let subscription = '';
beforeAll(async () => {
  door = await openSubscriptionDoor();
  door.world.clock.now += 3_600_000;
  documentId = await door.deposit('dr-martin', 'laurent');
  record = (await door.world.tools.store.facts.recordByIdentifier(door.world.ins('laurent')))?.record.id ?? '';
});
afterAll(() => door.close());

const ofLaurent = () => `patient.identifier=${door.of('laurent')}`;
const identifier = (slug = 'laurent') => {
  const { oid, value } = door.world.ins(slug);
  return { system: `urn:oid:${oid}`, value };
};
const get = (who: string, path: () => string) => () => door.get<FhirResource>(who, path());
const stated = () => consentFor({ identifier: identifier() }, permit('dr-nguyen'));
const alone = () => {
  const bundle = bundleOf(door);
  const { meta: _, ...document } = resourceIn(bundle, 'DocumentReference');
  const [content] = document.content;
  const { url: __, ...attachment } = content?.attachment ?? {};
  const { data = '' } = resourceIn(bundle, 'Binary');
  return { ...document, content: [{ ...content, attachment: { ...attachment, data } }] };
};
const told = (): AuditEvent => ({
  resourceType: 'AuditEvent',
  type: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: '110106' },
  subtype: [{ system: 'urn:ihe:event-type-code', code: 'ITI-20' }],
  recorded: new Date(door.world.clock.now).toISOString(),
  outcome: '0',
  agent: [{ who: { display: 'DPI' }, requestor: true }],
  source: { observer: { display: 'DPI' } },
  entity: [
    {
      what: { identifier: identifier() },
      role: { system: 'http://terminology.hl7.org/CodeSystem/object-role', code: '1' },
    },
  ],
});
const fedLaurent = () => {
  const person = patientOf('laurent');
  if (person === undefined) throw new Error('laurent is unknown');
  const { family, given, birthDate, gender } = person;
  return { resourceType: 'Patient', identifier: [identifier()], name: [{ family, given: [given] }], birthDate, gender };
};

type Row = {
  readonly what: string;
  readonly ask: () => Promise<{ readonly status: number }>;
  /** Of the event that is expected, besides its transaction. */
  readonly subtype?: string;
  readonly action: AuditEvent['action'];
  readonly profile: string | undefined;
  /** What the event is about, as it names it. */
  readonly about?: () => string;
};

/**
 * What each transaction leaves in a history: rows are driven through FHIR here; `xds` and `hl7` through the other faces below, `systems` where
 * systems have their rights; `feed` opens records that nobody reads yet; `none` concerns no record.
 */
const table: { readonly [T in Transaction]: readonly Row[] | 'xds' | 'hl7' | 'systems' | 'feed' | 'none' } = {
  'ITI-8': 'hl7',
  'ITI-18': 'xds',
  'ITI-20': [
    {
      what: 'an event that a partner tells, as he tells it',
      ask: () => post(door, 'regie', told(), 'AuditEvent'),
      action: undefined,
      profile: undefined,
    },
  ],
  'ITI-41': 'xds',
  'ITI-42': 'systems',
  'ITI-43': 'xds',
  'ITI-44': 'systems',
  'ITI-51': 'systems',
  'ITI-57': [
    {
      what: 'a document changed by PATCH',
      ask: async () =>
        door.ask(`DocumentReference/${documentId}`, {
          method: 'PATCH',
          headers: {
            Authorization: `Bearer ${await door.token('dr-martin')}`,
            'Content-Type': 'application/json-patch+json',
          },
          body: JSON.stringify([{ op: 'replace', path: '/status', value: 'entered-in-error' }]),
        }),
      action: 'U',
      profile: undefined,
      about: () => `DocumentReference/${documentId}`,
    },
  ],
  'ITI-61': 'systems',
  'ITI-62': 'systems',
  'ITI-65': [
    {
      what: 'a deposit',
      ask: () => post(door, 'dr-martin', bundleOf(door)),
      action: 'C',
      profile: mhd('ProvideBundle.Audit.Recipient'),
    },
  ],
  'ITI-66': [
    {
      what: 'a search of submission sets',
      ask: get('dr-martin', () => `List?${ofLaurent()}&code=submissionset&status=current`),
      subtype: 'search',
      action: 'E',
      profile: mhd('FindDocumentLists.Audit.Responder'),
    },
  ],
  'ITI-67': [
    {
      what: 'a search of documents',
      ask: get('dr-martin', () => `DocumentReference?${ofLaurent()}&status=current`),
      subtype: 'search',
      action: 'E',
      profile: mhd('FindDocumentReferences.Audit.Responder'),
    },
  ],
  'ITI-68': [
    {
      what: 'the bytes of a document',
      ask: get('dr-martin', () => `Binary/${documentId}`),
      subtype: 'read',
      action: 'R',
      profile: mhd('RetrieveDocument.Audit.Responder'),
      about: () => `Binary/${documentId}`,
    },
  ],
  'ITI-71': 'none',
  'ITI-78': [
    {
      what: 'the existence test',
      ask: get('dr-martin', () => `Patient?identifier=${door.of('laurent')}`),
      subtype: 'search',
      action: 'E',
      profile: pdqm('Query.Audit.Supplier'),
    },
  ],
  'ITI-81': [
    {
      what: 'a search of the history',
      ask: get('dr-martin', () => `AuditEvent?${ofLaurent()}&date=ge2026`),
      subtype: 'search',
      action: 'E',
      profile: balp('PatientQuery'),
    },
  ],
  'ITI-83': [
    {
      what: 'the cross-references of a patient',
      ask: get('regie', () => `Patient/$ihe-pix?sourceIdentifier=${encodeURIComponent(door.of('laurent'))}`),
      subtype: 'search',
      action: 'E',
      profile: pixm('Query.Audit.Manager'),
    },
  ],
  'ITI-86': 'systems',
  'ITI-92': 'systems',
  'ITI-93': 'feed',
  'ITI-102': 'none',
  'ITI-104': [
    {
      what: 'a patient told of again',
      ask: () => door.send('regie', 'PUT', `Patient?identifier=${door.of('laurent')}`, fedLaurent()),
      subtype: 'update',
      action: 'U',
      profile: pixm('Feed.Update.Audit.Manager'),
      about: () => `Patient/${record}`,
    },
  ],
  'ITI-105': [
    {
      what: 'a document that comes alone',
      ask: () => post(door, 'dr-martin', alone(), 'DocumentReference'),
      subtype: 'create',
      action: 'C',
      profile: mhd('SimplifiedPublish.Audit.Recipient'),
    },
  ],
  'ITI-106': [
    {
      what: 'a CDA without metadata',
      ask: () => {
        const resource = resourceIn(bundleOf(door), 'Binary');
        const parameter = [{ name: 'document', resource: { ...resource, contentType: 'text/xml' } }];
        return post(
          door,
          'dr-martin',
          { resourceType: 'Parameters', parameter },
          'DocumentReference/$generate-metadata',
        );
      },
      subtype: 'create',
      action: 'C',
      profile: mhd('GenerateMetadata.Audit.Recipient'),
    },
  ],
  'ITI-108': [
    {
      what: 'a consent that is stated',
      ask: async () => {
        const answer = await post<Consent>(door, 'laurent', stated(), 'Consent');
        consent = answer.json;
        return answer;
      },
      subtype: 'create',
      action: 'C',
      profile: balp('PatientCreate'),
      about: () => `Consent/${consent.id}/_history/1`,
    },
    {
      what: 'a consent that is read',
      ask: get('laurent', () => `Consent/${consent.id}`),
      subtype: 'read',
      action: 'R',
      profile: balp('PatientRead'),
      about: () => `Consent/${consent.id}`,
    },
    {
      what: 'a search of consents',
      ask: get('laurent', () => `Consent?${ofLaurent()}`),
      subtype: 'search',
      action: 'E',
      profile: balp('PatientQuery'),
    },
    {
      what: 'a consent that is changed',
      ask: () => door.send('laurent', 'PUT', `Consent/${consent.id}`, { ...stated(), id: consent.id }),
      subtype: 'update',
      action: 'U',
      profile: balp('PatientUpdate'),
      about: () => `Consent/${consent.id}/_history/2`,
    },
    {
      what: 'a consent that is withdrawn',
      ask: () => door.send('laurent', 'DELETE', `Consent/${consent.id}`),
      subtype: 'delete',
      action: 'D',
      profile: balp('PatientDelete'),
      about: () => `Consent/${consent.id}/_history/3`,
    },
  ],
  'ITI-119': [
    {
      what: 'a match',
      ask: () => {
        const resource = { resourceType: 'Patient', identifier: [identifier()] };
        const parameters = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource }] };
        return post(door, 'dr-martin', parameters, 'Patient/$match');
      },
      subtype: 'search',
      action: 'E',
      profile: pdqm('Match.Audit.Supplier'),
    },
  ],
  'ITI-110': [
    {
      what: 'a subscription',
      ask: async () => {
        const answer = await door.send('dr-martin', 'POST', 'Subscription', door.subscription('laurent'));
        subscription = answer.json.id ?? '';
        return answer;
      },
      subtype: 'create',
      action: 'C',
      profile: balp('PatientCreate'),
      about: () => `Subscription/${subscription}`,
    },
  ],
  'ITI-112': [
    {
      what: 'a notification',
      ask: async () => {
        await door.work();
        await post(door, 'dr-martin', bundleOf(door));
        await door.work();
        return { status: 200 };
      },
      action: 'R',
      profile: undefined,
    },
  ],
  'ITI-113': 'none',
  'ITI-114': 'none',
  ORU: 'hl7',
  MDM: 'hl7',
  read: [
    {
      what: 'the metadata of a document',
      ask: get('dr-martin', () => `DocumentReference/${documentId}`),
      subtype: 'read',
      action: 'R',
      profile: balp('PatientRead'),
      about: () => `DocumentReference/${documentId}`,
    },
    {
      what: 'a holder',
      ask: get('dr-martin', () => `Patient/${record}`),
      subtype: 'read',
      action: 'R',
      profile: balp('PatientRead'),
      about: () => `Patient/${record}`,
    },
    {
      what: 'an event',
      ask: async () => {
        const [latest] = await history();
        return door.get('laurent', `AuditEvent/${latest?.id}`);
      },
      subtype: 'read',
      action: 'R',
      profile: balp('PatientRead'),
    },
  ],
  search: 'none',
  create: 'none',
  internal: 'none',
};

async function history(): Promise<AuditEvent[]> {
  const { json } = await door.get<Bundle<AuditEvent>>('laurent', `AuditEvent?${ofLaurent()}&date=ge2020&_count=20`);
  return (json.entry ?? []).flatMap(({ resource }) => resource ?? []);
}
const faultsOf = (event: AuditEvent) =>
  validate(event as unknown as JsonObject, 'AuditEvent').problems.map(({ name, about }) => [name, about.expression]);
const codesOf = ({ subtype = [] }: AuditEvent) => subtype.map(({ code }) => code);
/** Deletion and look-ups of a changed document come last: the other rows read it. */
const order = ([name]: readonly [string, unknown]) => (name === 'ITI-57' ? 1 : 0);
const rows = Object.entries(table)
  .sort((a, b) => order(a) - order(b))
  .flatMap(([name, all]) => (typeof all === 'string' ? [] : all.map((row) => [name, row.what, row] as const)));

describe('what a transaction leaves in the history of the patient', () => {
  test.each(rows)('%s, %s', async (name, _, { ask, subtype, action, profile, about }) => {
    const [before] = await history();
    const { status } = await ask();
    expect(Math.floor(status / 100)).toBe(2);
    const later = (await history()).filter(({ id }) => Number(id) > Number(before?.id) + 1);
    const isOf = (event: AuditEvent) =>
      (name === 'read' ? codesOf(event).join() === 'read' : codesOf(event).includes(name)) &&
      (name !== 'ITI-81' || event.agent.some(({ who }) => who?.identifier?.system === 'urn:oid:1.2.250.1.71.4.2.1'));
    const event = later.find(isOf);
    if (event === undefined)
      throw new Error(`no event of ${name} among ${later.map((e) => codesOf(e).join('+')).join()}`);
    expect(event.outcome).toBe('0');
    expect(event.action).toBe(action);
    if (subtype !== undefined) expect(codesOf(event)).toContain(subtype);
    expect(event.meta?.profile).toEqual(profile === undefined ? undefined : [profile]);
    expect(faultsOf(event)).toEqual([]);
    if (about !== undefined) expect(event.entity?.map(({ what }) => what?.reference)).toContain(about());
    if (name !== 'ITI-20' && name !== 'ITI-112')
      expect(event.entity?.at(-1)?.what?.identifier?.value).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a deposit names its submission set as List, and each document besides', async () => {
    const found = (await history()).find((event) => codesOf(event).includes('ITI-65'));
    const of = (type: string) => found?.entity?.filter((entity) => entity.type?.code === type);
    expect(of('2')?.[0]).toMatchObject({ what: { reference: expect.stringMatching(/^List\//) }, role: { code: '20' } });
    expect(of('DocumentReference')).toHaveLength(1);
  });

  test('a refusal of any of them claims nothing', async () => {
    const asked = [
      `DocumentReference?${ofLaurent()}&status=current`,
      `List?${ofLaurent()}&code=submissionset&status=current`,
      `AuditEvent?${ofLaurent()}&date=ge2026`,
      `Consent?${ofLaurent()}`,
    ];
    for (const path of asked) expect((await door.get('pharm-durand', path)).status).toBe(403);
    const refused = (await history()).slice(0, asked.length + 1).filter(({ outcome }) => outcome === '8');
    expect(refused).toHaveLength(asked.length);
    for (const event of refused) {
      expect(event).not.toHaveProperty('meta');
      expect(faultsOf(event)).toEqual([]);
      expect(event.outcomeDesc).toMatch(/access rights/);
    }
  });
});

describe('what the other faces leave in it', () => {
  const xds = Object.entries(table).flatMap(([name, driver]) => (driver === 'xds' ? [name] : []));
  const hl7 = Object.entries(table).flatMap(([name, driver]) => (driver === 'hl7' ? [name] : []));

  test('XDS: DICOM messages as FHIR has them, without profile', async () => {
    const server: TestServer = await openServer();
    try {
      const filer = personOf('dr-martin');
      if (filer?.kind !== 'professional') throw new Error('dr-martin is no professional');
      const vihf = () => server.credentials.vihf('dr-martin', { patient: 'laurent' });
      const deposited = await server.xds.deposit(vihf(), {
        cx: cxOf('laurent'),
        filer: { idNat: filer.idNat, family: filer.family, structIdNat: filer.structIdNat },
        uniqueId: '2.999.41.1',
        bytes: Buffer.from('Bonjour'),
      });
      const found = await server.xds.ask('find', vihf(), findDocuments(cxOf('laurent')));
      const read = await server.xds.ask('retrieve', vihf(), retrieveDocuments(['2.999.41.1']));
      expect([deposited, found, read].map(({ status }) => status)).toEqual(['Success', 'Success', 'Success']);
      const path = `AuditEvent?patient.identifier=${tokenOf('laurent')}&date=ge2020&_count=20`;
      const { json } = await server.fhir.get<Bundle<AuditEvent>>(await server.credentials.token('laurent'), path);
      const events = (json.entry ?? []).flatMap(({ resource }) => resource ?? []);
      for (const name of xds) {
        const event = events.find((one) => codesOf(one).includes(name));
        expect([name, event?.outcome, event?.meta]).toEqual([name, '0', undefined]);
        expect([name, event && faultsOf(event)]).toEqual([name, []]);
        expect(event?.agent.find(({ requestor }) => requestor)?.who?.identifier?.value).toBe(filer.idNat);
      }
    } finally {
      await server.close();
    }
  });

  test('HL7 version 2: what came, from whom, about whom', async () => {
    const line = await openLine();
    try {
      const sender = await line.dial();
      for (const name of ['oru-r01.hl7', 'mdm.hl7'])
        expect((await sender.ask(v2(name, { cda: cda(`2.999.7.${name.length}`) }))).code).toBe('AA');
      expect((await sender.ask(v2('adt-a08-revise.hl7'))).code).toBe('AA');
      const events = line.world.tools.store
        .events()
        .map((event) => auditEventOf(event, { base: 'https://dmp.example.org/fhir', repositoryUniqueId: '1.2.3' }));
      for (const name of hl7) {
        const event = events.findLast((one) => codesOf(one).includes(name));
        expect([name, event?.outcome, event?.meta]).toEqual([name, '0', undefined]);
        expect([name, event && faultsOf(event)]).toEqual([name, []]);
      }
    } finally {
      await line.close();
    }
  });

  test('a feed that opens and removes a record', async () => {
    const feed = await openIdentityDoor('open');
    try {
      const answer = await feed.send('regie', 'POST', 'Patient', patientFor('audit-1'));
      expect(answer.status).toBe(201);
      const path = `Patient?identifier=urn:oid:${localOid}|audit-1`;
      expect((await feed.send('regie', 'DELETE', path)).status).toBe(204);
      const events = feed.world.tools.store
        .events()
        .map((event) => auditEventOf(event, { base: feed.base, repositoryUniqueId: '1.2.3' }))
        .filter((event) => codesOf(event).includes('ITI-104'));
      expect(events.map(({ meta, action }) => [action, meta?.profile?.[0]])).toEqual([
        ['C', pixm('Feed.Create.Audit.Manager')],
        ['D', pixm('Feed.Delete.Audit.Manager')],
      ]);
      for (const event of events) expect(faultsOf(event)).toEqual([]);
    } finally {
      await feed.close();
    }
  });
});

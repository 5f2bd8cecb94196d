import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, OperationOutcome } from 'fhir/r4.js';
import { configOf } from '../../server/config/config.ts';
import { readEnv } from '../../server/config/env.ts';
import { type Actor, systemRights } from '../../server/domain/actor.ts';
import type { RecordFacts } from '../../server/domain/decision.ts';
import type { VisibilityCode } from '../../server/domain/document.ts';
import type { AuditEvent } from '../../server/domain/event.ts';
import { insKey } from '../../server/domain/ins.ts';
import { people, sandboxCentres, testInsOid } from '../../server/sandbox/people.ts';
import { closeServer, listen } from '../../server/server.ts';
import { type Acting, cxOf, fhirOf, tokenOf, type XdsAnswer, xdsOf } from '../support/clients.ts';
import { caseTime, type DecisionCase, decisionCases, factsOf, questionOf } from '../support/decision-cases.ts';
import { findDocuments, getDocuments, retrieveDocuments, submission } from '../support/messages.ts';
import { permitFor } from '../support/permits.ts';
import { confidential, document, uuid } from '../support/registry.ts';
import { openServer, type TestServer } from '../support/server.ts';

type Asked = 'searchDocuments' | 'retrieveDocuments' | 'submitDocuments' | 'lookUpDocuments' | 'testExistence';
const actions: readonly string[] = [
  'searchDocuments',
  'retrieveDocuments',
  'submitDocuments',
  'lookUpDocuments',
  'testExistence',
] satisfies Asked[];

const patients = people.filter((person) => person.kind === 'patient');

/** The documents of each case's record. */
const kinds = {
  plain: {},
  masked: { code: 'MASQUE_PS' },
  hiddenFromPatient: { code: 'INVISIBLE_PATIENT' },
  hiddenFromRepresentatives: { code: 'INVISIBLE_REPRESENTANTS_LEGAUX' },
  own: { own: true },
  ownMasked: { own: true, code: 'MASQUE_PS' },
} as const satisfies Record<string, { readonly own?: true; readonly code?: VisibilityCode }>;
type Kind = keyof typeof kinds;
const kindNames = Object.keys(kinds) as Kind[];

/** A case with a record of its own: nobody else's matricule, nobody else's documents. */
class Played {
  readonly number: number;
  readonly case: DecisionCase;
  constructor(number: number, decisionCase: DecisionCase) {
    this.number = number;
    this.case = decisionCase;
  }
  get actor(): Actor {
    return this.mine(questionOf(this.case).caller.actor);
  }
  get ins(): string {
    return this.insOf(this.case.patient);
  }
  /** Whom the credential names. */
  get credential(): string | undefined {
    const { credentialPatient, named, patient } = this.case;
    const slug = credentialPatient ?? (named === 'patient' ? patient : undefined);
    return slug === undefined ? undefined : this.insOf(slug);
  }
  get acting(): Acting {
    const { mode, reason } = this.case;
    const { credential } = this;
    const code = { normal: 'normal', breakGlass: 'bris_de_glace', emergencyCentre: 'centre_15' } as const;
    return {
      mode: code[mode],
      ...(credential !== undefined && { patient: credential }),
      ...(reason !== undefined && { reason }),
    };
  }
  get facts(): RecordFacts | undefined {
    const facts = factsOf({ ...this.case, named: 'patient' });
    if (facts === undefined) return undefined;
    const id = randomUUID();
    const shift = Date.now() - caseTime;
    const { record, consents } = this.mine(facts);
    const { closed } = record;
    return {
      record: { ...record, id, ...(closed && { closed: { ...closed, at: closed.at + shift } }) },
      consents: consents.map((consent) => ({
        ...consent,
        id: `${id}-${consent.id}`,
        record: id,
        from: consent.from + shift,
        statedAt: consent.statedAt + shift,
        ...(consent.until !== undefined && { until: consent.until + shift }),
      })),
    };
  }
  documentOf(kind: Kind): { readonly entryUUID: string; readonly uniqueId: string; readonly id: string } {
    const number = this.number * 10 + kindNames.indexOf(kind);
    return { entryUUID: uuid(number), uniqueId: `2.999.1.${number}`, id: uuid(number).slice('urn:uuid:'.length) };
  }
  private insOf(slug: string): string {
    const order = 1000 * patients.findIndex((patient) => patient.slug === slug) + this.number;
    const body = `18001${String(99_000_000 + order)}`;
    return `${body}${insKey(body) ?? ''}`;
  }
  /** The same with the matricules of this case. */
  private mine<T>(value: T): T {
    let text = JSON.stringify(value);
    for (const { slug, ins } of patients) text = text.replaceAll(ins, this.insOf(slug));
    return JSON.parse(text) as T;
  }
}

const played = decisionCases
  .filter(({ action }) => actions.includes(action))
  .map((decisionCase, number) => new Played(number + 1, decisionCase));

const carriesXds = ({ case: { action, actor }, actor: { kind } }: Played): boolean =>
  action !== 'testExistence' &&
  (kind === 'air' || kind === 'structure' || (kind === 'professional' && typeof actor === 'string'));
const carriesFhir = ({ case: { action, secret }, actor: { kind } }: Played): boolean =>
  action !== 'submitDocuments' && !secret && kind !== 'administrator' && kind !== 'air';

let server: TestServer;
let later: Server;
const faces = (p: Played) => {
  const place = {
    port: p.case.regime === '2022' ? (later.address() as AddressInfo).port : server.port,
    folder: server.folder,
  };
  return { xds: xdsOf(place), fhir: fhirOf(place) };
};

/** The systems of the cases: a token takes from the partner what a case does not give. */
const systems = [
  { id: 'partner', name: 'partner', rights: systemRights },
  { id: 'regie', name: 'regie', rights: [] },
];
const systemsFile = join(mkdtempSync(join(tmpdir(), 'opendmp-decisions-')), 'systems.json');
afterAll(() => rmSync(dirname(systemsFile), { recursive: true }));

beforeAll(async () => {
  writeFileSync(systemsFile, JSON.stringify(systems));
  server = await openServer({ DMP_SYSTEMS: systemsFile });
  const env = readEnv({ DMP_DATA: server.folder, DMP_REGIME: '2022', DMP_WEB_THREADS: '1' });
  const { settings } = configOf(env, sandboxCentres);
  const context = { ...server.context, tools: { ...server.context.tools, settings } };
  later = await listen(context, { ready: () => true, metrics: () => Promise.resolve([]) }, 0);
  await Promise.all(played.map(register));
});
afterAll(async () => {
  later.closeAllConnections();
  await closeServer(later);
  await server.close();
});

/** Puts the case's record, consents and documents into the store. */
async function register(p: Played): Promise<void> {
  const { tools } = server.context;
  const { facts, actor } = p;
  if (facts === undefined) return;
  const { record, consents } = facts;
  const wrapped = tools.keyring.newKey(record.id);
  const key = tools.keyring.unwrap(record.id, wrapped);
  const documents = await Promise.all(
    kindNames.map(async (kind) => {
      const { entryUUID, uniqueId } = p.documentOf(kind);
      const wanted: { readonly own?: true; readonly code?: VisibilityCode } = kinds[kind];
      const received = tools.blobs.receiveBytes(Buffer.from(uniqueId));
      const { id } = actor.kind === 'professional' || actor.kind === 'air' ? actor : { id: '899970000099' };
      const structure =
        actor.kind === 'structure' || actor.kind === 'professional' || actor.kind === 'air'
          ? actor.structure?.id
          : undefined;
      return {
        kind: 'document' as const,
        entry: {
          ...document(1),
          entryUUID,
          logicalID: entryUUID,
          uniqueId,
          hash: received.sha1,
          size: received.size,
          repositoryUniqueId: tools.settings.repositoryUniqueId,
          patientId: { id: p.ins, authority: { oid: testInsOid }, type: 'NH' },
          confidentialityCodes: wanted.code === undefined ? confidential() : confidential(wanted.code),
        },
        registeredAt: Date.now(),
        sha256: received.sha256,
        content: await received.keep(key),
        owners:
          wanted.own === true
            ? {
                professionals: [id],
                structures: structure === undefined ? [] : [structure],
                patient: actor.kind === 'patient',
              }
            : { professionals: ['899970000099'], structures: ['1750000099'], patient: false },
      };
    }),
  );
  const outcome = await tools.store.write.commit(permitFor(undefined, 'treatingDoctor', { action: 'createRecord' }), {
    expect: [],
    put: [
      { kind: 'record', record },
      { kind: 'key', record: record.id, wrapped },
      ...consents.map((consent) => ({ kind: 'consent' as const, consent })),
      ...documents,
    ],
    events: [],
    jobs: [],
  });
  if (!outcome.done) throw new Error(`${p.case.case}: ${JSON.stringify(outcome.conflicts)}`);
}

/** The documents that must be found, where the case says what hides one. */
function visibleIn({ expect: expected }: DecisionCase): Kind[] | undefined {
  if ('refused' in expected) return [];
  const { hides, only, refusedTypes } = expected;
  if (hides === undefined) return undefined;
  return kindNames.filter((kind) => {
    const { own = false, code }: { readonly own?: boolean; readonly code?: VisibilityCode } = kinds[kind];
    const hidden = hides.some((rule) => rule.split(' ')[0] === code && !(rule.endsWith('unless own') && own));
    return !hidden && (own || (only !== 'ownStructure' && refusedTypes !== 'all'));
  });
}

/** What access-policy says that each face tells of a refusal. */
const outward = {
  unknownPatient: { xds: ['XDSUnknownPatientId', /^(?!.*closed)/], read: 404, search: 'empty' },
  recordClosed: { xds: ['XDSUnknownPatientId', /closed/], read: 403, search: 403 },
  accessDenied: { xds: [/^XDS(Registry|Repository)Error$/, /^DMPAccessDeniedByRightsService/], read: 403, search: 403 },
  patientDiffersFromCredential: { xds: ['XDSPatientIdDoesNotMatch', /./], read: 404, search: 403 },
} as const;
const told = (problem: string) => outward[problem as keyof typeof outward];

describe('through XDS', () => {
  test.each(played.filter(carriesXds).map((p) => [`${p.case.case} (${p.case.action})`, p] as const))(
    '%s',
    async (_, p) => {
      const { answer, events } = await server.ledger.traced(() => askXds(p));
      const { expect: expected, action } = p.case;
      if ('permit' in expected) {
        expect(answer.errors).toEqual([]);
        expect(answer.status).toBe('Success');
        expect(events).toMatchObject([{ action, outcome: 'done', ground: expected.permit }]);
        if (action === 'searchDocuments')
          checkFound(
            p,
            answer.objects.map((id) => id.slice('urn:uuid:'.length)),
          );
        if (action === 'lookUpDocuments') expect(answer.objects).toEqual([p.documentOf('own').entryUUID]);
        if (action === 'retrieveDocuments') await checkContent(p, answer);
        return;
      }
      expect(answer.objects).toEqual([]);
      expect(answer.documents).toEqual([]);
      if (expected.refused === 'otherPatient' && p.case.named === 'record') return;
      const [code, words] = told(expected.problem).xds;
      expect(answer).toMatchObject({ http: 200, status: 'Failure' });
      expect(answer.errors).toHaveLength(1);
      expect(answer.errors[0]?.code).toMatch(code);
      expect(answer.errors[0]?.context).toMatch(words);
      expectRefusal(p, events);
    },
  );
});

function expectRefusal({ case: { action, expect: expected } }: Played, events: readonly AuditEvent[]): void {
  const ground = 'refused' in expected ? expected.refused : '';
  expect(events).toMatchObject([{ action, outcome: 'refused', ground }]);
}

/** Ids of documents, in any order, against what the case hides. */
function checkFound(p: Played, ids: readonly string[]): void {
  const visible = visibleIn(p.case);
  if (visible === undefined) return;
  expect(kindNames.filter((kind) => ids.includes(p.documentOf(kind).id))).toEqual(visible);
  expect(ids).toHaveLength(visible.length);
}

/** The own document came; another one only where the permit is for all bytes. */
async function checkContent(p: Played, own: XdsAnswer): Promise<void> {
  expect(own.documents.map(({ bytes }) => bytes.toString())).toEqual([p.documentOf('own').uniqueId]);
  const { expect: expected } = p.case;
  if (!('permit' in expected) || expected.content === undefined) return;
  const other = await askXds(p, 'plain');
  expect(other.status).toBe(expected.content === 'all' ? 'Success' : 'Failure');
}

async function askXds(p: Played, kind: Kind = 'own'): Promise<XdsAnswer> {
  const { xds } = faces(p);
  const { action } = p.case;
  const security = assertionOf(p);
  const { entryUUID, uniqueId } = p.documentOf(kind);
  if (action === 'searchDocuments') return xds.ask('find', security, findDocuments(cxOf(p.ins)));
  if (action === 'lookUpDocuments') return xds.ask('find', security, getDocuments([entryUUID]));
  if (action === 'retrieveDocuments') return xds.ask('retrieve', security, retrieveDocuments([uniqueId]));
  const { actor } = p;
  const structIdNat =
    actor.kind === 'structure' || actor.kind === 'professional' || actor.kind === 'air'
      ? (actor.structure?.id ?? '')
      : '';
  const idNat = actor.kind === 'professional' || actor.kind === 'air' ? actor.id : `${structIdNat}/1`;
  const filed = {
    cx: cxOf(p.ins),
    filer: { idNat, family: 'X', structIdNat },
    uniqueId: `2.999.8.${p.number}`,
    bytes: Buffer.from('x'),
  };
  return xds.ask('deposit', security, submission(filed));
}

function assertionOf({ case: { actor, secret }, acting }: Played): string {
  const { credentials } = server;
  if (typeof actor === 'string') return credentials.vihf(actor, acting, { secret });
  const inHospital = credentials.vihf('hopital-nord', acting, { secret });
  return credentials.resigned('hopital-nord', inHospital, (assertion) =>
    assertion
      .replace('>INDIRECTE<', '>INDIRECTE_RENFORCEE<')
      .replace(/<saml:NameID>[^<]*</, '<saml:NameID>899970000032<'),
  );
}

describe('through FHIR', () => {
  test.each(played.filter(carriesFhir).map((p) => [`${p.case.case} (${p.case.action})`, p] as const))(
    '%s',
    async (_, p) => {
      const { answer, events } = await server.ledger.traced(() => askFhir(p));
      const { expect: expected, action, named } = p.case;
      const isSearch = action === 'searchDocuments' || action === 'testExistence';
      if ('permit' in expected) {
        expect(answer.status).toBe(200);
        expect(events).toMatchObject([{ action, outcome: 'done', ground: expected.permit }]);
        const { total, entry = [] } = answer.json;
        if (action === 'testExistence')
          expect(answer.json).toMatchObject({
            total: 1,
            entry: [{ resource: { active: p.case.record.state === 'open' } }],
          });
        if (action === 'searchDocuments') {
          expect(total).toBe(entry.length);
          checkFound(
            p,
            entry.flatMap(({ resource }) => resource?.id ?? []),
          );
        }
        if (action === 'retrieveDocuments') {
          expect(answer.bytes.toString()).toBe(p.documentOf('own').uniqueId);
          if (expected.content !== undefined)
            expect((await askFhir(p, 'plain')).status).toBe(expected.content === 'all' ? 200 : 404);
        }
        return;
      }
      const { read, search } = told(expected.problem);
      if (isSearch && search === 'empty') {
        expect(answer).toMatchObject({ status: 200, json: { resourceType: 'Bundle', total: 0 } });
        expect(answer.json.entry).toBeUndefined();
      } else {
        const status = isSearch ? search : named === 'record' || p.credential === undefined ? 404 : read;
        expect(answer.status).toBe(status);
        expect(answer.json.issue?.[0]?.code).toBe(status === 404 ? 'not-found' : 'forbidden');
        if (expected.problem === 'recordClosed') expect(answer.json.issue?.[0]?.diagnostics).toMatch(/closed/);
      }
      // By name the record of the credential's patient is judged, which is unknown.
      if (expected.refused !== 'otherPatient' || named !== 'record') expectRefusal(p, events);
    },
  );
});

/** A bundle or an outcome. */
type Told = Pick<Partial<Bundle>, 'total' | 'entry'> & Pick<Partial<OperationOutcome>, 'issue'>;

async function askFhir(p: Played, kind: Kind = 'own') {
  const { fhir } = faces(p);
  const token = await server.credentials.tokenWith(claimsOf(p));
  const { id } = p.documentOf(kind);
  const path = {
    searchDocuments: `DocumentReference?patient.identifier=${tokenOf(p.ins)}&_count=100`,
    testExistence: `Patient?identifier=${tokenOf(p.ins)}`,
    lookUpDocuments: `DocumentReference/${id}`,
    retrieveDocuments: `Binary/${id}`,
    submitDocuments: '',
  }[p.case.action as Asked];
  return fhir.get<Told>(token, path, p.case.action === 'retrieveDocuments' ? { Accept: '*/*' } : {});
}

const oid = (value: string) => `urn:oid:${value}`;

/** The claims by which an issuer would name the actor. */
function claimsOf({ actor, acting: { mode, reason, patient } }: Played): Record<string, unknown> {
  const said = {
    purpose_of_use: [{ system: oid('1.2.250.1.213.1.1.4.248'), code: mode }],
    ...(patient !== undefined && { person_id: cxOf(patient) }),
  };
  const all = (sub: string, iua: object, more: object, opendmp?: object) => ({
    sub,
    ...more,
    ...(reason !== undefined && { Mode_Acces_Raison: reason }),
    extensions: { ihe_iua: { ...said, ...iua }, ...(opendmp && { opendmp }) },
  });
  switch (actor.kind) {
    case 'professional': {
      const { id, card, profession, specialty, structure } = actor;
      const roles = [
        { system: oid(card === 'CPS' ? '1.2.250.1.71.1.2.7' : '1.2.250.1.213.1.1.4.6'), code: profession },
        ...(specialty === undefined ? [] : [{ system: oid('1.2.250.1.71.4.2.5'), code: specialty }]),
      ];
      return all(id, { subject_role: roles, subject_organization_id: structure?.id }, { SubjectNameID: id });
    }
    case 'structure':
      return all(actor.structure.id, { subject_organization_id: actor.structure.id }, {}, { kind: 'structure' });
    case 'patient':
      return all(actor.ins.value, {}, {}, { kind: 'patient', ins: cxOf(actor.ins.value) });
    case 'representative':
      return all(actor.id, {}, {}, { kind: 'representative', of: cxOf(actor.of.value) });
    case 'system':
      return all(actor.id, {}, {}, { kind: 'system', rights: actor.rights });
    case 'air':
    case 'administrator':
      throw new Error(`${actor.kind} has no token`);
  }
}

test('every case is asked through a face, but those that none can carry', () => {
  const unasked = played
    .filter((p) => !carriesXds(p) && !carriesFhir(p))
    .map((p) => `${p.actor.kind} ${p.case.action}`);
  // Administrators have no door; only a VIHF says that a session is secret; patients and systems have no assertion to deposit with.
  expect([...new Set(unasked)].toSorted()).toEqual([
    'administrator retrieveDocuments',
    'administrator searchDocuments',
    'administrator testExistence',
    'patient submitDocuments',
    'representative searchDocuments',
    'representative submitDocuments',
    'system submitDocuments',
  ]);
});

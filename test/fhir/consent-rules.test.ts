import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Consent, ConsentProvision, OperationOutcome } from 'fhir/r4.js';
import type { ConsentActor, ConsentStatement } from '../../server/domain/consent.ts';
import type { Json } from '../../server/fhir/json.ts';
import { consentResource } from '../../server/fhir/map/consent.ts';
import { termsIn } from '../../server/fhir/read/consent.ts';
import { shapeProblems } from '../../server/fhir/read/shape.ts';
import { validate } from '../../server/fhir/validate.ts';
import { ownConsent } from '../../server/fhir/vocabulary.ts';
import { type ConsentDoor, openConsentDoor } from './consent-door.ts';
import { actorOf, consentFor, deny, masked, permit, policies, purpose, refusedConsents } from './consent-samples.ts';

const patient = { reference: 'Patient/p1' };
const authorisation: ConsentProvision = permit('dr-nguyen');
const block: ConsentProvision = deny('dr-nguyen');
const opened = (...provision: ConsentProvision[]): ConsentProvision => ({ type: 'permit', provision });
const profile = (name: string) => ({
  meta: { profile: [`https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.${name}`] },
});
const found = (resource: Consent) =>
  [...validate(resource as unknown as Json, 'Consent', [ownConsent]).problems, ...termsIn(resource).problems].map(
    ({ name, about }) => [name, about.expression],
  );
const kinds = (resource: Consent) => termsIn(resource).terms.map(({ statement }) => statement.kind);

describe('what is stated', () => {
  const emergency: ConsentProvision = { type: 'permit', purpose: purpose('BTG', 'ETREAT'), securityLabel: masked };
  test.each<[string, ConsentProvision, string[], Partial<Consent>?]>([
    ['the opening', { type: 'permit' }, ['opening']],
    ['an authorisation', authorisation, ['authorisation']],
    ['an authorisation for treatment', { ...authorisation, purpose: purpose('TREAT') }, ['authorisation']],
    ['a treating doctor', authorisation, ['authorisation'], { policy: [{ uri: policies.treatingDoctor }] }],
    [
      'an authorised structure without one',
      { type: 'permit', actor: [actorOf('hopital-nord')], provision: [block] },
      ['authorisation', 'block'],
    ],
    ['a block', block, ['block']],
    ['a block under the policy of denial', block, ['block'], { policy: [{ uri: policies.deny }] }],
    ['two oppositions', { type: 'deny', purpose: purpose('ETREAT', 'BTG') }, ['opposition', 'opposition']],
    ['masked documents in emergency', emergency, ['maskedInEmergency'], profile('consentAdvanced')],
    [
      'all below the opening',
      opened(block, emergency, { type: 'deny', purpose: purpose('BTG') }),
      ['opening', 'block', 'maskedInEmergency', 'opposition'],
    ],
  ])('%s', (_, provision, expected, changes = {}) => {
    const resource = consentFor(patient, provision, changes);
    expect(shapeProblems(resource as unknown as Json, 'Consent')).toEqual([]);
    expect(found(resource)).toEqual([]);
    expect(kinds(resource)).toEqual(expected);
  });

  test('an exception holds no longer than its root', () => {
    const period = (start: string, end: string) => ({ start, end });
    const root = {
      type: 'permit' as const,
      actor: [actorOf('hopital-nord')],
      period: period('2026-03-01', '2026-03-31'),
    };
    const [, exception] = termsIn(
      consentFor(patient, { ...root, provision: [{ ...block, period: period('2026-02-01', '2026-12-31') }] }),
    ).terms;
    expect(exception).toMatchObject({ from: Date.UTC(2026, 2, 1), until: Date.UTC(2026, 3, 1) });
  });
});

describe('rules of the profiles', () => {
  const { performer: _1, ...noPerformer } = consentFor(patient, authorisation);
  const { organization: _2, ...noOrganization } = consentFor(patient, authorisation);
  const { sourceReference: _3, ...noSource } = consentFor(patient, authorisation);
  const { dateTime: _4, ...noTime } = consentFor(patient, authorisation);
  const { provision: _5, ...noProvision } = consentFor(patient, authorisation);
  test.each<[string, Consent, string, string?]>([
    ['performer', noPerformer, 'Consent.performer', 'profileElementMissing'],
    ['organization', noOrganization, 'Consent.organization', 'profileElementMissing'],
    ['source', noSource, 'Consent.source', 'profileElementMissing'],
    ['dateTime', noTime, 'Consent.dateTime', 'profileElementMissing'],
    ['provision', noProvision, 'Consent.provision', 'profileElementMissing'],
    ['patient', consentFor(undefined, authorisation), 'Consent.patient', 'profileElementMissing'],
    [
      'scope',
      consentFor(patient, authorisation, { scope: { text: 'research' } }),
      'Consent.scope',
      'profileCodeNotAllowed',
    ],
    [
      'one policy',
      consentFor(patient, authorisation, { policy: [{ uri: policies.normal }, { uri: policies.deny }] }),
      'Consent.policy[1]',
      'profileElementForbidden',
    ],
    [
      'a policy with uri',
      consentFor(patient, authorisation, { policy: [{ authority: 'urn:x' }] }),
      'Consent.policy[0].uri',
      'profileElementMissing',
    ],
    [
      'no verification',
      consentFor(patient, authorisation, { verification: [{ verified: true }] }),
      'Consent.verification[0]',
      'profileElementForbidden',
    ],
    [
      'a type',
      consentFor(patient, { actor: [actorOf('dr-nguyen')] }),
      'Consent.provision.type',
      'profileElementMissing',
    ],
    [
      'no action',
      consentFor(patient, { ...authorisation, action: [{ text: 'x' }] }),
      'Consent.provision.action[0]',
      'profileElementForbidden',
    ],
    [
      'role IRCP',
      consentFor(patient, { type: 'permit', actor: [actorOf('dr-nguyen', 'AUT')] }),
      'Consent.provision.actor[0].role',
    ],
    [
      'one level of exceptions',
      consentFor(patient, opened({ ...block, provision: [authorisation] })),
      'Consent.provision.provision[0].provision[0]',
      'profileElementForbidden',
    ],
    [
      'no exceptions in Basic',
      consentFor(patient, opened(block), profile('consentBasic')),
      'Consent.provision.provision[0]',
      'profileElementForbidden',
    ],
    [
      'labels in Advanced alone',
      consentFor(patient, { type: 'permit', purpose: purpose('BTG', 'ETREAT'), securityLabel: masked }),
      'Consent.provision.securityLabel[0]',
      'profileElementForbidden',
    ],
    [
      'a period that ends after it begins',
      consentFor(patient, { ...block, period: { start: '2026-02', end: '2026-01' } }),
      'Consent.provision.period',
    ],
  ])('%s', (_, resource, expression, name = 'consentRuleBroken') => {
    expect(found(resource)).toContainEqual([name, expression]);
  });

  test('all problems are told at once', () => {
    const wrong = { ...block, purpose: purpose('HRESCH'), dataPeriod: {} };
    expect(termsIn(consentFor(patient, wrong, { policyRule: {} })).problems).toHaveLength(3);
  });
});

const id = fc.stringMatching(/^[0-9]{1,14}$/);
const member = fc.record({ kind: fc.constantFrom('professional' as const, 'structure' as const), id });
const actor: fc.Arbitrary<ConsentActor> = fc.oneof(
  member,
  fc.record({ kind: fc.constant('careTeam' as const), members: fc.array(member, { minLength: 1, maxLength: 3 }) }),
);
const statement: fc.Arbitrary<ConsentStatement> = fc.oneof(
  fc.constant({ kind: 'opening' } as const),
  fc.record({ kind: fc.constant('authorisation' as const), actor, treatingDoctor: fc.constant(false) }),
  fc.record({ kind: fc.constant('block' as const), actor }),
  fc.record({
    kind: fc.constant('opposition' as const),
    to: fc.constantFrom('breakGlass' as const, 'emergencyCentre' as const),
  }),
  fc.constant({ kind: 'maskedInEmergency' } as const),
);

test('what was stated without a form is written as a Consent that states it again', () => {
  const instant = fc.integer({ min: 1, max: 4e12 });
  fc.assert(
    fc.property(statement, instant, fc.option(instant, { nil: undefined }), (stated, from, lasts) => {
      const until = lasts === undefined || stated.kind === 'opening' ? undefined : from + lasts;
      const consent = {
        id: 'c1',
        record: 'p1',
        version: 1,
        status: 'active' as const,
        statement: stated,
        from,
        ...(until !== undefined && { until }),
        statedAt: from,
        statedBy: { kind: 'patient', id: 'x', name: 'X' },
      };
      const stored = { id: 'c1', record: 'p1', version: 1, at: from, position: 1, consents: [consent] };
      const resource = consentResource(stored, '1.2.3');
      expect(shapeProblems(resource as unknown as Json, 'Consent')).toEqual([]);
      expect(termsIn(resource)).toEqual({
        terms: [{ statement: stated, exception: undefined, from, ...(until !== undefined && { until }) }],
        problems: [],
      });
    }),
  );
});

describe('through the door', () => {
  let door: ConsentDoor;
  beforeAll(async () => {
    door = await openConsentDoor();
  });
  afterAll(async () => {
    expect(door.faults).toEqual([]);
    await door.close();
  });
  const written = () =>
    door.world.tools.store.events().filter(({ action, outcome }) => action === 'changeConsent' && outcome === 'done')
      .length;

  test.each(refusedConsents())('what cannot be enforced is refused, with the reason: $what', async (row) => {
    const { provision, changes, expression, reason } = row;
    const before = [written(), (await door.find('casanova', '&_count=0')).total];
    const answer = await door.state('casanova', provision, changes);
    expect(answer.status).toBe(422);
    const { issue } = answer.json as unknown as OperationOutcome;
    expect(issue).toContainEqual(
      expect.objectContaining({
        code: 'business-rule',
        details: { text: 'consentNotEnforceable' },
        expression: [expression],
        diagnostics: expect.stringContaining(reason),
      }),
    );
    expect([written(), (await door.find('casanova', '&_count=0')).total]).toEqual(before);
  });

  test.each<[string, () => unknown, number, string, string | undefined]>([
    ['no JSON', () => '{', 400, 'notJson', undefined],
    ['another resource', () => ({ resourceType: 'Patient' }), 400, 'elementMalformed', 'Consent.resourceType'],
    ['an unknown element', () => ({ ...door.consent(block), foo: 1 }), 400, 'elementUnknown', 'Consent.foo'],
    [
      'an element of another type',
      () => ({ ...door.consent(block), dateTime: 'yesterday' }),
      400,
      'elementMalformed',
      'Consent.dateTime',
    ],
    ['a draft', () => door.consent(block, { status: 'draft' }), 422, 'consentNotEnforceable', 'Consent.status'],
    [
      'what is stated inactive',
      () => door.consent(block, { status: 'inactive' }),
      422,
      'consentNotEnforceable',
      'Consent.status',
    ],
    [
      'a contradiction',
      () => door.consent(opened(block, authorisation)),
      422,
      'consentRuleBroken',
      'Consent.provision',
    ],
    [
      'a patient without identifier',
      () => door.consent(block, { patient: { display: 'me' } }),
      422,
      'consentRuleBroken',
      'Consent.patient',
    ],
    [
      'an end of the opening',
      () => door.consent({ type: 'permit', period: { end: '2030' } }),
      422,
      'openingNotEnded',
      'Consent.provision.period.end',
    ],
    [
      'what cannot be enforced',
      () => door.consent({ type: 'deny' }),
      422,
      'consentNotEnforceable',
      'Consent.provision',
    ],
    [
      'a source of 300,000 bytes',
      () => {
        const { sourceReference: _reference, ...rest } = door.consent(block);
        return { ...rest, sourceAttachment: { title: 'x'.repeat(300_000) } };
      },
      413,
      'messageTooLarge',
      undefined,
    ],
    [
      'two sources',
      () => door.consent(block, { sourceAttachment: { title: 'x' } }),
      400,
      'elementMalformed',
      'Consent.sourceAttachment',
    ],
  ])('%s leaves nothing behind', async (_, body, status, name, expression) => {
    const before = written();
    const answer = await door.send('casanova', 'POST', 'Consent', body());
    expect([answer.status, ...(door.problemsOf(answer)[0] ?? [])]).toEqual([status, name, expression]);
    expect(written()).toBe(before);
  });

  test('the opening is not ended, neither by status nor by leaving it out', async () => {
    const { json } = await door.state('casanova', opened(block));
    for (const to of [
      { ...json, status: 'inactive' as const },
      { ...json, provision: block },
    ]) {
      const answer = await door.change('casanova', to);
      expect([answer.status, door.problemsOf(answer)[0]]).toEqual([422, ['openingNotEnded', 'Consent.provision']]);
    }
  });

  test('a Consent does not change its patient', async () => {
    const { json } = await door.state('casanova', authorisation);
    const answer = await door.change('casanova', { ...json, patient: { reference: 'Patient/other' } });
    expect([answer.status, door.problemsOf(answer)[0]]).toEqual([422, ['consentRuleBroken', 'Consent.patient']]);
  });
});

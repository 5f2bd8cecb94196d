import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Action, actions } from '../../server/domain/action.ts';
import { type Actor, modes, systemRights } from '../../server/domain/actor.ts';
import { authorisationOf, type ConsentStatement, namedBy } from '../../server/domain/consent.ts';
import { decide, isPermit, type Permit, type Question, type RecordFacts } from '../../server/domain/decision.ts';
import { retentionIsOver } from '../../server/domain/record.ts';
import { regimes } from '../../server/domain/regime.ts';
import { type DecisionCase, decisionCases, factsOf, questionOf, surroundings } from '../support/decision-cases.ts';
import { consentOf } from '../support/permits.ts';

const judge = (c: DecisionCase) => decide(questionOf(c), factsOf(c), surroundings(c.regime));

/** The permit in the words of a case. */
function wordsOf({ ground, obligations, visibility }: Permit) {
  return {
    permit: ground,
    owes: obligations,
    hides: visibility.hidden.map(({ code, exceptOwn }) => (exceptOwn ? `${code} unless own` : code)),
    content: visibility.content,
    only: visibility.only,
    refusedTypes: visibility.refusedTypes,
  };
}

test.each(decisionCases.map((c) => [c.case, c] as const))('%s', (_name, c) => {
  const decision = judge(c);
  const said =
    'permit' in decision
      ? wordsOf(decision.permit)
      : { refused: decision.refused.reason, problem: decision.refused.problem };
  expect(said).toMatchObject(c.expect);
  if ('permit' in decision && 'hides' in c.expect) expect(wordsOf(decision.permit).hides).toEqual(c.expect.hides);
});

describe('the cases', () => {
  test('have names of their own', () => {
    expect(new Set(decisionCases.map((c) => c.case)).size).toBe(decisionCases.length);
  });

  test('use every action, every mode and every reason of refusal', () => {
    expect(new Set(decisionCases.map((c) => c.action))).toEqual(new Set(actions));
    expect(new Set(decisionCases.map((c) => c.mode))).toEqual(new Set(modes));
    const reasons = new Set(decisionCases.map(({ expect: e }) => ('refused' in e ? e.refused : '')));
    expect([...reasons].sort()).toEqual(
      [
        '',
        'blocked',
        'expired',
        'illegalMove',
        'matrix',
        'modeNotAllowed',
        'notAuthorised',
        'opposed',
        'otherPatient',
        'profession',
        'reasonMissing',
        'recordClosed',
        'recordDestroyed',
        'rightMissing',
        'secretSession',
        'unknownRecord',
      ].sort(),
    );
  });
});

const recordless: readonly Action[] = [
  'createRecord',
  'searchPatients',
  'feedIdentities',
  'queryAcrossPatients',
  'feedAudit',
  'removeDocuments',
  'stageContent',
  'readDirectory',
  'subscribeAcrossPatients',
  'manageSubscriptions',
];
const ids = fc.constantFrom('p1', 'p2');
const structures = fc.constantFrom('s1', 's2', 'centre');
const holder = { value: 'ins-1', oid: '1.2.250.1.213.1.4.10' };

const anyActor: fc.Arbitrary<Actor> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('professional' as const, 'air' as const),
    id: ids,
    name: fc.constant('X'),
    card: fc.constantFrom('CPS' as const, 'CPE' as const),
    profession: fc.constantFrom('10', '21', '40', '41', '60', 'ZZ', 'constructor'),
    specialty: fc.constantFrom('SM26', 'SM25'),
    structure: fc.record({ id: structures }),
  }),
  fc.record({ kind: fc.constant('structure' as const), structure: fc.record({ id: structures }) }),
  fc.constant<Actor>({ kind: 'patient', ins: holder, name: 'H' }),
  fc.record({
    kind: fc.constant('representative' as const),
    id: fc.constantFrom('r1', 'r2'),
    name: fc.constant('R'),
    of: fc.constant(holder),
  }),
  fc.record({
    kind: fc.constant('system' as const),
    id: fc.constant('sys'),
    name: fc.constant('sys'),
    rights: fc.subarray([...systemRights]),
  }),
  fc.constant<Actor>({ kind: 'administrator', id: 'a', name: 'A' }),
);

const anyQuestion: fc.Arbitrary<Question> = fc.record({
  action: fc.constantFrom(...actions),
  patient: fc.constant(holder),
  caller: fc.record({
    actor: anyActor,
    mode: fc.constantFrom(...modes),
    reason: fc.constantFrom('', 'inconscient'),
    secret: fc.boolean(),
    credential: fc.constantFrom(
      { kind: 'token' as const, id: 't', issuer: 'i' },
      { kind: 'internal' as const, id: 'job' },
    ),
  }),
});

const now = 1_790_000_000_000;
const named = fc.oneof(
  fc.record({ kind: fc.constant('professional' as const), id: ids }),
  fc.record({ kind: fc.constant('structure' as const), id: structures }),
);
const anyStatement = fc.oneof(
  fc.constant({ kind: 'opening' as const }),
  fc.constant({ kind: 'maskedInEmergency' as const }),
  fc.record({ kind: fc.constant('block' as const), actor: named }),
  fc.record({ kind: fc.constant('authorisation' as const), actor: named, treatingDoctor: fc.boolean() }),
  fc.record({
    kind: fc.constant('opposition' as const),
    to: fc.constantFrom('breakGlass' as const, 'emergencyCentre' as const),
  }),
);
const anyConsent = fc.record({
  id: fc.constant('c'),
  record: fc.constant('record'),
  version: fc.constant(1),
  status: fc.constantFrom('active' as const, 'active' as const, 'inactive' as const),
  statement: anyStatement,
  from: fc.constantFrom(now - 10, now + 10),
  until: fc.constantFrom(now - 1, now, now + 10),
  statedAt: fc.constant(0),
  statedBy: fc.constant({ kind: 'patient', id: 'h', name: 'H' }),
});
const anyFacts: fc.Arbitrary<RecordFacts> = fc.record({
  record: fc.record({
    id: fc.constant('record'),
    version: fc.constant(1),
    state: fc.constantFrom('open' as const, 'open' as const, 'closed' as const, 'destroyed' as const),
    identifiers: fc.constant([{ ...holder, use: 'official' as const }]),
    traits: fc.constant({ family: 'F', given: 'G', gender: 'male' as const, birthDate: '1970-01-01' }),
    attached: fc.boolean(),
    createdAt: fc.constant(0),
    representatives: fc.constant([{ id: 'r1', name: 'R', relation: 'MTH' }]),
  }),
  consents: fc.array(anyConsent, { maxLength: 6 }),
});
const anyAround = fc
  .constantFrom('2011' as const, '2022' as const)
  .map((regime) => ({ ...surroundings(regime), now, emergencyCentres: new Set(['centre']) }));

const runs = { numRuns: 3000 };

describe('whoever asks, whatever the facts', () => {
  test('a permit names the record that was judged, and none that is destroyed', () => {
    fc.assert(
      fc.property(anyQuestion, anyFacts, anyAround, (question, facts, around) => {
        const decision = decide(question, facts, around);
        if (!('permit' in decision)) return;
        expect(isPermit(decision.permit)).toBe(true);
        expect(decision.permit.action).toBe(question.action);
        expect(decision.permit.record).toBe('record');
        expect(facts.record.state).not.toBe('destroyed');
      }),
      runs,
    );
  });

  test('without a record an action on a record is refused as unknown patient', () => {
    fc.assert(
      fc.property(anyQuestion, anyAround, (question, around) => {
        const decision = decide(question, undefined, around);
        if (recordless.includes(question.action)) {
          if ('permit' in decision) expect(decision.permit.record).toBeUndefined();
        } else expect(decision).toEqual({ refused: { reason: 'unknownRecord', problem: 'unknownPatient' } });
      }),
      runs,
    );
  });

  test('none and destroyed cannot be told apart', () => {
    fc.assert(
      fc.property(anyQuestion, anyFacts, anyAround, (question, facts, around) => {
        if (recordless.includes(question.action)) return;
        const destroyed: RecordFacts = { ...facts, record: { ...facts.record, state: 'destroyed' } };
        const [a, b] = [decide(question, undefined, around), decide(question, destroyed, around)];
        expect('refused' in a && a.refused.problem).toBe('unknownPatient');
        expect('refused' in b && b.refused.problem).toBe('unknownPatient');
      }),
      runs,
    );
  });

  test('who is blocked gets the existence test or, where it is free, a deposit; and never more than own documents', () => {
    fc.assert(
      fc.property(anyQuestion, anyFacts, anyAround, (question, facts, around) => {
        const { actor } = question.caller;
        if (actor.kind !== 'professional' && actor.kind !== 'air') return;
        const block = { kind: 'block', actor: { kind: 'professional', id: actor.id } } as const;
        const blocked = [...facts.consents, { ...consent, statement: block }];
        const decision = decide(question, { ...facts, consents: blocked }, around);
        if (!('permit' in decision)) return;
        const free = around.regime.depositNeedsAuthorisation ? [] : ['submitDocuments'];
        const withoutPatient = ['searchPatients'];
        expect(['testExistence', ...free, ...withoutPatient]).toContain(question.action);
        if (question.action === 'searchPatients') return;
        const { refusedTypes, only, content } = decision.permit.visibility;
        expect(refusedTypes === 'all' || only === 'ownStructure').toBe(true);
        expect(content).not.toBe('all');
      }),
      runs,
    );
  });

  test('the holder and representatives never see what awaits its announcement; administrators nothing', () => {
    fc.assert(
      fc.property(anyQuestion, anyFacts, anyAround, (question, facts, around) => {
        const decision = decide(question, facts, around);
        const { kind } = question.caller.actor;
        if (kind === 'administrator') expect('refused' in decision).toBe(true);
        if (!('permit' in decision) || (kind !== 'patient' && kind !== 'representative')) return;
        const codes = decision.permit.visibility.hidden.filter((h) => !h.exceptOwn).map((h) => h.code);
        expect(codes).toContain('INVISIBLE_PATIENT');
        if (kind === 'representative') expect(codes).toContain('INVISIBLE_REPRESENTANTS_LEGAUX');
      }),
      runs,
    );
  });

  test('bytes of others go only to the holder, his representatives, and professionals authorised or in emergency', () => {
    fc.assert(
      fc.property(anyQuestion, anyFacts, anyAround, (question, facts, around) => {
        const decision = decide(question, facts, around);
        if (!('permit' in decision) || decision.permit.visibility.content !== 'all') return;
        const grounds = [
          'holder',
          'representative',
          'treatingDoctor',
          'authorisation',
          'careTeam',
          'breakGlass',
          'emergencyCentre',
        ];
        expect(grounds).toContain(decision.permit.ground);
        const { actor } = question.caller;
        if (actor.kind === 'professional' || actor.kind === 'air')
          expect([actor.card, actor.specialty]).toEqual(['CPS', 'SM26']);
      }),
      runs,
    );
  });

  test('an emergency access to a record is always told to patient and treating doctor, and reviewed', () => {
    fc.assert(
      fc.property(anyQuestion, anyFacts, anyAround, (question, facts, around) => {
        const decision = decide(question, facts, around);
        if (!('permit' in decision) || !['breakGlass', 'emergencyCentre'].includes(decision.permit.ground)) return;
        expect(decision.permit.obligations).toEqual(['notifyPatient', 'notifyTreatingDoctor', 'reviewEmergencyAccess']);
      }),
      runs,
    );
  });
});

const consent = {
  id: 'block',
  record: 'record',
  version: 1,
  status: 'active',
  from: 0,
  statedAt: 0,
  statedBy: { kind: 'patient', id: 'h', name: 'H' },
} as const;

describe('habilitations of professions', () => {
  const base = surroundings('2011');
  const habilitations = { refused: { '60': ['A'] }, others: ['B'], social: ['41'] };
  const asProfession = (code: string) => {
    const c = caseOf('authorised by name');
    const { caller, ...question } = questionOf(c);
    if (caller.actor.kind !== 'professional') throw new Error(caller.actor.kind);
    const actor = { ...caller.actor, profession: code };
    const decision = decide({ ...question, caller: { ...caller, actor } }, factsOf(c), { ...base, habilitations });
    return 'permit' in decision ? decision.permit.visibility.refusedTypes : decision;
  };

  test.each([
    ['a profession with a row', '60', ['A']],
    ['a profession without one', '70', ['B']],
    ['a profession that is no health profession', '41', 'all'],
    ['a word that every object knows', 'constructor', ['B']],
  ])('%s', (_name, code, expected) => {
    expect(asProfession(code)).toEqual(expected);
  });
});

test('the same number under another authority is another patient', () => {
  const c = caseOf('assertion and request name the same patient');
  const question = questionOf(c);
  const elsewhere = { value: question.patient?.value ?? '', oid: '1.2.250.1.213.1.4.8' };
  const decision = decide(
    { ...question, caller: { ...question.caller, patient: elsewhere } },
    factsOf(c),
    surroundings('2011'),
  );
  expect(decision).toEqual({ refused: { reason: 'otherPatient', problem: 'patientDiffersFromCredential' } });
});

function caseOf(name: string): DecisionCase {
  const found = decisionCases.find((c) => c.case === name);
  if (found === undefined) throw new Error(`no case is called ${name}`);
  return found;
}

describe('limits of time', () => {
  test('an authorisation holds until, and not at, its end', () => {
    const statement = {
      kind: 'authorisation',
      actor: { kind: 'professional', id: 'p1' },
      treatingDoctor: false,
    } as const;
    const consents = [{ ...consent, statement, from: 1000, until: 2000 }];
    const at = (time: number) => authorisationOf(consents, { professional: 'p1' }, time, false).status;
    expect([999, 1000, 1999, 2000].map(at)).toEqual(['none', 'valid', 'valid', 'expired']);
  });

  test('a closed record is kept ten calendar years', () => {
    const base = factsOf(caseOf('the holder reopens'))?.record;
    if (base === undefined) throw new Error('no record');
    const closed = { ...base, closed: { at: Date.UTC(2016, 1, 29, 12), motive: 'm' } };
    expect(retentionIsOver(closed, Date.UTC(2026, 2, 1, 12) - 1)).toBe(false);
    expect(retentionIsOver(closed, Date.UTC(2026, 2, 1, 12))).toBe(true);
    expect(retentionIsOver({ ...closed, state: 'open' }, Date.UTC(2036, 0, 1))).toBe(false);
  });

  test('where the setting asks no reason, break-glass needs none', () => {
    const base = surroundings('2011');
    const around = { ...base, regime: { ...regimes['2011'], breakGlassNeedsReason: false } };
    const c = caseOf('break-glass without a reason');
    expect('permit' in decide(questionOf(c), factsOf(c), around)).toBe(true);
  });
});

describe('a structure that a professional only claims', () => {
  const hospital = { kind: 'structure', id: '1990000010' } as const;
  const doctor = (claimed: boolean): Actor => ({
    kind: 'professional',
    id: '899970000016',
    name: 'X',
    card: 'CPS',
    profession: '10',
    structure: { id: hospital.id, ...(claimed && { claimed }) },
  });
  const said = (claimed: boolean, ...statements: ConsentStatement[]) =>
    authorisationOf(
      statements.map((statement, n) => consentOf('r', `c${n}`, statement)),
      namedBy(doctor(claimed)),
      1,
      false,
    ).status;
  const ofHospital = { kind: 'authorisation', actor: hospital, treatingDoctor: false } as const;
  const ofDoctor = { ...ofHospital, actor: { kind: 'professional', id: '899970000016' } } as const;
  const block = { kind: 'block', actor: hospital } as const;

  test('gives him nothing', () => {
    expect([said(false, ofHospital), said(true, ofHospital), said(true, ofHospital, ofDoctor)]).toEqual([
      'valid',
      'none',
      'valid',
    ]);
  });

  test('takes from him what its block takes from those who work there', () => {
    expect([said(false, ofDoctor, block), said(true, ofDoctor, block)]).toEqual(['blocked', 'blocked']);
  });
});

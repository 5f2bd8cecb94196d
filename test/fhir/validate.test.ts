import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Bundle, DocumentReference, OperationOutcome, Patient } from 'fhir/r4.js';
import { validate } from '../../server/fhir/validate.ts';
import { profiles } from '../../server/fhir/vocabulary.ts';
import { consentFor } from './consent-samples.ts';
import { bundleOf, type Change, changed, post } from './deposits.ts';
import { type Door, openDoor } from './door.ts';
import { pdsmBundleOf } from './pdsm-bundle.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

const at = 'Bundle.entry[1].resource';
const issues = ({ issue }: OperationOutcome) =>
  issue.map(({ details, expression }) => `${details?.text} ${expression?.[0] ?? ''}`.trim());
const provide = (change: Change = () => {}) =>
  post<OperationOutcome>(door, 'dr-martin', changed(pdsmBundleOf(door), change));

describe('a deposit that claims PDSm', () => {
  test('is taken as software of a hospital writes it, and read back with what it said', async () => {
    const { status, json } = await post<Bundle>(door, 'dr-martin', pdsmBundleOf(door));
    expect([status, json.type]).toEqual([200, 'transaction-response']);
    const location = json.entry?.[1]?.response?.location ?? '';
    const { json: read } = await door.get<DocumentReference>('dr-martin', location);
    expect(read).toMatchObject({ status: 'current', content: [{ attachment: { title: 'Consultation' } }] });
    expect(read.securityLabel?.map(({ coding }) => coding?.[0]?.code)).toEqual(['N', 'INVISIBLE_PATIENT']);
    expect(read.meta?.profile).toContain(profiles.pdsmDocument);
  });

  test.each<[string, Change, string[]]>([
    [
      'no start of the service',
      (_, { document }) => {
        document.context = { ...document.context, period: { end: '2026-07-01T08:00:00Z' } };
      },
      [`profileElementMissing ${at}.context.period.start`],
    ],
    [
      'an authenticator outside',
      (_, { document }) => {
        document.authenticator = { reference: 'https://elsewhere.example.org/Practitioner/1' };
      },
      [`referenceUnresolved ${at}.authenticator`],
    ],
    [
      'no authenticator',
      (_, { document }) => {
        delete document.authenticator;
      },
      [`profileRuleBroken ${at}`],
    ],
    [
      'no size and no title',
      (_, { document }) => {
        const { size: _size, title: _title, ...attachment } = document.content[0]?.attachment ?? {};
        document.content = [{ ...document.content[0], attachment }];
      },
      [
        `profileElementMissing ${at}.content[0].attachment.size`,
        `profileElementMissing ${at}.content[0].attachment.title`,
      ],
    ],
    [
      'a folder on the side of the source, without entries',
      (_, { set, entry }) =>
        entry.push({
          fullUrl: 'urn:uuid:5b0c1d1e-0000-4000-8000-000000000077',
          resource: {
            resourceType: 'List',
            status: 'current',
            mode: 'working',
            title: 'Grossesse',
            code: { coding: [{ ...set.code?.coding?.[0], code: 'folder' }] },
            extension: [set.extension?.[0] ?? { url: 'x' }],
            subject: set.subject ?? {},
            date: '2026-07-01T08:00:00Z',
          },
          request: { method: 'POST', url: 'List' },
        }),
      ['entryNotInSet Bundle.entry[3].resource', 'profileElementMissing Bundle.entry[3].resource.entry'],
    ],
    [
      'an INS of a validated identity that is not official',
      (_, { document }) => {
        const source = document.contained?.at(-1) as Patient;
        Object.assign(source.identifier?.[0] ?? {}, { use: 'secondary' });
      },
      [`profileRuleBroken ${at}.contained[3].identifier[0].use`, `profileRuleBroken ${at}.contained[3]`],
    ],
    [
      'faults of the profile and of the content',
      (_, { document, set }) => {
        set.extension = set.extension?.slice(1) ?? [];
        document.context = { ...document.context, facilityType: { coding: [{ system: 'urn:oid:1.2.3', code: 'x' }] } };
        delete document.context.period;
      },
      [
        'attributeMissing Bundle.entry[0].resource.extension',
        `codeNotAllowed ${at}.context.facilityType`,
        `profileElementMissing ${at}.context.period`,
      ],
    ],
  ])('is refused with every fault for %s', async (_, change, expected) => {
    const { status, json } = await provide(change);
    expect([status, issues(json).toSorted()]).toEqual([400, expected.toSorted()]);
  });

  test('says the clause and the remedy', async () => {
    const { json } = await provide((_, { document }) => {
      document.context = { ...document.context, period: { end: '2026-07-01T08:00:00Z' } };
    });
    expect(json.issue[0]).toMatchObject({ code: 'required', severity: 'error' });
    expect(json.issue[0]?.diagnostics).toBe(
      `${at}.context.period.start is missing. Rule: PDSm 3.1.1, pdsm-comprehensive-document-reference: context.period.start 1..1. Add the element, or do not claim the profile.`,
    );
  });
});

describe('a deposit that breaks a rule of FHIR itself', () => {
  test.each<[string, Change, string[]]>([
    [
      'a period that ends before it begins',
      (_, { document }) => {
        document.context = {
          ...document.context,
          period: { start: '2026-07-02T08:00:00Z', end: '2026-07-01T08:00:00Z' },
        };
      },
      [`attributesContradict ${at}.context.period.end`, `invariantBroken ${at}.context.period`],
    ],
    [
      'contained resources that contain others',
      (_, { document }) => {
        const [first] = document.contained ?? [];
        Object.assign(first ?? {}, { contained: [{ resourceType: 'Organization', id: 'x', name: 'X' }] });
      },
      [`invariantBroken ${at}`, `invariantBroken ${at}.contained[0]`],
    ],
  ])('is refused for %s', async (_, change, expected) => {
    const { status, json } = await provide(change);
    expect([status, issues(json).toSorted()]).toEqual([400, expected]);
  });
});

test('whatever is sent is judged, and nothing makes the checks fail', () => {
  const names = ['resourceType', 'meta', 'profile', 'entry', 'resource', 'contained', 'extension', 'url', 'reference'];
  const key = fc.oneof(fc.constantFrom(...names), fc.string());
  const leaf = fc.oneof(
    fc.constantFrom('Bundle', 'DocumentReference', profiles.pdsmBundle, profiles.pdsmDocument, '#a'),
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof({ depthSize: 'medium' }, leaf, fc.array(tie('value')), fc.dictionary(key, tie('value'))),
  }));
  const claimed = fc.dictionary(key, value).map((rest) => ({
    ...rest,
    resourceType: 'Bundle',
    meta: { profile: [profiles.pdsmBundle] },
  }));
  fc.assert(
    fc.property(claimed, (resource) => {
      const { problems } = validate(resource, 'Bundle', [profiles.pdsmDocument]);
      expect(problems.filter(({ about }) => !/^[A-Z]\w+/.test(about.expression ?? ''))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

describe('a profile', () => {
  test('that nobody here knows is no fault', async () => {
    const { status } = await post(
      door,
      'dr-martin',
      changed(bundleOf(door), (_, { document }) => {
        document.meta = { profile: ['https://example.org/StructureDefinition/of-our-own'] };
      }),
    );
    expect(status).toBe(200);
  });

  test('of another type is a fault', async () => {
    const { status, json } = await provide((_, { document }) => {
      document.meta = { profile: [profiles.consentBasic] };
    });
    expect([status, issues(json)]).toEqual([400, [`profileRuleBroken ${at}.meta.profile[0]`]]);
  });

  test('that a Consent breaks is 422', async () => {
    const { oid, value } = door.world.ins('laurent');
    const patient = { identifier: { system: `urn:oid:${oid}`, value } };
    const consent = consentFor(patient, { type: 'permit' }, { meta: { profile: [profiles.consentBasic] } });
    const answer = await post<OperationOutcome>(
      door,
      'laurent',
      { ...consent, provision: { ...consent.provision, dataPeriod: { start: '2026' } } },
      'Consent',
    );
    expect([answer.status, issues(answer.json)]).toEqual([422, ['consentNotEnforceable Consent.provision.dataPeriod']]);
  });
});

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type {
  Bundle,
  Coding,
  DocumentReference,
  Extension,
  FhirResource,
  List,
  OperationOutcome,
  Patient,
} from 'fhir/r4.js';
import { elementsOf, slotsOf } from '../../server/fhir/map/elements.ts';
import { elementsSlot, extensions } from '../../server/fhir/vocabulary.ts';
import { bundleOf, type Change, changed, post } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

type Definitions = {
  entry: { resource: { name: string; snapshot: { element: { path: string }[] } } }[];
};
const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { entry: definitions } = JSON.parse(file('profiles/fhir/structures.json')) as Definitions;
/** Every element of a type, in FHIR R4. */
const definedIn = (type: string) =>
  (definitions.find(({ resource }) => resource.name === type)?.resource.snapshot.element ?? [])
    .map(({ path }) => path)
    .filter((path) => path !== type);
const page = file('ig/input/pagecontent/documents.md');
const ignoredByGuide = [...page.matchAll(/^\| (`.*`) \| .+ \|$/gm)].flatMap(([, cell = '']) =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, path]) => path ?? ''),
);

type Read = { readonly document: DocumentReference; readonly set: List; readonly source: Patient };
type Parts = { document: DocumentReference; set: List; source: Patient };
/** What an element says, and what is answered of it. */
type Case =
  | { readonly kept: (read: Read) => unknown; readonly as: unknown; readonly say?: (parts: Parts) => void }
  | { readonly refused: unknown; readonly say: (parts: Parts) => void }
  | { readonly ignored: (read: Read) => unknown; readonly say: (parts: Parts) => void };

const deposit = async (say: (parts: Parts) => void) => {
  const change: Change = (bundle, { document, set }) => {
    delete bundle.meta;
    delete document.meta;
    delete set.meta;
    const source = document.contained?.find((one): one is Patient => one.resourceType === 'Patient');
    if (source === undefined) throw new Error('there is no source patient');
    say({ document, set, source });
  };
  return post<Bundle | OperationOutcome>(door, 'dr-martin', changed(bundleOf(door), change));
};

async function readBack(json: Bundle | OperationOutcome): Promise<Read> {
  const places =
    json.resourceType === 'Bundle' ? (json.entry ?? []).map(({ response }) => response?.location ?? '') : [];
  const document = (await door.get<DocumentReference>('dr-martin', places[1] ?? '')).json;
  const set = (await door.get<List>('dr-martin', (places[0] ?? '').replace(/\/_history\/.*/, ''))).json;
  const source = document.contained?.find((one): one is Patient => one.resourceType === 'Patient');
  return { document, set, source: source ?? { resourceType: 'Patient' } };
}

const unknown: Extension = { url: 'https://example.org/colour', valueString: 'réd and blue' };
const meta = {
  source: 'https://example.org/source',
  security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HTEST' }],
  tag: [{ system: 'https://example.org/tags', code: 'a' }],
};
const modifier = [{ url: 'urn:a', valueBoolean: true }];
const narrative = { status: 'generated' as const, div: '<div xmlns="http://www.w3.org/1999/xhtml">a</div>' };
const further = { use: 'secondary' as const, system: 'https://example.org/orders', value: '42' };
const lines = ({ source }: Read) =>
  (source.extension ?? []).flatMap(({ url, valueString }) => (url === extensions.pidLine ? [valueString] : []));
const custodian = {
  identifier: { system: 'urn:oid:1.2.250.1.71.4.2.2', value: '1490000019' },
  display: 'CH de Test',
};
const masked: Coding = {
  system: 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument',
  code: 'MASQUE_PS',
};
const numbered = { system: 'urn:oid:1.2.250.1.999.5', value: '42' };
const accession = { coding: [{ system: 'urn:ietf:rfc:3986', code: 'urn:ihe:iti:xds:2013:accession' }] };
const act = { system: 'urn:oid:1.2.250.1.213.2.5', code: 'DEQP003' };
const at = 'Bundle.entry[1].resource';
const inSet = 'Bundle.entry[0].resource';
/** What stands in the sample already, and is answered as it was sent. */
const same = (kept: (read: Read) => unknown, as: unknown = expect.anything()): Case => ({ kept, as });

let other: string;
beforeAll(async () => {
  const { json } = await deposit(() => {});
  other = (await readBack(json)).document.id ?? '';
});
const target = () => ({ reference: `DocumentReference/${other}` });
const why: Coding = { system: 'urn:oid:1.2.250.1.999.4', code: 'why', display: 'because' };
const unplaced = [unknown];

const ofDocument: Readonly<Record<string, Case>> = {
  id: {
    say: ({ document }) => {
      document.id = 'mine';
    },
    ignored: ({ document }) => document.id === 'mine',
  },
  meta: {
    say: ({ document }) => {
      document.meta = meta;
    },
    kept: ({ document }) => document.meta,
    as: meta,
  },
  implicitRules: {
    say: ({ document }) => {
      document.implicitRules = 'urn:a';
    },
    refused: `elementUnknown ${at}.implicitRules`,
  },
  language: {
    say: ({ document }) => {
      document.language = 'fr';
    },
    kept: ({ document }) => document.language,
    as: 'fr',
  },
  text: {
    say: ({ document }) => {
      document.text = narrative;
    },
    ignored: ({ document }) => document.text,
  },
  contained: same(({ document }) => document.contained?.length),
  extension: {
    say: ({ document }) => {
      document.extension = [...(document.extension ?? []), unknown];
    },
    kept: ({ document }) => document.extension?.at(-1),
    as: unknown,
  },
  modifierExtension: {
    say: ({ document }) => {
      document.modifierExtension = modifier;
    },
    refused: `elementUnknown ${at}.modifierExtension`,
  },
  masterIdentifier: same(({ document }) => document.masterIdentifier?.value, expect.stringMatching(/^urn:oid:/)),
  identifier: {
    say: ({ document }) => void document.identifier?.push(further),
    kept: ({ document }) => document.identifier?.at(-1),
    as: further,
  },
  status: same(({ document }) => document.status, 'current'),
  docStatus: {
    say: ({ document }) => {
      document.docStatus = 'final';
    },
    refused: `elementUnknown ${at}.docStatus`,
  },
  type: same(({ document }) => document.type?.coding?.[0]?.code, '11488-4'),
  category: same(({ document }) => document.category?.[0]?.coding?.[0]?.code, '10'),
  subject: same(({ document }) => document.subject?.identifier?.value),
  date: {
    say: ({ document }) => {
      document.date = '2020-01-01T00:00:00Z';
    },
    ignored: ({ document }) => document.date === '2020-01-01T00:00:00Z',
  },
  author: same(({ document }) => JSON.stringify(document.contained), expect.stringContaining('MARTIN')),
  authenticator: same(({ document }) => document.authenticator?.reference),
  custodian: {
    say: ({ document }) => {
      document.custodian = { ...custodian, type: 'Organization' };
    },
    kept: ({ document }) => document.custodian,
    as: { ...custodian, type: 'Organization' },
  },
  relatesTo: {
    say: ({ document }) => {
      document.relatesTo = [{ code: 'appends', target: target() }];
    },
    kept: ({ document }) => document.relatesTo,
    as: [{ code: 'appends' }],
  },
  'relatesTo.id': {
    say: ({ document }) => {
      document.relatesTo = [{ id: 'r', code: 'appends', target: target() }];
    },
    ignored: ({ document }) => document.relatesTo?.[0]?.id,
  },
  'relatesTo.extension': {
    say: ({ document }) => {
      const extension = [{ url: extensions.association, extension: [{ url: 'documentation', valueCoding: why }] }];
      document.relatesTo = [{ extension, code: 'appends', target: target() }];
    },
    kept: ({ document }) => JSON.stringify(document.relatesTo),
    as: expect.stringContaining('because'),
  },
  'relatesTo.modifierExtension': {
    say: ({ document }) => {
      document.relatesTo = [{ modifierExtension: modifier, code: 'appends', target: target() }];
    },
    refused: `elementUnknown ${at}.relatesTo[0].modifierExtension`,
  },
  'relatesTo.code': {
    say: ({ document }) => {
      document.relatesTo = [{ code: 'transforms', target: target() }];
    },
    kept: ({ document }) => document.relatesTo?.[0]?.code,
    as: 'transforms',
  },
  'relatesTo.target': {
    say: ({ document }) => {
      document.relatesTo = [{ code: 'appends', target: target() }];
    },
    kept: ({ document }) => document.relatesTo?.[0]?.target.reference,
    as: expect.stringContaining('DocumentReference/'),
  },
  description: {
    say: ({ document }) => {
      document.description = 'said of it';
    },
    kept: ({ document }) => document.description,
    as: 'said of it',
  },
  securityLabel: {
    say: ({ document }) => void document.securityLabel?.[0]?.coding?.push(masked),
    kept: ({ document }) => document.securityLabel?.map(({ coding }) => coding?.[0]?.code),
    as: ['N', 'MASQUE_PS'],
  },
  content: same(({ document }) => document.content.length, 1),
  'content.id': {
    say: ({ document: { content } }) => void Object.assign(content[0] ?? {}, { id: 'c' }),
    ignored: ({ document }) => document.content[0]?.id,
  },
  'content.extension': {
    say: ({ document: { content } }) => void Object.assign(content[0] ?? {}, { extension: unplaced }),
    ignored: ({ document }) => document.content[0]?.extension,
  },
  'content.modifierExtension': {
    say: ({ document: { content } }) => void Object.assign(content[0] ?? {}, { modifierExtension: modifier }),
    refused: `elementUnknown ${at}.content[0].modifierExtension`,
  },
  'content.attachment': same(({ document }) => document.content[0]?.attachment.hash),
  'content.format': same(({ document }) => document.content[0]?.format?.code),
  context: same(({ document }) => document.context),
  'context.id': {
    say: ({ document: { context } }) => void Object.assign(context ?? {}, { id: 'c' }),
    ignored: ({ document }) => document.context?.id,
  },
  'context.extension': {
    say: ({ document: { context } }) => void Object.assign(context ?? {}, { extension: unplaced }),
    ignored: ({ document }) => document.context?.extension,
  },
  'context.modifierExtension': {
    say: ({ document: { context } }) => void Object.assign(context ?? {}, { modifierExtension: modifier }),
    refused: `elementUnknown ${at}.context.modifierExtension`,
  },
  'context.encounter': {
    say: ({ document: { context } }) => void Object.assign(context ?? {}, { encounter: [{ identifier: numbered }] }),
    kept: ({ document }) => document.context?.encounter?.[0]?.identifier,
    as: numbered,
  },
  'context.event': {
    say: ({ document: { context } }) => void Object.assign(context ?? {}, { event: [{ coding: [act] }] }),
    kept: ({ document }) => document.context?.event?.[0]?.coding?.[0]?.code,
    as: act.code,
  },
  'context.period': same(({ document }) => document.context?.period?.start),
  'context.facilityType': same(({ document }) => document.context?.facilityType?.coding?.[0]?.code),
  'context.practiceSetting': same(({ document }) => document.context?.practiceSetting?.coding?.[0]?.code),
  'context.sourcePatientInfo': same(({ source }) => source.identifier?.[0]?.value),
  'context.related': {
    say: ({ document: { context } }) =>
      void Object.assign(context ?? {}, { related: [{ identifier: { type: accession, ...numbered } }] }),
    kept: ({ document }) => document.context?.related?.[0]?.identifier,
    as: numbered,
  },
};

const ofList: Readonly<Record<string, Case>> = {
  id: {
    say: ({ set }) => {
      set.id = 'mine';
    },
    ignored: ({ set }) => set.id === 'mine',
  },
  meta: {
    say: ({ set }) => {
      set.meta = meta;
    },
    kept: ({ set }) => set.meta,
    as: meta,
  },
  implicitRules: {
    say: ({ set }) => {
      set.implicitRules = 'urn:a';
    },
    refused: `elementUnknown ${inSet}.implicitRules`,
  },
  language: {
    say: ({ set }) => {
      set.language = 'fr';
    },
    kept: ({ set }) => set.language,
    as: 'fr',
  },
  text: {
    say: ({ set }) => {
      set.text = narrative;
    },
    ignored: ({ set }) => set.text,
  },
  contained: same(({ set }) => set.contained?.length),
  extension: {
    say: ({ set }) => void set.extension?.push(unknown),
    kept: ({ set }) => set.extension?.at(-1),
    as: unknown,
  },
  modifierExtension: {
    say: ({ set }) => {
      set.modifierExtension = modifier;
    },
    refused: `elementUnknown ${inSet}.modifierExtension`,
  },
  identifier: {
    say: ({ set }) => void set.identifier?.push(further),
    kept: ({ set }) => set.identifier?.at(-1),
    as: further,
  },
  status: {
    say: ({ set }) => {
      set.status = 'retired';
    },
    refused: `attributeMalformed ${inSet}.status`,
  },
  mode: {
    say: ({ set }) => {
      set.mode = 'changes';
    },
    refused: `elementNotKept ${inSet}.mode`,
  },
  title: {
    say: ({ set }) => {
      set.title = 'A title';
    },
    kept: ({ set }) => set.title,
    as: 'A title',
  },
  code: same(({ set }) => set.code?.coding?.[0]?.code, 'submissionset'),
  subject: same(({ set }) => set.subject?.identifier?.value),
  encounter: {
    say: ({ set }) => {
      set.encounter = { display: 'a' };
    },
    refused: `elementUnknown ${inSet}.encounter`,
  },
  date: same(({ set }) => set.date),
  source: same(({ set }) => set.source?.reference),
  orderedBy: {
    say: ({ set }) => {
      set.orderedBy = { text: 'a' };
    },
    refused: `elementUnknown ${inSet}.orderedBy`,
  },
  note: {
    say: ({ set }) => {
      set.note = [{ text: 'a' }];
    },
    kept: ({ set }) => set.note,
    as: [{ text: 'a' }],
  },
  entry: same(({ set }) => set.entry?.length, 1),
  'entry.id': {
    say: ({ set }) => void Object.assign(set.entry?.[0] ?? {}, { id: 'e' }),
    ignored: ({ set }) => set.entry?.[0]?.id,
  },
  'entry.extension': same(({ set }) => set.entry?.[0]?.extension?.[0]?.url, extensions.association),
  'entry.modifierExtension': {
    say: ({ set }) => void Object.assign(set.entry?.[0] ?? {}, { modifierExtension: modifier }),
    refused: `elementUnknown ${inSet}.entry[0].modifierExtension`,
  },
  'entry.flag': {
    say: ({ set }) => void Object.assign(set.entry?.[0] ?? {}, { flag: { text: 'a' } }),
    refused: `elementUnknown ${inSet}.entry[0].flag`,
  },
  'entry.deleted': {
    say: ({ set }) => void Object.assign(set.entry?.[0] ?? {}, { deleted: true }),
    refused: `elementUnknown ${inSet}.entry[0].deleted`,
  },
  'entry.date': {
    say: ({ set }) => void Object.assign(set.entry?.[0] ?? {}, { date: '2026-01-01' }),
    refused: `elementUnknown ${inSet}.entry[0].date`,
  },
  'entry.item': same(({ set }) => set.entry?.[0]?.item.reference, expect.stringContaining('DocumentReference/')),
  emptyReason: {
    say: ({ set }) => {
      set.emptyReason = { text: 'a' };
    },
    refused: `elementUnknown ${inSet}.emptyReason`,
  },
};

const reliability: Extension = {
  url: extensions.identityReliability,
  extension: [{ url: 'identityStatus', valueCoding: { code: 'VALI' } }],
};
const birthPlace: Extension = {
  url: extensions.birthPlace,
  valueAddress: { extension: [{ url: extensions.inseeCode, valueCoding: { code: '49588' } }] },
};
const ignoring = (element: keyof Patient, value: unknown): Case => ({
  say: ({ source }) => void Object.assign(source, { [element]: value }),
  ignored: ({ source }) => source[element],
});
const line = (say: (source: Patient) => void, as: string): Case => ({
  say: ({ source }) => say(source),
  kept: lines,
  as: expect.arrayContaining([as]),
});
const inSource = (document: string) => `${at}.${document}`;
const inside: FhirResource[] = [{ resourceType: 'Organization', id: 'x', name: 'x' }];
const place = 'context.sourcePatientInfo.resolve()';

const ofPatient: Readonly<Record<string, Case>> = {
  id: { say: () => {}, ignored: ({ source }) => source.id === 'mine' },
  meta: ignoring('meta', { tag: meta.tag }),
  implicitRules: {
    say: ({ source }) => {
      source.implicitRules = 'urn:a';
    },
    refused: expect.stringMatching(/^elementUnknown .*contained\[\d\]\.implicitRules$/),
  },
  language: ignoring('language', 'fr'),
  text: ignoring('text', narrative),
  contained: {
    say: ({ source }) => {
      source.contained = inside;
    },
    refused: `invariantBroken ${at}`,
  },
  extension: line((source) => {
    source.extension = [reliability, birthPlace];
  }, 'PID-11|^^^^^^BDL^^49588'),
  modifierExtension: {
    say: ({ source }) => {
      source.modifierExtension = modifier;
    },
    refused: expect.stringMatching(/^elementUnknown .*contained\[\d\]\.modifierExtension$/),
  },
  identifier: same(({ source }) => source.identifier?.[0]?.value),
  active: {
    say: ({ source }) => {
      source.active = false;
    },
    refused: `elementNotKept ${inSource(`${place}.active`)}`,
  },
  name: same(({ source }) => source.name?.[0]?.family, 'LAURENT'),
  telecom: line((source) => {
    source.telecom = [{ system: 'phone', value: '0601020304' }];
  }, 'PID-13|0601020304'),
  gender: same(({ source }) => source.gender, 'male'),
  birthDate: same(({ source }) => source.birthDate, '1961-05-14'),
  'deceased[x]': line((source) => {
    source.deceasedDateTime = '2026-06-01';
  }, 'PID-29|20260601'),
  address: line((source) => {
    source.address = [{ city: 'Tours' }];
  }, 'PID-11|^^Tours'),
  maritalStatus: ignoring('maritalStatus', { text: 'a' }),
  'multipleBirth[x]': ignoring('multipleBirthBoolean', true),
  photo: ignoring('photo', [{ title: 'a' }]),
  contact: ignoring('contact', [{ name: { family: 'a' } }]),
  communication: ignoring('communication', [{ language: { text: 'a' } }]),
  generalPractitioner: ignoring('generalPractitioner', [{ display: 'a' }]),
  managingOrganization: ignoring('managingOrganization', { display: 'a' }),
  link: {
    say: ({ source }) => {
      source.link = [{ other: { display: 'a' }, type: 'seealso' }];
    },
    refused: `elementNotKept ${inSource(`${place}.link`)}`,
  },
};

describe.each<[string, Readonly<Record<string, Case>>]>([
  ['DocumentReference', ofDocument],
  ['List', ofList],
  ['Patient', ofPatient],
])('every element of %s is kept, refused by name, or ignored by our guide', (type, cases) => {
  test('without one left out', () => {
    // Parts of what is ignored, or refused, as a whole.
    const isWithin = (path: string) => type === 'Patient' && /^(contact|communication|link)\./.test(path);
    const elements = definedIn(type).map((path) => path.slice(type.length + 1));
    expect(Object.keys(cases).toSorted()).toEqual(elements.filter((path) => !isWithin(path)).toSorted());
    const ignored = Object.entries(cases).flatMap(([path, one]) => ('ignored' in one ? [`${type}.${path}`] : []));
    expect(ignoredByGuide.filter((path) => path.startsWith(`${type}.`)).toSorted()).toEqual(ignored.toSorted());
  });

  test.each(Object.entries(cases))('%s', async (_, one) => {
    const { status, json } = await deposit(one.say ?? (() => {}));
    if ('refused' in one) {
      const told =
        json.resourceType === 'Bundle' ? [] : json.issue.map((i) => `${i.details?.text} ${i.expression?.[0]}`);
      expect(told).toContainEqual(one.refused);
      expect(status).toBe(400);
      return;
    }
    expect([status, json.resourceType === 'Bundle' ? [] : json.issue]).toEqual([200, []]);
    const read = await readBack(json);
    if ('ignored' in one) expect([undefined, false]).toContain(one.ignored(read));
    else expect({ said: one.kept(read) }).toMatchObject({ said: one.as });
  });
});

test('a label of several codings hides the document by each of them', async () => {
  const { json } = await deposit(({ document }) => void document.securityLabel?.[0]?.coding?.push(masked));
  const { document } = await readBack(json);
  expect((await door.get('dr-nguyen', `DocumentReference/${document.id}`)).status).toBe(404);
  const plain = await readBack((await deposit(() => {})).json);
  expect((await door.get('dr-nguyen', `DocumentReference/${plain.document.id}`)).status).toBe(200);
});

describe('what is kept beside the attributes', () => {
  const all = ({ document }: Parts) => {
    document.meta = meta;
    document.extension = [...(document.extension ?? []), { ...unknown, valueString: 'é'.repeat(700) }];
    document.custodian = custodian;
  };

  test('comes back from what was answered, sent once more', async () => {
    const { document: first } = await readBack((await deposit(all)).json);
    const { document: second } = await readBack(
      (
        await deposit(({ document }) => {
          const { meta: { versionId: _v, lastUpdated: _l, profile: _p, ...said } = {}, extension = [] } = first;
          document.meta = said;
          document.extension = extension.filter(({ url }) => url === unknown.url);
          document.custodian = first.custodian ?? {};
        })
      ).json,
    );
    const said = ({ meta: of, extension = [], custodian: whose }: DocumentReference) => [
      of?.tag,
      extension.filter(({ url }) => url === unknown.url),
      whose,
    ];
    expect(said(second)).toEqual(said(first));
    expect(first.extension?.filter(({ url }) => url === extensions.slot)).toEqual([]);
  });

  test('is refused where it names what is not kept with it', async () => {
    const told = async (say: (parts: Parts) => void) => {
      const { json } = await deposit(say);
      return json.resourceType === 'Bundle' ? [] : json.issue.map((i) => `${i.details?.text} ${i.expression?.[0]}`);
    };
    const long = { ...unknown, valueString: 'a'.repeat(66_000) };
    expect(await told(({ document }) => void document.extension?.push(long))).toEqual([
      `elementNotKept ${at}.extension`,
    ]);
    const naming = { url: unknown.url, valueReference: { reference: '#source-patient' } };
    expect(await told(({ document }) => void document.extension?.push(naming))).toEqual([
      `elementNotKept ${at}.extension`,
    ]);
    expect(
      await told(({ document }) => {
        document.custodian = { type: 'Practitioner', identifier: { ...further } };
      }),
    ).toEqual([`elementNotKept ${at}.custodian`]);
    expect(
      await told(({ document }) => {
        document.custodian = { reference: 'Organization/a/b' };
      }),
    ).toEqual([`referenceUnresolved ${at}.custodian`]);
  });

  test('is no way to say what has another place', async () => {
    const text = JSON.stringify({ extension: [{ url: extensions.isArchived, valueBoolean: true }] });
    const slot = (value: string): Extension => ({
      url: extensions.slot,
      extension: [
        { url: 'name', valueString: elementsSlot },
        { url: 'value', valueString: value },
      ],
    });
    for (const value of [text, 'nonsense', '{"status":"superseded"}', '{"language":5}']) {
      const { json } = await deposit(({ document }) => void document.extension?.push(slot(value)));
      const { document } = await readBack(json);
      expect(document.extension).toContainEqual(slot(value));
      expect(document.extension?.filter(({ url }) => url === extensions.isArchived)).toEqual([]);
    }
  });
});

test('a slot holds any text, in values that XDS takes and XML leaves as they are', () => {
  const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 600 }).filter((text) => /\S/.test(text));
  fc.assert(
    fc.property(fc.array(texts, { minLength: 1, maxLength: 3 }), (all) => {
      const elements = { extension: all.map((valueString) => ({ url: unknown.url, valueString })) };
      const slots = slotsOf(elements);
      expect(slots.flatMap(({ values }) => values).every((value) => /^[!-~]{1,256}$/.test(value))).toBe(true);
      const other = { name: 'urn:other', values: ['a'] };
      expect(elementsOf([other, ...slots])).toEqual({ elements, others: [other] });
    }),
  );
});

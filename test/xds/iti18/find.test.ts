import { beforeAll, describe, expect, test } from '@jest/globals';
import type { MemoryStore } from '../../support/memory-store.ts';
import { authorOf, code, document, uuid } from '../../support/registry.ts';
import type { World } from '../../support/world.ts';
import {
  as,
  ask,
  binder,
  doc,
  emptyRegistry,
  link,
  lot,
  patient,
  type QueryName,
  quoted,
  register,
  type Slots,
  secondRecord,
  status,
  types,
} from './registry.ts';

let world: World<MemoryStore>;
const authored = (id: string, family: string) => {
  const author = authorOf(id);
  return { ...author, person: { ...author.person, family, given: 'Ève' } };
};
const reference = (id: string, type = 'urn:ihe:iti:xds:2013:accession') => ({
  id,
  authority: { oid: '2.999.7' },
  type,
});

const { creationTime: _, ...assembledLater } = document(5, { objectType: 'onDemand' });

/** 1 is plain; 2 differs in every attribute that a query filters by. */
beforeAll(async () => {
  world = await emptyRegistry();
  await register(world, [
    doc(1, { serviceStartTime: '20260101', serviceStopTime: '20260103' }),
    doc(2, {
      classCode: code('11'),
      typeCode: code('T2'),
      practiceSettingCode: code('P2'),
      healthcareFacilityTypeCode: code('H2'),
      eventCodes: [code('E1'), code('E2')],
      confidentialityCodes: [code('N', '2.16.840.1.113883.5.25'), code('X')],
      formatCode: code('F2'),
      authors: [authored('899970000098', "O'NEIL")],
      creationTime: '2025',
      serviceStartTime: '20250101',
      serviceStopTime: '20250103',
      referenceIds: [reference('acc-1'), reference('order-1', 'urn:ihe:iti:xds:2013:order')],
    }),
    doc(3),
    { kind: 'status', document: uuid(3), status: 'deprecated' },
    doc(4),
    { kind: 'status', document: uuid(4), status: 'archived' },
    {
      kind: 'document',
      entry: assembledLater,
      registeredAt: 1,
      owners: { professionals: [], structures: [], patient: false },
    },
    doc(6, { documentAvailability: 'offline' }),
    doc(7),
    {
      kind: 'version',
      entry: document(8, { logicalID: uuid(7), uniqueId: '2.999.1.7', version: 2 }),
      of: uuid(7),
      registeredAt: 2,
    },
    { kind: 'status', document: uuid(7), status: 'deprecated' },
    lot(20),
    lot(21, {
      sourceId: '2.999.8',
      contentTypeCode: code('05'),
      submissionTime: '2025',
      authors: [authored('899970000098', "O'NEIL")],
    }),
    ...[20, 21].map((number) => link(number + 100, number, 1)),
    binder(30),
    binder(31, { codes: [code('G'), code('H')], lastUpdateTime: '2025' }),
    binder(32, { status: 'deprecated' }),
    binder(33, { status: 'deprecated' }),
    binder(34, { logicalID: uuid(33), uniqueId: '2.999.3.33', version: 2 }),
    link(130, 30, 1),
    link(131, 30, 3),
    { kind: 'associationState', association: uuid(131), status: 'deprecated' },
  ]);
  await register(world, [doc(51), lot(52), link(53, 52, 51), binder(54)], secondRecord);
});

const numbers = async (name: QueryName, slots: Slots, kind: 'documents' | 'sets' | 'folders') => {
  const asked = await ask(world, as('otherDoctor'), name, slots);
  expect([asked.status, asked.codes]).toEqual(['Success', []]);
  return asked[kind];
};
const entry = (name: string) => `$XDSDocumentEntry${name}`;
const coded = (value: string, system = '1.2.250.1.213.1.1.4.1') => quoted(`${value}^^${system}`);
const approved: Slots = [
  [entry('PatientId'), patient],
  [entry('Status'), status('approved')],
];

describe('FindDocuments', () => {
  test.each<[string, Slots, readonly number[]]>([
    ['approved stable latest online entries', [], [8, 2, 1]],
    ['class', [[entry('ClassCode'), coded('11')]], [2]],
    ['class of another scheme', [[entry('ClassCode'), coded('11', '2.999')]], []],
    ['two classes are alternatives', [[entry('ClassCode'), coded('11'), coded('10')]], [8, 2, 1]],
    ['type', [[entry('TypeCode'), coded('T2')]], [2]],
    ['practice setting', [[entry('PracticeSettingCode'), coded('P2')]], [2]],
    ['facility', [[entry('HealthcareFacilityTypeCode'), coded('H2')]], [2]],
    ['event, one of two', [[entry('EventCodeList'), coded('E1'), coded('E9')]], [2]],
    [
      'event, both',
      [
        [entry('EventCodeList'), coded('E1')],
        [entry('EventCodeList'), coded('E2')],
      ],
      [2],
    ],
    [
      'event, one of both is missing',
      [
        [entry('EventCodeList'), coded('E1')],
        [entry('EventCodeList'), coded('E9')],
      ],
      [],
    ],
    ['confidentiality', [[entry('ConfidentialityCode'), coded('X')]], [2]],
    ['format', [[entry('FormatCode'), coded('F2')]], [2]],
    [
      'author, exact',
      [[entry('AuthorPerson'), quoted("899970000098^O'NEIL^Ève^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS")]],
      [2],
    ],
    ['author, %', [[entry('AuthorPerson'), quoted("%O'NEIL%")]], [2]],
    ['author, delimiters at the end as sources write them', [[entry('AuthorPerson'), quoted('%IDNPS^^&')]], [8, 2, 1]],
    ['author, delimiters alone', [[entry('AuthorPerson'), quoted('%^')]], []],
    ['author, _', [[entry('AuthorPerson'), quoted('89997000009_^O_NEIL%')]], [2]],
    ['author in another case', [[entry('AuthorPerson'), quoted("%o'neil%")]], []],
    ['on-demand', [[entry('Type'), types('onDemand')]], [5]],
    ['on-demand and stable', [[entry('Type'), types('onDemand', 'stable')]], [8, 5, 2, 1]],
    ['created from', [[entry('CreationTimeFrom'), '20250101000001']], [8, 1]],
    [
      'created from, of on-demand',
      [
        [entry('Type'), types('onDemand')],
        [entry('CreationTimeFrom'), '2030'],
      ],
      [5],
    ],
    ['created from, included', [[entry('CreationTimeFrom'), '20250101']], [8, 2, 1]],
    ['created to, not included', [[entry('CreationTimeTo'), '20250101']], []],
    ['created to', [[entry('CreationTimeTo'), "'20250102'"]], [2]],
    ['service began, absent matches', [[entry('ServiceStartTimeFrom'), '20250601']], [8, 1]],
    ['service began before', [[entry('ServiceStartTimeTo'), '20250601']], [8, 2]],
    [
      'service ended',
      [
        [entry('ServiceStopTimeFrom'), '20250103'],
        [entry('ServiceStopTimeTo'), '2026'],
      ],
      [8, 2],
    ],
    ['level 2: all versions of that status, offline too', [['$MetadataLevel', '2']], [8, 6, 2, 1]],
    ['level 1, said', [['$MetadataLevel', '1']], [8, 2, 1]],
    [
      'offline ones at level 2',
      [
        ['$MetadataLevel', '2'],
        [entry('DocumentAvailability'), quoted('urn:ihe:iti:2010:DocumentAvailability:Offline')],
      ],
      [6],
    ],
    [
      'offline ones at level 1',
      [[entry('DocumentAvailability'), quoted('urn:ihe:iti:2010:DocumentAvailability:Offline')]],
      [],
    ],
    ['a parameter that is not of this query', [['$XDSFolderCodeList', coded('G')]], [8, 2, 1]],
  ])('%s', async (_what, slots, expected) => {
    expect(await numbers('FindDocuments', [...approved, ...slots], 'documents')).toEqual(expected);
  });

  test.each<[string, string, Slots, readonly number[]]>([
    ['deprecated: replaced ones', status('deprecated'), [], [3]],
    ['deprecated at level 2: older versions too', status('deprecated'), [['$MetadataLevel', '2']], [7, 3]],
    ['archived', status('archived'), [], [4]],
    ['all three', status('approved', 'deprecated', 'archived'), [], [8, 4, 3, 2, 1]],
    ['unknown ones beside', quoted('urn:x', 'urn:asip:ci-sis:2010:StatusType:Archived'), [], [4]],
  ])('status %s', async (_what, statuses, slots, expected) => {
    const asked: Slots = [[entry('PatientId'), patient], [entry('Status'), statuses], ...slots];
    expect(await numbers('FindDocuments', asked, 'documents')).toEqual(expected);
  });
});

describe('FindDocumentsByReferenceId', () => {
  const accession = 'acc-1^^^&2.999.7&ISO^urn:ihe:iti:xds:2013:accession';
  const order = 'order-1^^^&2.999.7&ISO^urn:ihe:iti:xds:2013:order';
  const list = entry('ReferenceIdList');
  test.each<[string, Slots, readonly number[]]>([
    ['the whole text', [[list, quoted(accession)]], [2]],
    ['the id alone', [[list, quoted('acc-1')]], []],
    ['a pattern', [[list, quoted('acc-_^^^&2.999.7&%')]], [2]],
    ['one or the other', [[list, quoted('x', order)]], [2]],
    [
      'one and the other',
      [
        [list, quoted(accession)],
        [list, quoted(order)],
      ],
      [2],
    ],
    [
      'one and another',
      [
        [list, quoted(accession)],
        [list, quoted('x')],
      ],
      [],
    ],
    [
      'with the filters of FindDocuments',
      [
        [list, quoted(accession)],
        [entry('ClassCode'), coded('10')],
      ],
      [],
    ],
  ])('%s', async (_what, slots, expected) => {
    expect(await numbers('FindDocumentsByReferenceId', [...approved, ...slots], 'documents')).toEqual(expected);
  });
});

describe('FindDocumentsExclude', () => {
  test.each<[string, Slots, readonly number[]]>([
    ['nothing left out', [], [8, 2, 1]],
    ['class', [[entry('ClassCodeExclude'), coded('11')]], [8, 1]],
    ['type', [[entry('TypeCodeExclude'), coded('T2')]], [8, 1]],
    ['practice setting', [[entry('PracticeSettingCodeExclude'), coded('P2')]], [8, 1]],
    ['facility', [[entry('HealthcareFacilityTypeCodeExclude'), coded('H2')]], [8, 1]],
    ['event', [[entry('EventCodeListExclude'), coded('E1')]], [8, 1]],
    [
      'event, both together',
      [
        [entry('EventCodeListExclude'), coded('E1')],
        [entry('EventCodeListExclude'), coded('E9')],
      ],
      [8, 2, 1],
    ],
    ['confidentiality', [[entry('ConfidentialityCodeExclude'), coded('X')]], [8, 1]],
    ['author', [[entry('AuthorPersonExclude'), quoted("%O'NEIL%")]], [8, 1]],
    ['format', [[entry('FormatCodeExclude'), coded('F2')]], [8, 1]],
    ['objectType: the other one is meant', [[entry('TypeExclude'), types('stable')]], [5]],
    ['reference id', [[entry('ReferenceIdListExclude'), quoted('acc-1^%')]], [8, 1]],
    [
      'beside what is wanted',
      [
        [entry('ClassCode'), coded('10')],
        [entry('TypeCodeExclude'), coded('T2')],
      ],
      [8, 1],
    ],
    ['with a reference id wanted', [[entry('ReferenceIdList'), quoted('acc-1^%')]], [2]],
  ])('%s', async (_what, slots, expected) => {
    expect(await numbers('FindDocumentsExclude', [...approved, ...slots], 'documents')).toEqual(expected);
  });

  test.each<[string, string]>([
    ['ClassCode', coded('10')],
    ['AuthorPerson', quoted('%A%')],
    ['Status', quoted('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')],
    ['EventCodeList', coded('E1')],
  ])('of %s, 500 values are the most', async (attribute, value) => {
    const slots = (count: number): Slots => [
      ...(attribute === 'Status' ? approved.slice(0, 1) : approved),
      [entry(attribute), ...Array.from({ length: count }, () => value)],
    ];
    const most = await ask(world, as('otherDoctor'), 'FindDocuments', slots(500));
    expect([most.status, most.codes]).toEqual(['Success', []]);
    const beyond = await ask(world, as('otherDoctor'), 'FindDocuments', slots(501));
    expect([beyond.status, beyond.codes]).toEqual(['Failure', ['XDSStoredQueryParamNumber']]);
    expect(beyond.contexts[0]).toContain('500 are the most');
  });

  test.each(['AuthorPerson', 'ReferenceIdList'])('one value of %s has 1024 characters at most', async (attribute) => {
    const asked = async (length: number) =>
      ask(world, as('otherDoctor'), 'FindDocumentsExclude', [
        ...approved,
        [entry(attribute), quoted('%'.padEnd(length, '^x'))],
      ]);
    expect(await asked(1024)).toMatchObject({ status: 'Success', codes: [] });
    const beyond = await asked(1025);
    expect(beyond).toMatchObject({ status: 'Failure', codes: ['XDSRegistryError'] });
    expect(beyond.contexts[0]).toContain('one value has more than 1024 characters');
  });

  test('names of objects may be more', async () => {
    const names = Array.from({ length: 3000 }, () => quoted('urn:uuid:00000000-0000-4000-8000-000000000404'));
    const { status: told } = await ask(world, as('otherDoctor'), 'GetDocuments', [[entry('EntryUUID'), ...names]]);
    expect(told).toBe('Success');
  });

  test('an attribute both wanted and left out', async () => {
    const both: Slots = [
      [entry('ClassCode'), coded('10')],
      [entry('ClassCodeExclude'), coded('11')],
    ];
    const asked = await ask(world, as('otherDoctor'), 'FindDocumentsExclude', [...approved, ...both]);
    expect([asked.status, asked.codes]).toEqual(['Failure', ['XDSStoredQueryParamNumber']]);
    expect(asked.contexts[0]).toMatch(/ClassCode or \$XDSDocumentEntryClassCodeExclude/);
  });
});

describe('FindSubmissionSets', () => {
  const set = (name: string) => `$XDSSubmissionSet${name}`;
  test.each<[string, Slots, readonly number[]]>([
    ['all of the record', [], [21, 20]],
    ['source', [[set('SourceId'), quoted('2.999.8', '2.999.77')]], [21]],
    [
      'submitted from, included',
      [
        [set('SubmissionTimeFrom'), '2025'],
        [set('SubmissionTimeTo'), '2026'],
      ],
      [21],
    ],
    ['submitted to, not included', [[set('SubmissionTimeTo'), '20250101']], []],
    ['author', [[set('AuthorPerson'), "'%O''NEIL%'"]], [21]],
    ['author, delimiters at the end', [[set('AuthorPerson'), "'%^O''NEIL^%IDNPS^^^'"]], [21]],
    ['author in another case', [[set('AuthorPerson'), "'%o''neil%'"]], []],
    ['content type', [[set('ContentType'), coded('05')]], [21]],
    ['content type of another scheme', [[set('ContentType'), coded('05', '2.999')]], []],
  ])('%s', async (_what, slots, expected) => {
    const asked: Slots = [[set('PatientId'), patient], [set('Status'), status('approved')], ...slots];
    expect(await numbers('FindSubmissionSets', asked, 'sets')).toEqual(expected);
  });

  test('deprecated ones do not exist', async () => {
    const asked: Slots = [
      [set('PatientId'), patient],
      [set('Status'), status('deprecated')],
    ];
    expect(await numbers('FindSubmissionSets', asked, 'sets')).toEqual([]);
  });
});

describe('FindFolders', () => {
  const of = (name: string) => `$XDSFolder${name}`;
  test.each<[string, string, Slots, readonly number[]]>([
    ['approved, latest', status('approved'), [], [34, 31, 30]],
    ['deprecated ones at level 1', status('deprecated'), [], [32]],
    ['deprecated at level 2: older versions too', status('deprecated'), [['$MetadataLevel', '2']], [33, 32]],
    [
      'updated from, included',
      status('approved'),
      [
        [of('LastUpdateTimeFrom'), '2025'],
        [of('LastUpdateTimeTo'), '2026'],
      ],
      [31],
    ],
    ['updated to, not included', status('approved'), [[of('LastUpdateTimeTo'), '2025']], []],
    ['code', status('approved'), [[of('CodeList'), coded('G'), coded('Z')]], [31]],
    [
      'codes, both',
      status('approved'),
      [
        [of('CodeList'), coded('G')],
        [of('CodeList'), coded('H')],
      ],
      [31],
    ],
    [
      'codes, one of both is missing',
      status('approved'),
      [
        [of('CodeList'), coded('G')],
        [of('CodeList'), coded('F')],
      ],
      [],
    ],
  ])('%s', async (_what, statuses, slots, expected) => {
    const asked: Slots = [[of('PatientId'), patient], [of('Status'), statuses], ...slots];
    expect(await numbers('FindFolders', asked, 'folders')).toEqual(expected);
  });
});

describe('GetAll', () => {
  const every = status('approved', 'deprecated', 'archived');
  const base = (documents = every, sets = every, folders = every): Slots => [
    ['$patientId', patient],
    [entry('Status'), documents],
    ['$XDSSubmissionSetStatus', sets],
    ['$XDSFolderStatus', folders],
  ];
  test.each<[string, Slots, object]>([
    [
      'all kinds, current ones, and associations that name one of them',
      base(),
      { documents: [8, 4, 3, 2, 1], sets: [21, 20], folders: [34, 32, 31, 30], associations: [120, 121, 130] },
    ],
    [
      'level 2',
      [...base(), ['$MetadataLevel', '2']],
      {
        documents: [8, 7, 6, 4, 3, 2, 1],
        sets: [21, 20],
        folders: [34, 33, 32, 31, 30],
        associations: [120, 121, 130, 131],
      },
    ],
    [
      'level 2, deprecated associations alone',
      [...base(), ['$MetadataLevel', '2'], ['$XDSAssociationStatus', status('deprecated')]],
      { associations: [131] },
    ],
    [
      'deprecated associations at level 1',
      [...base(), ['$XDSAssociationStatus', status('deprecated')]],
      { associations: [] },
    ],
    [
      'statuses by kind; an association is there for one end alone',
      base(status('deprecated'), status('deprecated'), status('approved')),
      { documents: [3], sets: [], folders: [34, 31, 30], associations: [130] },
    ],
    ['format', [...base(), [entry('FormatCode'), coded('F2')]], { documents: [2], sets: [21, 20] }],
    ['confidentiality', [...base(), [entry('ConfidentialityCode'), coded('X')]], { documents: [2] }],
    ['objectType', [...base(), [entry('Type'), types('onDemand')]], { documents: [5] }],
  ])('%s', async (_what, slots, expected) => {
    expect(await ask(world, as('otherDoctor'), 'GetAll', slots)).toMatchObject({ status: 'Success', ...expected });
  });

  test('references of all of them', async () => {
    const { refs, documents } = await ask(world, as('otherDoctor'), 'GetAll', base(), 'ObjectRef');
    expect([refs, documents]).toEqual([[21, 20, 8, 4, 3, 2, 1, 34, 32, 31, 30, 120, 121, 130], []]);
  });

  test('more objects than the limit, all kinds together', async () => {
    const limited = (results: number): World => {
      const { settings } = world.tools;
      return {
        ...world,
        tools: { ...world.tools, settings: { ...settings, limits: { ...settings.limits, results } } },
      };
    };
    expect((await ask(limited(14), as('otherDoctor'), 'GetAll', base())).status).toBe('Success');
    const refused = await ask(limited(13), as('otherDoctor'), 'GetAll', base());
    expect([refused.status, refused.codes]).toEqual(['Failure', ['XDSTooManyResults']]);
    expect((await ask(limited(13), as('otherDoctor'), 'GetAll', base(), 'ObjectRef')).status).toBe('Success');
  });
});

test.each<[QueryName, Slots]>([
  ['FindDocuments', [[entry('Status'), status('approved')]]],
  ['FindSubmissionSets', [['$XDSSubmissionSetStatus', status('approved')]]],
  ['FindFolders', [['$XDSFolderStatus', status('approved')]]],
])('%s is closed to a structure, which finds by name alone', async (name, slots) => {
  const asked = await ask(world, as('hospital'), name, slots);
  expect([asked.status, asked.codes]).toEqual(['Failure', ['XDSRegistryError']]);
  expect(asked.contexts[0]).toMatch(/^DMPAccessDeniedByRightsService/);
  expect((await ask(world, as('otherDoctor'), name, slots)).status).toBe('Success');
});

test('the patient of the assertion is meant where the query names none', async () => {
  const asked = await ask(world, as('otherDoctor'), 'FindFolders', [['$XDSFolderStatus', status('approved')]]);
  expect(asked.folders).toEqual([34, 31, 30]);
});

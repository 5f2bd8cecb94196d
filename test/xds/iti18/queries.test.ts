import { describe, expect, test } from '@jest/globals';
import { Refused } from '../../../server/domain/error.ts';
import { queryTable, readQuery } from '../../../server/xds/queries.ts';
import { namespace, storedQuery } from '../../../server/xds/vocabulary.ts';
import { defaultXmlLimits, parseXml } from '../../../server/xml/read.ts';
import { escapeText } from '../../../server/xml/write.ts';

type Slots = readonly (readonly [name: string, ...values: string[]])[];

const patient = ['$XDSDocumentEntryPatientId', "'161053523812385^^^&1.2.250.1.213.1.4.10&ISO^NH'"] as const;
const approved = ['$XDSDocumentEntryStatus', "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"] as const;

function queryOf(id: string, slots: Slots) {
  const xml = slots.map(
    ([name, ...values]) =>
      `<rim:Slot name="${name}"><rim:ValueList>${values
        .map((value) => `<rim:Value>${escapeText(value)}</rim:Value>`)
        .join('')}</rim:ValueList></rim:Slot>`,
  );
  return readQuery(
    parseXml(
      `<rim:AdhocQuery xmlns:rim="${namespace.rim}" id="${id}">${xml.join('')}</rim:AdhocQuery>`,
      defaultXmlLimits,
    ),
    { namesPatient: true },
  );
}

const find = (...slots: Slots) => queryOf(storedQuery.FindDocuments, [patient, approved, ...slots]);
const get = (...slots: Slots) => queryOf(storedQuery.GetDocuments, slots);

function filterOf(...slots: Slots) {
  const query = find(...slots);
  if (query.kind !== 'findDocuments') throw new Error('no FindDocuments');
  return query.filter;
}

function problemsOf(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof Refused) return error.problems.map((p) => `${p.name} ${p.about.attribute ?? p.about.value}`);
    throw error;
  }
  return [];
}

describe('FindDocuments', () => {
  test('patient, status and the stable type by default', () => {
    expect(find()).toMatchObject({
      kind: 'findDocuments',
      patient: { value: '161053523812385', oid: '1.2.250.1.213.1.4.10' },
      filter: { statuses: ['approved'], objectTypes: ['stable'], availabilities: ['online'] },
    });
  });

  test('the patient may be left to the assertion', () => {
    expect(queryOf(storedQuery.FindDocuments, [approved])).not.toHaveProperty('patient');
  });

  test('the id of the query may have blanks around it and any case', () => {
    expect(
      queryOf(` ${storedQuery.FindDocuments.toUpperCase().replace('URN:UUID', 'urn:uuid')} `, [approved]).kind,
    ).toBe('findDocuments');
  });

  test('status: the four of the DMP; unknown ones are ignored', () => {
    const statuses = (...values: string[]) => {
      const query = queryOf(storedQuery.FindDocuments, [['$XDSDocumentEntryStatus', ...values]]);
      return query.kind === 'findDocuments' ? query.filter.statuses : undefined;
    };
    expect(
      statuses(
        "('urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated','urn:asip:ci-sis:2010:StatusType:Archived')",
        "('urn:asip:ci-sis:2010:StatusType:Deleted','urn:oasis:names:tc:ebxml-regrep:StatusType:Submitted')",
      ),
    ).toEqual(['deprecated', 'archived', 'deleted']);
  });

  test('codes of one slot are alternatives, over several Values too', () => {
    expect(
      filterOf(['$XDSDocumentEntryTypeCode', "('TY1^^2.999.43','TY2^^2.999.43')", "('TY3^^2.999.43')"]).typeCodes,
    ).toEqual([
      { code: 'TY1', system: '2.999.43' },
      { code: 'TY2', system: '2.999.43' },
      { code: 'TY3', system: '2.999.43' },
    ]);
  });

  test('every coded parameter reaches its own field', () => {
    const filter = filterOf(
      ['$XDSDocumentEntryClassCode', "('1^^2.1')"],
      ['$XDSDocumentEntryFormatCode', "('2^^2.1')"],
      ['$XDSDocumentEntryPracticeSettingCode', "('3^^2.1')"],
      ['$XDSDocumentEntryHealthcareFacilityTypeCode', "('4^^2.1')"],
    );
    expect([
      filter.classCodes,
      filter.formatCodes,
      filter.practiceSettingCodes,
      filter.healthcareFacilityTypeCodes,
    ]).toEqual(['1', '2', '3', '4'].map((code) => [{ code, system: '2.1' }]));
  });

  test('(a or b) and c by two slots', () => {
    const filter = filterOf(
      ['$XDSDocumentEntryConfidentialityCode', "('a^^1.2','b^^1.2')"],
      ['$XDSDocumentEntryConfidentialityCode', "('c^^1.2')"],
      ['$XDSDocumentEntryEventCodeList', "('e^^1.2')"],
    );
    expect(filter.confidentialityCodes).toEqual([
      [
        { code: 'a', system: '1.2' },
        { code: 'b', system: '1.2' },
      ],
      [{ code: 'c', system: '1.2' }],
    ]);
    expect(filter.eventCodes).toEqual([[{ code: 'e', system: '1.2' }]]);
  });

  test('times are half-open ranges, filled up with the lowest value, quoted or not', () => {
    expect(
      filterOf(
        ['$XDSDocumentEntryCreationTimeFrom', '2025'],
        ['$XDSDocumentEntryCreationTimeTo', "'20260131'"],
        ['$XDSDocumentEntryServiceStartTimeFrom', '202502011230'],
        ['$XDSDocumentEntryServiceStopTimeTo', '20250201123059'],
      ),
    ).toMatchObject({
      creationTime: { from: '20250101000000', to: '20260131000000' },
      serviceStartTime: { from: '20250201123000' },
      serviceStopTime: { to: '20250201123059' },
    });
  });

  test('authors are patterns, types are objectTypes', () => {
    expect(
      filterOf(
        ['$XDSDocumentEntryAuthorPerson', "('%MARTIN%','O''N_il')"],
        [
          '$XDSDocumentEntryType',
          "('urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248','urn:uuid:7EDCA82F-054d-47f2-a032-9b2a5b5186c1')",
        ],
      ),
    ).toMatchObject({ authorPersons: ['%MARTIN%', "O'N_il"], objectTypes: ['onDemand', 'stable'] });
  });

  test('unknown parameters and blanks around names are ignored', () => {
    expect(
      filterOf(
        ['$XDSDocumentEntryTypeCodeScheme', "('x')"],
        ['toString', "('x')"],
        [' $XDSDocumentEntryClassCode ', "('11^^1.2')"],
      ),
    ).toEqual({
      statuses: ['approved'],
      objectTypes: ['stable'],
      availabilities: ['online'],
      classCodes: [{ code: '11', system: '1.2' }],
    });
  });

  test('the query is kept in words for the trace', () => {
    expect(find(['$XDSDocumentEntryClassCode', "('11^^1.2')"]).query).toBe(
      `FindDocuments ${patient.join('=')} ${approved.join('=')} $XDSDocumentEntryClassCode=('11^^1.2')`,
    );
  });

  const cases: readonly (readonly [what: string, slots: Slots, expected: readonly string[]])[] = [
    ['no status', [patient], ['queryParameterMissing $XDSDocumentEntryStatus']],
    [
      'no status that is known',
      [patient, ['$XDSDocumentEntryStatus', "('urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Approved')"]],
      ['queryParameterMissing $XDSDocumentEntryStatus'],
    ],
    [
      'a status without quotes',
      [patient, ['$XDSDocumentEntryStatus', 'Approved']],
      ['queryParameterMalformed $XDSDocumentEntryStatus'],
    ],
    ['two patients', [patient, patient, approved], ['queryParameterRepeated $XDSDocumentEntryPatientId']],
    [
      'two patients in one slot',
      [[...patient, patient[1]], approved],
      ['queryParameterRepeated $XDSDocumentEntryPatientId'],
    ],
    [
      'a patient that is no CX',
      [['$XDSDocumentEntryPatientId', "'161053523812385'"], approved],
      ['queryParameterMalformed $XDSDocumentEntryPatientId'],
    ],
    [
      'a status slot twice, which is no conjunction',
      [patient, approved, approved],
      ['queryParameterRepeated $XDSDocumentEntryStatus'],
    ],
    [
      'a type code twice, which is no conjunction',
      [patient, approved, ['$XDSDocumentEntryTypeCode', "('a^^1.2')"], ['$XDSDocumentEntryTypeCode', "('b^^1.2')"]],
      ['queryParameterRepeated $XDSDocumentEntryTypeCode'],
    ],
    [
      'a code without scheme',
      [patient, approved, ['$XDSDocumentEntryClassCode', "('11')"]],
      ['queryParameterMalformed $XDSDocumentEntryClassCode'],
    ],
    [
      'a day that does not exist',
      [patient, approved, ['$XDSDocumentEntryCreationTimeFrom', '20250230']],
      ['queryParameterMalformed $XDSDocumentEntryCreationTimeFrom'],
    ],
    [
      'two ends of a time range',
      [patient, approved, ['$XDSDocumentEntryCreationTimeTo', '2025', '2026']],
      ['queryParameterRepeated $XDSDocumentEntryCreationTimeTo'],
    ],
    [
      'a type of object that is none',
      [patient, approved, ['$XDSDocumentEntryType', "('urn:uuid:00000000-0000-4000-8000-000000000000')"]],
      ['queryParameterMalformed $XDSDocumentEntryType'],
    ],
    [
      'a level that is no number',
      [patient, approved, ['$MetadataLevel', "'high'"]],
      ['queryParameterMalformed $MetadataLevel'],
    ],
    [
      'all of it at once',
      [
        ['$XDSDocumentEntryPatientId', 'x'],
        ['$XDSDocumentEntryCreationTimeFrom', 'yesterday'],
      ],
      [
        'queryParameterMalformed $XDSDocumentEntryPatientId',
        'queryParameterMalformed $XDSDocumentEntryCreationTimeFrom',
        'queryParameterMissing $XDSDocumentEntryStatus',
      ],
    ],
  ];
  test.each(cases)('refuses %s', (_what, slots, expected) => {
    expect(problemsOf(() => queryOf(storedQuery.FindDocuments, slots))).toEqual(expected);
  });
});

describe('GetDocuments', () => {
  const uuid = 'urn:uuid:0c1c6c4e-2d15-4b6e-8e46-6a1b2f8f1a01';

  test('by entryUUID, in any case', () => {
    expect(get(['$XDSDocumentEntryEntryUUID', `('${uuid.replace('0c1c', '0C1C')}')`])).toMatchObject({
      kind: 'getDocuments',
      by: 'entryUUID',
      values: [uuid],
    });
  });

  test('by uniqueId', () => {
    expect(get(['$XDSDocumentEntryUniqueId', "('1.2.3','1.2.4^x')"])).toMatchObject({
      by: 'uniqueId',
      values: ['1.2.3', '1.2.4^x'],
    });
  });

  test('by logicalID', () => {
    expect(get(['$XDSDocumentEntryLogicalID', `('${uuid}')`])).toMatchObject({ by: 'logicalID', values: [uuid] });
  });

  test('refuses no name', () => {
    expect(problemsOf(() => get())).toEqual([
      'queryParameterMissing $XDSDocumentEntryEntryUUID or $XDSDocumentEntryUniqueId or $XDSDocumentEntryLogicalID',
    ]);
  });

  test('refuses two kinds of names', () => {
    expect(
      problemsOf(() => get(['$XDSDocumentEntryEntryUUID', `('${uuid}')`], ['$XDSDocumentEntryUniqueId', "('1.2')"])),
    ).toEqual([
      'queryParameterRepeated $XDSDocumentEntryEntryUUID or $XDSDocumentEntryUniqueId or $XDSDocumentEntryLogicalID',
    ]);
  });
});

test.each([
  ['of another transaction (ITI-51)', 'urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f'],
  ['of nobody', 'urn:uuid:00000000-0000-4000-8000-000000000000'],
  ['without an id', ''],
])('a query %s is refused by its id', (_what, id) => {
  expect(problemsOf(() => queryOf(id, []))).toEqual([`queryUnknown ${id}`]);
});

test('the documentation lists the queries served', () => {
  expect(new Map(queryTable.map(({ name, id }) => [name, id]))).toEqual(new Map(Object.entries(storedQuery)));
});

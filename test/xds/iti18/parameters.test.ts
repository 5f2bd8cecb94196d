import { describe, expect, test } from '@jest/globals';
import { Refused } from '../../../server/domain/error.ts';
import { queryTable, readQuery } from '../../../server/xds/queries.ts';
import { namespace, storedQuery } from '../../../server/xds/vocabulary.ts';
import { child } from '../../../server/xml/element.ts';
import { defaultXmlLimits, parseXml } from '../../../server/xml/read.ts';
import { patient, type QueryName, queryMessage, quoted, type Slots, status, types, uuids } from './registry.ts';

/**
 * How often each parameter may come: `one` value; `or`: several values in one slot; `and`: several slots too. IHE ITI TF-2 3.18.4.1.2.3.7,
 * Metadata Update for levels, statuses of associations, availability and logicalIDs.
 */
type Occurs = 'one' | 'or' | 'and';
type Row = {
  readonly required: Readonly<Record<string, Occurs>>;
  readonly optional: Readonly<Record<string, Occurs>>;
  readonly oneOf?: Readonly<Record<string, Occurs>>;
};

const entry = (names: Readonly<Record<string, Occurs>>) =>
  Object.fromEntries(Object.entries(names).map(([name, occurs]) => [`$XDSDocumentEntry${name}`, occurs]));
const excludable: Readonly<Record<string, Occurs>> = {
  ClassCode: 'or',
  TypeCode: 'or',
  PracticeSettingCode: 'or',
  HealthcareFacilityTypeCode: 'or',
  EventCodeList: 'and',
  ConfidentialityCode: 'and',
  FormatCode: 'or',
  AuthorPerson: 'or',
  Type: 'or',
};
const findDocuments: Row = {
  required: entry({ Status: 'or' }),
  optional: {
    ...entry({
      PatientId: 'one',
      ...excludable,
      CreationTimeFrom: 'one',
      CreationTimeTo: 'one',
      ServiceStartTimeFrom: 'one',
      ServiceStartTimeTo: 'one',
      ServiceStopTimeFrom: 'one',
      ServiceStopTimeTo: 'one',
      DocumentAvailability: 'or',
    }),
    $MetadataLevel: 'one',
  },
};
const contents = entry({ FormatCode: 'or', ConfidentialityCode: 'and', Type: 'or' });
const level: Readonly<Record<string, Occurs>> = { $MetadataLevel: 'one' };
const associations: Readonly<Record<string, Occurs>> = { $XDSAssociationStatus: 'or', ...level };
const folder = (occurs: Occurs) => ({ $XDSFolderEntryUUID: occurs, $XDSFolderUniqueId: occurs });

const table: { readonly [name in QueryName]: Row } = {
  FindDocuments: findDocuments,
  FindSubmissionSets: {
    required: { $XDSSubmissionSetStatus: 'or' },
    optional: {
      $XDSSubmissionSetPatientId: 'one',
      $XDSSubmissionSetSourceId: 'or',
      $XDSSubmissionSetSubmissionTimeFrom: 'one',
      $XDSSubmissionSetSubmissionTimeTo: 'one',
      $XDSSubmissionSetAuthorPerson: 'one',
      $XDSSubmissionSetContentType: 'or',
    },
  },
  FindFolders: {
    required: { $XDSFolderStatus: 'or' },
    optional: {
      $XDSFolderPatientId: 'one',
      $XDSFolderLastUpdateTimeFrom: 'one',
      $XDSFolderLastUpdateTimeTo: 'one',
      $XDSFolderCodeList: 'and',
      ...level,
    },
  },
  GetAll: {
    required: { ...entry({ Status: 'or' }), $XDSSubmissionSetStatus: 'or', $XDSFolderStatus: 'or' },
    optional: { $patientId: 'one', ...contents, ...associations },
  },
  GetDocuments: {
    required: {},
    optional: level,
    oneOf: entry({ EntryUUID: 'or', UniqueId: 'or', LogicalID: 'or' }),
  },
  GetFolders: { required: {}, optional: level, oneOf: { ...folder('or'), $XDSFolderLogicalID: 'or' } },
  GetAssociations: { required: { $uuid: 'or' }, optional: associations },
  GetDocumentsAndAssociations: {
    required: {},
    optional: associations,
    oneOf: entry({ EntryUUID: 'or', UniqueId: 'or' }),
  },
  GetSubmissionSets: { required: { $uuid: 'or' }, optional: level },
  GetSubmissionSetAndContents: {
    required: {},
    optional: { ...contents, ...level },
    oneOf: { $XDSSubmissionSetEntryUUID: 'one', $XDSSubmissionSetUniqueId: 'one' },
  },
  GetFolderAndContents: { required: {}, optional: { ...contents, ...associations }, oneOf: folder('one') },
  GetFoldersForDocument: {
    required: {},
    optional: associations,
    oneOf: entry({ EntryUUID: 'one', UniqueId: 'one' }),
  },
  GetRelatedDocuments: {
    required: { $AssociationTypes: 'or' },
    optional: { ...entry({ Type: 'or' }), ...associations },
    oneOf: entry({ EntryUUID: 'one', UniqueId: 'one' }),
  },
  FindDocumentsByReferenceId: {
    required: { ...findDocuments.required, ...entry({ ReferenceIdList: 'and' }) },
    optional: findDocuments.optional,
  },
  FindDocumentsExclude: {
    required: findDocuments.required,
    optional: {
      ...findDocuments.optional,
      ...entry({ ReferenceIdList: 'and' }),
      ...entry(
        Object.fromEntries(
          Object.entries({ ...excludable, ReferenceIdList: 'and' as const }).map(([name, o]) => [`${name}Exclude`, o]),
        ),
      ),
    },
  },
};

/** Two values of each parameter, one as it is sent alone. */
function valuesOf(name: string): readonly [one: string, two: string] {
  if (name === '$MetadataLevel') return ['1', '2'];
  if (/Time(From|To)$/.test(name)) return ['2025', '2026'];
  if (/atientId$/.test(name)) return [patient, patient];
  if (/Type(Exclude)?$/.test(name) && !name.includes('Content')) return [types('stable'), types('onDemand')];
  if (name === '$AssociationTypes')
    return [quoted('urn:ihe:iti:2007:AssociationType:RPLC'), quoted('urn:ihe:iti:2007:AssociationType:APND')];
  if (name.endsWith('Availability'))
    return [
      quoted('urn:ihe:iti:2010:DocumentAvailability:Online'),
      quoted('urn:ihe:iti:2010:DocumentAvailability:Offline'),
    ];
  if (name.endsWith('Status')) return [status('approved'), status('deprecated')];
  if (/(Code|CodeList|ContentType)(Exclude)?$/.test(name)) return [quoted('A^^1.2'), quoted('B^^1.2')];
  if (/UUID|uuid|LogicalID/.test(name)) return [uuids(1), uuids(2)];
  return ["'1.2.3'", "'1.2.4'"];
}

function problems(name: QueryName, slots: Slots): string[] {
  const body = parseXml(queryMessage(name, slots), defaultXmlLimits);
  const query = child(body, namespace.rim, 'AdhocQuery');
  if (query === undefined) throw new Error('no query');
  try {
    readQuery(query, { namesPatient: true });
  } catch (error) {
    if (error instanceof Refused) return error.problems.map((p) => `${p.name} ${p.about.attribute ?? ''}`);
    throw error;
  }
  return [];
}

const one = (name: string): Slots[number] => [name, valuesOf(name)[0]];
/** The least that the query may say, without a parameter. */
const least = ({ required, oneOf = {} }: Row, without?: string): Slots => [
  ...Object.keys(required)
    .filter((name) => name !== without)
    .map(one),
  ...Object.keys(oneOf).slice(0, 1).map(one),
];
const rows = Object.entries(table) as readonly (readonly [QueryName, Row])[];

describe.each(rows)('%s', (query, row) => {
  const { required, optional, oneOf = {} } = row;
  const parameters = { ...required, ...optional, ...oneOf };
  /** The least, with nothing of the parameter and of what it excludes. */
  const around = (name: string) =>
    name in oneOf ? least({ required, optional }) : least(row, name).filter(([other]) => other !== name);

  test('knows the parameters of its table and no other', () => {
    const known = queryTable.find((q) => q.name === query);
    expect(known?.id).toBe(storedQuery[query]);
    expect(known?.parameters.toSorted()).toEqual(Object.keys(parameters).toSorted());
  });

  test('the least that it asks for is enough', () => {
    expect(problems(query, least(row))).toEqual([]);
  });

  if (Object.keys(required).length > 0)
    test.each(Object.keys(required))('%s is required', (name) => {
      expect(problems(query, least(row, name))).toEqual([`queryParameterMissing ${name}`]);
    });

  test.each(Object.entries(parameters))('%s: %s', (name, occurs) => {
    const [first, second] = valuesOf(name);
    const expected = (refused: boolean) => (refused ? [`queryParameterRepeated ${name}`] : []);
    expect(problems(query, [...around(name), [name, first]])).toEqual([]);
    expect(problems(query, [...around(name), [name, first, second]])).toEqual(expected(occurs === 'one'));
    const twice = problems(query, [...around(name), [name, first], [name, second]]);
    expect(twice).toEqual(expected(occurs !== 'and'));
  });

  if (Object.keys(oneOf).length > 0)
    test('one kind of name, and only one', () => {
      const names = Object.keys(oneOf);
      const both = names.join(' or ');
      expect(problems(query, least({ required, optional }))).toEqual([`queryParameterMissing ${both}`]);
      for (const name of names) expect(problems(query, [...least({ required, optional }), one(name)])).toEqual([]);
      expect(problems(query, [...least({ required, optional }), ...names.map(one)])).toEqual([
        `queryParameterRepeated ${both}`,
      ]);
    });
});

describe('values', () => {
  const find = (name: string, ...values: readonly string[]) =>
    problems('FindDocuments', [
      ['$XDSDocumentEntryStatus', status('approved')],
      [name, ...values],
    ]);
  test.each<[string, string, string]>([
    ['a level that does not exist', '$MetadataLevel', '3'],
    ['a level in words', '$MetadataLevel', "'high'"],
    ['a time that is none', '$XDSDocumentEntryCreationTimeTo', '2025-01-01'],
    ['a patient without authority', '$XDSDocumentEntryPatientId', "'279035121518989'"],
    ['a code without scheme', '$XDSDocumentEntryClassCode', quoted('11^^')],
    ['a text without quotes', '$XDSDocumentEntryAuthorPerson', 'MARTIN'],
    ['typographic quotes', '$XDSDocumentEntryAuthorPerson', '(‘MARTIN’)'],
    ['a list that is not closed', '$XDSDocumentEntryAuthorPerson', "('MARTIN'"],
    ['an objectType that is none', '$XDSDocumentEntryType', uuids(1)],
  ])('%s is malformed', (_what, name, value) => {
    expect(find(name, value)).toEqual([`queryParameterMalformed ${name}`]);
  });
  test.each<[string, string, string]>([
    ['a level', '$MetadataLevel', '2'],
    ['a level in quotes', '$MetadataLevel', "'2'"],
    ['a time in quotes', '$XDSDocumentEntryCreationTimeTo', "'20250101'"],
    ['a text without parentheses', '$XDSDocumentEntryAuthorPerson', "'MARTIN'"],
    ['white space in a list', '$XDSDocumentEntryAuthorPerson', "( 'MARTIN' ,\n 'NGUYEN' )"],
    ['a quote in a text', '$XDSDocumentEntryAuthorPerson', "('O''NEIL')"],
  ])('%s is well formed', (_what, name, value) => {
    expect(find(name, value)).toEqual([]);
  });

  test.each<[string, QueryName, Slots, string]>([
    ['status of an entry', 'FindDocuments', [['$XDSDocumentEntryStatus', quoted('urn:x')]], '$XDSDocumentEntryStatus'],
    [
      'status of a set',
      'FindSubmissionSets',
      [['$XDSSubmissionSetStatus', quoted('urn:x')]],
      '$XDSSubmissionSetStatus',
    ],
    [
      'status of a folder, which is never archived',
      'FindFolders',
      [['$XDSFolderStatus', status('archived')]],
      '$XDSFolderStatus',
    ],
    [
      'status of an association',
      'GetAssociations',
      [
        ['$uuid', uuids(1)],
        ['$XDSAssociationStatus', quoted('urn:x')],
      ],
      '$XDSAssociationStatus',
    ],
    [
      'type of association',
      'GetRelatedDocuments',
      [
        ['$XDSDocumentEntryUniqueId', "'1'"],
        ['$AssociationTypes', quoted('RPLC')],
      ],
      '$AssociationTypes',
    ],
  ])('unknown values alone are as none: %s', (_what, query, slots, name) => {
    expect(problems(query, slots)).toEqual([`queryParameterMissing ${name}`]);
  });
});

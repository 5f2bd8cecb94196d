import { Refused, refuse } from '../domain/error.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { DocumentFilter } from '../store/port.ts';
import { attributeOf, child, childrenOf, type XmlElement } from '../xml/element.ts';
import { keyOf, readId } from './ebrim/registry-object.ts';
import { GivenParameters, type Parameters } from './query-parameters.ts';
import { entryType, namespace, statusUrn, storedQuery } from './vocabulary.ts';

/** What a stored query asks for, in the words of the domain. `text` is the query as it was asked. */
export type RegistryQuery = (
  | { readonly kind: 'find'; readonly patient?: Identifier; readonly filter: DocumentFilter }
  | {
      readonly kind: 'get';
      readonly by: 'entryUUID' | 'uniqueId' | 'logicalID';
      readonly values: readonly string[];
    }
) & { readonly text: string };

type QueryDefinition = {
  readonly name: keyof typeof storedQuery;
  readonly parameters: Parameters;
  /** Exactly one of these is given. */
  readonly oneOf?: readonly string[];
  readonly build: (given: GivenParameters) => Unnamed | undefined;
};
type Unnamed = RegistryQuery extends infer Q ? (Q extends unknown ? Omit<Q, 'text'> : never) : never;

const many = { type: 'text', many: true } as const;
const code = { type: 'code', many: true } as const;
const codeAnd = { type: 'code', many: true, and: true } as const;
const time = { type: 'dtm' } as const;
/** Checked and then alike at both levels: no entry has a second version. */
const metadataLevel = { type: 'number' } as const;

const definitions: readonly QueryDefinition[] = [
  {
    name: 'FindDocuments',
    parameters: {
      // Optional in the DMP, where the assertion names the patient too.
      $XDSDocumentEntryPatientId: { type: 'patient' },
      $XDSDocumentEntryStatus: { ...many, required: true },
      $XDSDocumentEntryClassCode: code,
      $XDSDocumentEntryTypeCode: code,
      $XDSDocumentEntryPracticeSettingCode: code,
      $XDSDocumentEntryHealthcareFacilityTypeCode: code,
      $XDSDocumentEntryEventCodeList: codeAnd,
      $XDSDocumentEntryConfidentialityCode: codeAnd,
      $XDSDocumentEntryFormatCode: code,
      $XDSDocumentEntryAuthorPerson: many,
      $XDSDocumentEntryType: many,
      $XDSDocumentEntryCreationTimeFrom: time,
      $XDSDocumentEntryCreationTimeTo: time,
      $XDSDocumentEntryServiceStartTimeFrom: time,
      $XDSDocumentEntryServiceStartTimeTo: time,
      $XDSDocumentEntryServiceStopTimeFrom: time,
      $XDSDocumentEntryServiceStopTimeTo: time,
      $MetadataLevel: metadataLevel,
    },
    build: findDocuments,
  },
  {
    name: 'GetDocuments',
    parameters: {
      $XDSDocumentEntryEntryUUID: many,
      $XDSDocumentEntryUniqueId: many,
      $XDSDocumentEntryLogicalID: many,
      $MetadataLevel: metadataLevel,
    },
    oneOf: ['$XDSDocumentEntryEntryUUID', '$XDSDocumentEntryUniqueId', '$XDSDocumentEntryLogicalID'],
    build: getDocuments,
  },
];

/** The stored queries served and their parameters, for the documentation. */
export const queryTable = definitions.map(({ name, parameters }) => ({
  name,
  id: storedQuery[name],
  parameters: Object.keys(parameters),
}));

/**
 * Reads a rim:AdhocQuery; parameters that the query does not know are ignored. IHE ITI TF-2 3.18.4.1.2.
 * @throws Refused with every problem: queryUnknown, queryParameterMissing, queryParameterRepeated, queryParameterMalformed
 */
export function readQuery(element: XmlElement): RegistryQuery {
  const id = attributeOf(element, 'id')?.trim() ?? '';
  const definition = definitions.find(({ name }) => storedQuery[name] === id.toLowerCase());
  if (definition === undefined) refuse('queryUnknown', { value: id });
  const given = new GivenParameters(definition.parameters, element);
  checkOneOf(definition, given);
  const query = definition.build(given);
  if (query === undefined || given.problems.length > 0) throw new Refused(given.problems);
  return { ...query, text: textOf(definition.name, element) };
}

/** The query in one line, for the trace. */
function textOf(name: string, element: XmlElement): string {
  const slots = childrenOf(element, namespace.rim, 'Slot').map((slot) => {
    const values = childrenOf(child(slot, namespace.rim, 'ValueList'), namespace.rim, 'Value');
    return `${attributeOf(slot, 'name')?.trim() ?? ''}=${values.map((value) => value.text.trim()).join(',')}`;
  });
  return [name, ...slots].join(' ');
}

function checkOneOf({ oneOf }: QueryDefinition, given: GivenParameters): void {
  if (oneOf === undefined) return;
  const names = oneOf.join(' or ');
  const count = oneOf.filter((name) => given.has(name)).length;
  if (count === 0) given.report('queryParameterMissing', names);
  if (count > 1) given.report('queryParameterRepeated', names, undefined, 'they exclude each other');
}

function findDocuments(given: GivenParameters): Unnamed | undefined {
  const patient = given.patient('$XDSDocumentEntryPatientId');
  const statuses = given.texts('$XDSDocumentEntryStatus').flatMap((urn) => keyOf(statusUrn, urn) ?? []);
  if (given.texts('$XDSDocumentEntryStatus').length > 0 && statuses.length === 0)
    given.report('queryParameterMissing', '$XDSDocumentEntryStatus', undefined, 'no status in it is known');
  const types = given.texts('$XDSDocumentEntryType').map((type) => {
    const known = keyOf(entryType, type.toLowerCase());
    if (known === undefined) given.report('queryParameterMalformed', '$XDSDocumentEntryType', type);
    return known ?? 'stable';
  });
  const authorPersons = given.texts('$XDSDocumentEntryAuthorPerson');
  const filter: DocumentFilter = {
    statuses,
    objectTypes: types.length === 0 ? ['stable'] : types,
    ...given.codes('classCodes', '$XDSDocumentEntryClassCode'),
    ...given.codes('typeCodes', '$XDSDocumentEntryTypeCode'),
    ...given.codes('formatCodes', '$XDSDocumentEntryFormatCode'),
    ...given.codes('practiceSettingCodes', '$XDSDocumentEntryPracticeSettingCode'),
    ...given.codes('healthcareFacilityTypeCodes', '$XDSDocumentEntryHealthcareFacilityTypeCode'),
    ...given.codeGroups('eventCodes', '$XDSDocumentEntryEventCodeList'),
    ...given.codeGroups('confidentialityCodes', '$XDSDocumentEntryConfidentialityCode'),
    ...(authorPersons.length > 0 && { authorPersons }),
    ...given.range('creationTime', '$XDSDocumentEntryCreationTime'),
    ...given.range('serviceStartTime', '$XDSDocumentEntryServiceStartTime'),
    ...given.range('serviceStopTime', '$XDSDocumentEntryServiceStopTime'),
  };
  return { kind: 'find', filter, ...(patient && { patient }) };
}

function getDocuments(given: GivenParameters): Unnamed | undefined {
  const names = {
    entryUUID: '$XDSDocumentEntryEntryUUID',
    uniqueId: '$XDSDocumentEntryUniqueId',
    logicalID: '$XDSDocumentEntryLogicalID',
  } as const;
  const by = (['entryUUID', 'uniqueId', 'logicalID'] as const).find((name) => given.has(names[name]));
  if (by === undefined) return undefined;
  const values = given.texts(names[by]);
  return { kind: 'get', by, values: by === 'uniqueId' ? values : values.map(readId) };
}

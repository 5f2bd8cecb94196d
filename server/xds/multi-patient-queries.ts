import { Refused, refuse } from '../domain/error.ts';
import type { FindAcross } from '../usecases/query-across.ts';
import { attributeOf, type XmlElement } from '../xml/element.ts';
import {
  documentAttributes,
  documentTimes,
  folderAttributes,
  required,
  textGroups,
  texts,
} from './query-attributes.ts';
import { documentFilter, folderFilter } from './query-filters.ts';
import { GivenParameters, type Parameters, queryText } from './query-parameters.ts';
import { multiPatientQuery } from './vocabulary.ts';

type MultiPatientDefinition = {
  readonly name: keyof typeof multiPatientQuery;
  readonly parameters: Parameters;
  /** At least one of these is given. */
  readonly anyOf: readonly string[];
  readonly build: (given: GivenParameters) => Asked;
};
type Asked = FindAcross extends infer F ? (F extends unknown ? Omit<F, 'query' | 'limit'> : never) : never;

const patients = { type: 'patient', many: true } as const;

const documentParameters = {
  $XDSDocumentEntryPatientId: patients,
  $XDSDocumentEntryStatus: required(texts),
  ...documentAttributes,
  ...documentTimes,
} as const satisfies Parameters;

const findDocuments = (given: GivenParameters): Asked => ({
  patients: given.patients('$XDSDocumentEntryPatientId'),
  documents: documentFilter(given),
});

/** The stored queries over several patients. IHE ITI TF-2 3.51.4.1.2.3. */
const definitions: readonly MultiPatientDefinition[] = [
  {
    name: 'FindDocumentsForMultiplePatients',
    parameters: documentParameters,
    anyOf: [
      '$XDSDocumentEntryPatientId',
      '$XDSDocumentEntryClassCode',
      '$XDSDocumentEntryEventCodeList',
      '$XDSDocumentEntryHealthcareFacilityTypeCode',
    ],
    build: findDocuments,
  },
  {
    name: 'FindFoldersForMultiplePatients',
    parameters: {
      $XDSFolderPatientId: patients,
      ...folderAttributes,
    },
    anyOf: ['$XDSFolderPatientId', '$XDSFolderCodeList'],
    build: (given) => ({ patients: given.patients('$XDSFolderPatientId'), folders: folderFilter(given) }),
  },
  {
    name: 'FindDocumentsByReferenceIdForMultiplePatients',
    parameters: { ...documentParameters, $XDSDocumentEntryReferenceIdList: required(textGroups) },
    anyOf: ['$XDSDocumentEntryReferenceIdList'],
    build: findDocuments,
  },
];

/** The stored queries served and their parameters, for the documentation. */
export const multiPatientQueryTable = definitions.map(({ name, parameters }) => ({
  name,
  id: multiPatientQuery[name],
  parameters: Object.keys(parameters),
}));

/**
 * Reads a rim:AdhocQuery over several patients; parameters that the query does not know are ignored.
 * @throws Refused with every problem: queryUnknown, queryParameterMissing, queryParameterRepeated, queryParameterMalformed
 */
export function readMultiPatientQuery(element: XmlElement): Asked & { readonly query: string } {
  const id = attributeOf(element, 'id')?.trim() ?? '';
  const definition = definitions.find(({ name }) => multiPatientQuery[name] === id.toLowerCase());
  if (definition === undefined) refuse('queryUnknown', { value: id });
  const given = new GivenParameters(definition.parameters, element);
  if (!definition.anyOf.some((name) => given.has(name)))
    given.report('queryParameterMissing', definition.anyOf.join(' or '));
  const asked = definition.build(given);
  if (given.problems.length > 0) throw new Refused(given.problems);
  return { ...asked, query: queryText(definition.name, element) };
}

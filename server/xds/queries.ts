import { Refused, refuse } from '../domain/error.ts';
import type { Find, Get, Names } from '../usecases/query.ts';
import type { GetContents } from '../usecases/query-contents.ts';
import type { FindAll, FindFolders, FindSets } from '../usecases/query-find.ts';
import type { GetAssociations, GetFolders, GetFoldersOf, GetOfDocuments, GetRelated } from '../usecases/query-get.ts';
import { attributeOf, type XmlElement } from '../xml/element.ts';
import { readId } from './ebrim/registry-object.ts';
import {
  codeGroups,
  codes,
  documentAttributes,
  documentTimes,
  folderAttributes,
  required,
  text,
  textGroups,
  texts,
  time,
} from './query-attributes.ts';
import {
  associationFilter,
  documentFilter,
  documentsOfLevel,
  excludable,
  folderFilter,
  foldersOfLevel,
  setFilter,
} from './query-filters.ts';
import { GivenParameters, type Parameter, type Parameters, queryText } from './query-parameters.ts';
import { associationUrn, storedQuery } from './vocabulary.ts';

/** What a stored query asks for, in the words of the use cases. `query` is the query as it was asked. */
export type RegistryQuery = Ask & { readonly query: string };

type Ask =
  | Asked<'findDocuments', Find>
  | Asked<'findSubmissionSets', FindSets>
  | Asked<'findFolders', FindFolders>
  | Asked<'findAll', FindAll>
  | Asked<'getDocuments', Get>
  | Asked<'getFolders', GetFolders>
  | Asked<'getAssociations', GetAssociations>
  | Asked<'getDocumentsAndAssociations', GetOfDocuments>
  | Asked<'getSubmissionSets', GetAssociations>
  | Asked<'getSubmissionSetAndContents', GetContents>
  | Asked<'getFolderAndContents', GetContents>
  | Asked<'getFoldersForDocument', GetFoldersOf>
  | Asked<'getRelatedDocuments', GetRelated>;
type Asked<Kind extends string, Question> = { readonly kind: Kind } & Omit<Question, 'query' | 'limit'>;

type QueryDefinition = {
  readonly name: keyof typeof storedQuery;
  readonly parameters: Parameters;
  /** Exactly one of these is given. */
  readonly oneOf?: readonly string[];
  /** At most one of each pair is given. */
  readonly pairs?: readonly (readonly [string, string])[];
  readonly build: (given: GivenParameters) => Ask;
};

/** Required where the credential names no patient. */
const patient = { type: 'patient' } as const;

const level = { $MetadataLevel: { type: 'level' } } as const satisfies Parameters;
const associationLevel = { $XDSAssociationStatus: texts, ...level } as const satisfies Parameters;

const findDocumentParameters = {
  $XDSDocumentEntryPatientId: patient,
  $XDSDocumentEntryStatus: required(texts),
  ...documentAttributes,
  ...documentTimes,
  $XDSDocumentEntryDocumentAvailability: texts,
  ...level,
} as const satisfies Parameters;

/** Which documents of a record or package. */
const contentParameters = {
  $XDSDocumentEntryFormatCode: codes,
  $XDSDocumentEntryConfidentialityCode: codeGroups,
  $XDSDocumentEntryType: texts,
} as const satisfies Parameters;

const oneDocument = { $XDSDocumentEntryEntryUUID: text, $XDSDocumentEntryUniqueId: text } as const satisfies Parameters;

/** By what a parameter names objects: the ends of parameter names. */
const nameKinds = { EntryUUID: 'entryUUID', UniqueId: 'uniqueId', LogicalID: 'logicalID' } as const;

/** The stored queries and their parameters. IHE ITI TF-2 3.18.4.1.2.3.7, with the options Metadata Update, reference ids and Exclude. */
const definitions: readonly QueryDefinition[] = [
  { name: 'FindDocuments', parameters: findDocumentParameters, build: findDocuments },
  {
    name: 'FindSubmissionSets',
    parameters: {
      $XDSSubmissionSetPatientId: patient,
      $XDSSubmissionSetStatus: required(texts),
      $XDSSubmissionSetSourceId: texts,
      $XDSSubmissionSetSubmissionTimeFrom: time,
      $XDSSubmissionSetSubmissionTimeTo: time,
      $XDSSubmissionSetAuthorPerson: text,
      $XDSSubmissionSetContentType: codes,
    },
    build: (given) => ({
      kind: 'findSubmissionSets',
      ...given.patient('$XDSSubmissionSetPatientId'),
      filter: setFilter(given),
    }),
  },
  {
    name: 'FindFolders',
    parameters: {
      $XDSFolderPatientId: patient,
      ...folderAttributes,
      ...level,
    },
    build: (given) => ({ kind: 'findFolders', ...given.patient('$XDSFolderPatientId'), filter: folderFilter(given) }),
  },
  {
    name: 'GetAll',
    parameters: {
      $patientId: patient,
      $XDSDocumentEntryStatus: required(texts),
      $XDSSubmissionSetStatus: required(texts),
      $XDSFolderStatus: required(texts),
      ...contentParameters,
      ...associationLevel,
    },
    build: (given) => ({
      kind: 'findAll',
      ...given.patient('$patientId'),
      documents: documentFilter(given),
      sets: setFilter(given),
      folders: folderFilter(given),
      associations: associationFilter(given),
    }),
  },
  {
    name: 'GetDocuments',
    parameters: {
      $XDSDocumentEntryEntryUUID: texts,
      $XDSDocumentEntryUniqueId: texts,
      $XDSDocumentEntryLogicalID: texts,
      ...level,
    },
    oneOf: namesOf('$XDSDocumentEntry', 'EntryUUID', 'UniqueId', 'LogicalID'),
    build: (given) => ({
      kind: 'getDocuments',
      ...readNames(given, '$XDSDocumentEntry'),
      filter: documentsOfLevel(given),
    }),
  },
  {
    name: 'GetFolders',
    parameters: { $XDSFolderEntryUUID: texts, $XDSFolderUniqueId: texts, $XDSFolderLogicalID: texts, ...level },
    oneOf: namesOf('$XDSFolder', 'EntryUUID', 'UniqueId', 'LogicalID'),
    build: (given) => ({ kind: 'getFolders', names: readNames(given, '$XDSFolder'), filter: foldersOfLevel(given) }),
  },
  {
    name: 'GetAssociations',
    parameters: { $uuid: required(texts), ...associationLevel },
    build: (given) => ({ kind: 'getAssociations', ...associationsAsked(given) }),
  },
  {
    name: 'GetDocumentsAndAssociations',
    parameters: { $XDSDocumentEntryEntryUUID: texts, $XDSDocumentEntryUniqueId: texts, ...associationLevel },
    oneOf: namesOf('$XDSDocumentEntry', 'EntryUUID', 'UniqueId'),
    build: (given) => ({ kind: 'getDocumentsAndAssociations', ...documentsAsked(given) }),
  },
  {
    name: 'GetSubmissionSets',
    parameters: { $uuid: required(texts), ...level },
    build: (given) => ({ kind: 'getSubmissionSets', ...associationsAsked(given) }),
  },
  {
    name: 'GetSubmissionSetAndContents',
    parameters: {
      $XDSSubmissionSetEntryUUID: text,
      $XDSSubmissionSetUniqueId: text,
      ...contentParameters,
      ...level,
    },
    oneOf: namesOf('$XDSSubmissionSet', 'EntryUUID', 'UniqueId'),
    build: (given) => ({
      kind: 'getSubmissionSetAndContents',
      ...contentsAsked(given, readNames(given, '$XDSSubmissionSet')),
    }),
  },
  {
    name: 'GetFolderAndContents',
    parameters: {
      $XDSFolderEntryUUID: text,
      $XDSFolderUniqueId: text,
      ...contentParameters,
      ...associationLevel,
    },
    oneOf: namesOf('$XDSFolder', 'EntryUUID', 'UniqueId'),
    build: (given) => ({ kind: 'getFolderAndContents', ...contentsAsked(given, readNames(given, '$XDSFolder')) }),
  },
  {
    name: 'GetFoldersForDocument',
    parameters: { ...oneDocument, ...associationLevel },
    oneOf: namesOf('$XDSDocumentEntry', 'EntryUUID', 'UniqueId'),
    build: (given) => ({ kind: 'getFoldersForDocument', ...documentsAsked(given), folders: foldersOfLevel(given) }),
  },
  {
    name: 'GetRelatedDocuments',
    parameters: {
      ...oneDocument,
      $AssociationTypes: required(texts),
      $XDSDocumentEntryType: texts,
      ...associationLevel,
    },
    oneOf: namesOf('$XDSDocumentEntry', 'EntryUUID', 'UniqueId'),
    build: (given) => ({
      kind: 'getRelatedDocuments',
      ...documentsAsked(given),
      types: given.known('$AssociationTypes', associationUrn) ?? [],
      related: documentFilter(given),
    }),
  },
  {
    name: 'FindDocumentsByReferenceId',
    parameters: { ...findDocumentParameters, $XDSDocumentEntryReferenceIdList: required(textGroups) },
    build: findDocuments,
  },
  {
    name: 'FindDocumentsExclude',
    parameters: {
      ...findDocumentParameters,
      $XDSDocumentEntryReferenceIdList: textGroups,
      ...Object.fromEntries(excludable.map((name) => [excludeName(name), excluding(name)])),
    },
    pairs: excludable.map((name) => [`$XDSDocumentEntry${name}`, excludeName(name)]),
    build: findDocuments,
  },
];

/** The stored queries served and their parameters, for the documentation. */
export const queryTable = definitions.map(({ name, parameters }) => ({
  name,
  id: storedQuery[name],
  parameters: Object.keys(parameters),
}));

const byId = new Map(definitions.map((definition) => [storedQuery[definition.name] as string, definition]));

/**
 * Reads a rim:AdhocQuery; parameters that the query does not know are ignored. A query about a record names its patient, unless the credential
 * does. IHE ITI TF-2 3.18.4.1.2.
 * @throws Refused with every problem: queryUnknown, queryParameterMissing, queryParameterRepeated, queryParameterMalformed
 */
export function readQuery(element: XmlElement, credential: { readonly namesPatient: boolean }): RegistryQuery {
  const id = attributeOf(element, 'id')?.trim() ?? '';
  const definition = byId.get(id.toLowerCase());
  if (definition === undefined) refuse('queryUnknown', { value: id });
  const given = new GivenParameters(definition.parameters, element);
  if (!credential.namesPatient) checkPatient(definition, given);
  checkTogether(definition, given);
  const ask = definition.build(given);
  if (given.problems.length > 0) throw new Refused(given.problems);
  return { ...ask, query: queryText(definition.name, element) };
}

function checkPatient({ parameters }: QueryDefinition, given: GivenParameters): void {
  for (const [name, { type }] of Object.entries(parameters))
    if (type === 'patient' && !given.has(name)) given.report('queryParameterMissing', name);
}

function checkTogether({ oneOf, pairs = [] }: QueryDefinition, given: GivenParameters): void {
  const exclusive = (names: readonly string[]) => {
    if (names.filter((name) => given.has(name)).length > 1)
      given.report('queryParameterRepeated', names.join(' or '), undefined, 'they exclude each other');
  };
  for (const pair of pairs) exclusive(pair);
  if (oneOf === undefined) return;
  exclusive(oneOf);
  if (!oneOf.some((name) => given.has(name))) given.report('queryParameterMissing', oneOf.join(' or '));
}

function findDocuments(given: GivenParameters): Ask {
  return { kind: 'findDocuments', ...given.patient('$XDSDocumentEntryPatientId'), filter: documentFilter(given) };
}

function associationsAsked(given: GivenParameters) {
  return { entryUUIDs: given.texts('$uuid').map(readId), associations: associationFilter(given) };
}

function documentsAsked(given: GivenParameters) {
  const names = readNames(given, '$XDSDocumentEntry');
  return { names, filter: documentsOfLevel(given), associations: associationFilter(given) };
}

function contentsAsked(given: GivenParameters, names: Names) {
  return {
    names,
    documents: documentFilter(given),
    folders: foldersOfLevel(given),
    associations: associationFilter(given),
  };
}

function namesOf(prefix: string, ...kinds: readonly (keyof typeof nameKinds)[]): string[] {
  return kinds.map((kind) => `${prefix}${kind}`);
}

/** The names by which objects are asked for; UUIDs are compared in lower case. */
function readNames(given: GivenParameters, prefix: string): Names {
  for (const [kind, by] of Object.entries(nameKinds)) {
    const values = given.texts(`${prefix}${kind}`);
    if (given.has(`${prefix}${kind}`)) return { by, values: by === 'uniqueId' ? values : values.map(readId) };
  }
  return { by: 'entryUUID', values: [] };
}

function excludeName(attribute: string): string {
  return `$XDSDocumentEntry${attribute}Exclude`;
}

function excluding(attribute: (typeof excludable)[number]): Parameter {
  return attribute === 'ReferenceIdList' ? textGroups : documentAttributes[`$XDSDocumentEntry${attribute}`];
}

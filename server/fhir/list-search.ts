import type { Problem } from '../domain/error.ts';
import type { Author } from '../domain/people.ts';
import type { FolderFilter, SetFilter } from '../store/port.ts';
import type { Package, SearchPackages } from '../usecases/search-packages.ts';
import { authorNames, authorReferred, givensOf } from './author-search.ts';
import { malformed, none } from './malformed.ts';
import type { Results } from './result-parameters.ts';
import {
  alsoCalled,
  type OfPatient,
  type Parameter,
  type ParameterTable,
  patientParameters,
  subjectParameters,
} from './search.ts';
import { type Conditions, dateRows, readTokens, referenceRows, stringRows, tokenRows } from './search-conditions.ts';
import { alternatives, lastingOf, tokensUnder, unescaped } from './search-values.ts';
import { fixedSystems, uris } from './vocabulary.ts';

/** What a search of submission sets and folders asks, as it is read. */
export type ListQuestion = Results &
  OfPatient &
  Conditions<Package> & {
    kinds?: readonly Package['kind'][];
    statuses?: readonly ListStatus[];
    /** By which the lists are found, where the search has names. */
    names?: Names;
    holding?: string[];
  };

type Names = { readonly by: 'id' | 'identifier'; readonly values: readonly string[] };

/** @param base the public address of this face @param now milliseconds */
export function emptyListQuestion(base: string, now: number): ListQuestion {
  return { base, now, tests: [] };
}

type Rows = ParameterTable<ListQuestion>;

const kinds: ReadonlyMap<string, Package['kind']> = new Map([
  ['submissionset', 'set'],
  ['folder', 'folder'],
]);
/** No list is shown as an error. */
type ListStatus = 'approved' | 'deprecated' | 'erroneous';
const statuses: ReadonlyMap<string, ListStatus> = new Map([
  ['current', 'approved'],
  ['retired', 'deprecated'],
  ['entered-in-error', 'erroneous'],
]);

/** A token of which each value means one thing in the model; values given in several parameters must all hold. */
function meaning<T>(
  known: ReadonlyMap<string, T>,
  systems: readonly string[],
  get: (question: ListQuestion) => readonly T[] | undefined,
  put: (question: ListQuestion, values: readonly T[]) => void,
) {
  return (wanted: boolean): Parameter<ListQuestion> => ({
    type: 'token',
    read(value, question, parameter) {
      const list = tokensUnder(systems, value).map(({ code }) => known.get(code));
      if (list.includes(undefined)) return malformed(parameter, value, `${[...known.keys()].join(' or ')} is expected`);
      const asked = [...known.values()].filter((one) => list.includes(one) === wanted);
      put(question, get(question)?.filter((one) => asked.includes(one)) ?? asked);
      return none;
    },
  });
}

const kind = meaning(
  kinds,
  fixedSystems.listType,
  (question) => question.kinds,
  (question, values) => {
    question.kinds = values;
  },
);
const status = meaning(
  statuses,
  fixedSystems.listStatus,
  (question) => question.statuses,
  (question, values) => {
    question.statuses = values;
  },
);

const authorsOf = (found: Package): readonly Author[] => (found.kind === 'set' ? found.set.authors : []);
const bodyOf = (found: Package) => (found.kind === 'set' ? found.set : found.folder);
const timeOf = (found: Package) =>
  lastingOf(found.kind === 'set' ? found.set.submissionTime : found.folder.lastUpdateTime);
const nameOf = (found: Package) => (found.kind === 'set' ? found.set.entryUUID : found.folder.logicalID);

const source = 'Author of a submission set: Practitioner/<PS_IdNat> or Organization/<Struct_IdNat>, or by :identifier';
const family = (found: Package) => authorsOf(found).flatMap(({ person }) => person?.family ?? []);
const given = (found: Package) => authorsOf(found).flatMap(({ person }) => givensOf(person));

const served: Rows = {
  ...patientParameters,
  ...subjectParameters,
  code: { ...kind(true), documentation: 'submissionset or folder; by default both' },
  'code:not': kind(false),
  status: { ...status(true), documentation: 'current or retired; by default both' },
  'status:not': status(false),
  identifier: {
    type: 'token',
    documentation: 'entryUUID or uniqueId',
    read(value, question, parameter) {
      const tokens = readTokens(value)?.filter(({ code }) => code !== '') ?? [];
      if (tokens.length < alternatives(value).length)
        return malformed(parameter, value, 'system|value or value is expected');
      const values = tokens.map(({ code }) => (code.startsWith('urn:oid:') ? code.slice(8) : code.toLowerCase()));
      return named(question, { by: 'identifier', values });
    },
  },
  _id: {
    type: 'token',
    documentation: 'Id of the resource',
    read(value, question) {
      const values = alternatives(value).map((id) => `urn:uuid:${unescaped(id).toLowerCase()}`);
      return named(question, { by: 'id', values });
    },
  },
  ...dateRows<Package>('date', 'submissionTime or lastUpdateTime', timeOf),
  ...dateRows<Package>('_lastUpdated', 'The same', timeOf),
  ...tokenRows<Package>('designationType', 'contentTypeCode or codeList', (found) =>
    found.kind === 'set' ? [found.set.contentTypeCode] : found.folder.codes,
  ),
  ...tokenRows<Package>('sourceId', 'sourceId of a submission set: urn:oid:<OID>', (found) =>
    found.kind === 'set'
      ? [
          { system: uris, code: `urn:oid:${found.set.sourceId}` },
          { system: uris, code: found.set.sourceId },
        ]
      : [],
  ),
  ...stringRows<Package>('title', 'Begin of the title (PDSm)', (found) => {
    const { title } = bodyOf(found);
    return title === undefined ? [] : [title.value];
  }),
  ...stringRows<Package>('notes', 'Begin of the comments', (found) => {
    const { comments } = bodyOf(found);
    return comments === undefined ? [] : [comments.value];
  }),
  ...authorNames<Package>('source', 'the author', authorsOf),
  // No submission set or folder is ever archived: PDSm archives documents one by one.
  ...tokenRows<Package>('isArchived', 'false for every list (PDSm)', () => [{ code: 'false' }]),
  ...stringRows<Package>('source:PractitionerRole.name', 'Begin of a name of the author (PDSm)', (found) => [
    ...family(found),
    ...given(found),
  ]),
  ...stringRows<Package>('authorOrg.name', 'Begin of the name of the institution', (found) =>
    authorsOf(found).flatMap(({ institutions }) => institutions.map(({ name }) => name)),
  ),
  ...referenceRows<Package>('source', source, (found) => authorReferred(authorsOf(found)), [
    'Practitioner',
    'Organization',
  ]),
  ...referenceRows<Package>(
    'authorOrg',
    'Institution of the author: Organization/<Struct_IdNat>, or by :identifier (PDSm)',
    (found) => authorReferred(authorsOf(found).map(({ person: _person, ...institutional }) => institutional)),
    ['Organization'],
  ),
  item: { type: 'reference', documentation: 'A document that it holds: DocumentReference/<id>', read: readItems },
  'item:DocumentReference': { type: 'reference', read: readItems },
};

/**
 * The search parameters of List, also by the names that the CapabilityStatements of the guides give them.
 * IHE MHD 2:3.66.4.1.2.1; PDSm parameters title, authorOrg, source, isArchived; FHIR R4.
 */
export const listParameters: Rows = {
  ...served,
  ...alsoCalled(served, '_lastUpdated', '_lastupdated'),
  ...alsoCalled(served, 'designationType', 'DesignationType'),
  ...alsoCalled(served, 'sourceId', 'SourceId'),
  ...alsoCalled(served, 'isArchived', 'PDSm_isArchived'),
  ...alsoCalled(served, 'authorOrg', 'PDSm_authorOrg'),
  ...alsoCalled(served, 'patient', 'PDSm_List_PatientAsSubject'),
  ...alsoCalled(served, 'source', 'PDSm_List_PatientAsSource'),
  ...alsoCalled(served, 'source', 'PDSm_List_PractitionerRoleAsSource'),
};

function readItems(value: string, question: ListQuestion, parameter: string): readonly Problem[] {
  const ids = alternatives(value).map((text) => {
    const plain = unescaped(text);
    const local = plain.startsWith(`${question.base}/`) ? plain.slice(question.base.length + 1) : plain;
    return /^(?:DocumentReference\/)?([A-Za-z0-9.-]{1,64})$/.exec(local)?.[1];
  });
  const known = ids.filter((id) => id !== undefined);
  if (known.length < ids.length || question.holding !== undefined)
    return malformed(parameter, value, 'DocumentReference/<id> is expected, once');
  question.holding = known.map((id) => `urn:uuid:${id.toLowerCase()}`);
  return none;
}

/** The first names find lists; those of further parameters are asked of what is found. */
function named(question: ListQuestion, names: Names): readonly Problem[] {
  if (question.names === undefined) question.names = names;
  question.tests.push((found) => {
    const { entryUUID, uniqueId } = bodyOf(found);
    return names.by === 'id'
      ? names.values.includes(nameOf(found))
      : names.values.includes(entryUUID) || names.values.includes(uniqueId);
  });
  return none;
}

/** The question as the use case's. */
export function packagesAsked(question: ListQuestion): Omit<SearchPackages, 'page' | 'count' | 'items' | 'query'> {
  const { patient, names, holding, tests, kinds: wanted = ['set', 'folder'] } = question;
  const states = question.statuses?.filter((one) => one !== 'erroneous');
  const byId = names?.by === 'id' ? names.values : undefined;
  const sets: SetFilter = { ...(states && { statuses: states }), ...(byId && { entryUUIDs: byId }) };
  const folders: FolderFilter = { ...(states && { statuses: states }), ...(byId && { logicalIDs: byId }) };
  return {
    ...(patient && { patient }),
    ...(names && { names: names.values }),
    ...(holding && { holding }),
    ...(wanted.includes('set') && { sets }),
    ...(wanted.includes('folder') && { folders }),
    tests,
  };
}

import type { FhirResource } from 'fhir/r4.js';
import type { DirectoryKind } from '../domain/directory.ts';
import { refuse } from '../domain/error.ts';
import { type Portrait, readDirectory, searchDirectory } from '../usecases/directory.ts';
import {
  type DirectoryAsked,
  deviceSearch,
  organizationSearch,
  practitionerSearch,
  roleSearch,
} from './directory-search.ts';
import { type Answer, type Exchange, type Interaction, searchesOf } from './exchange.ts';
import { professionalOf, roleOf, structureOf, systemOf } from './map/directory.ts';
import { answerSearch, type Hit, type PagedSearch, type Search } from './paged-search.ts';

type Found = FhirResource & { readonly resourceType: Interaction['resource'] };

/** How one kind of the directory is served: its search, and its resource. */
type Served<K extends DirectoryKind> = {
  readonly kind: K;
  readonly search: Search<DirectoryAsked>;
  readonly resourceOf: (said: Portrait<K>) => Found;
  /** Whether one who is named is asked for besides. */
  readonly passes: (said: Portrait<K>, asked: DirectoryAsked) => boolean;
  readonly what: string;
};

/** Those who are named; a list of all is served to nobody. */
async function search<K extends DirectoryKind>(exchange: Exchange, served: Served<K>): Promise<Answer> {
  const { tools, base } = exchange;
  const empty = (): DirectoryAsked => ({ base, now: tools.now(), tests: [] });
  return answerSearch(exchange, served.search, empty, async (asked) => found(exchange, served, asked));
}

async function found<K extends DirectoryKind>(
  { tools, request, base }: Exchange,
  { kind, resourceOf, passes }: Served<K>,
  { asked: question, page, query }: PagedSearch<DirectoryAsked>,
) {
  const { ids, professional, includes = [] } = question;
  const asked = ids !== undefined ? { kind, ids } : professional !== undefined ? { rolesOf: professional } : undefined;
  if (asked === undefined) refuse('directoryNotListed', { detail: 'the search names nobody' });
  const ends = (['professional', 'structure'] as const).filter((end) => includes.includes(includeOf[end]));
  const { items, professionals, structures, ...rest } = await searchDirectory(tools, request, {
    ...{ kind, asked, page, ends, query },
    passes: (said) => passes(said, question),
  });
  const included = [...professionals.map(professionalOf), ...structures.map(structureOf)];
  return {
    ...rest,
    matches: items.map((said) => hitOf(base, resourceOf(said))),
    included: included.map((resource) => hitOf(base, resource)),
  };
}

function isAskedRole(
  said: Portrait<'role'>,
  { professional: person, structure: place, tests }: DirectoryAsked,
): boolean {
  const [{ professional, structure }] = said;
  const all = said.flatMap(({ specialties }) => specialties);
  return (
    (person === undefined || person.includes(professional)) &&
    (place === undefined || place.includes(structure)) &&
    tests.every((test) => test(all))
  );
}

const includeOf = {
  professional: 'PractitionerRole:practitioner',
  structure: 'PractitionerRole:organization',
} as const;

function hitOf(base: string, resource: FhirResource): Hit {
  return { fullUrl: `${base}/${resource.resourceType}/${resource.id ?? ''}`, resource: JSON.stringify(resource) };
}

async function read<K extends DirectoryKind>(exchange: Exchange, served: Served<K>): Promise<Answer> {
  const { tools, request, id } = exchange;
  const { kind, resourceOf } = served;
  const said = await readDirectory(tools, request, { kind, id, name: `${served.search.type}/${id}` });
  return { body: JSON.stringify(resourceOf(said)) };
}

function interactionsOf<K extends DirectoryKind>(served: Served<K>): Interaction[] {
  const { type } = served.search;
  const common = { resource: type, action: 'readDirectory' } as const;
  return [
    ...searchesOf({
      ...common,
      transaction: 'search',
      what: served.what,
      handle: (exchange) => search(exchange, served),
    }),
    {
      ...common,
      method: 'GET',
      path: `/${type}/:id`,
      interaction: 'read',
      transaction: 'read',
      what: 'Read one that documents name',
      handle: (exchange) => read(exchange, served),
    },
  ];
}

/** Whoever documents name as authors: looked up and read by professionals, structures and systems. FHIR R4 http.html#read, #search. */
export const directoryInteractions: readonly Interaction[] = [
  ...interactionsOf({
    kind: 'professional',
    search: practitionerSearch,
    resourceOf: professionalOf,
    passes: () => true,
    what: 'Professionals whom documents name, by identifier',
  }),
  ...interactionsOf({
    kind: 'role',
    search: roleSearch,
    resourceOf: roleOf,
    passes: isAskedRole,
    what: 'Professionals at structures, by identifier of the professional',
  }),
  ...interactionsOf({
    kind: 'structure',
    search: organizationSearch,
    resourceOf: structureOf,
    passes: () => true,
    what: 'Structures that documents name, by identifier',
  }),
  ...interactionsOf({
    kind: 'system',
    search: deviceSearch,
    resourceOf: systemOf,
    passes: () => true,
    what: 'Systems that documents name as authors, by identifier',
  }),
];

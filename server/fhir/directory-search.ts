import type { Code } from '../domain/code.ts';
import { directoryId } from '../domain/directory.ts';
import { type Problem, problem } from '../domain/error.ts';
import { professionalAuthority, structureAuthority } from '../domain/people.ts';
import { searchOf } from './paged-search.ts';
import type { Results } from './result-parameters.ts';
import type { Parameter, ParameterTable } from './search.ts';
import { type Conditions, tokenRows } from './search-conditions.ts';
import { alternatives, readIdentifier, readToken, unescaped } from './search-values.ts';
import { identifierTypes, uris } from './vocabulary.ts';

/** Whom a search names, by ids, and what is compared of specialties; absent: nothing is said of it. */
export type DirectoryAsked = Results &
  Conditions<readonly Code[]> & {
    readonly base: string;
    ids?: readonly string[];
    professional?: readonly string[];
    structure?: readonly string[];
  };
type Field = 'ids' | 'professional' | 'structure';
type Kind = Parameters<typeof directoryId>[0];
type Row = Parameter<DirectoryAsked>;

/** So many may be named at once. */
const most = 20;
const expected = `${most} at most`;

/** A row whose alternatives name ids; several parameters narrow each other. */
function naming(
  field: Field,
  type: Row['type'],
  what: string,
  idOf: (text: string, base: string) => string | undefined,
  documentation?: string,
): Row {
  return {
    type,
    documentation,
    read(value, asked, name): readonly Problem[] {
      const ids = alternatives(value).map((text) => idOf(text, asked.base));
      const known = ids.filter((id) => id !== undefined);
      if (known.length < ids.length || known.length > most)
        return [problem('parameterMalformed', { attribute: name, value, detail: `${what} is expected, ${expected}` })];
      const before = asked[field];
      asked[field] = before === undefined ? known : known.filter((id) => before.includes(id));
      return [];
    },
  };
}

/** The id of whom an identifier names; undefined for a value without system, which could be anybody's. */
function idNamed(kind: Kind): (text: string) => string | undefined {
  return (text) => {
    const { system, code } = readToken(text);
    if (kind === 'professional' && system === identifierTypes.rpps.system && code !== '')
      return directoryId(kind, { oid: professionalAuthority, value: `8${code}` });
    if (kind === 'structure' && system === uris && code.startsWith('urn:oid:'))
      return directoryId(kind, { value: code.slice(8) });
    const identifier = readIdentifier(text);
    return identifier && directoryId(kind, identifier);
  };
}

/** The id in a reference of this type. FHIR R4 search.html#reference. */
function idReferred(type: string): (text: string, base: string) => string | undefined {
  return (text, base) => {
    const plain = unescaped(text);
    const local = plain.startsWith(`${base}/`) ? plain.slice(base.length + 1) : plain;
    return idIn(local.startsWith(`${type}/`) ? local.slice(type.length + 1) : local);
  };
}

function idIn(text: string): string | undefined {
  return /^[A-Za-z0-9.-]{1,64}$/.test(text) ? text : undefined;
}

const byId: ParameterTable<DirectoryAsked> = {
  _id: naming('ids', 'token', 'an id', idIn, 'Ids: national numbers, or what an answer gave'),
};

function byIdentifier(kind: Kind, documentation: string): ParameterTable<DirectoryAsked> {
  return {
    ...byId,
    identifier: naming('ids', 'token', 'system|value', idNamed(kind), documentation),
  };
}

/** One end of a role. */
function ofEnd(kind: 'professional' | 'structure', name: string, type: string): ParameterTable<DirectoryAsked> {
  const referring = naming(kind, 'reference', `${type}/<id>`, idReferred(type), `${type}/<id>`);
  const described = `Identifier of the ${name}: urn:oid:<OID>|<value>`;
  const identified = naming(kind, 'token', 'system|value', idNamed(kind), described);
  const likewise = { ...identified, documentation: undefined };
  return {
    [name]: referring,
    [`${name}:${type}`]: { ...referring, documentation: undefined },
    [`${name}.identifier`]: identified,
    [`${name}:identifier`]: likewise,
    [`${name}:${type}.identifier`]: likewise,
  };
}

const common = { counted: 'always', sorts: ['_id'], includes: [], revIncludes: [] } as const;

export const practitionerSearch = searchOf<DirectoryAsked>({
  ...common,
  type: 'Practitioner',
  parameters: byIdentifier(
    'professional',
    `PS_IdNat under urn:oid:${professionalAuthority}, or RPPS under ${identifierTypes.rpps.system}`,
  ),
});

export const organizationSearch = searchOf<DirectoryAsked>({
  ...common,
  type: 'Organization',
  parameters: byIdentifier('structure', `Struct_IdNat under urn:oid:${structureAuthority}, or another identifier`),
});

export const deviceSearch = searchOf<DirectoryAsked>({
  ...common,
  type: 'Device',
  parameters: byIdentifier('system', 'urn:oid:<OID>|<value>'),
});

export const roleSearch = searchOf<DirectoryAsked>({
  ...common,
  type: 'PractitionerRole',
  parameters: {
    ...byId,
    ...ofEnd('professional', 'practitioner', 'Practitioner'),
    ...ofEnd('structure', 'organization', 'Organization'),
    ...tokenRows<readonly Code[]>('specialty', 'Specialty, by code or system|code', (specialties) => specialties),
  },
  includes: ['PractitionerRole:practitioner', 'PractitionerRole:organization'],
});

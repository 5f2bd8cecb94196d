import type { Authority, Identifier } from './identifier.ts';

/**
 * HL7 v2 XCN: a person as metadata names her. `nameType` is component 10 (`D` person, `U` system), `idType` component 13
 * (`IDNPS`, `NH`, `RI`). `rest` keeps every other component as written. IHE ITI TF-3 table 4.2.3.1.7-2; CI-SIS author fields.
 */
export type Xcn = {
  readonly id?: string;
  readonly family?: string;
  readonly given?: string;
  readonly second?: string;
  readonly suffix?: string;
  readonly prefix?: string;
  readonly degree?: string;
  readonly authority?: Authority;
  readonly nameType?: string;
  readonly idType?: string;
  readonly rest?: Readonly<Record<string, string>>;
};

/** HL7 v2 XON: an organisation. `idType` is component 7 (`IDNST`), `id` component 10. IHE ITI TF-3 table 4.2.3.1.7-2. */
export type Xon = {
  readonly name: string;
  readonly authority?: Authority;
  readonly idType?: string;
  readonly id?: string;
  readonly rest?: Readonly<Record<string, string>>;
};

/** HL7 v2 XTN: a telecommunication address. `address` is component 4 (e-mail), `unformatted` component 12. */
export type Xtn = {
  readonly use?: string;
  readonly type?: string;
  readonly address?: string;
  readonly country?: string;
  readonly area?: string;
  readonly number?: string;
  readonly unformatted?: string;
  readonly rest?: Readonly<Record<string, string>>;
};

/**
 * Who wrote a document or filed a submission set. Roles and specialties are texts, or `code^display^oid` as CI-SIS writes them, kept as received.
 * IHE ITI TF-3 4.2.3.1.4.
 */
export type Author = {
  readonly person?: Xcn;
  readonly institutions: readonly Xon[];
  readonly roles: readonly string[];
  readonly specialties: readonly string[];
  readonly telecommunications: readonly Xtn[];
};

/** One recipient: `XON|XCN|XTN`. IHE ITI TF-3 table 4.2.3.1.7-2. */
export type Recipient = { readonly organisation?: Xon; readonly person?: Xcn; readonly telecommunication?: Xtn };

/** One line of sourcePatientInfo, `PID-n|value`; the value is kept as received. IHE ITI TF-3 4.2.3.2.23. */
export type PidLine = { readonly field: number; readonly value: string };

/** OIDs under which France names its professionals, structures and codes them. CI-SIS annexe sources des données métiers. */
export const professionalAuthority = '1.2.250.1.71.4.2.1';
export const structureAuthority = '1.2.250.1.71.4.2.2';

type Names = Pick<Xcn, 'family' | 'given'>;

/** A professional by her national identifier (PS_IdNat). CI-SIS, author fields. */
export function professionalXcn(id: string, names: Names): Xcn {
  return { ...named(id, names), authority: { oid: professionalAuthority }, nameType: 'D', idType: 'IDNPS' };
}

/** A patient by an identifier of hers. CI-SIS, author fields. */
export function patientXcn({ value, oid }: Identifier, names: Names): Xcn {
  return { ...named(value, names), authority: { oid }, nameType: 'D', idType: 'NH' };
}

/** A system, by the name that its structure or this server knows it by. CI-SIS, author fields. */
export function systemXcn(id: string, family: string, authority?: Authority): Xcn {
  return { id, family, ...(authority && { authority }), nameType: 'U', idType: 'RI' };
}

/** A structure by its national identifier (Struct_IdNat). CI-SIS, author fields. */
export function structureXon(id: string, name: string): Xon {
  return { name, authority: { oid: structureAuthority }, idType: 'IDNST', id };
}

function named(id: string, { family, given }: Names): Xcn {
  return { id, ...(family !== undefined && { family }), ...(given !== undefined && { given }) };
}

/** Whether a person is named by one of these identifiers: by value and authority, never by a name. */
export function isOneOf(person: Xcn | undefined, identifiers: readonly Identifier[]): boolean {
  return identifiers.some(({ value, oid }) => person?.id === value && person.authority?.oid === oid);
}

/** The national identifiers of the professionals among authors (XCN.1 and 9). */
export function professionalsAmong(authors: readonly Author[]): string[] {
  return authors.flatMap(({ person }) =>
    person?.id !== undefined && person.authority?.oid === professionalAuthority ? [person.id] : [],
  );
}

/** The national identifiers of the structures for which authors write (XON.10). */
export function structuresAmong(authors: readonly Author[]): string[] {
  return authors
    .flatMap(({ institutions }) => institutions)
    .flatMap(({ id, authority }) => (id !== undefined && authority?.oid === structureAuthority ? [id] : []));
}

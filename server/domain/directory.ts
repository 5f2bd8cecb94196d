import { hash } from 'node:crypto';
import { type Code, codeInText } from './code.ts';
import type { DocumentEntry } from './document.ts';
import { type Identifier, isOid } from './identifier.ts';
import { insOids } from './ins.ts';
import { type Author, professionalAuthority, structureAuthority, type Xcn, type Xon } from './people.ts';

/**
 * What documents say of a professional, a structure or a system, and of a professional at a structure: names and identifiers alone, of no
 * patient and no document. `role` is named by the ids of its two ends; what somebody was to the patient of a document is left out.
 */
export type DirectoryEntry =
  | { readonly kind: 'professional'; readonly id: string; readonly person: Xcn }
  | { readonly kind: 'system'; readonly id: string; readonly person: Xcn }
  | { readonly kind: 'structure'; readonly id: string; readonly organisation: Xon }
  | {
      readonly kind: 'role';
      readonly id: string;
      readonly professional: string;
      readonly structure: string;
      readonly specialties: readonly Code[];
    };
export type DirectoryKind = DirectoryEntry['kind'];
export type Said<K extends DirectoryKind> = Extract<DirectoryEntry, { readonly kind: K }>;

/** An identifier in the directory; a structure may be named by an OID alone, which is then the value. */
export type Named = { readonly value: string; readonly oid?: string };

const longest = 63;
const plain = /^[A-Za-z0-9.-]+$/;

/**
 * The id of whoever has this identifier, the same for ever: the national number itself for professionals and structures, for others a digest.
 * At most 64 characters of FHIR's id.
 */
export function directoryId(kind: Exclude<DirectoryKind, 'role'>, { value, oid = '' }: Named): string {
  const isNational = oid === (kind === 'professional' ? professionalAuthority : structureAuthority);
  return isNational && kind !== 'system' ? short(value) : digest([kind, oid, value]);
}

/** The id of a professional at a structure. */
export function roleId(professional: string, structure: string): string {
  return short(`${professional}-${structure}`);
}

function short(text: string): string {
  return text.length <= longest && plain.test(text) ? text : digest([text]);
}

function digest(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex');
}

/**
 * Whether whoever the document names beside the patient is no patient by any sign: every author stands with an institution (one without is the
 * patient or a relative), and nobody is named by an authority that names the patient in it. Of any other document nothing is anybody else's to know.
 */
export function isOfProfessionals({ authors, legalAuthenticator, patientId, sourcePatientId }: Naming): boolean {
  const ofPatient = [patientId.authority.oid, sourcePatientId.authority.oid];
  const isPatients = (one: Xcn | Xon | undefined) =>
    one?.authority?.oid !== undefined && ofPatient.includes(one.authority.oid);
  return (
    !isPatients(legalAuthenticator) &&
    authors.every(
      ({ person, institutions }) =>
        institutions.length > 0 && !isPatients(person) && !institutions.some((institution) => isPatients(institution)),
    )
  );
}

type Naming = Pick<DocumentEntry, 'authors' | 'legalAuthenticator' | 'patientId' | 'sourcePatientId'>;

/** What a document says of its authors and its legal authenticator. */
export function directoryEntriesOf(entry: DocumentEntry): DirectoryEntry[] {
  if (!isOfProfessionals(entry)) return [];
  const { authors, legalAuthenticator } = entry;
  return [...(legalAuthenticator ? entriesOfPerson(legalAuthenticator) : []), ...authors.flatMap(entriesOfAuthor)];
}

/** What is said of one author, each thing once. */
export function entriesOfAuthor({ person, institutions, specialties }: Author): DirectoryEntry[] {
  const persons = person === undefined ? [] : entriesOfPerson(person);
  const structures = institutions.flatMap(entryOfInstitution);
  const professional = persons.find(({ kind }) => kind === 'professional');
  const held =
    professional === undefined
      ? []
      : structures.map(
          ({ id }): DirectoryEntry => ({
            kind: 'role',
            id: roleId(professional.id, id),
            professional: professional.id,
            structure: id,
            specialties: codesIn(specialties),
          }),
        );
  return [...persons, ...structures, ...held];
}

/** Numbers of the public registers of professionals: RPPS and ADELI. Those of employees (CPE) are their employer's and stand in none. */
const publicNumber = /^(8\d{11}|0[0-9A-Z]{9})$/;

/** A person of a public register, or a system; nobody else. CI-SIS, PS_IdNat; XCN of authors. */
export function entriesOfPerson(person: Xcn): DirectoryEntry[] {
  const { id, authority, nameType, idType } = person;
  const oid = authority?.oid;
  if (id === undefined || oid === undefined || isOfPatients(oid)) return [];
  if (nameType === 'U' || idType === 'RI') {
    const { family } = person;
    const system: Xcn = {
      id,
      ...(family !== undefined && { family }),
      authority: { oid },
      nameType: 'U',
      idType: 'RI',
    };
    return [{ kind: 'system', id: directoryId('system', { value: id, oid }), person: system }];
  }
  if (oid !== professionalAuthority || idType === 'NH' || !publicNumber.test(id)) return [];
  return [{ kind: 'professional', id: directoryId('professional', { value: id, oid }), person: named(person) }];
}

/** Identifier and name of a person, and nothing that a sender may have written besides. */
function named({ id = '', family, given, second, prefix, suffix }: Xcn): Xcn {
  return {
    id,
    ...(family !== undefined && { family }),
    ...(given !== undefined && { given }),
    ...(given !== undefined && second !== undefined && { second }),
    ...(suffix !== undefined && { suffix }),
    ...(prefix !== undefined && { prefix }),
    authority: { oid: professionalAuthority },
    nameType: 'D',
    idType: 'IDNPS',
  };
}

function entryOfInstitution({ name, id, authority }: Xon): DirectoryEntry[] {
  const oid = authority?.oid;
  if (id === undefined || (oid === undefined && !isOid(id))) return [];
  if (oid === professionalAuthority || isOfPatients(oid ?? '')) return [];
  const organisation: Xon = {
    name,
    ...(oid !== undefined && { authority: { oid } }),
    ...(oid === structureAuthority && { idType: 'IDNST' }),
    id,
  };
  const identifier = { value: id, ...(oid !== undefined && { oid }) };
  return [{ kind: 'structure', id: directoryId('structure', identifier), organisation }];
}

/** The authority that gave the identifier of an entry, where it is no national one: it may be one that names patients too. */
export function localAuthorityOf(entry: DirectoryEntry): string | undefined {
  if (entry.kind === 'role' || entry.kind === 'professional') return undefined;
  const { authority } = 'organisation' in entry ? entry.organisation : entry.person;
  return authority?.oid === structureAuthority ? undefined : authority?.oid;
}

const ofPatients: ReadonlySet<Identifier['oid']> = new Set(Object.values(insOids).flat());

function isOfPatients(oid: string): boolean {
  return ofPatients.has(oid);
}

/** Free text may say anything, of anybody. */
function codesIn(texts: readonly string[]): Code[] {
  return texts.flatMap((text) => codeInText(text) ?? []);
}

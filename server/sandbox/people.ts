import type { SystemRight } from '../domain/actor.ts';
import { systemRights } from '../domain/actor.ts';

/** A professional with a card. `idNat` is a PS_IdNat, `profession` TRE_G15 (a role of TRE_A00 for a CPE), `specialty` TRE_R01 (TRE_G05 for pharmacists). */
export type SandboxProfessional = {
  readonly slug: string;
  readonly kind: 'professional';
  readonly display: string;
  readonly family: string;
  readonly given: string;
  readonly idNat: string;
  readonly structIdNat: string;
  readonly profession: string;
  readonly specialty?: string;
  readonly card: 'CPS' | 'CPE';
};

/** A structure, with or without a certificate of its own. `sector` is TRE_R02, `setting` TRE_A01; `employee` uses the certificate. */
export type SandboxStructure = {
  readonly slug: string;
  readonly kind: 'structure';
  readonly display: string;
  readonly structIdNat: string;
  readonly sector: string;
  readonly setting: 'AMBULATOIRE' | 'ETABLISSEMENT' | 'SAMU_SMUR';
  readonly employee: {
    readonly id: string;
    readonly family: string;
    readonly given: string;
    readonly profession: string;
    readonly specialty?: string;
  };
};

/** A holder. `ins` is the 15-character matricule, `insC` the INS-C that the carte Vitale gave before 2019. */
export type SandboxPatient = {
  readonly slug: string;
  readonly kind: 'patient';
  readonly display: string;
  readonly family: string;
  readonly given: string;
  readonly gender: 'male' | 'female';
  readonly birthDate: string;
  readonly birthPlace: string;
  readonly ins: string;
  readonly insOid: string;
  readonly insCx: string;
  readonly insC?: string;
  readonly record: 'none' | 'open' | 'closed';
};

/** A legal representative; `of` is the slug of the minor, `relation` a code of HL7 PersonalRelationshipRoleType. */
export type SandboxRepresentative = {
  readonly slug: string;
  readonly kind: 'representative';
  readonly display: string;
  readonly family: string;
  readonly given: string;
  readonly ins: string;
  readonly insOid: string;
  readonly insCx: string;
  readonly of: string;
  readonly relation: string;
};

/** A partner's system; the certificate is of the structure that operates it. */
export type SandboxSystem = {
  readonly slug: string;
  readonly kind: 'system';
  readonly display: string;
  readonly id: string;
  readonly structIdNat: string;
  readonly rights: readonly SystemRight[];
};

export type SandboxPerson =
  | SandboxProfessional
  | SandboxStructure
  | SandboxPatient
  | SandboxRepresentative
  | SandboxSystem;

/** A place of practice without a certificate: it only appears on its professionals' cards. */
export type Practice = Pick<SandboxStructure, 'structIdNat' | 'display' | 'sector' | 'setting'>;

/** The INS OID of test identities (INS-NIR test). */
export const testInsOid = '1.2.250.1.213.1.4.10';

const insOf = (ins: string) => ({ ins, insOid: testInsOid, insCx: `${ins}^^^&${testInsOid}&ISO^NH` });

/** Every invented person of the sandbox: RPPS begin with 9997, INS are under the test OID. */
export const people: readonly SandboxPerson[] = [
  {
    slug: 'dr-martin',
    kind: 'professional',
    display: 'Dr Hélène MARTIN, médecin généraliste',
    family: 'MARTIN',
    given: 'Hélène',
    idNat: '899970000016',
    structIdNat: '499970000016001',
    profession: '10',
    specialty: 'SM26',
    card: 'CPS',
  },
  {
    slug: 'dr-nguyen',
    kind: 'professional',
    display: 'Dr Minh NGUYEN, cardiologue',
    family: 'NGUYEN',
    given: 'Minh',
    idNat: '899970000024',
    structIdNat: '499970000024001',
    profession: '10',
    specialty: 'SM04',
    card: 'CPS',
  },
  {
    slug: 'dr-leroy',
    kind: 'professional',
    display: 'Dr Antoine LEROY, médecine interne, Hôpital Nord',
    family: 'LEROY',
    given: 'Antoine',
    idNat: '899970000032',
    structIdNat: '1990000010',
    profession: '10',
    specialty: 'SM27',
    card: 'CPS',
  },
  {
    slug: 'dr-roux',
    kind: 'professional',
    display: 'Dr Camille ROUX, médecin du travail',
    family: 'ROUX',
    given: 'Camille',
    idNat: '899970000040',
    structIdNat: '1990000051',
    profession: '10',
    specialty: 'SM25',
    card: 'CPS',
  },
  {
    slug: 'dr-bernard',
    kind: 'professional',
    display: 'Dr Julien BERNARD, médecin régulateur, SAMU Centre 15',
    family: 'BERNARD',
    given: 'Julien',
    idNat: '899970000057',
    structIdNat: '1990000044',
    profession: '10',
    specialty: 'SM59',
    card: 'CPS',
  },
  {
    slug: 'inf-petit',
    kind: 'professional',
    display: 'Nadia PETIT, infirmière',
    family: 'PETIT',
    given: 'Nadia',
    idNat: '899970000065',
    structIdNat: '499970000065001',
    profession: '60',
    card: 'CPS',
  },
  {
    slug: 'pharm-durand',
    kind: 'professional',
    display: 'Paul DURAND, pharmacien',
    family: 'DURAND',
    given: 'Paul',
    idNat: '899970000073',
    structIdNat: '1990000069',
    profession: '21',
    specialty: 'A',
    card: 'CPS',
  },
  {
    slug: 'sec-moreau',
    kind: 'professional',
    display: 'Julie MOREAU, secrétaire médicale du cabinet MARTIN',
    family: 'MOREAU',
    given: 'Julie',
    idNat: '699970000016/0101',
    structIdNat: '499970000016001',
    profession: 'SECRETARIAT_MEDICAL',
    card: 'CPE',
  },
  {
    slug: 'hopital-nord',
    kind: 'structure',
    display: 'Hôpital Nord',
    structIdNat: '1990000010',
    sector: 'SA01',
    setting: 'ETABLISSEMENT',
    employee: { id: '00B1020001', family: 'FONTAINE', given: 'Marc', profession: '10', specialty: 'SM27' },
  },
  {
    slug: 'labo-centre',
    kind: 'structure',
    display: 'Laboratoire du Centre',
    structIdNat: '1990000028',
    sector: 'SA25',
    setting: 'AMBULATOIRE',
    employee: { id: '00B1020002', family: 'LEFEBVRE', given: 'Anne', profession: '10', specialty: 'SM03' },
  },
  {
    slug: 'radio-ouest',
    kind: 'structure',
    display: 'Imagerie médicale de l’Ouest',
    structIdNat: '1990000036',
    sector: 'SA08',
    setting: 'AMBULATOIRE',
    employee: { id: '00B1020003', family: 'GAUTHIER', given: 'Luc', profession: '10', specialty: 'SM44' },
  },
  {
    slug: 'samu-15',
    kind: 'structure',
    display: 'SAMU Centre 15',
    structIdNat: '1990000044',
    sector: 'SA01',
    setting: 'SAMU_SMUR',
    employee: { id: '00B1020004', family: 'ROBIN', given: 'Claire', profession: '10', specialty: 'SM59' },
  },
  {
    slug: 'regie',
    kind: 'system',
    display: 'Régie de l’exploitant',
    id: '1.2.250.1.999.1.1',
    structIdNat: '1990000077',
    rights: systemRights,
  },
  {
    slug: 'laurent',
    kind: 'patient',
    display: 'Michel LAURENT, 1961',
    family: 'LAURENT',
    given: 'MICHEL',
    gender: 'male',
    birthDate: '1961-05-14',
    birthPlace: '35238',
    ...insOf('161053523812385'),
    insC: '0123609568591758810929',
    record: 'open',
  },
  {
    slug: 'casanova',
    kind: 'patient',
    display: 'Maria CASANOVA, 1974, née en Corse',
    family: 'CASANOVA',
    given: 'MARIA',
    gender: 'female',
    birthDate: '1974-09-18',
    birthPlace: '2B033',
    ...insOf('274092B03304538'),
    insC: '1251034610083706982912',
    record: 'open',
  },
  {
    slug: 'garnier',
    kind: 'patient',
    display: 'Thomas GARNIER, 1991, sans dossier',
    family: 'GARNIER',
    given: 'THOMAS',
    gender: 'male',
    birthDate: '1991-02-03',
    birthPlace: '13055',
    ...insOf('191021305507840'),
    record: 'none',
  },
  {
    slug: 'faure',
    kind: 'patient',
    display: 'Nicole FAURE, 1948, dossier fermé',
    family: 'FAURE',
    given: 'NICOLE',
    gender: 'female',
    birthDate: '1948-06-27',
    birthPlace: '69123',
    ...insOf('248066912301134'),
    insC: '0741139770891086475677',
    record: 'closed',
  },
  {
    slug: 'blanc',
    kind: 'patient',
    display: 'Juliette BLANC, 1988, bloque le Dr NGUYEN',
    family: 'BLANC',
    given: 'JULIETTE',
    gender: 'female',
    birthDate: '1988-01-11',
    birthPlace: '75114',
    ...insOf('288017511423611'),
    record: 'open',
  },
  {
    slug: 'girard',
    kind: 'patient',
    display: 'Bernard GIRARD, 1955, opposé au bris de glace et au centre 15',
    family: 'GIRARD',
    given: 'BERNARD',
    gender: 'male',
    birthDate: '1955-11-30',
    birthPlace: '59350',
    ...insOf('155115935006418'),
    insC: '1489992139686440779991',
    record: 'open',
  },
  {
    slug: 'henry',
    kind: 'patient',
    display: 'Antoine HENRY, 1979, documents masqués aux professionnels',
    family: 'HENRY',
    given: 'ANTOINE',
    gender: 'male',
    birthDate: '1979-04-22',
    birthPlace: '31555',
    ...insOf('179043155510288'),
    record: 'open',
  },
  {
    slug: 'masson',
    kind: 'patient',
    display: 'Isabelle MASSON, 1967, un document attend sa consultation d’annonce',
    family: 'MASSON',
    given: 'ISABELLE',
    gender: 'female',
    birthDate: '1967-10-08',
    birthPlace: '33063',
    ...insOf('267103306308720'),
    insC: '0619138073831294065204',
    record: 'open',
  },
  {
    slug: 'lea-morel',
    kind: 'patient',
    display: 'Léa MOREL, 2014, mineure',
    family: 'MOREL',
    given: 'LEA',
    gender: 'female',
    birthDate: '2014-03-09',
    birthPlace: '35238',
    ...insOf('214033523805546'),
    record: 'open',
  },
  {
    slug: 'sophie-morel',
    kind: 'representative',
    display: 'Sophie MOREL, mère de Léa',
    family: 'MOREL',
    given: 'SOPHIE',
    ...insOf('285074410913185'),
    of: 'lea-morel',
    relation: 'MTH',
  },
];

const practices: readonly Practice[] = [
  { structIdNat: '499970000016001', display: 'Cabinet médical des Tilleuls', sector: 'SA07', setting: 'AMBULATOIRE' },
  { structIdNat: '499970000024001', display: 'Cabinet de cardiologie du Parc', sector: 'SA07', setting: 'AMBULATOIRE' },
  { structIdNat: '1990000051', display: 'Santé au travail du Port', sector: 'SA13', setting: 'AMBULATOIRE' },
  { structIdNat: '499970000065001', display: 'Cabinet infirmier du Canal', sector: 'SA07', setting: 'AMBULATOIRE' },
  { structIdNat: '1990000069', display: 'Pharmacie de la Gare', sector: 'SA33', setting: 'AMBULATOIRE' },
];

/** The person of that slug. */
export function personOf(slug: string): SandboxPerson | undefined {
  return people.find((p) => p.slug === slug);
}

/** The holder of that slug, or the one whose matricule it is. */
export function patientOf(slugOrIns: string): SandboxPatient | undefined {
  return people.find((p): p is SandboxPatient => p.kind === 'patient' && (p.slug === slugOrIns || p.ins === slugOrIns));
}

/** Where a professional or a structure works. */
export function practiceOf({ structIdNat }: { readonly structIdNat: string }): Practice | undefined {
  return [...practices, ...people.filter((p) => p.kind === 'structure')].find((s) => s.structIdNat === structIdNat);
}

/** Struct_IdNat of the sandbox's centre 15. */
export const sandboxCentres: readonly string[] = people.flatMap((p) =>
  p.kind === 'structure' && p.setting === 'SAMU_SMUR' ? [p.structIdNat] : [],
);

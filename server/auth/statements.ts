import type { Certificate } from '../crypto/certificate.ts';
import type { Actor, Caller } from '../domain/actor.ts';
import { readCx } from '../domain/hl7v2.ts';
import type { Identifier } from '../domain/identifier.ts';
import { type System, systemActor } from '../domain/system.ts';
import { type Holder, holderOf } from './card.ts';
import { NotIdentified } from './credentials.ts';
import { makeSystemOf } from './system-certificates.ts';
import {
  accessModeSystem,
  modeOf,
  otherRoleSystem,
  professionSystem,
  secretSession,
  specialtySystems,
  vihf,
} from './vocabulary.ts';

/** The attributes of a VIHF, in whatever syntax they came. */
export type Statements = {
  /** The one text of an attribute, trimmed; undefined when it is absent or blank. Names are compared without case. */
  readonly text: (name: string) => string | undefined;
  /** The one code that an element of that attribute has in one of the systems. */
  readonly coded: (name: string, local: string, systems: readonly string[]) => string | undefined;
};

/** Whom a signing certificate belongs to; a listed system's is nobody else's. */
export type Signer = { readonly holder: Holder; readonly system?: System; readonly activities?: Activities };

/** In which structures professionals work, by national id. */
export type Activities = ReadonlyMap<string, readonly string[]>;

/** Reads the signer of a certificate, once for each. */
export function makeSignerOf(
  systems: readonly System[],
  activities: Activities = new Map(),
): (certificate: Certificate) => Signer {
  const seen = new WeakMap<Certificate, Signer>();
  const systemOf = makeSystemOf(systems);
  return (certificate) => {
    const known = seen.get(certificate);
    if (known !== undefined) return known;
    const holder = holderOf(certificate);
    const system = systemOf(certificate, holder);
    const signer = { holder, activities, ...(system && { system }) };
    seen.set(certificate, signer);
    return signer;
  };
}

/**
 * The meaning of a verified VIHF: `nameId` is its subject, `signer` who signed it. CI-SIS Transport Synchrone, VIHF 2.0, 3.0 and 4.0.
 * @throws NotIdentified
 */
export function callerOfStatements(stated: Statements, nameId: string, signer: Signer): Omit<Caller, 'credential'> {
  const version = required(stated, 'VIHF_Version');
  if (!['2.0', '3.0', '4.0'].includes(version)) throw new NotIdentified('version of the VIHF not known');
  if ((stated.text('Ressource_URN') ?? 'urn:dmp') !== 'urn:dmp') throw new NotIdentified('made for another service');
  const purpose = stated.coded(vihf.purposeOfUse, 'PurposeOfUse', [accessModeSystem]);
  const mode = modeOf(purpose ?? '');
  if (mode === undefined) throw new NotIdentified('purpose of use not known');
  const patient = patientOf(stated.text(vihf.resourceId));
  const reason = stated.text('Mode_Acces_Raison');
  const software = softwareOf(stated);
  return {
    actor: actorOf(nameId, stated, signer),
    mode,
    ...(reason !== undefined && { reason }),
    ...(patient && { patient }),
    secret: secretOf(stated.text(vihf.confidentiality)),
    ...(software && { software }),
  };
}

/** A session that is meant to be secret is never taken for another because it is written otherwise. */
function secretOf(code: string | undefined): boolean {
  if (code !== undefined && code !== secretSession) throw new NotIdentified('confidentiality code not known');
  return code === secretSession;
}

function required(stated: Statements, name: string): string {
  const value = stated.text(name);
  if (value === undefined) throw new NotIdentified(`attribute ${name} missing`);
  return value;
}

function actorOf(nameId: string, stated: Statements, { holder, system, activities }: Signer): Actor {
  if (nameId === '') throw new NotIdentified('no NameID');
  const structure = required(stated, 'Identifiant_Structure');
  const name = stated.text(vihf.subjectId) ?? nameId;
  switch (required(stated, 'Authentification_mode')) {
    case 'DIRECTE': {
      if (holder.kind !== 'person' || holder.id !== nameId) throw new NotIdentified('NameID is not of the card');
      if (holder.structures.length > 0 && !holder.structures.includes(structure))
        throw new NotIdentified('structure is not that of the card');
      const role = roleOf(stated);
      if (holder.card === 'CPE' && role.card === 'CPS') throw new NotIdentified('profession claimed with a CPE');
      if (!holder.allows(role.profession)) throw new NotIdentified('another profession than on the card');
      const works = [...holder.structures, ...(activities?.get(nameId) ?? [])].includes(structure);
      const proven = works || isOwnPractice(structure, nameId);
      return {
        kind: 'professional',
        id: nameId,
        name,
        ...role,
        structure: { id: structure, ...(!proven && { claimed: true }) },
      };
    }
    case 'INDIRECTE': {
      const own = ownStructure(holder, structure);
      if (system !== undefined) return systemActor(system);
      return { kind: 'structure', structure: own, employee: { id: nameId, name } };
    }
    case 'INDIRECTE_RENFORCEE': {
      const own = ownStructure(holder, structure);
      if (system !== undefined) throw new NotIdentified('a professional by the certificate of a system');
      if (!/^(8\d{11}|0\d{9})$/.test(nameId)) throw new NotIdentified('NameID is no national id');
      return { kind: 'air', id: nameId, name, ...roleOf(stated), structure: own };
    }
    default:
      throw new NotIdentified('mode of authentication not known');
  }
}

/** A practice is numbered by whose it is: 4 and RPPS, 0 and ADELI, then a rank. DMP, Struct_IdNat. */
function isOwnPractice(structure: string, nameId: string): boolean {
  const prefix = nameId.startsWith('8') ? `4${nameId.slice(1)}` : nameId;
  return /^(8\d{11}|0\d{9})$/.test(nameId) && structure.startsWith(prefix);
}

function ownStructure(holder: Holder, claimed: string) {
  if (holder.kind !== 'organisation') throw new NotIdentified('not the certificate of an organisation');
  if (!holder.structures.includes(claimed)) throw new NotIdentified('structure is not that of the certificate');
  return { id: claimed, ...(holder.name !== undefined && { name: holder.name }) };
}

/** One profession and, for doctors and pharmacists, its savoir-faire; or one of the other roles, which makes the card a CPE. */
function roleOf(stated: Statements) {
  const name = vihf.role;
  const other = stated.coded(name, 'Role', [otherRoleSystem]);
  const profession = stated.coded(name, 'Role', [professionSystem]);
  const specialty = stated.coded(name, 'Role', specialtySystems);
  if (other !== undefined && profession === undefined) return { card: 'CPE', profession: other } as const;
  if (profession === undefined || other !== undefined) throw new NotIdentified('no role, or roles that contradict');
  if (specialty === undefined && (profession === '10' || profession === '21'))
    throw new NotIdentified('doctor or pharmacist without savoir-faire');
  return { card: 'CPS', profession, ...(specialty !== undefined && { specialty }) } as const;
}

function patientOf(cx: string | undefined): Identifier | undefined {
  if (cx === undefined) return undefined;
  const read = readCx(cx);
  if (read?.authority.oid === undefined) throw new NotIdentified('resource-id malformed');
  return { value: read.id, oid: read.authority.oid };
}

function softwareOf(stated: Statements): Caller['software'] {
  const name = stated.text('LPS_Nom');
  const version = stated.text('LPS_Version');
  const id = stated.text('LPS_ID_HOMOLOGATION_DMP') ?? stated.text('LPS_ID');
  if (name === undefined) return undefined;
  return { name, ...(version !== undefined && { version }), ...(id !== undefined && { id }) };
}

/** An attribute may be repeated; saying two different things it says nothing. */
export function only(name: string, values: readonly string[]): string | undefined {
  const different = new Set(values.filter((value) => value !== ''));
  if (different.size > 1) throw new NotIdentified(`attribute ${name} with different values`);
  return different.values().next().value;
}

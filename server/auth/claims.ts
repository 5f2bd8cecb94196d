import { z } from 'zod';
import { type Actor, type Caller, patientOfActor, systemRights } from '../domain/actor.ts';
import { readCx } from '../domain/hl7v2.ts';
import type { Identifier } from '../domain/identifier.ts';
import { clientOf, type System, systemActor } from '../domain/system.ts';
import { NotIdentified } from './credentials.ts';
import {
  accessModeSystem,
  modeOf,
  otherRoleSystem,
  professionSystem,
  roleValueSet,
  specialtySystems,
} from './vocabulary.ts';

const text = z.string().trim().min(1);
/** Issuers write null or nothing for what they do not know. */
const said = z
  .string()
  .trim()
  .nullish()
  .transform((value) => (value === null || value === '' ? undefined : value));
const coding = z.object({ system: text, code: text });
const codings = z.array(coding).default([]);

/**
 * Claims as Pro Santé Connect and IHE IUA (3.71.4.2.2.1) name them; `opendmp` says who acts when it is no professional in person, and
 * what of an assertion has no name there. The `rights` of a system can only take away from those granted to it.
 */
const claims = z.object({
  iss: text,
  sub: text,
  jti: text,
  client_id: text,
  scope: z.string(),
  SubjectNameID: said,
  SubjectRole: z.array(text).default([]),
  SubjectRefPro: z
    .object({ exercices: z.array(z.object({ codeProfession: said, codeSavoirFaire: said })).default([]) })
    .nullish(),
  Mode_Acces_Raison: said,
  extensions: z
    .object({
      ihe_iua: z
        .object({
          subject_name: said,
          subject_organization: said,
          subject_organization_id: said,
          subject_role: codings,
          purpose_of_use: codings,
          person_id: said,
        })
        .prefault({}),
      opendmp: z
        .object({
          kind: z.enum(['patient', 'representative', 'system', 'structure', 'air']).optional(),
          secret: z.boolean().default(false),
          software: z.object({ name: text, version: said, id: said }).optional(),
          ins: said,
          of: said,
          rights: z.array(z.enum(systemRights)).optional(),
        })
        .optional(),
    })
    .prefault({}),
});

type Claims = z.infer<typeof claims>;

/**
 * The caller of a token whose signature, issuer, audience and time were found good. A system is one of those listed.
 * @param scoped whether the token's scopes limit what its software may ask for
 * @throws NotIdentified when the claims name nobody, or contradict each other
 */
export function callerOfClaims(payload: unknown, systems: readonly System[], scoped: boolean): Caller {
  const read = claims.safeParse(payload);
  if (!read.success)
    throw new NotIdentified(`claims malformed: ${read.error.issues.map((i) => i.path.join('.')).join(', ')}`);
  const { data } = read;
  const { person_id: person, purpose_of_use: purposes } = data.extensions.ihe_iua;
  const mode = modeOf(only('purpose_of_use', codesOf(purposes, [accessModeSystem])) ?? 'normal');
  if (mode === undefined) throw new NotIdentified('purpose of use not known');
  const reason = data.Mode_Acces_Raison;
  const actor = actorOf(data, systems);
  const patient = person === undefined ? patientOfActor(actor) : identifierOf('person_id', person);
  return {
    actor,
    mode,
    ...(reason !== undefined && { reason }),
    ...(patient && { patient }),
    secret: data.extensions.opendmp?.secret ?? false,
    software: softwareOf(data),
    ...(scoped && { scopes: data.scope.split(' ').filter((one) => one !== '') }),
    credential: { kind: 'token', id: data.jti, issuer: data.iss },
  };
}

function softwareOf({ client_id, extensions }: Claims): NonNullable<Caller['software']> {
  const { name, version, id } = extensions.opendmp?.software ?? { name: client_id };
  return { name, ...(version !== undefined && { version }), ...(id !== undefined && { id }) };
}

function actorOf(data: Claims, systems: readonly System[]): Actor {
  const { opendmp, ihe_iua: iua } = data.extensions;
  const id = data.SubjectNameID ?? data.sub;
  const name = iua.subject_name ?? id;
  switch (opendmp?.kind) {
    case undefined:
      return isClientItself(data) ? systemOf(data, systems) : professionalOf(data);
    case 'patient':
      return { kind: 'patient', ins: identifierOf('ins', opendmp.ins), name };
    case 'representative':
      return { kind: 'representative', id: data.sub, name, of: identifierOf('of', opendmp.of) };
    case 'system':
      return systemOf(data, systems);
    case 'air': {
      const { structure, ...professional } = professionalOf(data);
      if (structure === undefined) throw new NotIdentified('structure without subject_organization_id');
      return { ...professional, kind: 'air', structure };
    }
    case 'structure': {
      const structure = structureOf(data);
      if (structure === undefined) throw new NotIdentified('structure without subject_organization_id');
      const employee = id === structure.id ? undefined : { id, name };
      return { kind: 'structure', structure, ...(employee && { employee }) };
    }
  }
}

/** A token that nobody but the client is the subject of. RFC 9068 §2.2 (client credentials). */
function isClientItself({ sub, client_id: client, SubjectNameID: person }: Claims): boolean {
  return person === undefined && sub === client;
}

type Professional = Extract<Actor, { kind: 'professional' | 'air' }>;

function systemOf({ sub, extensions }: Claims, systems: readonly System[]): Actor {
  const system = systems.find((listed) => clientOf(listed) === sub);
  if (system === undefined) throw new NotIdentified('system that is not listed');
  return systemActor(system, extensions.opendmp?.rights);
}

function professionalOf(data: Claims): Professional {
  const { SubjectNameID: id, SubjectRefPro: activities } = data;
  if (id === undefined) throw new NotIdentified('professional without SubjectNameID');
  const roles = rolesOf(data);
  const profession = only('SubjectRole', codesOf(roles, [professionSystem]));
  const other = only('subject_role', codesOf(roles, [otherRoleSystem]));
  const named = profession ?? other;
  if (named === undefined || (profession !== undefined && other !== undefined))
    throw new NotIdentified('no role, or roles that contradict');
  const practised = (activities?.exercices ?? [])
    .filter(({ codeProfession }) => (codeProfession ?? named) === named)
    .flatMap(({ codeSavoirFaire }) => codeSavoirFaire ?? []);
  const specialty = codesOf(roles, specialtySystems)[0] ?? practised[0];
  const structure = structureOf(data);
  return {
    kind: 'professional',
    id,
    name: data.extensions.ihe_iua.subject_name ?? id,
    card: other === undefined ? 'CPS' : 'CPE',
    profession: named,
    ...(specialty !== undefined && { specialty }),
    ...(structure && { structure }),
  };
}

/** SubjectRole writes `code^value set`, whose numbers are professions; IUA a Coding. */
function rolesOf({ SubjectRole, extensions }: Claims): z.infer<typeof coding>[] {
  const written = SubjectRole.map((role) => {
    const [code = '', system = ''] = role.split('^');
    if (system !== roleValueSet) return { code, system };
    return { code, system: /^\d+$/.test(code) ? professionSystem : otherRoleSystem };
  });
  return [...written, ...extensions.ihe_iua.subject_role];
}

function structureOf({ extensions: { ihe_iua: iua } }: Claims) {
  const { subject_organization_id: id, subject_organization: name } = iua;
  return id === undefined ? undefined : { id, ...(name !== undefined && { name }) };
}

function codesOf(list: readonly z.infer<typeof coding>[], systems: readonly string[]): string[] {
  return list.flatMap(({ system, code }) => (systems.includes(system.replace(/^urn:oid:/, '')) ? [code] : []));
}

function only(name: string, values: readonly string[]): string | undefined {
  const different = new Set(values);
  if (different.size > 1) throw new NotIdentified(`${name} with different values`);
  return different.values().next().value;
}

function identifierOf(name: string, cx: string | undefined): Identifier {
  const read = cx === undefined ? undefined : readCx(cx);
  if (read?.authority.oid === undefined) throw new NotIdentified(`${name} malformed`);
  return { value: read.id, oid: read.authority.oid };
}

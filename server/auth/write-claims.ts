import type { Caller, Mode } from '../domain/actor.ts';
import type { Identifier } from '../domain/identifier.ts';
import {
  accessModeSystem,
  codeOfMode,
  otherRoleSystem,
  professionSystem,
  roleValueSet,
  specialtySystems,
} from './vocabulary.ts';

/** Who acts and how, as a token says it; the software is the client unless the caller names another. */
export type Said = Pick<Caller, 'actor' | 'mode' | 'reason' | 'patient' | 'secret' | 'software'>;

/**
 * The claims of our own tokens: what `callerOfClaims` reads again as the same caller. `sub` names the account. IHE ITI-71 3.71.4.2.2.1;
 * professionals as Pro Santé Connect names them. A structure that is only claimed is not said: nobody could tell it from a proven one.
 */
export function claimsOfCaller({ actor, mode, reason, patient, secret, software }: Said) {
  const { sub, professional = {}, iua = {}, opendmp = {} } = subjectOf(actor);
  const own = { ...opendmp, ...(secret && { secret }), ...(software && { software }) };
  return {
    sub,
    ...professional,
    ...(reason !== undefined && { Mode_Acces_Raison: reason }),
    extensions: {
      ihe_iua: {
        ...iua,
        purpose_of_use: [purposeOf(mode)],
        ...(patient && { person_id: cxOf(patient) }),
      },
      ...(Object.keys(own).length > 0 && { opendmp: own }),
    },
  };
}

type Subject = {
  readonly sub: string;
  readonly professional?: Readonly<Record<string, unknown>>;
  readonly iua?: Readonly<Record<string, unknown>>;
  readonly opendmp?: Readonly<Record<string, unknown>>;
};

function subjectOf(actor: Caller['actor']): Subject {
  switch (actor.kind) {
    case 'professional':
    case 'air':
      return professionalOf(actor);
    case 'structure': {
      const { structure, employee } = actor;
      return {
        sub: structure.id,
        professional: { SubjectNameID: employee?.id ?? structure.id },
        iua: { ...(employee && { subject_name: employee.name }), ...organisationOf(structure) },
        opendmp: { kind: 'structure' },
      };
    }
    case 'patient':
      return {
        sub: actor.ins.value,
        iua: { subject_name: actor.name },
        opendmp: { kind: 'patient', ins: cxOf(actor.ins) },
      };
    case 'representative':
      return {
        sub: actor.id,
        iua: { subject_name: actor.name },
        opendmp: { kind: 'representative', of: cxOf(actor.of) },
      };
    case 'system':
      return { sub: actor.id, iua: { subject_name: actor.name }, opendmp: { kind: 'system', rights: actor.rights } };
    case 'administrator':
      throw new TypeError('no token is made for an administrator');
  }
}

function professionalOf(actor: Extract<Caller['actor'], { kind: 'professional' | 'air' }>): Subject {
  const { id, name, card, profession, specialty, structure } = actor;
  const role = { system: `urn:oid:${card === 'CPE' ? otherRoleSystem : professionSystem}`, code: profession };
  const practised = { system: `urn:oid:${specialtySystems[profession === '21' ? 1 : 0]}`, code: specialty };
  return {
    sub: id,
    professional: { SubjectNameID: id, SubjectRole: [`${profession}^${roleValueSet}`] },
    iua: {
      subject_name: name,
      ...(structure !== undefined && structure.claimed !== true && organisationOf(structure)),
      subject_role: specialty === undefined ? [role] : [role, practised],
    },
    ...(actor.kind === 'air' && { opendmp: { kind: 'air' } }),
  };
}

function organisationOf({ id, name }: { readonly id: string; readonly name?: string }) {
  return { subject_organization_id: id, ...(name !== undefined && { subject_organization: name }) };
}

function purposeOf(mode: Mode) {
  return { system: `urn:oid:${accessModeSystem}`, code: codeOfMode(mode) };
}

function cxOf({ value, oid }: Identifier): string {
  return `${value}^^^&${oid}&ISO^NH`;
}

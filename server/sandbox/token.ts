import type { webcrypto } from 'node:crypto';
import { patientOf, practiceOf, rolesOf, type SandboxPerson } from './people.ts';

/** What one token says besides its subject. `lifetime` is seconds and may be negative, `issuedAt` milliseconds since 1970. */
export type TokenOptions = {
  /** CX of the patient. */
  readonly patient?: string;
  readonly mode: 'normal' | 'bris_de_glace' | 'centre_15';
  readonly reason?: string;
  readonly issuer: string;
  readonly audience: string;
  readonly issuedAt: number;
  readonly lifetime: number;
  /** A new UUID. */
  readonly id: string;
};

const scopes = { person: 'user/*.cruds', system: 'system/*.cruds' };

/** A bearer token for `/fhir`, signed RS256 with the sandbox's key. IHE ITI IUA 3.71; claims of professionals as Pro Santé Connect names them. */
export async function signToken(
  key: webcrypto.JsonWebKey & { readonly kid: string },
  person: SandboxPerson,
  options: TokenOptions,
): Promise<string> {
  const { importJWK, SignJWT } = await import('jose');
  const seconds = Math.floor(options.issuedAt / 1000);
  return new SignJWT(claimsOf(person, options))
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid })
    .setIssuer(options.issuer)
    .setSubject(subjectId(person))
    .setAudience(options.audience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + options.lifetime)
    .setJti(options.id)
    .sign(await importJWK({ ...key }, 'RS256'));
}

/** Who the token is about, as the issuer numbers its accounts. */
function subjectId(person: SandboxPerson): string {
  switch (person.kind) {
    case 'professional':
      return person.idNat;
    case 'structure':
      return person.structIdNat;
    case 'patient':
    case 'representative':
      return person.ins;
    case 'system':
      return person.id;
  }
}

function claimsOf(person: SandboxPerson, options: TokenOptions) {
  const { patient, mode, reason } = options;
  const { professional = {}, iua, opendmp } = subjectOf(person);
  return {
    client_id: 'opendmp-client',
    scope: person.kind === 'system' ? scopes.system : scopes.person,
    ...professional,
    ...(reason !== undefined && { Mode_Acces_Raison: reason }),
    extensions: {
      ihe_iua: {
        ...iua,
        purpose_of_use: [{ system: 'urn:oid:1.2.250.1.213.1.1.4.248', code: mode }],
        ...(patient !== undefined && { person_id: patient }),
      },
      ...(opendmp && { opendmp }),
    },
  };
}

function subjectOf(person: SandboxPerson): { professional?: object; iua: object; opendmp?: object } {
  switch (person.kind) {
    case 'professional':
      return professionalOf(person);
    case 'structure': {
      const { employee, structIdNat, display } = person;
      return {
        professional: { SubjectNameID: `${structIdNat}/${employee.id}` },
        iua: {
          subject_name: `${employee.given} ${employee.family}`,
          subject_organization: display,
          subject_organization_id: structIdNat,
        },
        opendmp: { kind: 'structure' },
      };
    }
    case 'patient':
      return {
        iua: { subject_name: `${person.given} ${person.family}` },
        opendmp: { kind: 'patient', ins: person.insCx },
      };
    case 'representative':
      return {
        iua: { subject_name: `${person.given} ${person.family}` },
        opendmp: { kind: 'representative', ins: person.insCx, of: patientOf(person.of)?.insCx },
      };
    case 'system':
      return {
        iua: { subject_name: person.display },
        opendmp: { kind: 'system', rights: person.rights },
      };
  }
}

function professionalOf(person: Extract<SandboxPerson, { kind: 'professional' }>) {
  const practice = practiceOf(person);
  const roles = rolesOf(person);
  return {
    professional: {
      SubjectNameID: person.idNat,
      preferred_username: person.idNat,
      family_name: person.family,
      given_name: person.given,
      SubjectRole: [`${person.profession}^1.2.250.1.213.1.1.5.5`],
      SubjectOrganization: practice?.display,
      SubjectOrganizationID: person.structIdNat,
      Secteur_Activite: `${practice?.sector}^1.2.250.1.71.4.2.4`,
      SubjectRefPro: {
        exercices: [
          {
            codeProfession: person.profession,
            nomDexercice: person.family,
            prenomDexercice: person.given,
            ...(person.specialty !== undefined && { codeSavoirFaire: person.specialty }),
            activities: [{ ancienIdentifiantDeLaStructure: person.structIdNat, raisonSocialeSite: practice?.display }],
          },
        ],
      },
    },
    iua: {
      subject_name: `${person.given} ${person.family}`,
      subject_organization: practice?.display,
      subject_organization_id: person.structIdNat,
      subject_role: roles.map(({ code, system }) => ({ system: `urn:oid:${system}`, code })),
    },
  };
}

import type { webcrypto } from 'node:crypto';
import { modeOf } from '../auth/vocabulary.ts';
import { claimsOfCaller } from '../auth/write-claims.ts';
import { actorOf } from './caller.ts';
import { practiceOf, type SandboxPerson } from './people.ts';

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

export type TokenKey = webcrypto.JsonWebKey & { readonly kid: string };

/** A bearer token for `/fhir`, signed RS256 with the sandbox's key. IHE ITI IUA 3.71; claims of professionals as Pro Santé Connect names them. */
export async function signToken(key: TokenKey, person: SandboxPerson, options: TokenOptions): Promise<string> {
  const seconds = Math.floor(options.issuedAt / 1000);
  const { issuer: iss, audience: aud, lifetime, id: jti } = options;
  return signClaims(key, { ...claimsOf(person, options), iss, aud, iat: seconds, exp: seconds + lifetime, jti });
}

/** The token that says this. */
export async function signClaims(key: TokenKey, claims: Readonly<Record<string, unknown>>): Promise<string> {
  const { importJWK, SignJWT } = await import('jose');
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid })
    .sign(await importJWK({ ...key }, 'RS256'));
}

function claimsOf(person: SandboxPerson, { patient, mode, reason }: TokenOptions) {
  const { extensions, ...claims } = claimsOfCaller({
    actor: actorOf(person),
    mode: modeOf(mode) ?? 'normal',
    secret: false,
    ...(reason !== undefined && { reason }),
  });
  return {
    client_id: 'opendmp-client',
    scope: person.kind === 'system' ? scopes.system : scopes.person,
    ...claims,
    ...(person.kind === 'professional' && detailsOf(person)),
    extensions: {
      ...extensions,
      ihe_iua: { ...extensions.ihe_iua, ...(patient !== undefined && { person_id: patient }) },
    },
  };
}

/** What Pro Santé Connect says of a professional besides. */
function detailsOf(person: Extract<SandboxPerson, { kind: 'professional' }>) {
  const practice = practiceOf(person);
  return {
    preferred_username: person.idNat,
    family_name: person.family,
    given_name: person.given,
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
  };
}

import type { KeyObject } from 'node:crypto';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Caller } from '../domain/actor.ts';
import type { System } from '../domain/system.ts';
import { NotIdentified } from './credentials.ts';
import { tokenAlgorithms } from './issuer.ts';
import { checkIssuer } from './saml.ts';
import { type Activities, callerOfStatements, makeSignerOf, only, type Statements } from './statements.ts';
import type { Trust } from './trust.ts';
import { spendKeyOf } from './vihf.ts';

export type JwtAssertionSettings = {
  readonly skewSeconds: number;
  readonly systems: readonly System[];
  readonly activities?: Activities;
};

/** The caller of an assertion made for one of these audiences. `now` in milliseconds. Throws NotIdentified. */
export type JwtAssertions = (assertion: string, audiences: readonly string[], now: number) => Promise<Caller>;

/** The longest life of an assertion, in seconds. */
const longestLife = 600;
const longest = 16_384;

/**
 * Verifies a VIHF that came as a JWT, for a grant: RFC 7523 §3. Signed by the card or by the certificate of an organisation that stands first
 * in `x5c`, whose subject is `iss`; `sub` is the NameID; the claim `vihf` holds the attributes of the VIHF by their names, a coded one as
 * `{code, codeSystem}`. Certificates and meaning are those of the SAML form. The assertion is not marked as used here.
 */
export function makeJwtAssertions(
  trust: Trust,
  { skewSeconds, systems, activities }: JwtAssertionSettings,
): JwtAssertions {
  const signerOf = makeSignerOf(systems, activities);
  return async (assertion, audiences, now) => {
    if (assertion.length > longest) throw new NotIdentified('assertion too long');
    try {
      const certificate = await trust.certificate(certificateIn(assertion), now);
      const { payload } = await jwtVerify(assertion, certificate.publicKey, {
        algorithms: algorithmsOf(certificate.publicKey),
        audience: [...audiences],
        requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti'],
        clockTolerance: skewSeconds,
        currentDate: new Date(now),
      });
      const read = registered.safeParse(payload);
      if (!read.success) throw new NotIdentified('claims malformed');
      const { iss, sub, jti, exp, iat } = read.data;
      if (exp - iat > longestLife) throw new NotIdentified('assertion for too long');
      if (iat > now / 1000 + skewSeconds) throw new NotIdentified('assertion issued in the future');
      checkIssuer(iss, certificate);
      return {
        ...callerOfStatements(statementsOf(payload), sub, signerOf(certificate)),
        credential: {
          kind: 'assertion',
          id: jti,
          issuer: iss,
          spendKey: spendKeyOf(`jwt\n${iss}`, jti),
          until: (exp + skewSeconds) * 1000,
        },
      };
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new NotIdentified(`assertion refused: ${error.code}`);
      throw error;
    }
  };
}

const registered = z.object({ iss: z.string(), sub: z.string(), jti: z.string(), exp: z.number(), iat: z.number() });

/** What a key of a certificate can have signed with: the header is its sender's. RFC 7518 §3.1. */
function algorithmsOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string[] {
  const fits = (algorithm: string) =>
    algorithm === 'ES256' ? type === 'ec' && details?.namedCurve === 'prime256v1' : type === 'rsa';
  return tokenAlgorithms.filter(fits);
}

/** The certificate of the signature, DER. RFC 7515 §4.1.6. */
function certificateIn(assertion: string): Buffer {
  const [first] = chainIn(assertion);
  if (typeof first !== 'string' || !/^[A-Za-z0-9+/]{64,8192}={0,2}$/.test(first))
    throw new NotIdentified('no certificate in x5c');
  return Buffer.from(first, 'base64');
}

function chainIn(assertion: string): readonly unknown[] {
  try {
    const { x5c } = decodeProtectedHeader(assertion);
    return Array.isArray(x5c) ? x5c : [];
  } catch {
    throw new NotIdentified('assertion malformed');
  }
}

const code = z.object({ code: z.string(), codeSystem: z.string() });
const statement = z.union([z.string(), code, z.array(z.union([z.string(), code]))]);

function statementsOf(payload: JWTPayload): Statements {
  const read = z.record(z.string(), statement).safeParse(payload['vihf']);
  if (!read.success) throw new NotIdentified('claim vihf missing or malformed');
  const values = new Map(Object.entries(read.data).map(([name, value]) => [name.toLowerCase(), [value].flat()]));
  const of = (name: string) => values.get(name.toLowerCase()) ?? [];
  return {
    text: (name) =>
      only(
        name,
        of(name).flatMap((value) => (typeof value === 'string' ? [value.trim()] : [])),
      ),
    coded: (name, _, systems) =>
      only(
        name,
        of(name).flatMap((value) =>
          typeof value === 'object' && systems.includes(value.codeSystem) ? [value.code] : [],
        ),
      ),
  };
}

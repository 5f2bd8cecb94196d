import { createHash } from 'node:crypto';
import type { Identifier } from './identifier.ts';

/**
 * OIDs of the French identity of a patient: matricule INS (NIR, NIA) by environment, the first one written; the calculated INS of
 * 2010–2019 and the random one that was never deployed. CI-SIS annexe INS.
 */
export const insOids = {
  production: ['1.2.250.1.213.1.4.8', '1.2.250.1.213.1.4.9'],
  test: ['1.2.250.1.213.1.4.10'],
  demo: ['1.2.250.1.213.1.4.11'],
  calculated: '1.2.250.1.213.1.4.2',
  random: '1.2.250.1.213.1.4.1',
} as const;

declare const parsed: unique symbol;
/** A matricule INS under an OID of this environment; only `parseIns` makes one. */
export type Ins = Identifier & { readonly [parsed]: true };

/** Sex, year, month (also of incomplete dates), département (Corsica 2A, 2B), commune or country, rank. Référentiel INS. */
const matricule = /^[1-8]\d{2}(0[1-9]|1[0-2]|[23]\d|4[0-2]|[5-9]\d)(\d\d|2[AB])\d{6}$/;

/**
 * The key of 13 characters, 01–97: 97 − (N mod 97), Corsica's 2A counting as 19 and 2B as 18.
 * Undefined when these are not the 13 characters of a matricule.
 */
export function insKey(matricule13: string): string | undefined {
  if (!matricule.test(matricule13)) return undefined;
  return twoDigits(97 - (Number(matricule13.replace('2A', '19').replace('2B', '18')) % 97));
}

/** True for 13 characters of a matricule and their key. */
export function isIns(value15: string): boolean {
  return value15.length === 15 && insKey(value15.slice(0, 13)) === value15.slice(13);
}

/** The identifier as an INS when its OID is one of those accepted here and its key is right. Test OIDs never pass in production. */
export function parseIns(identifier: Identifier, acceptedOids: readonly string[]): Ins | undefined {
  return isAccepted(identifier, acceptedOids) ? identifier : undefined;
}

function isAccepted(identifier: Identifier, oids: readonly string[]): identifier is Ins {
  return oids.includes(identifier.oid) && isIns(identifier.value);
}

/** What a carte Vitale says of a person; never typed. `birthDate` is YYMMDD as written, lunar dates included, '' when absent. */
export type CardIdentity = {
  readonly firstName: string;
  readonly birthDate: string;
  /** The person's own certified NIR, 13 characters without key. */
  readonly certifiedNir?: string;
  /** The NIR that opens the rights, 13 characters, when the person is a rights-holder of somebody insured. */
  readonly insuredNir?: string;
};

/** The calculated INS, 20 digits and their key of 2; or why there is none. */
export type CalculatedIns =
  | { readonly value: string }
  | { readonly refused: 'nirMissing' | 'nirTemporary' | 'nirMalformed' | 'nirOfInsured' | 'birthDateMalformed' };

/**
 * Computes the INS-C: the first 8 bytes of SHA-256 over first name (10), birth date (6) and NIR (13), as a decimal number of 20 digits.
 * ASIP Santé, Dossier de conception INS-C, algorithme de calcul 1.0.0.
 */
export function insC({ firstName, birthDate, certifiedNir = '', insuredNir }: CardIdentity): CalculatedIns {
  if (certifiedNir === '') return { refused: 'nirMissing' };
  if (!/^[12]\d{4}/.test(certifiedNir)) return { refused: 'nirTemporary' };
  if (insKey(certifiedNir) === undefined) return { refused: 'nirMalformed' };
  if (certifiedNir === insuredNir) return { refused: 'nirOfInsured' };
  const date = birthDate === '' ? '000000' : birthDate;
  if (!/^\d{6}$/.test(date)) return { refused: 'birthDateMalformed' };
  const seed = `${seedName(firstName)}${date}${certifiedNir}`;
  const number = createHash('sha256').update(seed, 'ascii').digest().readBigUInt64BE(0);
  return { value: `${number.toString().padStart(20, '0')}${twoDigits(97 - Number(number % 97n))}` };
}

function seedName(firstName: string): string {
  const letters = firstName.toUpperCase().replaceAll('Œ', 'OE').replaceAll('Æ', 'AE').normalize('NFD');
  return letters
    .replace(/[^A-Z]/g, '')
    .slice(0, 10)
    .padEnd(10, ' ');
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}

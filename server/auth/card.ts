import type { Certificate } from '../crypto/certificate.ts';
import { type DistinguishedName, valuesOf } from '../crypto/distinguished-name.ts';

/** Whom a certificate of the health sector belongs to. */
export type Holder =
  | {
      readonly kind: 'person';
      readonly id: string;
      readonly card: 'CPS' | 'CPE';
      /** Struct_IdNat of the structures that the card names, none for most. */
      readonly structures: readonly string[];
      /** Whether the card agrees with a profession code: true where it says nothing. */
      readonly allows: (profession: string) => boolean;
    }
  | { readonly kind: 'organisation'; readonly structures: readonly string[]; readonly name: string | undefined }
  | { readonly kind: 'other' };

const commonName = '2.5.4.3';
const organisation = '2.5.4.10';
const organisationalUnit = '2.5.4.11';
const title = '2.5.4.12';

/** Professions as cards print them, to TRE_G15. A card with one of these titles is of that profession and no other. */
const titles: Readonly<Record<string, string>> = {
  medecin: '10',
  pharmacien: '21',
  pharmacienne: '21',
  'chirurgien-dentiste': '40',
  'chirurgienne-dentiste': '40',
  'sage-femme': '50',
  infirmier: '60',
  infirmiere: '60',
  'masseur-kinesitherapeute': '70',
  'masseuse-kinesitherapeute': '70',
  'pedicure-podologue': '80',
  orthophoniste: '91',
  orthoptiste: '92',
};

/**
 * Reads the holder from the subject: a card carries the national id as common name (8 and RPPS, 0 and ADELI: a CPS; `structure/person`:
 * a CPE), an organisation its Struct_IdNat as organisational unit. The families of IGC-Santé keep to themselves: PERSONNES issues no
 * organisations, ORGANISATIONS no cards. IGC-Santé, certification policies.
 */
export function holderOf({ subject, issuer, profession }: Certificate): Holder {
  const structures = valuesOf(subject, organisationalUnit).filter((unit) => /^\d[\dA-Z]{8,}$/.test(unit));
  const id = valuesOf(subject, commonName).length === 1 ? valuesOf(subject, commonName)[0] : undefined;
  const family = valuesOf(issuer, commonName).join(' ');
  const card = id === undefined ? undefined : cardOf(id);
  if (id !== undefined && card !== undefined && !/\bORGANISATIONS\b/.test(family))
    return {
      kind: 'person',
      id,
      card,
      structures,
      allows: (claimed) => (profession ?? claimed) === claimed && titleAllows(subject, claimed),
    };
  if (card !== undefined || structures.length === 0 || /\bPERSONNES\b/.test(family)) return { kind: 'other' };
  return { kind: 'organisation', structures, name: valuesOf(subject, organisation)[0] };
}

function cardOf(id: string): 'CPS' | 'CPE' | undefined {
  if (/^(8\d{11}|0\d{9})$/.test(id)) return 'CPS';
  return /^\d{9}[\dA-Z]*\/\S+$/.test(id) ? 'CPE' : undefined;
}

function titleAllows(subject: DistinguishedName, claimed: string): boolean {
  const printed = [...valuesOf(subject, title), ...valuesOf(subject, organisationalUnit)].map((text) =>
    text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim().replace(/\s+/g, '-'),
  );
  return printed.every((text) => !Object.hasOwn(titles, text) || titles[text] === claimed);
}

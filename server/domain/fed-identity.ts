import type { AffinityDomain } from './affinity-domain.ts';
import { type Problem, problem } from './error.ts';
import { type Cx, cxOf, type Identifier, sameIdentifier } from './identifier.ts';
import { insOids, isIns } from './ins.ts';
import type { PatientIdentifier, PatientRecord, Traits } from './record.ts';

/** A person as a patient feed tells of her: every identifier of the message, and the traits that it gives. */
export type FedIdentity = { readonly identifiers: readonly Identifier[]; readonly traits: Partial<Traits> };

/** The identifiers of a message by what they mean to the domain. `others` belong to foreign authorities and count for nothing. */
export type Sorted = {
  readonly ours: readonly Identifier[];
  readonly calculated: readonly Identifier[];
  readonly problems: readonly Problem[];
};

type Naming = { readonly domain: Pick<AffinityDomain, 'identity'>; readonly insOids: readonly string[] };

/**
 * Keeps the identifiers that the domain's authorities gave, each once. Where patients are named by INS, one with a wrong key is a problem,
 * and a calculated INS is an alias only. IHE ITI TF-2 3.8.4.1.3, 3.44.4.1.3; CI-SIS annexe INS.
 */
export function sortIdentifiers(identifiers: readonly Identifier[], { domain, insOids: accepted }: Naming): Sorted {
  const { identity } = domain;
  const isOurs = ({ oid }: Identifier) =>
    identity.kind === 'ins' ? accepted.includes(oid) : identity.fed || identity.listed.includes(oid);
  const ours = distinct(identifiers.filter(isOurs));
  if (identity.kind !== 'ins') return { ours, calculated: [], problems: [] };
  return {
    ours: ours.filter(({ value }) => isIns(value)),
    calculated: distinct(identifiers.filter(({ value, oid }) => oid === insOids.calculated && /^\d{22}$/.test(value))),
    problems: ours
      .filter(({ value }) => !isIns(value))
      .map(({ value }) => problem('insMalformed', { attribute: 'patientId', value })),
  };
}

/**
 * The record as the feed leaves it, or undefined where nothing changes. A first identifier that is new becomes the official one and the one
 * before stays as an alias; traits that the feed gives replace those held.
 */
export function updatedRecord(
  record: PatientRecord,
  traits: Partial<Traits>,
  ours: readonly Identifier[],
  aliases: readonly Identifier[],
): PatientRecord | undefined {
  const held = record.identifiers;
  const isHeld = (id: Identifier) => held.some((known) => sameIdentifier(known, id));
  const [first] = ours;
  const takesOver = first !== undefined && !isHeld(first);
  const added: PatientIdentifier[] = [
    ...ours.filter((id) => !isHeld(id)).map((id) => ({ ...id, use: id === first ? 'official' : 'old' }) as const),
    ...aliases.filter((id) => !isHeld(id)).map((id) => ({ ...id, use: 'secondary' }) as const),
  ];
  const kept = held.map((id) => (takesOver && id.use === 'official' ? { ...id, use: 'old' as const } : id));
  const identifiers = takesOver ? [...added, ...kept] : [...kept, ...added];
  const changed = { ...record.traits, ...traits };
  if (added.length === 0 && sameTraits(changed, record.traits)) return undefined;
  return { ...record, version: record.version + 1, identifiers, traits: changed };
}

/** Traits of a person of whom a feed told only this. */
export function wholeTraits(given: Partial<Traits>): Traits {
  return { family: 'NON RENSEIGNE', given: 'NON RENSEIGNE', gender: 'unknown', birthDate: '', ...given };
}

/** The patientId of metadata; where patients are named by INS it carries its type, as CI-SIS writes it. */
export function patientIdOf({ identity }: Pick<AffinityDomain, 'identity'>, identifier: Identifier): Cx {
  return { ...cxOf(identifier), ...(identity.kind === 'ins' && { type: 'NH' }) };
}

/** A name as INSi writes it: capitals without accents. */
export function plainName(name: string): string {
  return name.toUpperCase().normalize('NFD').replace(/\p{M}/gu, '').replaceAll('Œ', 'OE').replaceAll('Æ', 'AE');
}

function sameTraits(a: Traits, b: Traits): boolean {
  return traitNames.every((name) => JSON.stringify(a[name]) === JSON.stringify(b[name]));
}

const traitNames = [
  'family',
  'given',
  'givenNames',
  'gender',
  'birthDate',
  'birthPlace',
  'usedFamily',
  'usedGiven',
  'mothersMaidenName',
  'addresses',
  'telecoms',
] as const satisfies readonly (keyof Traits)[];

function distinct(identifiers: readonly Identifier[]): Identifier[] {
  return identifiers.filter((id, index) => identifiers.findIndex((other) => sameIdentifier(other, id)) === index);
}

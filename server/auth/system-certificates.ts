import type { Certificate } from '../crypto/certificate.ts';
import { readName, sameName } from '../crypto/distinguished-name.ts';
import type { System } from '../domain/system.ts';
import type { Holder } from './card.ts';

/** The system that a certificate belongs to: one of an organisation, of the structure and with the subject listed. */
export type SystemOf = (certificate: Certificate, holder: Holder) => System | undefined;

/** Recognises the certificates of the systems listed; the first that fits is the one. */
export function makeSystemOf(systems: readonly System[]): SystemOf {
  const listed = systems.flatMap((system) => {
    const { structure, subject } = system;
    const name = subject === undefined ? undefined : readName(subject);
    const recognisable = structure !== undefined || name !== undefined;
    return recognisable && (subject === undefined) === (name === undefined) ? [{ system, structure, name }] : [];
  });
  return ({ subject }, holder) => {
    if (holder.kind !== 'organisation') return undefined;
    return listed.find(
      ({ structure, name }) =>
        (structure === undefined || holder.structures.includes(structure)) &&
        (name === undefined || sameName(name, subject)),
    )?.system;
  };
}

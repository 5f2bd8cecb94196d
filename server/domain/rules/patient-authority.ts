import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { writeCx } from '../hl7v2.ts';
import type { MessageFacts } from './facts.ts';

/**
 * patientId is of an assigning authority of the domain; where feeds may bring others, the registry knows whether one did.
 * IHE ITI TF-2 3.42.4.1.3.3 (XDSUnknownPatientId).
 */
export function patientAuthority({ sets, entries, folders }: Submission, { domain }: MessageFacts): Problem[] {
  const { identity } = domain;
  if (identity.kind !== 'authorities' || identity.fed) return [];
  return [...sets, ...entries, ...folders].flatMap(({ id, patientId }) =>
    patientId === undefined || identity.listed.includes(patientId.authority.oid ?? '')
      ? []
      : [problem('unknownPatient', { object: id, value: writeCx(patientId) })],
  );
}

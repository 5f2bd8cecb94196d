import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { writeCx } from '../hl7v2.ts';
import { isIns, parseIns } from '../ins.ts';
import type { MessageFacts } from './facts.ts';

/** Where patients are named by INS, patientId is a matricule INS of this environment, its key right. Référentiel INS; CI-SIS annexe INS. */
export function patientIns({ sets, entries, folders }: Submission, { domain, insOids }: MessageFacts): Problem[] {
  if (domain.identity.kind !== 'ins') return [];
  return [...sets, ...entries, ...folders].flatMap(({ id, patientId }) => {
    const oid = patientId?.authority.oid;
    if (patientId === undefined || (oid !== undefined && parseIns({ value: patientId.id, oid }, insOids))) return [];
    const detail = isIns(patientId.id) ? 'its OID is not accepted in this environment' : 'length, characters or key';
    return [problem('insMalformed', { attribute: 'patientId', object: id, value: writeCx(patientId), detail })];
  });
}

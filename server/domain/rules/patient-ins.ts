import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { writeCx } from '../hl7v2.ts';
import type { Cx } from '../identifier.ts';
import { insOids as insOidsOf, isIns, parseIns } from '../ins.ts';
import type { MessageFacts } from './facts.ts';

const everywhere: readonly string[] = [...insOidsOf.production, ...insOidsOf.test, ...insOidsOf.demo];

/** Where patients are named by INS, patientId is a matricule INS of this environment, its key right. Référentiel INS; CI-SIS annexe INS. */
export function patientIns({ sets, entries, folders }: Submission, { domain, insOids }: MessageFacts): Problem[] {
  if (domain.identity.kind !== 'ins') return [];
  return [...sets, ...entries, ...folders].flatMap(({ id, patientId }) => checked('patientId', id, patientId, insOids));
}

/** So is a sourcePatientId that is a matricule, of whatever environment. */
export function sourceIns({ entries }: Submission, { domain, insOids }: MessageFacts): Problem[] {
  if (domain.identity.kind !== 'ins') return [];
  return entries
    .filter(({ sourcePatientId }) => everywhere.includes(sourcePatientId?.authority.oid ?? ''))
    .flatMap(({ id, sourcePatientId }) => checked('sourcePatientId', id, sourcePatientId, insOids));
}

function checked(attribute: string, object: string, cx: Cx | undefined, accepted: readonly string[]): Problem[] {
  const oid = cx?.authority.oid;
  if (cx === undefined || (oid !== undefined && parseIns({ value: cx.id, oid }, accepted))) return [];
  const detail = isIns(cx.id) ? 'its OID is not accepted in this environment' : 'length, characters or key';
  return [problem('insMalformed', { attribute, object, value: writeCx(cx), detail })];
}

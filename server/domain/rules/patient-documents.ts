import type { EntryDraft, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { MessageFacts } from './facts.ts';

/** TRE_A05, the French document types besides LOINC. */
const typeSystem = '1.2.250.1.213.1.1.4.12';

/**
 * The patient's own expression is deposited by the patient or a representative alone; a system acts for others. CI-SIS, expression personnelle
 * du patient.
 */
export function patientDocuments({ entries }: Submission, { caller: { actor } }: MessageFacts): Problem[] {
  if (actor.kind === 'patient' || actor.kind === 'representative' || actor.kind === 'system') return [];
  return entries.filter(isOfPatient).map(({ id }) => problem('patientDocumentNotAllowed', { object: id }));
}

/** Whether the type is one of the patient's own expression. */
export function isOfPatient({ typeCode }: Pick<EntryDraft, 'typeCode'>): boolean {
  return typeCode?.system === typeSystem && /^(EXPPAT_\d|DOCPAT\d\d)$/.test(typeCode.code);
}

import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { writeCx } from '../hl7v2.ts';
import { sameCx } from '../identifier.ts';

/** Entries and folders are of the submission set's patient. IHE ITI TF-2 3.42.4.1.3.3.1 (XDSPatientIdDoesNotMatch). */
export function onePatient({ sets, entries, folders }: Submission): Problem[] {
  const patient = sets[0]?.patientId;
  if (patient === undefined) return [];
  return [...sets, ...entries, ...folders].flatMap(({ id, patientId }) =>
    patientId === undefined || sameCx(patientId, patient)
      ? []
      : [problem('patientIdsDiffer', { object: id, value: writeCx(patientId), detail: writeCx(patient) })],
  );
}

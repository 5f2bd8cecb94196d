import { readPatient } from '../usecases/patient.ts';
import { unknownUnlessNamed } from './concealment.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { patientHeaders } from './iti104.ts';
import { patientOf } from './map/patient.ts';

const type = 'Patient';

async function read({ tools, request, id, header }: Exchange): Promise<Answer> {
  const { record, treatingDoctors } = await readPatient(tools, request, id);
  const headers = patientHeaders(record);
  return header('If-None-Match') === headers.ETag
    ? { body: '', status: 304, headers }
    : { body: JSON.stringify(patientOf(record, treatingDoctors)), headers };
}

/** Read of a Patient. Former versions are not kept. */
export const patientInteractions: readonly Interaction[] = [
  {
    method: 'GET',
    path: `/${type}/:id`,
    resource: type,
    interaction: 'read',
    transaction: 'read',
    action: 'readPatient',
    what: "Read the holder's identity",
    handle: read,
    told: unknownUnlessNamed(type),
  },
];

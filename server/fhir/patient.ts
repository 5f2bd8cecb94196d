import { problem } from '../domain/error.ts';
import { readPatient } from '../usecases/patient.ts';
import { unknownUnlessNamed } from './concealment.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { patientHeaders } from './iti104.ts';
import { patientOf } from './map/patient.ts';

const type = 'Patient';

async function read({ tools, request, id }: Exchange): Promise<Answer> {
  const { record, treatingDoctors } = await readPatient(tools, request, id);
  return { body: JSON.stringify(patientOf(record, treatingDoctors)), headers: patientHeaders(record) };
}

/** The version that a Patient is at; former ones are not kept. FHIR R4 http.html#vread. */
async function vread({ tools, request, id, version }: Exchange): Promise<Answer> {
  const { record, treatingDoctors } = await readPatient(tools, request, id);
  if (String(record.version) !== version)
    return { refused: [problem('resourceUnknown', { value: `${type}/${id}/_history/${version}` })] };
  return { body: JSON.stringify(patientOf(record, treatingDoctors)), headers: patientHeaders(record) };
}

const common = {
  method: 'GET',
  resource: type,
  transaction: 'read',
  action: 'readPatient',
  told: unknownUnlessNamed(type),
} as const;

/** Reads of a Patient. */
export const patientInteractions: readonly Interaction[] = [
  { ...common, path: `/${type}/:id`, interaction: 'read', what: "Read the holder's identity", handle: read },
  {
    ...common,
    path: `/${type}/:id/_history/:version`,
    interaction: 'vread',
    what: 'The same, at the version that it has now',
    handle: vread,
  },
];

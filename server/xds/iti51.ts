import { findAcrossPatients } from '../usecases/query-across.ts';
import type { Answer, Exchange, XdsTransaction } from './exchange.ts';
import { answered, readQueryRequest, refused } from './iti18.ts';
import { readMultiPatientQuery } from './multi-patient-queries.ts';
import { action, namespace } from './vocabulary.ts';

/** Multi-Patient Stored Query. IHE ITI TF-2 3.51. */
export const iti51: XdsTransaction = {
  name: 'ITI-51',
  requestAction: action.iti51[0],
  responseAction: action.iti51[1],
  packaging: 'soap',
  receiver: 'registry',
  requestRoot: { namespace: namespace.query, local: 'AdhocQueryRequest' },
  handle,
  refused,
};

async function handle({ tools, request, body }: Exchange): Promise<Answer> {
  const { returnType, element, limit } = readQueryRequest(body, tools.settings);
  return answered(
    await findAcrossPatients(tools, request, { ...readMultiPatientQuery(element), ...limit }),
    returnType,
  );
}

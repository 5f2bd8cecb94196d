import { type Problem, refuse } from '../domain/error.ts';
import type { StoredDocument } from '../store/port.ts';
import { findDocuments, getDocuments } from '../usecases/query.ts';
import { attributeOf, child } from '../xml/element.ts';
import { writeDocument, writeObjectRef } from './ebrim/write.ts';
import { writeErrorList } from './errors.ts';
import type { Answer, Exchange, XdsTransaction } from './exchange.ts';
import { readQuery } from './queries.ts';
import { action, namespace, responseStatus } from './vocabulary.ts';

/** Registry Stored Query. IHE ITI TF-2 3.18. */
export const iti18: XdsTransaction = {
  name: 'ITI-18',
  requestAction: action.iti18[0],
  responseAction: action.iti18[1],
  packaging: 'soap',
  receiver: 'registry',
  requestRoot: { namespace: namespace.query, local: 'AdhocQueryRequest' },
  handle,
  refused,
};

async function handle({ tools, request, body }: Exchange): Promise<Answer> {
  const option = child(body, namespace.query, 'ResponseOption');
  const returnType = option && attributeOf(option, 'returnType')?.trim();
  if (returnType !== 'LeafClass' && returnType !== 'ObjectRef')
    refuse('queryReturnType', returnType === undefined ? {} : { value: returnType });
  const element = child(body, namespace.rim, 'AdhocQuery');
  if (element === undefined) refuse('queryUnknown', { detail: 'no rim:AdhocQuery' });
  const query = readQuery(element);
  // References may be asked for in any number: it is how large answers are read in slices.
  const limit = returnType === 'LeafClass' ? { limit: tools.settings.limits.results } : {};
  const found =
    query.kind === 'find'
      ? await findDocuments(tools, request, {
          filter: query.filter,
          query: query.text,
          ...(query.patient && { patient: query.patient }),
          ...limit,
        })
      : await getDocuments(tools, request, { by: query.by, values: query.values, ...limit });
  return { body: response('success', '', objects(found, returnType)) };
}

/** On Failure the list of objects is there and empty, as the schema asks. IHE ITI TF-3 4.2.4. */
function refused(problems: readonly Problem[]): Answer {
  return { body: response('failure', writeErrorList(problems, 'registry'), '') };
}

function objects(found: readonly StoredDocument[], returnType: 'LeafClass' | 'ObjectRef'): string {
  let text = '';
  for (const { entry } of found)
    text += returnType === 'LeafClass' ? writeDocument(entry) : writeObjectRef(entry.entryUUID);
  return text;
}

function response(status: keyof typeof responseStatus, errors: string, list: string): string {
  return (
    `<query:AdhocQueryResponse xmlns:query="${namespace.query}" xmlns:rs="${namespace.rs}" xmlns:rim="${namespace.rim}"` +
    ` status="${responseStatus[status]}">${errors}<rim:RegistryObjectList>${list}</rim:RegistryObjectList></query:AdhocQueryResponse>`
  );
}

import { type Problem, Refused, refuse } from '../domain/error.ts';
import { isUuid } from '../domain/identifier.ts';
import { removeMetadata, unresolved } from '../usecases/remove-metadata.ts';
import { attributeOf, child, childrenOf } from '../xml/element.ts';
import { writeRegistryResponse } from './errors.ts';
import type { Answer, Exchange, XdsTransaction } from './exchange.ts';
import { onlyChild } from './only-child.ts';
import { action, deletionScope, namespace } from './vocabulary.ts';

/** Remove Metadata. IHE RMD 3.62. */
export const iti62: XdsTransaction = {
  name: 'ITI-62',
  requestAction: action.iti62[0],
  responseAction: action.iti62[1],
  packaging: 'soap',
  receiver: 'registry',
  requestRoot: { namespace: namespace.lcm, local: 'RemoveObjectsRequest' },
  handle,
  refused,
};

async function handle({ tools, request, body }: Exchange): Promise<Answer> {
  const object = 'lcm:RemoveObjectsRequest';
  if (child(body, namespace.rim, 'AdhocQuery') !== undefined)
    refuse('attributeForbidden', { attribute: 'rim:AdhocQuery', object });
  const scope = attributeOf(body, 'deletionScope')?.trim() ?? '';
  if (scope !== '' && scope !== deletionScope.all)
    refuse('attributeForbidden', {
      attribute: 'deletionScope',
      object,
      value: scope,
      detail: 'objects are removed with all that they are',
      rule: 'IHE RMD 3.62.4.1.2; ebXML RegRep 3.0 rs §5.5 (RemoveObjectsRequest)',
    });
  const list = onlyChild(body, 'rim', 'ObjectRefList');
  const ids = childrenOf(list, namespace.rim, 'ObjectRef').map((ref) => attributeOf(ref, 'id')?.trim() ?? '');
  if (ids.length === 0) refuse('attributeMissing', { attribute: 'rim:ObjectRef', object });
  const malformed = ids.filter((id) => !isUuid(id));
  if (malformed.length > 0) throw new Refused(malformed.map((value) => unresolved(value, 'no UUID')));
  await removeMetadata(tools, request, ids);
  return { body: writeRegistryResponse('success', [], 'registry') };
}

/** All or nothing: there is no partial success. */
function refused(problems: readonly Problem[]): Answer {
  return { body: writeRegistryResponse('failure', problems, 'registry') };
}

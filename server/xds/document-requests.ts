import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import { childrenOf, type XmlElement } from '../xml/element.ts';
import { namespace } from './vocabulary.ts';

const { xds } = namespace;

/** An xds:DocumentRequest. IHE ITI TF-2 3.43.4.1.2. */
export type DocumentRequest = {
  readonly repository: string;
  readonly uniqueId: string;
  readonly home: string | undefined;
};

/** The documents asked for at these repositories, each once at each, and `repositoryUnknown` for each of the others. */
export type Asked = { readonly here: readonly DocumentRequest[]; readonly elsewhere: readonly Problem[] };

/**
 * Reads the xds:DocumentRequest elements of a request.
 * @throws Refused documentRequestMalformed without any, or where one says something twice; repositoryUnknown when none is of one of these repositories
 */
export function readDocumentRequests(body: XmlElement, repositories: readonly string[]): Asked {
  const asked = childrenOf(body, xds, 'DocumentRequest').map(readRequest);
  if (asked.length === 0) refuse('documentRequestMalformed', { detail: `${body.local} has no xds:DocumentRequest` });
  const here = new Map<string, DocumentRequest>();
  const elsewhere: Problem[] = [];
  for (const one of asked) {
    if (!repositories.includes(one.repository))
      elsewhere.push(problem('repositoryUnknown', { value: one.repository, object: one.uniqueId }));
    else if (!here.has(`${one.repository} ${one.uniqueId}`)) here.set(`${one.repository} ${one.uniqueId}`, one);
  }
  if (here.size === 0) throw new Refused(elsewhere);
  return { here: [...here.values()], elsewhere };
}

function readRequest(element: XmlElement): DocumentRequest {
  const text = (local: string) => {
    const [first, second] = childrenOf(element, xds, local);
    if (second !== undefined) refuse('documentRequestMalformed', { detail: `xds:${local} stands twice in one` });
    return first?.text.trim() ?? '';
  };
  const home = text('HomeCommunityId');
  return {
    repository: text('RepositoryUniqueId'),
    uniqueId: text('DocumentUniqueId'),
    home: home === '' ? undefined : home,
  };
}

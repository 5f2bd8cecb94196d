import { type Problem, type ProblemName, problem, Refused, refuse } from '../domain/error.ts';
import { isUuid } from '../domain/identifier.ts';
import type { StoredDocument } from '../store/port.ts';
import { isTraced } from '../usecases/perform.ts';
import { readDocuments } from '../usecases/search-documents.ts';
import { type Amendment, amend, type Wish } from '../usecases/visibility.ts';
import { unknownUnlessNamed } from './concealment.ts';
import { documentParameters } from './document-parameters.ts';
import { besidesNames, emptyQuestion, passes } from './document-search.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { documentReferenceOf } from './map/document-reference.ts';
import { wishOf } from './patch.ts';
import { longestPatch, readPatch } from './patch-body.ts';
import { namesPatient, readSearch } from './search.ts';
import { checkState, stateHeaders } from './state.ts';

const type = 'DocumentReference';

/** The document of the id in the path. @throws Refused resourceUnknown */
function named({ id }: Exchange): Omit<Amendment, 'wish'> {
  const logicalID = `urn:uuid:${id}`;
  return isUuid(logicalID)
    ? { by: 'logicalID', values: [logicalID] }
    : refuse('resourceUnknown', { value: `${type}/${id}` });
}

async function patch(exchange: Exchange): Promise<Answer> {
  const target = named(exchange);
  return patched(exchange, target, ({ entry }) => {
    if (entry.status === 'deleted') refuse('resourceDeleted', { value: `${type}/${exchange.id}` });
  });
}

/** A document that is named, and what is asked of it besides. */
type Sought = { readonly target: Omit<Amendment, 'wish'>; readonly check: (document: StoredDocument) => void };

/**
 * The one document that a search by name finds; what is not served is refused, since it might mean another one. FHIR R4 http.html#patch, #cdelete.
 * @throws Refused parameterMissing, parameterMalformed, parameterUnknown
 */
function soughtIn({ parameters, base, tools }: Exchange): Sought {
  const asked = emptyQuestion(base, tools.now());
  readSearch(parameters, documentParameters, asked, true);
  const [names, ...more] = asked.names ?? [];
  if (names === undefined) refuse('parameterMissing', { attribute: 'identifier' });
  if (more.length > 0 || besidesNames(asked))
    refuse('parameterMalformed', {
      attribute: 'identifier',
      detail: 'beside one kind of identifier, or _id, only patient, status and isArchived may be asked',
    });
  const { patient } = asked;
  return {
    target: { ...names, ...(patient && { patient }) },
    check: ({ entry }) => {
      if (!passes(entry, asked)) refuse('documentUnknown', { value: names.values.join(',') });
    },
  };
}

/** FHIR R4 http.html#patch; PDSm flow 3. */
async function conditionalPatch(exchange: Exchange): Promise<Answer> {
  const { target, check } = soughtIn(exchange);
  return patched(exchange, target, check);
}

async function patched(
  exchange: Exchange,
  target: Omit<Amendment, 'wish'>,
  check: (document: StoredDocument) => void,
): Promise<Answer> {
  const { tools, request, base, header } = exchange;
  const operations = await readPatch(header('Content-Type'), await exchange.body(longestPatch, 'a patch'));
  try {
    const document = await amend(tools, request, {
      ...target,
      wish: (found): Wish => {
        check(found);
        checkState(found, header('If-Match'));
        return wishOf(operations, documentReferenceOf(found, base));
      },
    });
    return { body: await bodyOf(exchange, document), headers: stateHeaders(document) };
  } catch (error) {
    if (!(error instanceof Refused) || !isTraced(error) || !error.problems.every(({ name }) => ofResult.has(name)))
      throw error;
    return { refused: error.problems, status: 422 };
  }
}

/** Problems of what the patch would make of the resource. FHIR R4 http.html#patch. */
const ofResult: ReadonlySet<ProblemName> = new Set(['codeNotAllowed', 'visibilityNotAllowed', 'updateInvalid']);

/** The document with what it relates to, which is read only where it relates to something. */
async function bodyOf({ tools, request, writeDocument }: Exchange, document: StoredDocument): Promise<Buffer> {
  if (!document.relates) return writeDocument(document).resource;
  const names = { by: 'logicalID', values: [document.entry.logicalID] } as const;
  const { relations } = await readDocuments(tools, { ...request, spent: true }, names);
  const [related] = relations.values();
  return writeDocument(document, related).resource;
}

/** Deletes logically: the bytes and what is known of the document stay, under the status entered-in-error. DMP TD3.3c. */
async function remove(exchange: Exchange): Promise<Answer> {
  return removed(exchange, { target: named(exchange), check: () => {} });
}

/** FHIR R4 http.html#cdelete. */
async function conditionalRemove(exchange: Exchange): Promise<Answer> {
  return removed(exchange, soughtIn(exchange));
}

async function removed({ tools, request, header }: Exchange, { target, check }: Sought): Promise<Answer> {
  const document = await amend(tools, request, {
    ...target,
    wish: (found): Wish => {
      check(found);
      if (found.entry.status !== 'deleted') checkState(found, header('If-Match'));
      return { status: 'deleted' };
    },
  });
  return { body: '', status: 204, headers: stateHeaders(document) };
}

/** Whoever names the patient in the search learns that there is no right on the record. */
function toldOfNames(problems: readonly Problem[], exchange: Exchange): readonly Problem[] {
  const isNamed = exchange.parameters.some(([name]) => namesPatient(name));
  if (!isNamed) return unknownUnlessNamed(type)(problems, exchange);
  const isUnknown = problems.some(({ name }) => name === 'documentUnknown');
  return isUnknown ? [problem('resourceUnknown', { value: `${type}/${exchange.id}` })] : problems;
}

const of = { resource: type, transaction: 'ITI-57', action: 'updateDocument', told: unknownUnlessNamed(type) } as const;

/** Changes of status, securityLabel and isArchived. PDSm flow 3 (MiseAJourMetadonneeFiche); DMP TD3.3a to d. */
export const documentUpdateInteractions: readonly Interaction[] = [
  {
    ...of,
    method: 'PATCH',
    path: `/${type}/:id`,
    interaction: 'patch',
    what: 'Change status, securityLabel or isArchived of a document entry',
    handle: patch,
  },
  {
    ...of,
    method: 'PATCH',
    path: `/${type}`,
    interaction: 'patch',
    what: 'The same of the one that a search by identifier finds',
    handle: conditionalPatch,
    told: toldOfNames,
  },
  {
    ...of,
    method: 'DELETE',
    path: `/${type}/:id`,
    interaction: 'delete',
    action: 'deleteDocument',
    what: 'Delete a document logically',
    handle: remove,
  },
  {
    ...of,
    method: 'DELETE',
    path: `/${type}`,
    interaction: 'delete',
    action: 'deleteDocument',
    what: 'The same of the one that a search by identifier finds',
    handle: conditionalRemove,
    told: toldOfNames,
  },
];

import type { Permit } from '../domain/decision.ts';
import { refuse } from '../domain/error.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { DocumentFilter, Page, PageRequest, StoredDocument } from '../store/port.ts';
import { perform, type Request, type Subject, type Tools } from './perform.ts';

/** The record asked about, by an identifier of its holder or by its own id. */
export type PatientRef = Identifier | { readonly record: string };

export type Find = {
  /** Absent: the patient of the credential. */
  readonly patient?: PatientRef;
  readonly filter: DocumentFilter;
  /** How many documents may be found; absent: any number. */
  readonly limit?: number;
  /** The question as it was asked, for the trace. */
  readonly query: string;
};

export type FindPage = Omit<Find, 'limit'> & {
  readonly page: PageRequest;
  /** Whether to count all that match. */
  readonly count?: boolean;
};

export type Get = {
  readonly by: 'entryUUID' | 'uniqueId' | 'logicalID';
  readonly values: readonly string[];
  readonly patient?: PatientRef;
  readonly limit?: number;
};

/**
 * The documents of a record that pass the filter and exist for the caller, newest first.
 * @throws Refused `tooManyResults` beyond the limit, `queryParameterMissing` when nobody names a patient, and what the decision refuses
 */
export async function findDocuments(tools: Tools, request: Request, find: Find): Promise<readonly StoredDocument[]> {
  const { filter, limit, query } = find;
  return perform(tools, request, 'searchDocuments', recordAsked(request, find.patient), async (permit) => {
    const found: StoredDocument[] = [];
    for (let before: number | undefined; ; before = found.at(-1)?.position) {
      const page = { limit: limit ?? pageOfAll, ...(before !== undefined && { before }) };
      const { items, more } = await tools.store.read.documents(permit, filter, page);
      found.push(...items);
      if (more && limit !== undefined) tooMany(limit);
      if (!more) return { answer: found, trace: { query: shortened(query) } };
    }
  });
}

/**
 * One page of the same, and how many there are where that was asked.
 * @throws Refused `queryParameterMissing` when nobody names a patient, and what the decision refuses
 */
export async function findPage(
  tools: Tools,
  request: Request,
  find: FindPage,
): Promise<Page<StoredDocument> & { readonly total?: number }> {
  const { filter, page, count, query } = find;
  return perform(tools, request, 'searchDocuments', recordAsked(request, find.patient), async (permit) => {
    const found = await tools.store.read.documents(permit, filter, page);
    const isAll = page.before === undefined && !found.more;
    const total =
      count !== true ? undefined : isAll ? found.items.length : await tools.store.read.countDocuments(permit, filter);
    return { answer: { ...found, ...(total !== undefined && { total }) }, trace: { query: shortened(query) } };
  });
}

/**
 * Documents by their names; those that do not exist for the caller are left out. When neither the request nor the credential names a patient,
 * the record is that of the first entryUUID.
 * @throws Refused `tooManyResults` beyond the limit, `queryParameterMissing` when nothing names a record, and what the decision refuses
 */
export async function getDocuments(tools: Tools, request: Request, get: Get): Promise<readonly StoredDocument[]> {
  const { by, values, limit } = get;
  const first = by === 'entryUUID' ? values[0] : undefined;
  const subject = recordAsked(request, get.patient, first);
  return perform(tools, request, 'lookUpDocuments', subject, async (permit) => {
    const { read } = tools.store;
    const found =
      by === 'entryUUID'
        ? await read.documentsByUuid(permit, values)
        : by === 'uniqueId'
          ? await read.documentsByUniqueId(permit, values)
          : await read.documentsByLogicalId(permit, values);
    if (found.length === 0 && reachesOwnOnly(permit)) refuse('accessDenied', {}, 'notAuthorised');
    if (limit !== undefined && found.length > limit) tooMany(limit);
    const documents = found.map(({ entry: { entryUUID, uniqueId } }) => ({ entryUUID, uniqueId }));
    return { answer: found, trace: { query: shortened(`${by}=${values.join(',')}`), documents } };
  });
}

/** A professional without authorisation finds what he wrote himself; for anything else he is told that he has no right, whether it exists or not. */
function reachesOwnOnly({ ground, visibility }: Permit): boolean {
  return ground === 'ownDocuments' && visibility.only === 'all';
}

/**
 * The record that a request is about: the one it names, else that of the credential's patient, else that of a document.
 * @throws Refused `queryParameterMissing`
 */
export function recordAsked({ caller }: Request, patient: PatientRef | undefined, document?: string): Subject {
  const named = patient ?? caller.patient;
  if (named !== undefined) return 'record' in named ? named : { identifier: named };
  if (document !== undefined) return { document };
  return refuse('queryParameterMissing', { attribute: 'patient', detail: 'the credential names none either' });
}

/** How many documents are read at once when all are wanted. */
const pageOfAll = 1000;

function tooMany(limit: number): never {
  refuse('tooManyResults', { detail: String(limit) });
}

/** What a trace keeps of a question. */
function shortened(query: string): string {
  return query.length > 4000 ? `${query.slice(0, 4000)}…` : query;
}

import type { AvailabilityStatus, DocumentEntry } from '../domain/document.ts';
import type { CodeMatch, DocumentFilter } from '../store/port.ts';
import type { DocumentNames } from '../usecases/query.ts';
import type { DocumentTest } from '../usecases/search-documents.ts';
import type { Results } from './result-parameters.ts';
import type { OfPatient } from './search.ts';
import type { Conditions } from './search-conditions.ts';
import { both, type Span, timeRange } from './search-values.ts';

/** A document as it is tested, with its relations. */
export type Tested = Parameters<DocumentTest>[0];

/** What a search of documents asks, as it is read. Lists of lists: the inner ones are ORs, all of the outer must hold. */
export type DocumentQuestion = Results &
  OfPatient &
  Conditions<Tested> & {
    statuses?: AvailabilityStatus[];
    archived?: boolean;
    /** By which the documents are found, where the search has names. */
    names?: DocumentNames[];
    codes: { [K in SingleCode]?: CodeMatch[][] };
    events: CodeMatch[][];
    confidentiality: CodeMatch[][];
    creation?: Span;
    start?: Span;
    /** As `period` asks, which may be open. */
    stop?: Span;
    /** As `period-end` asks. */
    end?: Span;
    changed?: Span;
  };

export type SingleCode =
  | 'classCodes'
  | 'typeCodes'
  | 'formatCodes'
  | 'practiceSettingCodes'
  | 'healthcareFacilityTypeCodes';

/** @param base the public address of this face @param now milliseconds */
export function emptyQuestion(base: string, now: number): DocumentQuestion {
  return { base, now, tests: [], codes: {}, events: [], confidentiality: [] };
}

/** The question as the store's filter. A repeated parameter of a single-valued attribute keeps the codes that all its lists hold. */
export function filterOf(question: DocumentQuestion): DocumentFilter {
  const { events, confidentiality, creation, start, stop, end } = question;
  const single = Object.entries(question.codes).map(([key, lists]) => [key, lists.reduce(common)] as const);
  return {
    statuses: statusesOf(question),
    ...Object.fromEntries(single),
    ...(events.length > 0 && { eventCodes: events }),
    ...(confidentiality.length > 0 && { confidentialityCodes: confidentiality }),
    ...(creation && { creationTime: timeRange(creation) }),
    ...(question.changed && { changedAt: question.changed }),
    ...(start && { serviceStartTime: { ...timeRange(start), present: true as const } }),
    ...((stop ?? end) && {
      serviceStopTime: { ...timeRange(both(stop, end ?? {})), ...(end && { present: true as const }) },
    }),
  };
}

/** What an entry found by its name must still be: status alone may be asked beside names. */
export function passes({ status: found }: DocumentEntry, question: DocumentQuestion): boolean {
  return statusesOf(question).includes(found);
}

/** Whether more is asked than names, patient and status. */
export function besidesNames(question: DocumentQuestion): boolean {
  const { statuses: _statuses, ...rest } = filterOf(question);
  return Object.keys(rest).length > 0 || question.tests.length > 0;
}

function statusesOf({ statuses: asked, archived }: DocumentQuestion): readonly AvailabilityStatus[] {
  const found = asked ?? ['approved', 'archived', 'deprecated'];
  return archived === undefined ? found : found.filter((one) => (one === 'archived') === archived);
}

function common(a: CodeMatch[], b: CodeMatch[]): CodeMatch[] {
  return a.flatMap((x) =>
    b
      .filter((y) => x.code === y.code && (x.system === undefined || y.system === undefined || x.system === y.system))
      .map((y) => ({ ...y, ...x })),
  );
}

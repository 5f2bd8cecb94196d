import type { Folder, SubmissionSet } from '../domain/document.ts';
import { writeXcn } from '../domain/hl7v2.ts';
import { earliest } from '../domain/time.ts';
import type { CodeMatch, FolderFilter, SetFilter, TimeRange } from './port.ts';

/** Whether a submission set passes the filter. */
export function matchesSet(set: SubmissionSet, filter: SetFilter): boolean {
  const { authorPersons } = filter;
  return (
    isOneOf(set.entryUUID, filter.entryUUIDs) &&
    isOneOf(set.uniqueId, filter.uniqueIds) &&
    isOneOf(set.status, filter.statuses) &&
    isOneOf(set.sourceId, filter.sourceIds) &&
    hasCode([set.contentTypeCode], filter.contentTypeCodes) &&
    isWithin(set.submissionTime, filter.submissionTime) &&
    (authorPersons === undefined ||
      set.authors.some(({ person }) => person !== undefined && isLike(writeXcn(person), authorPersons)))
  );
}

/** Whether a folder passes the filter; `latest` says that it is the last of its versions. */
export function matchesFolder(folder: Folder, latest: boolean, filter: FolderFilter): boolean {
  return (
    (latest || filter.allVersions === true) &&
    isOneOf(folder.entryUUID, filter.entryUUIDs) &&
    isOneOf(folder.uniqueId, filter.uniqueIds) &&
    isOneOf(folder.logicalID, filter.logicalIDs) &&
    isOneOf(folder.status, filter.statuses) &&
    (filter.codes ?? []).every((wanted) => hasCode(folder.codes, wanted)) &&
    isWithin(folder.lastUpdateTime, filter.lastUpdateTime)
  );
}

function isOneOf<T>(value: T, wanted: readonly T[] | undefined): boolean {
  return wanted === undefined || wanted.includes(value);
}

function hasCode(
  codes: readonly { code: string; system: string }[],
  wanted: readonly CodeMatch[] | undefined,
): boolean {
  return (
    wanted === undefined ||
    wanted.some((w) => codes.some((c) => c.code === w.code && (w.system === undefined || w.system === c.system)))
  );
}

function isWithin(dtm: string, range: TimeRange | undefined): boolean {
  const time = earliest(dtm);
  return (range?.from ?? time) <= time && (range?.to === undefined || time < range.to);
}

/** Whether one of the patterns matches the whole text: `%` any run, `_` one character. Never more steps than text times pattern. */
function isLike(text: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => isLikeOne([...text], [...pattern]));
}

function isLikeOne(text: readonly string[], pattern: readonly string[]): boolean {
  let [at, next] = [0, 0];
  let [afterRun, runTo] = [-1, 0];
  while (at < text.length) {
    const wanted = pattern[next];
    if (wanted === '%') {
      afterRun = ++next;
      runTo = at;
    } else if (wanted === '_' || wanted === text[at]) {
      at++;
      next++;
    } else if (afterRun >= 0) {
      // The last run takes one character more; those before it need not be tried again.
      at = ++runTo;
      next = afterRun;
    } else return false;
  }
  return pattern.slice(next).every((rest) => rest === '%');
}

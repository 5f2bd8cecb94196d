import { type Actor, statedStructureId } from '../domain/actor.ts';
import type { Code } from '../domain/code.ts';
import { reachesOwnOnly } from '../domain/decision.ts';
import {
  type AssociationDraft,
  type AvailabilityStatus,
  type EntryDraft,
  type Submission,
  type VisibilityCode,
  visibilityCode,
  visibilityOf,
  visibilitySystem,
} from '../domain/document.ts';
import { refuse } from '../domain/error.ts';
import { type Cx, oidOfUuid } from '../domain/identifier.ts';
import { type Author, patientXcn, professionalXcn, structureXon, systemXcn } from '../domain/people.ts';
import { dtmOf } from '../domain/time.ts';
import type { Changes } from '../domain/update/changes.ts';
import type { StoredDocument } from '../store/port.ts';
import type { Request, Tools } from './perform.ts';
import { type DocumentNames, documentsNamed, type PatientRef, recordNamed } from './query.ts';
import { type Made, updateAs } from './update.ts';

/** What of a document's visibility and status is to be another; what is not named stays. */
export type Wish = {
  /** Visibility codes that it gets, and those that it loses. */
  readonly hide?: readonly VisibilityCode[];
  readonly show?: readonly VisibilityCode[];
  readonly status?: AvailabilityStatus;
};

/** Which document, by a name that it alone has, and what is wanted of it as it is now. */
export type Amendment = DocumentNames & {
  /** Absent: the patient of the credential, or whose document it is. */
  readonly patient?: PatientRef;
  readonly wish: (document: StoredDocument) => Wish;
};

/**
 * Masks, unmasks, announces, archives, takes out of the archive or deletes one document, or several of these at once, by an update that is
 * filed in a submission set of the caller's. Nothing is filed where the document is already as it is wanted.
 * @returns the document as it is then, even where the caller sees it no more
 * @throws Refused documentUnknown, multipleMatches; as `update`; and what `wish` throws
 */
export async function amend(tools: Tools, request: Request, amendment: Amendment): Promise<StoredDocument> {
  const { patient, values, wish } = amendment;
  const subject = await recordNamed(tools, request, patient, amendment);
  return updateAs(tools, request, subject, async (permit): Promise<Made<StoredDocument>> => {
    const [document, ...more] = await documentsNamed(tools, permit, amendment, {});
    const value = values.join(',');
    if (document === undefined) {
      if (reachesOwnOnly(permit)) refuse('accessDenied', {}, 'notAuthorised');
      refuse('documentUnknown', { value });
    }
    if (more.length > 0) refuse('multipleMatches', { value });
    const submission = submissionOf(tools, request, document, wish(document));
    if (submission === undefined) return { unchanged: document, documents: [document.entry] };
    return { submission, answer: (changes) => changed(document, changes, tools.now()) };
  });
}

const setId = 'set';
const entryId = 'document';

/** The update that makes the document what is wanted; undefined where it is that already. */
function submissionOf(
  tools: Tools,
  { caller }: Request,
  { entry }: StoredDocument,
  { hide = [], show = [], status = entry.status }: Wish,
): Submission | undefined {
  const had = visibilityOf(entry.confidentialityCodes);
  const added = hide.filter((code) => !had.includes(code));
  const kept = entry.confidentialityCodes.filter(
    ({ code, system }) => system !== visibilitySystem || !show.some((one) => one === code),
  );
  const isOther = added.length > 0 || kept.length < entry.confidentialityCodes.length;
  if (!isOther && status === entry.status) return undefined;
  const { entryUUID, ...registered } = entry;
  const confidentialityCodes = [...kept, ...added.map(visibilityCode)];
  const draft: EntryDraft = { ...registered, id: entryId, confidentialityCodes };
  const member: AssociationDraft = {
    id: 'member',
    type: 'HasMember',
    source: setId,
    target: entryId,
    submissionSetStatus: 'Original',
    previousVersion: String(entry.version),
  };
  const change: AssociationDraft = {
    id: 'status',
    type: 'UpdateAvailabilityStatus',
    source: setId,
    target: isOther ? entryId : entryUUID,
    originalStatus: entry.status,
    newStatus: status,
  };
  return {
    sets: [setOf(tools, caller.actor, entry.patientId)],
    entries: isOther ? [draft] : [],
    folders: [],
    associations: [...(isOther ? [member] : []), ...(status === entry.status ? [] : [change])],
  };
}

/** Activity of who files a set in which nothing is deposited. CI-SIS value set JDV_J59. */
const activity: Code = { code: '07', system: '1.2.250.1.213.2.2', display: 'Consultations, soins externes' };

function setOf({ newId, now, settings }: Tools, actor: Actor, patientId: Cx): Submission['sets'][number] {
  return {
    id: setId,
    uniqueId: oidOfUuid(newId()),
    sourceId: settings.repositoryUniqueId,
    patientId,
    submissionTime: dtmOf(now()),
    contentTypeCode: activity,
    authors: [authorOf(actor)],
  };
}

/** The caller as author of a set: identifiers decide, names are for readers. CI-SIS, author fields. */
function authorOf(actor: Actor): Author {
  const structure = 'structure' in actor ? actor.structure : undefined;
  const id = statedStructureId(actor);
  const institutions = id === undefined ? [] : [structureXon(id, structure?.name ?? id)];
  const person = personOf(actor);
  return { ...(person && { person }), institutions, roles: [], specialties: [], telecommunications: [] };
}

function personOf(actor: Actor): Author['person'] {
  switch (actor.kind) {
    case 'professional':
    case 'air':
      return professionalXcn(actor.id, { family: actor.name });
    case 'patient':
      return patientXcn(actor.ins, { family: actor.name });
    case 'structure':
      return undefined;
    case 'representative':
      return { id: actor.id, family: actor.name, nameType: 'D' };
    case 'system':
    case 'administrator':
      return systemXcn(actor.id, actor.name);
  }
}

/** The document in the state that the changes bring it to. */
function changed(document: StoredDocument, { entries, statuses }: Changes, now: number): StoredDocument {
  const { entryUUID } = document.entry;
  const next = entries.find(({ before }) => before.entryUUID === entryUUID)?.next;
  const status = statuses.find((change) => change.entryUUID === entryUUID)?.to ?? document.entry.status;
  return {
    ...document,
    entry: next ?? { ...document.entry, status },
    registeredAt: next === undefined ? document.registeredAt : now,
    revision: document.revision + 1,
    changedAt: now,
  };
}

import type { AssociationDraft, EntryDraft, SetDraft, Submission } from '../domain/document.ts';
import { oidOfUuid } from '../domain/identifier.ts';
import { dtmOf } from '../domain/time.ts';
import type { Exchange } from './exchange.ts';

/**
 * The submission of a document that comes alone: a set made here, filed by the document's first author. IHE MHD 2:3.105.4.1.3; PCC TF-2 4.1.
 * @param associations of the document with others
 */
export function filed(
  entry: EntryDraft,
  associations: readonly AssociationDraft[],
  { tools, filing }: Exchange,
  now: number,
): Submission {
  const { authors = [], patientId } = entry;
  const [code = '', display = '', system = ''] = filing.contentType.split('^');
  const set: SetDraft = {
    id: 'SubmissionSet',
    status: 'approved',
    uniqueId: oidOfUuid(tools.newId()),
    sourceId: filing.sourceId,
    contentTypeCode: { code, system, ...(display !== '' && { display }) },
    ...(patientId && { patientId }),
    submissionTime: dtmOf(now),
    authors: authors.slice(0, 1),
    intendedRecipients: [],
    extra: [],
  };
  const member: AssociationDraft = {
    id: 'membership',
    type: 'HasMember',
    source: set.id,
    target: entry.id,
    status: 'approved',
    submissionSetStatus: 'Original',
    extra: [],
  };
  return { sets: [set], entries: [entry], folders: [], associations: [member, ...associations] };
}

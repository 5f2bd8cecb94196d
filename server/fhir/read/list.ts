import type { Extension, List, Reference } from 'fhir/r4.js';
import type { FolderDraft, SetDraft } from '../../domain/document.ts';
import type { Cx } from '../../domain/identifier.ts';
import type { Author, Recipient } from '../../domain/people.ts';
import { extensions, mhdListTypes, recipientUrls } from '../vocabulary.ts';
import { authorIn } from './author.ts';
import { conceptIn, namesIn, timeIn } from './code.ts';
import {
  type Opened,
  openSource,
  registryEntryIn,
  reportIdentifiers,
  textIn,
  versionIn,
} from './document-reference.ts';
import { checkList, extraIn } from './elements.ts';
import { extensionsOf, present, report, type Source } from './source.ts';

/** What a List is by its code; the code system is read under http too. IHE MHD, MHDlistTypes. */
export function kindOfList({ code }: List): 'submissionset' | 'folder' | undefined {
  const found = code?.coding?.find(({ system = '' }) => system.replace(/^http:/, 'https:') === mhdListTypes)?.code;
  return found === 'submissionset' || found === 'folder' ? found : undefined;
}

/** Reads a List that is a submission set. IHE MHD, mapping of XDSSubmissionSet. */
export function readSubmissionSet(resource: List, opened: Opened, patientId: Cx | undefined): SetDraft {
  const source = openSource(resource, opened);
  const own = registryEntryIn(resource);
  const sourceId = extensionsOf(resource, extensions.sourceId)[0]?.valueIdentifier?.value;
  checkList(source, resource, 'submissionset');
  if (resource.status !== 'current')
    report(source, 'attributeMalformed', 'availabilityStatus', 'status', { value: resource.status });
  return {
    ...commonIn(resource, source, own, patientId),
    ...present({
      status: 'approved' as const,
      sourceId: sourceId?.replace(/^urn:oid:/, ''),
      submissionTime: timeIn(source, resource.date, own('date')?.valueString, 'submissionTime', 'date'),
      contentTypeCode: designationsIn(source, resource, 'contentTypeCode')[0],
      authors: authorsIn(source, resource),
      intendedRecipients: extensionsOf(resource, ...recipientUrls).flatMap(({ valueReference }) =>
        recipientIn(source, valueReference),
      ),
    }),
  };
}

/** Reads a List that is a folder. IHE MHD, mapping of XDSFolder. */
export function readFolder(resource: List, opened: Opened, patientId: Cx | undefined): FolderDraft {
  const source = openSource(resource, opened);
  const own = registryEntryIn(resource);
  checkList(source, resource, 'folder');
  return {
    ...commonIn(resource, source, own, patientId),
    ...present({
      logicalID: own('logicalID')?.valueUri,
      version: versionIn(resource.meta?.versionId),
      status: resource.status === 'retired' ? ('deprecated' as const) : ('approved' as const),
      codes: designationsIn(source, resource, 'codeList'),
      lastUpdateTime: timeIn(source, resource.date, own('date')?.valueString, 'lastUpdateTime', 'date'),
    }),
  };
}

function commonIn(
  resource: List,
  source: Source,
  own: (part: string) => Extension | undefined,
  patientId: Cx | undefined,
) {
  const { title, note = [] } = resource;
  reportIdentifiers(source, resource.identifier);
  if (note.length > 1) report(source, 'attributeRepeated', 'comments', 'note[1]');
  return {
    id: source.object,
    ...present({
      uniqueId: namesIn(resource.identifier).uniqueId,
      patientId,
      title: textIn(title, own('titleLanguage')),
      comments: textIn(note[0]?.text, own('commentsLanguage')),
      homeCommunityId: own('homeCommunityId')?.valueUri,
      extra: extraIn(source, resource),
    }),
  };
}

function designationsIn(source: Source, resource: List, attribute: string) {
  return extensionsOf(resource, extensions.designationType).flatMap(
    ({ valueCodeableConcept }, i) => conceptIn(source, valueCodeableConcept, attribute, `extension[${i}]`) ?? [],
  );
}

function authorsIn(source: Source, { source: first, extension }: List): Author[] {
  const further = extensionsOf({ extension }, extensions.furtherAuthor).flatMap(
    ({ valueReference }) => (valueReference && authorIn(source, valueReference, 'author', 'extension')) ?? [],
  );
  const author = first && authorIn(source, first, 'author', 'source');
  return author === undefined ? further : [withOrganisation(source, author, first), ...further];
}

/** The institution that stands beside the source counts when the author names none. IHE MHD, authorOrg. */
function withOrganisation(source: Source, author: Author, reference: Reference | undefined): Author {
  const beside = extensionsOf(reference, extensions.authorOrg)[0]?.valueReference;
  if (beside === undefined || author.institutions.length > 0) return author;
  return { ...author, institutions: authorIn(source, beside, 'authorInstitution', 'source')?.institutions ?? [] };
}

function recipientIn(source: Source, reference: Reference | undefined): Recipient[] {
  const author = reference && authorIn(source, reference, 'intendedRecipient', 'extension');
  if (author === undefined) return [];
  const { person, institutions, telecommunications } = author;
  return [present({ organisation: institutions[0], person, telecommunication: telecommunications[0] })];
}

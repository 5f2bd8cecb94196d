import type { Extension, FhirResource, List, ListEntry, Reference } from 'fhir/r4.js';
import type { Association, Folder, SubmissionSet } from '../../domain/document.ts';
import type { Cx } from '../../domain/identifier.ts';
import type { Author, Recipient } from '../../domain/people.ts';
import { dateTimeOf } from '../../domain/time.ts';
import { extensions, mhdListTypes, profiles, uris } from '../vocabulary.ts';
import { associationExtension } from './association.ts';
import { authorReference } from './author.ts';
import { conceptOf, cxIdentifier, uniqueIdentifier } from './code.ts';
import { elementsOf } from './elements.ts';
import { languageOf, precisionOf, slotOf } from './registry-extension.ts';

/** A member of a list: by which association, where it is found, and by which other one the association is in the submission set. */
export type Member = {
  readonly association: Association;
  readonly reference: string;
  readonly membership?: Association;
  /** The submissionSetStatus that a reader of the list takes for granted. */
  readonly usual?: 'Original' | 'Reference';
};

/**
 * A submission set as List with every attribute. IHE MHD, mapping of XDSSubmissionSet.
 * @param patient reference to the record's holder; without it he is named by identifier alone
 */
export function submissionSetOf(set: SubmissionSet, members: readonly Member[], patient?: string): List {
  const contained: FhirResource[] = [];
  const [first, ...further] = set.authors.map((author, i) => authorReference(author, `author-${i + 1}`, contained));
  const recipients = set.intendedRecipients.map((one, i) =>
    authorReference(authorOf(one), `recipient-${i + 1}`, contained),
  );
  return listOf(set, 'submissionset', members, patient, {
    profile: profiles.mhdSubmissionSet,
    contained,
    status: 'current',
    date: dateTimeOf(set.submissionTime),
    precision: precisionOf('date', set.submissionTime),
    extension: [
      { url: extensions.designationType, valueCodeableConcept: conceptOf(set.contentTypeCode) },
      { url: extensions.sourceId, valueIdentifier: { system: uris, value: `urn:oid:${set.sourceId}` } },
      ...recipients.map((valueReference) => ({ url: extensions.intendedRecipient, valueReference })),
      ...further.map((valueReference) => ({ url: extensions.furtherAuthor, valueReference })),
    ],
    ...(first && { source: withOrganisation(first, contained) }),
  });
}

/** A folder as List with every attribute. IHE MHD, mapping of XDSFolder. @param patient as of `submissionSetOf` */
export function folderOf(folder: Folder, members: readonly Member[], patient?: string): List {
  return listOf(folder, 'folder', members, patient, {
    profile: profiles.mhdFolder,
    contained: [],
    status: folder.status === 'approved' ? 'current' : 'retired',
    date: dateTimeOf(folder.lastUpdateTime),
    precision: [
      ...precisionOf('date', folder.lastUpdateTime),
      ...(folder.logicalID === folder.entryUUID ? [] : [{ url: 'logicalID', valueUri: folder.logicalID }]),
    ],
    extension: folder.codes.map((code) => ({
      url: extensions.designationType,
      valueCodeableConcept: conceptOf(code),
    })),
    version: folder.version,
  });
}

type Own = {
  readonly profile: string;
  readonly contained: FhirResource[];
  readonly status: List['status'];
  readonly date: string;
  readonly precision: readonly Extension[];
  readonly extension: readonly Extension[];
  readonly source?: Reference;
  readonly version?: number;
};

type Common = Pick<Folder, 'entryUUID' | 'uniqueId' | 'comments' | 'homeCommunityId' | 'extra'> & {
  readonly patientId: Cx;
  readonly title?: Folder['title'];
};

function listOf(
  { entryUUID, uniqueId, patientId, title, comments, homeCommunityId, extra }: Common,
  kind: 'submissionset' | 'folder',
  members: readonly Member[],
  patient: string | undefined,
  { profile, contained, status, date, precision, extension, source, version = 1 }: Own,
): List {
  const registered: Extension[] = [
    ...precision,
    ...languageOf('titleLanguage', title),
    ...languageOf('commentsLanguage', comments),
    ...(homeCommunityId === undefined ? [] : [{ url: 'homeCommunityId', valueUri: homeCommunityId }]),
  ];
  const { elements, others } = elementsOf(extra);
  return {
    resourceType: 'List',
    meta: { ...elements.meta, versionId: String(version), profile: [profile] },
    ...(elements.language !== undefined && { language: elements.language }),
    ...(contained.length > 0 && { contained }),
    extension: [
      ...extension,
      ...(registered.length === 0 ? [] : [{ url: extensions.registryEntry, extension: registered }]),
      ...others.map(slotOf),
      ...(elements.extension ?? []),
    ],
    identifier: [
      uniqueIdentifier(uniqueId),
      { use: 'official', system: uris, value: entryUUID },
      ...(elements.identifier ?? []),
    ],
    status,
    mode: 'working',
    ...(title && { title: title.value }),
    code: { coding: [{ system: mhdListTypes, code: kind }] },
    subject: {
      ...(patient !== undefined && { reference: patient }),
      type: 'Patient',
      identifier: cxIdentifier(patientId),
    },
    date,
    ...(source && { source }),
    ...(comments && { note: [{ text: comments.value }] }),
    ...(members.length > 0 && { entry: members.map((member) => entryOf(member)) }),
  };
}

function entryOf({ association, reference, membership, usual }: Member): ListEntry {
  const said = { type: 'HasMember', ...(usual && { submissionSetStatus: usual }) } as const;
  return { extension: [associationExtension(association, said, membership)], item: { reference } };
}

/** The institution of a professional beside the source, as MHD asks. */
function withOrganisation(source: Reference, contained: readonly FhirResource[]): Reference {
  const resource = contained.find(({ id }) => source.reference === `#${id}`);
  const organization = resource?.resourceType === 'PractitionerRole' ? resource.organization : undefined;
  return {
    ...(organization && { extension: [{ url: extensions.authorOrg, valueReference: organization }] }),
    ...source,
  };
}

function authorOf({ organisation, person, telecommunication }: Recipient): Author {
  return {
    ...(person && { person }),
    institutions: organisation ? [organisation] : [],
    roles: [],
    specialties: [],
    telecommunications: telecommunication ? [telecommunication] : [],
  };
}

import type { Binary, Bundle, DocumentReference, FhirResource, Parameters, Reference } from 'fhir/r4.js';
import type { AssociationDraft, EntryDraft, FolderDraft, SetDraft, Submission } from '../../domain/document.ts';
import { type Problem, problem } from '../../domain/error.ts';
import { isUuid } from '../../domain/identifier.ts';
import { type OpenedEntry, openEntries } from './bundle-entries.ts';
import {
  associationsIn,
  type BundleFacts,
  type Links,
  linksOf,
  type Named,
  namedIn,
  relationsOf,
} from './bundle-links.ts';
import { namesIn } from './code.ts';
import { readDocumentReference } from './document-reference.ts';
import { readFolder, readSubmissionSet } from './list.ts';
import { type PatientSent, patientHere, patientSent, subjectIn } from './patient-named.ts';
import { authorHere, localId } from './references.ts';

/** What each entry of the Bundle is, in its order. `object` is the id of its draft. */
export type Part =
  | { readonly kind: 'submissionSet'; readonly object: string }
  /** `of`: it is added to a registered folder. */
  | { readonly kind: 'folder'; readonly object: string; readonly of?: string }
  | { readonly kind: 'document'; readonly object: string; readonly resource: DocumentReference }
  /** The bytes of the document `object`. */
  | { readonly kind: 'binary'; readonly object: string; readonly resource: Binary }
  | { readonly kind: 'fhirDocument'; readonly object: string; readonly resource: Bundle }
  | { readonly kind: 'patient' }
  | { readonly kind: 'person'; readonly resource: FhirResource }
  /** Says again that the document `object` is replaced. */
  | { readonly kind: 'patch'; readonly object: string }
  | { readonly kind: 'unknown' };

export type ProvidedBundle = {
  readonly submission: Submission;
  readonly parts: readonly Part[];
  /** Names by which associations name what is registered. */
  readonly named: Named;
  /** Registered folders as the Bundle shows them, by the name under which it names them. */
  readonly shownFolders: readonly FolderDraft[];
  readonly patients: readonly PatientSent[];
  readonly problems: readonly Problem[];
};

/** The ids of Patient that the subjects of a message name. */
export function literalPatients(resources: readonly { subject?: Reference | undefined }[], base: string): string[] {
  return [...new Set(resources.flatMap((resource) => localId(resource.subject?.reference, 'Patient', base) ?? []))];
}

/** The ids of Patient that the Bundle names, in subjects and as its own entries. */
export function patientsNamed({ entry = [] }: Bundle<FhirResource>, base: string): string[] {
  const subjects = entry.flatMap(({ resource }) =>
    resource?.resourceType === 'List' || resource?.resourceType === 'DocumentReference' ? [resource] : [],
  );
  const asked = entry.flatMap(({ request }) => localId(request?.url, 'Patient', base) ?? []);
  return [...new Set([...literalPatients(subjects, base), ...asked])];
}

/**
 * Reads a Bundle of ITI-65 whose structure is sound: what the source sent as drafts, whose ids are the entryUUID given or the place in the
 * Bundle, and everything that is wrong in its links. Memberships that XDS asks for and FHIR implies are added. IHE MHD 2:3.65.4.1.2.
 */
export function readProvideBundle(bundle: Bundle<FhirResource>, facts: BundleFacts): ProvidedBundle {
  const problems: Problem[] = [];
  const opened = openEntries(bundle, facts.base, problems);
  const links = linksOf(opened, facts, problems);
  const sets: SetDraft[] = [];
  const entries: EntryDraft[] = [];
  const folders: FolderDraft[] = [];
  const shownFolders: FolderDraft[] = [];
  for (const one of opened) {
    const { kind, resource } = one;
    if (kind === 'submissionSet') sets.push(readSubmissionSet(resource, sourceOf(one, links), subjectIn(one, links)));
    else if (kind === 'folder')
      (one.of === undefined ? folders : shownFolders).push(
        readFolder(resource, sourceOf(one, links), subjectIn(one, links)),
      );
    else if (kind === 'document')
      entries.push(readDocumentReference(resource, sourceOf(one, links), subjectIn(one, links)));
  }
  const associations = associationsIn(links, sets[0]?.id);
  return {
    submission: { sets, entries, folders, associations },
    parts: partsOf(links, associations),
    named: namedIn(links),
    shownFolders,
    patients: opened.flatMap((one) => (one.kind === 'patient' ? [patientSent(one, links)] : [])),
    problems,
  };
}

export type ReadAlone = Pick<ProvidedBundle, 'named' | 'problems'> & {
  readonly entry: EntryDraft;
  readonly associations: readonly AssociationDraft[];
};

/** Reads a DocumentReference that comes alone, whose structure is sound. IHE MHD 2:3.105.4.1.2. */
export function readAlone(resource: DocumentReference, facts: BundleFacts): ReadAlone {
  const problems: Problem[] = [];
  const path = 'DocumentReference';
  const given = namesIn(resource.identifier).entryUUID;
  const object = given !== undefined && isUuid(given) ? given : path;
  const alone: OpenedEntry = { kind: 'document', resource, object, path, fullUrl: undefined };
  const links = linksOf([alone], facts, problems);
  const entry = readDocumentReference(resource, sourceOf(alone, links), subjectIn(alone, links));
  const associations = relationsOf(alone, resource, links);
  return { entry, associations, named: namedIn(links), problems };
}

/** Where a resource stands, and how references in it are resolved within the Bundle. */
function sourceOf({ object, path, fullUrl }: OpenedEntry, links: Links) {
  const { problems, inBundle, base } = links;
  const elsewhere = (reference: string) =>
    inBundle(reference, fullUrl)?.resource ?? patientHere(reference, links) ?? authorHere(reference, base);
  return { object, path, problems, elsewhere };
}

function partsOf(links: Links, associations: readonly AssociationDraft[]): Part[] {
  const ownerOf = new Map<OpenedEntry, string>();
  for (const entry of links.opened) {
    const { url } = entry.kind === 'document' ? (entry.resource.content[0]?.attachment ?? {}) : {};
    const named = url === undefined ? undefined : links.inBundle(url, entry.fullUrl);
    if (named !== undefined && !ownerOf.has(named)) ownerOf.set(named, entry.object);
  }
  const partOf = (entry: OpenedEntry): Part => {
    const { object } = entry;
    switch (entry.kind) {
      case 'binary':
        return { kind: entry.kind, object: ownerOf.get(entry) ?? object, resource: entry.resource };
      case 'fhirDocument':
        return { kind: entry.kind, object: ownerOf.get(entry) ?? object, resource: entry.resource };
      case 'patch':
        return { kind: entry.kind, object: patched(entry, entry.resource, entry.url, links, associations) };
      case 'document':
        return { kind: entry.kind, object, resource: entry.resource };
      case 'person':
        return { kind: entry.kind, resource: entry.resource };
      case 'folder':
        return { kind: entry.kind, object, ...(entry.of !== undefined && { of: entry.of }) };
      case 'submissionSet':
        return { kind: entry.kind, object };
      case 'patient':
      case 'unknown':
        return { kind: entry.kind };
    }
  };
  return links.opened.map(partOf);
}

/** The document that a PATCH entry sets to superseded: one that the Bundle replaces. IHE MHD, Patch Parameters. */
function patched(
  { path, object }: OpenedEntry,
  { parameter = [] }: Parameters,
  url: string,
  { base, problems }: Links,
  associations: readonly AssociationDraft[],
): string {
  const part = (name: string) => parameter[0]?.part?.find((one) => one.name === name);
  const says =
    parameter.length === 1 &&
    part('type')?.valueCode === 'replace' &&
    part('path')?.valueString === 'DocumentReference.status' &&
    part('value')?.valueCode === 'superseded';
  const target = `urn:uuid:${localId(url, 'DocumentReference', base) ?? ''}`;
  const replaces = associations.some((a) => (a.type === 'RPLC' || a.type === 'XFRM_RPLC') && a.target === target);
  if (!says || !replaces)
    problems.push(
      problem('bundleEntryForeign', {
        object,
        value: `PATCH ${url}`,
        expression: path,
        detail: 'only a document that the Bundle replaces is patched, its status to superseded',
      }),
    );
  return target;
}

import type {
  Binary,
  Bundle,
  BundleEntry,
  DocumentReference,
  FhirResource,
  List,
  Parameters,
  Patient,
  Reference,
} from 'fhir/r4.js';
import type { AssociationDraft, EntryDraft, FolderDraft, SetDraft, Submission } from '../../domain/document.ts';
import { type Problem, problem } from '../../domain/error.ts';
import { type Cx, isUuid } from '../../domain/identifier.ts';
import { typeOfRelation } from '../map/association.ts';
import { readIdentifier } from '../search-values.ts';
import { associationIn } from './association.ts';
import { cxIn, namesIn, uniqueIdIn } from './code.ts';
import { type Opened, readDocumentReference } from './document-reference.ts';
import { kindOfList, readFolder, readSubmissionSet } from './list.ts';
import { report, type Source } from './source.ts';

/** What each entry of the Bundle is, in its order. `object` is the id of its draft. */
export type Part =
  | { readonly kind: 'submissionSet'; readonly object: string }
  | { readonly kind: 'folder'; readonly object: string }
  | { readonly kind: 'document'; readonly object: string }
  /** The bytes of the document `object`. */
  | { readonly kind: 'binary'; readonly object: string; readonly resource: Binary }
  | { readonly kind: 'patient' }
  /** Says again that the document `object` is replaced. */
  | { readonly kind: 'patch'; readonly object: string }
  | { readonly kind: 'unknown' };

export type ProvidedBundle = {
  readonly submission: Submission;
  readonly parts: readonly Part[];
  /** Names by which associations name registered documents. */
  readonly named: { readonly uniqueIds: readonly string[]; readonly logicalIDs: readonly string[] };
  readonly problems: readonly Problem[];
};

export type BundleFacts = {
  /** The public address of this face. */
  readonly base: string;
  /** Identifiers of records that literal references name, by the id of Patient. */
  readonly patients: ReadonlyMap<string, Cx>;
};

/** The ids of Patient that literal references of the message name. */
export function literalPatients(resources: readonly { subject?: Reference | undefined }[], base: string): string[] {
  return [...new Set(resources.flatMap((resource) => localId(resource.subject?.reference, 'Patient', base) ?? []))];
}

/** The id in a reference to one of our own resources: relative, absolute or version-specific. FHIR R4 references.html#literal. */
export function localId(reference: string | undefined, type: string, base: string): string | undefined {
  const relative = reference?.startsWith(`${base}/`) === true ? reference.slice(base.length + 1) : reference;
  const [found, id, ...more] = relative?.split('/') ?? [];
  const isVersion = more.length === 0 || (more.length === 2 && more[0] === '_history');
  return found === type && isVersion && id !== undefined && /^[A-Za-z0-9.-]{1,64}$/.test(id) ? id : undefined;
}

/**
 * Reads a Bundle of ITI-65 whose structure is sound: what the source sent as drafts, whose ids are the entryUUID given or the place in the
 * Bundle, and everything that is wrong in its links. Memberships that XDS asks for and FHIR implies are added. IHE MHD 2:3.65.4.1.2.
 */
export function readProvideBundle(bundle: Bundle<FhirResource>, facts: BundleFacts): ProvidedBundle {
  const problems: Problem[] = [];
  const opened = (bundle.entry ?? []).map((entry, index) => open(entry, index, problems));
  const links = linksOf(opened, facts, problems);
  const sets: SetDraft[] = [];
  const entries: EntryDraft[] = [];
  const folders: FolderDraft[] = [];
  for (const { kind, resource, path, object } of opened) {
    const source = { object, path, problems };
    if (kind === 'submissionSet') sets.push(readSubmissionSet(resource, source, patientOf(resource, source, links)));
    else if (kind === 'folder') folders.push(readFolder(resource, source, patientOf(resource, source, links)));
    else if (kind === 'document')
      entries.push(readDocumentReference(resource, source, patientOf(resource, source, links)));
  }
  const associations = associationsIn(links, sets[0]?.id);
  return {
    submission: { sets, entries, folders, associations },
    parts: partsOf(links, associations),
    named: namedIn(links),
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
  const entry = readDocumentReference(resource, { object, path, problems }, patientOf(resource, alone, links));
  const associations = relationsOf(alone, resource, links);
  return { entry, associations, named: namedIn(links), problems };
}

type Kind =
  | { readonly kind: 'submissionSet' | 'folder'; readonly resource: List }
  | { readonly kind: 'document'; readonly resource: DocumentReference }
  | { readonly kind: 'binary'; readonly resource: Binary }
  | { readonly kind: 'patient'; readonly resource: Patient }
  | { readonly kind: 'patch'; readonly resource: Parameters; readonly url: string }
  | { readonly kind: 'unknown'; readonly resource?: never };

type OpenedEntry = Kind & Pick<Opened, 'object' | 'path'> & { readonly fullUrl: string | undefined };

type Links = BundleFacts & {
  readonly problems: Problem[];
  readonly opened: readonly OpenedEntry[];
  readonly byUrl: ReadonlyMap<string, OpenedEntry>;
  readonly uniqueIds: Set<string>;
  readonly logicalIDs: Set<string>;
};

function linksOf(opened: readonly OpenedEntry[], facts: BundleFacts, problems: Problem[]): Links {
  const named = { uniqueIds: new Set<string>(), logicalIDs: new Set<string>() };
  return { ...facts, ...named, problems, opened, byUrl: byUrl(opened, problems) };
}

function namedIn({ uniqueIds, logicalIDs }: Links): ProvidedBundle['named'] {
  return { uniqueIds: [...uniqueIds], logicalIDs: [...logicalIDs] };
}

function open(entry: BundleEntry<FhirResource>, index: number, problems: Problem[]): OpenedEntry {
  const place = `Bundle.entry[${index}]`;
  const kind = kindOf(entry);
  const asked = `${entry.request?.method ?? ''} ${entry.request?.url ?? ''}`;
  if (kind.kind === 'unknown')
    problems.push(
      problem('bundleEntryForeign', {
        object: place,
        value: `${asked} ${entry.resource?.resourceType ?? ''}`.trim(),
        expression: place,
      }),
    );
  const isNamed = kind.kind === 'submissionSet' || kind.kind === 'folder' || kind.kind === 'document';
  const given = isNamed ? namesIn(kind.resource.identifier).entryUUID : undefined;
  const object = given !== undefined && isUuid(given) ? given : place;
  return { ...kind, object, path: `${place}.resource`, fullUrl: entry.fullUrl };
}

function kindOf({ resource, request }: BundleEntry<FhirResource>): Kind {
  const { method, url = '' } = request ?? {};
  const type = resource?.resourceType;
  if (type === 'Parameters' && method === 'PATCH' && url.startsWith('DocumentReference'))
    return { kind: 'patch', resource, url };
  if (type === 'Patient' && (method === 'PUT' || method === 'GET') && url.startsWith('Patient'))
    return { kind: 'patient', resource };
  if (method !== 'POST' || url !== type) return { kind: 'unknown' };
  if (type === 'DocumentReference') return { kind: 'document', resource };
  if (type === 'Binary') return { kind: 'binary', resource };
  if (type === 'Patient') return { kind: 'patient', resource };
  const list = type === 'List' ? kindOfList(resource) : undefined;
  if (type !== 'List' || list === undefined) return { kind: 'unknown' };
  return { kind: list === 'folder' ? list : 'submissionSet', resource };
}

function byUrl(opened: readonly OpenedEntry[], problems: Problem[]): Map<string, OpenedEntry> {
  const found = new Map<string, OpenedEntry>();
  for (const entry of opened) {
    if (entry.fullUrl === undefined) continue;
    if (found.has(entry.fullUrl))
      problems.push(
        problem('duplicateId', { value: entry.fullUrl, expression: entry.path.replace(/resource$/, 'fullUrl') }),
      );
    found.set(entry.fullUrl, entry);
  }
  return found;
}

/** The identifier of a subject: by itself, of a Patient in the Bundle, of one of our records, or in a conditional reference. */
function patientOf(
  resource: List | DocumentReference,
  { object, path }: Pick<Opened, 'object' | 'path'>,
  links: Links,
): Cx | undefined {
  const { subject } = resource;
  if (subject === undefined) return undefined;
  const source: Source = { object, path, problems: links.problems, contained: [] };
  const { reference } = subject;
  if (reference !== undefined) {
    const inBundle = links.byUrl.get(reference);
    const contained = resource.contained?.find(({ id }) => reference === `#${id}`);
    const patient = inBundle?.kind === 'patient' ? inBundle.resource : contained;
    if (patient?.resourceType === 'Patient')
      return cxIn(source, (patient as Patient).identifier?.[0], 'patientId', 'subject');
    const id = localId(reference, 'Patient', links.base);
    const held = id === undefined ? conditional(reference) : links.patients.get(id);
    if (held !== undefined) return held;
  }
  if (subject.identifier !== undefined) return cxIn(source, subject.identifier, 'patientId', 'subject.identifier');
  return report(source, 'referenceUnresolved', 'patientId', 'subject', { value: reference ?? '' });
}

/** `Patient?identifier=urn:oid:<OID>|<value>`. FHIR R4 http.html#trules. */
function conditional(reference: string): Cx | undefined {
  if (!reference.startsWith('Patient?')) return undefined;
  const [[name, value] = ['', ''], ...more] = [...new URLSearchParams(reference.slice('Patient?'.length))];
  const identifier = name === 'identifier' && more.length === 0 ? readIdentifier(value) : undefined;
  return identifier && { id: identifier.value, authority: { oid: identifier.oid } };
}

function associationsIn(links: Links, set: string | undefined): AssociationDraft[] {
  return links.opened.flatMap((entry) => {
    if (entry.kind === 'document') return relationsOf(entry, entry.resource, links);
    if (entry.kind === 'submissionSet') return membersOf(entry, entry.resource, links, undefined);
    return entry.kind === 'folder' ? membersOf(entry, entry.resource, links, set) : [];
  });
}

function relationsOf({ object, path }: OpenedEntry, { relatesTo = [] }: DocumentReference, links: Links) {
  return relatesTo.map(({ code, target, extension }, i): AssociationDraft => {
    const at = `relatesTo[${i}]`;
    const {
      id = `${path}.${at}`,
      type = typeOfRelation[code],
      extra = [],
      documentation,
    } = associationIn({ extension });
    const source = { object: id, path, problems: links.problems, contained: [] };
    return draft(id, type, object, targetOf(target, source, `${at}.target`, links), {
      extra,
      ...(documentation && { documentation }),
    });
  });
}

/** @param set the submission set, for the members of a folder: each membership is a member of the set. IHE ITI TF-3 4.2.1.4 */
function membersOf({ object, path }: OpenedEntry, { entry = [] }: List, links: Links, set: string | undefined) {
  return entry.flatMap(({ item, extension }, i): AssociationDraft[] => {
    const place = `${path}.entry[${i}]`;
    const { id = place, submissionSetStatus, extra = [], documentation, membership } = associationIn({ extension });
    const source = { object: id, path, problems: links.problems, contained: [] };
    const target = targetOf(item, source, `entry[${i}].item`, links);
    const given = links.byUrl.get(item.reference ?? '');
    const usual = given === undefined ? 'Reference' : given.kind === 'document' ? 'Original' : 'none';
    const status = set === undefined ? (submissionSetStatus ?? usual) : (submissionSetStatus ?? 'none');
    const member = draft(id, 'HasMember', object, target, {
      extra,
      ...(documentation && { documentation }),
      ...(status !== 'none' && { submissionSetStatus: status }),
    });
    if (set === undefined) return [member];
    const inSet = membership?.id ?? `${place} in set`;
    const { submissionSetStatus: also = 'none', documentation: why } = membership ?? {};
    const more = { extra: membership?.extra ?? [], ...(why && { documentation: why }) };
    return [
      member,
      draft(inSet, 'HasMember', set, id, { ...more, ...(also !== 'none' && { submissionSetStatus: also }) }),
    ];
  });
}

function draft(
  id: string,
  type: NonNullable<AssociationDraft['type']>,
  source: string,
  target: string | undefined,
  more: Pick<AssociationDraft, 'extra' | 'documentation' | 'submissionSetStatus'>,
): AssociationDraft {
  return { id, type, source, ...(target !== undefined && { target }), status: 'approved', ...more };
}

/** The id of what a reference names: in the Bundle, here by its id, or by an identifier, whose uniqueId is looked up later. */
function targetOf({ reference, identifier }: Reference, source: Source, at: string, links: Links): string | undefined {
  const given = reference === undefined ? undefined : links.byUrl.get(reference);
  if (given?.kind === 'document' || given?.kind === 'folder' || given?.kind === 'submissionSet') return given.object;
  const id = localId(reference, 'DocumentReference', links.base) ?? localId(reference, 'List', links.base);
  if (id !== undefined && isUuid(`urn:uuid:${id}`)) {
    links.logicalIDs.add(`urn:uuid:${id}`);
    return `urn:uuid:${id}`;
  }
  const uniqueId = identifier && uniqueIdIn(identifier);
  if (uniqueId !== undefined) {
    links.uniqueIds.add(uniqueId);
    return uniqueId;
  }
  return report(source, 'referenceUnresolved', 'targetObject', at, { value: reference ?? '' });
}

function partsOf(links: Links, associations: readonly AssociationDraft[]): Part[] {
  const documents = links.opened.filter(({ kind }) => kind === 'document');
  return links.opened.map((entry): Part => {
    const { object, kind } = entry;
    if (kind === 'binary') {
      const owners = documents.filter(
        ({ resource }) => urlOf(resource) === entry.fullUrl && entry.fullUrl !== undefined,
      );
      return { kind, object: owners[0]?.object ?? object, resource: entry.resource };
    }
    if (kind === 'patch') return { kind, object: patched(entry, entry.resource, entry.url, links, associations) };
    return kind === 'patient' || kind === 'unknown' ? { kind } : { kind, object };
  });
}

function urlOf(resource: OpenedEntry['resource']): string | undefined {
  return resource?.resourceType === 'DocumentReference' ? resource.content[0]?.attachment.url : undefined;
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

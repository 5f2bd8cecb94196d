import type { DocumentReference, DocumentReferenceRelatesTo, List, Reference } from 'fhir/r4.js';
import type { AssociationDraft } from '../../domain/document.ts';
import type { Problem } from '../../domain/error.ts';
import { type Cx, isUuid } from '../../domain/identifier.ts';
import { typeOfRelation } from '../map/association.ts';
import { associationIn } from './association.ts';
import type { OpenedEntry } from './bundle-entries.ts';
import { uniqueIdIn } from './code.ts';
import { localName, urlInBundle } from './references.ts';
import { report, type Source } from './source.ts';

/** A registered object in a certain state: which one, and where it is named so. */
export type NamedVersion = {
  readonly logicalID: string;
  readonly version: string;
  readonly object: string;
  readonly expression: string;
};

/** Names by which associations name what is registered, instead of the entryUUID. */
export type Named = {
  readonly uniqueIds: readonly string[];
  readonly logicalIDs: readonly string[];
  readonly versions: readonly NamedVersion[];
};

export type BundleFacts = {
  /** The public address of this face. */
  readonly base: string;
  /** All identifiers of records that literal references name, by the id of Patient. */
  readonly patients: ReadonlyMap<string, readonly Cx[]>;
};

export type Links = BundleFacts & {
  readonly problems: Problem[];
  readonly opened: readonly OpenedEntry[];
  /** The entry that a reference names, `from` the fullUrl of the one that it stands in. */
  readonly inBundle: (reference: string, from: string | undefined) => OpenedEntry | undefined;
  readonly uniqueIds: Set<string>;
  readonly logicalIDs: Set<string>;
  readonly versions: NamedVersion[];
};

/** What entries say of one another. @param problems where readers of them report what cannot be resolved */
export function linksOf(opened: readonly OpenedEntry[], facts: BundleFacts, problems: Problem[]): Links {
  const byUrl = new Map(
    opened.flatMap((entry) => (entry.fullUrl === undefined ? [] : [[entry.fullUrl, entry] as const])),
  );
  const named = { uniqueIds: new Set<string>(), logicalIDs: new Set<string>(), versions: [] };
  for (const entry of opened) if (entry.kind === 'folder' && entry.of !== undefined) named.logicalIDs.add(entry.of);
  return {
    ...facts,
    ...named,
    problems,
    opened,
    inBundle: (reference, from) => byUrl.get(urlInBundle(reference, from)),
  };
}

/** What has to be looked up in the registry, once all entries were read. */
export function namedIn({ uniqueIds, logicalIDs, versions }: Links): Named {
  return { uniqueIds: [...uniqueIds], logicalIDs: [...logicalIDs], versions };
}

/** @param set the draft of the submission set */
export function associationsIn(links: Links, set: string | undefined): AssociationDraft[] {
  return links.opened.flatMap((entry) => {
    if (entry.kind === 'document') return relationsOf(entry, entry.resource, links);
    if (entry.kind === 'submissionSet') return membersOf(entry, entry.resource, links, undefined);
    return entry.kind === 'folder' ? membersOf(entry, entry.resource, links, set) : [];
  });
}

/** The relationships of a document. `replaces` and `transforms` of the same document are one: it is transformed and replaced. */
export function relationsOf(
  entry: OpenedEntry,
  { relatesTo = [] }: DocumentReference,
  links: Links,
): AssociationDraft[] {
  const drafts = relatesTo.map((relation, i) => relationOf(entry, relation, i, links));
  return drafts.flatMap((one): AssociationDraft[] => {
    const with_ = (type: string) =>
      one.target !== undefined && drafts.some((other) => other.type === type && other.target === one.target);
    if (one.type === 'XFRM' && with_('RPLC')) return [];
    return [one.type === 'RPLC' && with_('XFRM') ? { ...one, type: 'XFRM_RPLC' } : one];
  });
}

function relationOf(
  { object, path, fullUrl }: OpenedEntry,
  { code, target, extension }: DocumentReferenceRelatesTo,
  i: number,
  links: Links,
): AssociationDraft {
  const at = `relatesTo[${i}]`;
  const { id = `${path}.${at}`, type = typeOfRelation[code], extra = [], documentation } = associationIn({ extension });
  const source = { object: id, path, problems: links.problems, contained: [] };
  return draft(id, type, object, targetOf(target, source, `${at}.target`, links, fullUrl), {
    extra,
    ...(documentation && { documentation }),
  });
}

/**
 * @param set the submission set, for the members of a folder: each membership is a member of the set. IHE ITI TF-3 4.2.1.4. A registered
 * folder is none: XDS files what is put into it.
 */
function membersOf(
  { object, path, fullUrl }: OpenedEntry,
  { entry = [] }: List,
  links: Links,
  set: string | undefined,
) {
  return entry.flatMap(({ item, extension }, i): AssociationDraft[] => {
    const place = `${path}.entry[${i}]`;
    const { id = place, submissionSetStatus, extra = [], documentation, membership } = associationIn({ extension });
    const source = { object: id, path, problems: links.problems, contained: [] };
    const given = item.reference === undefined ? undefined : links.inBundle(item.reference, fullUrl);
    const folder = given?.kind === 'folder' ? given : changedFolder(item.reference, links);
    if (set === undefined && folder?.of !== undefined) return [];
    const target = targetOf(item, source, `entry[${i}].item`, links, fullUrl);
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

/** The folder that the Bundle changes, named by its address here. */
function changedFolder(reference: string | undefined, { opened, base }: Links) {
  const name = localName(reference, 'List', base);
  return name && opened.flatMap((one) => (one.kind === 'folder' && one.of === `urn:uuid:${name.id}` ? [one] : []))[0];
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
function targetOf(
  { reference, identifier }: Reference,
  source: Source,
  at: string,
  links: Links,
  from: string | undefined,
): string | undefined {
  const given = reference === undefined ? undefined : links.inBundle(reference, from);
  if (given?.kind === 'document' || given?.kind === 'folder' || given?.kind === 'submissionSet') return given.object;
  const name = localName(reference, 'DocumentReference', links.base) ?? localName(reference, 'List', links.base);
  const logicalID = `urn:uuid:${name?.id}`;
  if (name !== undefined && isUuid(logicalID)) {
    const { object, path } = source;
    links.logicalIDs.add(logicalID);
    if (name.version !== undefined)
      links.versions.push({ logicalID, version: name.version, object, expression: `${path}.${at}` });
    return logicalID;
  }
  const uniqueId = identifier && uniqueIdIn(identifier);
  if (uniqueId !== undefined) {
    links.uniqueIds.add(uniqueId);
    return uniqueId;
  }
  return report(source, 'referenceUnresolved', 'targetObject', at, {
    value: reference ?? '',
    detail: 'references name entries of the Bundle, our own resources, or a uniqueId; nothing is fetched',
  });
}

import type { DocumentReference, Extension, List, Patient, Reference } from 'fhir/r4.js';
import type { Slot } from '../../domain/document.ts';
import { problem } from '../../domain/error.ts';
import type { Xon } from '../../domain/people.ts';
import { type Elements, isFurther, slotsOf } from '../map/elements.ts';
import { organisation } from '../map/people.ts';
import { archivedUrls, elementsSlot, extensions, understoodUrls } from '../vocabulary.ts';
import { authorIn } from './author.ts';
import { slotsIn } from './slots.ts';
import { extensionsOf, present, resolvedIn, type Source } from './source.ts';

type Kept = DocumentReference | List;

/** Characters of what is kept beside the attributes: it goes with every answer. */
const mostKept = 65_536;

/**
 * The slots that a document or list brings, and one with what XDS has no attribute for: meta.source, security and tag, language, extensions that
 * nobody knows here, identifiers besides entryUUID and uniqueId, custodian.
 */
export function extraIn(source: Source, resource: Kept): Slot[] {
  const brought = slotsIn(resource);
  const slots = slotsOf(elementsIn(source, resource));
  if (slots.length > 0 && brought.some(({ name }) => name === elementsSlot))
    notKept(source, 'extension', `the slot ${elementsSlot} is written by this server`);
  const size = slots.flatMap(({ values }) => values).join('').length;
  if (size > mostKept) notKept(source, 'extension', `it has ${size} characters, at most ${mostKept} are`);
  return [...brought, ...slots];
}

function elementsIn(source: Source, resource: Kept): Elements {
  const { meta: { source: from, security, tag } = {}, language, identifier = [] } = resource;
  const meta = present({ source: from, security, tag });
  const extension = (resource.extension ?? []).filter(({ url }) => !understoodUrls.includes(url));
  const further = identifier.filter(isFurther);
  for (const one of extension) checkExtension(source, one);
  const custodian = resource.resourceType === 'DocumentReference' ? custodianIn(source, resource.custodian) : undefined;
  return {
    ...(Object.keys(meta).length > 0 && { meta }),
    ...(language !== undefined && { language }),
    ...(extension.length > 0 && { extension }),
    ...(further.length > 0 && { identifier: further }),
    ...(custodian && { custodian }),
  };
}

/** An extension is kept as it came: what it names within the message would not be there any more. */
function checkExtension(source: Source, extension: Extension): void {
  if (/"reference":"(#|urn:)/.test(JSON.stringify(extension)))
    notKept(source, 'extension', `what the extension ${extension.url} refers to is not kept with it`);
}

/**
 * The organisation that keeps the document, by the identifier and name by which authors' institutions are kept; one of another server by its
 * address.
 */
function custodianIn(source: Source, reference: Reference | undefined): Reference | undefined {
  if (reference === undefined) return undefined;
  const { reference: literal, identifier, display } = reference;
  if (literal === undefined && identifier === undefined && display !== undefined)
    return { type: 'Organization', display };
  if (/^https?:/.test(literal ?? '') && resolvedIn(source, literal) === undefined) return reference;
  const custodian = authorIn(source, reference, 'custodian', 'custodian');
  if (custodian === undefined) return undefined;
  const [place] = custodian.institutions;
  if (place !== undefined && custodian.person === undefined) return referenceTo(place);
  notKept(source, 'custodian', 'an Organization is expected');
  return undefined;
}

function referenceTo(place: Xon): Reference {
  const { identifier: [identifier] = [], name } = organisation(place, '');
  return {
    type: 'Organization',
    ...(identifier && { identifier }),
    ...(name !== undefined && name !== place.id && { display: name }),
  };
}

/** Reports what cannot be kept. */
function notKept({ object, path, problems }: Source, at: string, detail: string): void {
  problems.push(problem('elementNotKept', { object, expression: `${path}.${at}`, detail }));
}

/** What a List says that neither a submission set nor a folder can. */
export function checkList(source: Source, resource: List, kind: 'submissionset' | 'folder'): void {
  const { mode, note: [note] = [] } = resource;
  if (mode !== 'working') notKept(source, 'mode', 'a working list is expected');
  if (kind === 'folder' && resource.status === 'entered-in-error')
    notKept(source, 'status', 'a folder is current or retired');
  if (kind === 'folder' && resource.source !== undefined) notKept(source, 'source', 'a folder has no author');
  for (const element of ['authorString', 'authorReference', 'time'] as const)
    if (note?.[element] !== undefined) notKept(source, `note[0].${element}`, 'the text alone is');
  const isArchived = extensionsOf(resource, ...archivedUrls).some(({ valueBoolean }) => valueBoolean === true);
  if (isArchived) notKept(source, 'extension', 'documents are archived, one by one');
  const single = [extensions.sourceId, ...(kind === 'submissionset' ? [extensions.designationType] : [])];
  for (const url of single) if (extensionsOf(resource, url).length > 1) notKept(source, 'extension', `one ${url} is`);
}

/** What of a source patient changes what the rest of him means, and PID lines cannot say. FHIR R4 patient.html, modifier elements. */
export function checkSourcePatient(source: Source, { active, link, name = [] }: Patient, at: string): void {
  if (active === false) notKept(source, `${at}.resolve().active`, 'a source patient is in use');
  if (link !== undefined) notKept(source, `${at}.resolve().link`, 'other patients are not named by a document');
  const passed = name.findIndex(({ use }) => use === 'old' || use === 'temp' || use === 'anonymous');
  if (passed >= 0) notKept(source, `${at}.resolve().name[${passed}].use`, 'PID-5 holds names of birth and in use');
}

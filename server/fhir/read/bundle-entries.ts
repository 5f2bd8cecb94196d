import type {
  Binary,
  Bundle,
  BundleEntry,
  DocumentReference,
  FhirResource,
  Identifier,
  List,
  Parameters,
  Patient,
} from 'fhir/r4.js';
import { type Problem, problem } from '../../domain/error.ts';
import { isUuid } from '../../domain/identifier.ts';
import { namesIn } from './code.ts';
import type { Opened } from './document-reference.ts';
import { kindOfList } from './list.ts';
import { localId } from './references.ts';

/** What an entry of ITI-65 brings. IHE MHD 2:3.65.4.1.2. */
type Kind =
  | { readonly kind: 'submissionSet'; readonly resource: List }
  /** `of`: the logicalID of the registered folder that it is to be. */
  | { readonly kind: 'folder'; readonly resource: List; readonly of?: string }
  | { readonly kind: 'document'; readonly resource: DocumentReference }
  | { readonly kind: 'binary'; readonly resource: Binary }
  /** A FHIR document, which is its own bytes. IHE MHD 2:3.65, FHIR Documents Publish. */
  | { readonly kind: 'fhirDocument'; readonly resource: Bundle }
  | { readonly kind: 'patient'; readonly resource: Patient | undefined; readonly url: string }
  /** Someone whom documents or lists name. IHE MHD, UnContained References. */
  | { readonly kind: 'person'; readonly resource: FhirResource }
  | { readonly kind: 'patch'; readonly resource: Parameters; readonly url: string }
  | { readonly kind: 'unknown'; readonly resource?: never };

export type OpenedEntry = Kind & Pick<Opened, 'object' | 'path'> & { readonly fullUrl: string | undefined };

/** Opens every entry; foreign ones, conditions that are not kept and a fullUrl that comes twice are reported. */
export function openEntries({ entry = [] }: Bundle<FhirResource>, base: string, problems: Problem[]): OpenedEntry[] {
  const urls = new Set<string>();
  return entry.map((one, index) => {
    const opened = open(one, index, base, problems);
    const { fullUrl } = one;
    if (fullUrl !== undefined && urls.has(fullUrl))
      problems.push(problem('duplicateId', { value: fullUrl, expression: `Bundle.entry[${index}].fullUrl` }));
    if (fullUrl !== undefined) urls.add(fullUrl);
    return opened;
  });
}

function open(entry: BundleEntry<FhirResource>, index: number, base: string, problems: Problem[]): OpenedEntry {
  const place = `Bundle.entry[${index}]`;
  const kind = kindOf(entry, base);
  const asked = `${entry.request?.method ?? ''} ${entry.request?.url ?? ''}`;
  if (kind.kind === 'unknown')
    problems.push(
      problem('bundleEntryForeign', {
        object: place,
        value: `${asked} ${entry.resource?.resourceType ?? ''}`.trim(),
        expression: place,
      }),
    );
  else problems.push(...conditionProblems(entry, kind, place));
  const isNamed = kind.kind === 'submissionSet' || kind.kind === 'folder' || kind.kind === 'document';
  const given = isNamed ? namesIn(kind.resource.identifier).entryUUID : undefined;
  const known = kind.kind === 'folder' ? kind.of : undefined;
  const object = known ?? (given !== undefined && isUuid(given) ? given : place);
  return { ...kind, object, path: `${place}.resource`, fullUrl: entry.fullUrl };
}

const persons: ReadonlySet<string> = new Set(['Practitioner', 'PractitionerRole', 'Organization', 'Device']);

function kindOf({ resource, request }: BundleEntry<FhirResource>, base: string): Kind {
  const { method, url = '' } = request ?? {};
  const [asked = ''] = url.replace(`${base}/`, '').split(/[/?]/);
  const type = resource?.resourceType;
  if (asked === 'Patient' && method === 'GET' && (type === undefined || type === 'Patient'))
    return { kind: 'patient', resource, url };
  if (resource === undefined) return { kind: 'unknown' };
  if (type === 'Parameters' && method === 'PATCH' && asked === 'DocumentReference')
    return { kind: 'patch', resource, url };
  if (type !== asked || (method !== 'POST' && method !== 'PUT')) return { kind: 'unknown' };
  if (type === 'Patient') return { kind: 'patient', resource, url };
  if (persons.has(type)) return { kind: 'person', resource };
  if (type === 'List' && method === 'PUT' && kindOfList(resource) === 'folder') {
    const id = localId(url, 'List', base);
    const of = id === undefined ? namesIn(resource.identifier).entryUUID : `urn:uuid:${id}`;
    if (of !== undefined && isUuid(of)) return { kind: 'folder', resource, of: of.toLowerCase() };
  }
  return method === 'POST' && url === type ? created(resource) : { kind: 'unknown' };
}

function created(resource: FhirResource): Kind {
  if (resource.resourceType === 'DocumentReference') return { kind: 'document', resource };
  if (resource.resourceType === 'Binary') return { kind: 'binary', resource };
  if (resource.resourceType === 'Bundle') return { kind: 'fhirDocument', resource };
  const list = resource.resourceType === 'List' ? kindOfList(resource) : undefined;
  if (resource.resourceType !== 'List' || list === undefined) return { kind: 'unknown' };
  return { kind: list === 'folder' ? list : 'submissionSet', resource };
}

/**
 * Conditions of a request. A Patient or an author is never created here, so that `ifNoneExist` with one of its own identifiers says what is
 * done anyway; a document has its uniqueId instead. FHIR R4 http.html#ccreate.
 */
function conditionProblems({ request }: BundleEntry, kind: Kind, place: string): Problem[] {
  const { ifNoneExist, ifMatch, ifNoneMatch, ifModifiedSince } = request ?? {};
  const isTrue = kind.kind === 'patient' || kind.kind === 'person' ? namesOne(kind.resource, ifNoneExist) : false;
  const given = { ifMatch, ifNoneMatch, ifModifiedSince, ifNoneExist: isTrue ? undefined : ifNoneExist };
  return Object.entries(given).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [problem('conditionNotTaken', { attribute: name, value, expression: `${place}.request.${name}` })],
  );
}

function namesOne(resource: FhirResource | undefined, query: string | undefined): boolean {
  // What has an identifier here has a list of them.
  const { identifier = [] } = (resource ?? {}) as { identifier?: Identifier[] };
  const [[name, value] = ['', ''], ...more] = [...new URLSearchParams(query ?? '')];
  return name === 'identifier' && more.length === 0 && identifier.some((i) => `${i.system}|${i.value}` === value);
}

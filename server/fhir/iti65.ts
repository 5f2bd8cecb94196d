import type { Bundle, BundleEntry, FhirResource } from 'fhir/r4.js';
import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import type { Deposited } from '../usecases/submit.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import type { Json } from './json.ts';
import { idOf } from './map/document-reference.ts';
import { isObject } from './profile/path.ts';
import { type Attached, patientsHeld, provide, receiveAll, unresolved } from './provide.ts';
import { literalPatients, type Part, type ProvidedBundle, readProvideBundle } from './read/provide-bundle.ts';
import { validate } from './validate.ts';
import { profiles } from './vocabulary.ts';

/** Entries of a Bundle. */
const mostEntries = 1000;

/**
 * Provide Document Bundle: all of it is stored, or nothing. IHE MHD 2:3.65.4.1.3.
 * @throws Refused with every problem of structure; content is judged when the structure is sound
 */
async function handle(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const { bundle, broken } = await bundleOf(exchange);
  const resources = bundle.entry?.map(({ resource }) => resource) ?? [];
  const withSubject = resources.filter((r) => r?.resourceType === 'List' || r?.resourceType === 'DocumentReference');
  const patients = await patientsHeld(tools, literalPatients(withSubject, base));
  const read = readProvideBundle(bundle, { base, patients });
  const problems = [
    ...profileProblems(bundle, exchange),
    ...read.problems,
    ...attachmentProblems(bundle, read),
    ...broken,
  ];
  const documents = await receiveAll(tools, attachedOf(read));
  const deposit = { submission: read.submission, documents, problems, named: read.named };
  return provide(tools, request, deposit, pathsOf(read), (deposited) => ({
    body: JSON.stringify({
      resourceType: 'Bundle',
      type: 'transaction-response',
      entry: responses(read.parts, deposited, base, new Date(tools.now()).toISOString()),
    }),
  }));
}

/** Before anything is looked at. */
function checkSize(sent: Json): void {
  const entry = isObject(sent) ? sent['entry'] : undefined;
  if (Array.isArray(entry) && entry.length > mostEntries)
    refuse('tooManyEntries', { value: String(entry.length), detail: String(mostEntries) });
}

/** The Bundle, with what breaks the rules of FHIR and of the profiles that it claims. */
async function bundleOf({
  json,
}: Exchange): Promise<{ readonly bundle: Bundle<FhirResource>; readonly broken: readonly Problem[] }> {
  const sent = await json();
  checkSize(sent);
  const { isSound, problems: broken } = await validate(sent, 'Bundle');
  if (!isSound) throw new Refused(broken);
  // Its structure was checked just now.
  const bundle = sent as unknown as Bundle<FhirResource>;
  const { type } = bundle;
  if (type !== 'transaction')
    throw new Refused([
      problem('elementMalformed', { expression: 'Bundle.type', value: type, detail: 'transaction is expected' }),
    ]);
  return { bundle, broken };
}

/** Minimal metadata are for domains that prescribe no codes. IHE MHD 1:33.2. */
function profileProblems({ meta }: Bundle, { tools }: Exchange): Problem[] {
  const { credentials } = tools.settings.domain;
  return (meta?.profile ?? [])
    .filter((profile) => profile.split('|')[0] === profiles.mhdMinimalBundle && credentials === 'required')
    .map((value) => problem('profileNotTaken', { value, expression: 'Bundle.meta.profile' }));
}

/** Every attachment names one Binary of the Bundle, which no other names. */
function attachmentProblems({ entry = [] }: Bundle<FhirResource>, { parts }: ProvidedBundle): Problem[] {
  const used = new Set<string>();
  const binaries = new Set(
    entry.flatMap(({ fullUrl }, i) => (parts[i]?.kind === 'binary' && fullUrl !== undefined ? [fullUrl] : [])),
  );
  return entry.flatMap(({ resource }, i) => {
    const part = parts[i];
    if (resource?.resourceType !== 'DocumentReference' || part?.kind !== 'document') return [];
    const { url, data } = resource.content[0]?.attachment ?? {};
    const path = `Bundle.entry[${i}].resource`;
    const inline =
      data === undefined
        ? []
        : [
            problem('attributeForbidden', {
              object: part.object,
              attribute: 'attachment.data',
              expression: `${path}.content[0].attachment.data`,
              detail: 'the bytes stand in a Binary',
            }),
          ];
    if (url === undefined) return inline;
    if (!binaries.has(url))
      return [...inline, unresolved(part.object, path, url, 'there is no such Binary in the Bundle')];
    if (used.has(url)) return [...inline, unresolved(part.object, path, url, 'another document names it too')];
    used.add(url);
    return inline;
  });
}

function attachedOf({ parts }: ProvidedBundle): Attached[] {
  return parts.flatMap((part) =>
    part.kind === 'binary' ? [{ id: part.object, base64: part.resource.data ?? '' }] : [],
  );
}

/** Where every object stands. Those of lists are known besides by `list` and their id. */
function pathsOf({ parts }: ProvidedBundle): Map<string, string> {
  return new Map(
    parts.flatMap((part, i): [string, string][] => {
      const path = `Bundle.entry[${i}].resource`;
      if (part.kind === 'document') return [[part.object, path]];
      if (part.kind === 'submissionSet' || part.kind === 'folder')
        return [
          [part.object, path],
          [`list ${part.object}`, path],
        ];
      return [];
    }),
  );
}

/** One answer for each entry, in its order, with the place where it is found now. IHE MHD 2:3.65.4.2.2. */
function responses(
  parts: readonly Part[],
  { set, entries, folders, record }: Deposited,
  base: string,
  lastModified: string,
): BundleEntry[] {
  const ids = (kind: Part['kind']) =>
    parts.filter((part) => part.kind === kind).map((p) => ('object' in p ? p.object : ''));
  const [documentIds, folderIds] = [ids('document'), ids('folder')];
  const documentOf = (object: string) => idOf(entries[documentIds.indexOf(object)]?.logicalID ?? '');
  const created = (location: string) => ({
    response: { status: '201 Created', location: `${base}/${location}`, etag: 'W/"1"', lastModified },
  });
  const unversioned = (location: string) => ({
    response: { status: '200 OK', location: `${base}/${location}`, lastModified },
  });
  return parts.map((part) => {
    if (part.kind === 'submissionSet') return created(`List/${idOf(set.entryUUID)}`);
    if (part.kind === 'folder')
      return created(`List/${idOf(folders[folderIds.indexOf(part.object)]?.logicalID ?? '')}`);
    if (part.kind === 'document') return created(`DocumentReference/${documentOf(part.object)}`);
    if (part.kind === 'binary') return created(`Binary/${documentOf(part.object)}`);
    return unversioned(part.kind === 'patch' ? `DocumentReference/${idOf(part.object)}` : `Patient/${record ?? ''}`);
  });
}

/** Provide Document Bundle. IHE MHD 2:3.65. */
export const provideInteractions: readonly Interaction[] = [
  {
    method: 'POST',
    path: '',
    resource: 'system',
    interaction: 'transaction',
    transaction: 'ITI-65',
    action: 'submitDocuments',
    what: 'Deposit documents with their submission set and folders, all or nothing',
    handle,
  },
];

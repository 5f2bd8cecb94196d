import type { Bundle, BundleEntry, FhirResource, OperationOutcome } from 'fhir/r4.js';
import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import type { Deposited } from '../usecases/deposit.ts';
import { attachmentsIn } from './attachments.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { isObject, type Json } from './json.ts';
import { idOf } from './map/document-reference.ts';
import { outcomeOf } from './outcome.ts';
import { asDeposited, patientsHeld, provide, receiveAll } from './provide.ts';
import { withUniqueIds, withUnknowns } from './read/minimal.ts';
import { type Part, type ProvidedBundle, patientsNamed, readProvideBundle } from './read/provide-bundle.ts';
import { validate } from './validate.ts';
import { profiles } from './vocabulary.ts';

/**
 * Provide Document Bundle: all of it is stored, or nothing. IHE MHD 2:3.65.4.1.3.
 * @throws Refused with every problem of structure; content is judged when the structure is sound
 */
async function handle(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const { bundle, broken } = await bundleOf(exchange);
  const patients = await patientsHeld(tools, patientsNamed(bundle, base));
  const read = readProvideBundle(bundle, { base, patients });
  const { attached, problems: missing } = await attachmentsIn(tools, request.caller, { ...read, base });
  const untimely = read.parts.flatMap((part, i) =>
    part.kind === 'document'
      ? asDeposited(part.resource, `Bundle.entry[${i}].resource`, ['current', 'superseded'])
      : [],
  );
  const problems = [...profileProblems(bundle, exchange), ...read.problems, ...untimely, ...missing, ...broken];
  const documents = await receiveAll(tools, attached);
  const named = withUniqueIds(read.submission, tools.newId);
  const submission = isMinimal(bundle) ? withUnknowns(named) : named;
  return provide(tools, request, { ...read, submission, documents, problems }, pathsOf(read), (deposited) => ({
    body: JSON.stringify({
      resourceType: 'Bundle',
      type: 'transaction-response',
      entry: warned(responses(read, deposited, base, new Date(tools.now()).toISOString()), deposited, exchange),
    }),
  }));
}

/** Before anything is looked at. */
function checkSize(sent: Json, most: number): void {
  const entry = isObject(sent) ? sent['entry'] : undefined;
  if (Array.isArray(entry) && entry.length > most)
    refuse('tooManyEntries', { value: String(entry.length), detail: String(most) });
}

/** The Bundle, with what breaks the rules of FHIR and of the profiles that it claims. */
async function bundleOf({
  json,
  limits,
}: Exchange): Promise<{ readonly bundle: Bundle<FhirResource>; readonly broken: readonly Problem[] }> {
  const sent = await json();
  checkSize(sent, limits.entries);
  checkPurpose(sent);
  const { resource: bundle, problems: broken } = validate(sent, 'Bundle');
  if (bundle === undefined) throw new Refused(broken);
  return { bundle, broken };
}

/** A transaction deposits documents: one without any List or DocumentReference is another one, which is not served. */
function checkPurpose(sent: Json): void {
  const { type, entry } = isObject(sent) ? sent : {};
  if (typeof type === 'string' && type !== 'transaction')
    throw new Refused([
      problem('elementMalformed', { expression: 'Bundle.type', value: type, detail: 'transaction is expected' }),
    ]);
  const types = (Array.isArray(entry) ? (entry as readonly Json[]) : []).map((one) =>
    isObject(one) && isObject(one['resource'] ?? null) ? (one['resource'] as { resourceType?: Json }).resourceType : '',
  );
  if (types.length > 0 && !types.some((one) => one === 'List' || one === 'DocumentReference'))
    refuse('transactionNotServed', { expression: 'Bundle.entry' });
}

function isMinimal({ meta }: Bundle): boolean {
  return (meta?.profile ?? []).some((profile) => profile.split('|')[0] === profiles.mhdMinimalBundle);
}

/** Minimal metadata are for domains that prescribe no codes. IHE MHD 1:33.2. */
function profileProblems({ meta }: Bundle, { tools }: Exchange): Problem[] {
  const { credentials } = tools.settings.domain;
  return (meta?.profile ?? [])
    .filter((profile) => profile.split('|')[0] === profiles.mhdMinimalBundle && credentials === 'required')
    .map((value) => problem('profileNotTaken', { value, expression: 'Bundle.meta.profile' }));
}

/** Where every object stands, and the patient. Those of lists are known besides by `list` and their id. */
function pathsOf({ parts }: ProvidedBundle): Map<string, string> {
  const set = parts.findIndex(({ kind }) => kind === 'submissionSet');
  return new Map([
    ['objects', 'Bundle.entry'],
    ...(set < 0 ? [] : [['patient', `Bundle.entry[${set}].resource.subject`] as const]),
    ...parts.flatMap((part, i): [string, string][] => {
      const path = `Bundle.entry[${i}].resource`;
      if (part.kind === 'document') return [[part.object, path]];
      if (part.kind === 'submissionSet' || part.kind === 'folder')
        return [
          [part.object, path],
          [`list ${part.object}`, path],
        ];
      return [];
    }),
  ]);
}

/** One answer for each entry, in its order, with the place where it is found now. IHE MHD 2:3.65.4.2.2. */
function responses(
  { parts }: ProvidedBundle,
  { set, entries, folders, namedFolders, superseded, record, recordVersion }: Deposited,
  base: string,
  lastModified: string,
): BundleEntry[] {
  const placesOf = (kind: Part['kind']) =>
    parts.flatMap((part) => (part.kind === kind && 'object' in part && !('of' in part) ? [part.object] : []));
  const [documentIds, folderIds] = [placesOf('document'), placesOf('folder')];
  const documentOf = (object: string) => entries[documentIds.indexOf(object)];
  const answer = (status: string, location: string, etag?: string): BundleEntry => ({
    response: { status, location: `${base}/${location}`, ...(etag !== undefined && { etag }), lastModified },
  });
  const created = (location: string) => answer('201 Created', location, 'W/"1"');
  const superseding = (logicalID: string) => {
    const [revision, place] = [superseded.get(logicalID), `DocumentReference/${idOf(logicalID)}`];
    return revision === undefined
      ? answer('200 OK', place)
      : answer('200 OK', `${place}/_history/${revision}`, `W/"${revision}"`);
  };
  const answerTo = (part: Part): BundleEntry => {
    switch (part.kind) {
      case 'submissionSet':
        return created(`List/${idOf(set.entryUUID)}`);
      case 'folder': {
        if (part.of === undefined)
          return created(`List/${idOf(folders[folderIds.indexOf(part.object)]?.logicalID ?? '')}`);
        const version = namedFolders.find(({ logicalID }) => logicalID === part.of)?.version;
        return answer('200 OK', `List/${idOf(part.of)}`, `W/"${version}"`);
      }
      case 'document':
        return created(`DocumentReference/${idOf(documentOf(part.object)?.logicalID ?? '')}/_history/1`);
      case 'binary':
      case 'fhirDocument':
        return created(`Binary/${idOf(documentOf(part.object)?.logicalID ?? '')}`);
      case 'patch':
        return superseding(part.object);
      case 'person':
        return answer('200 OK', placeOfPersons(set, entries));
      case 'patient':
      case 'unknown':
        return answer('200 OK', `Patient/${record}/_history/${recordVersion}`, `W/"${recordVersion}"`);
    }
  };
  return parts.map(answerTo);
}

/** With what the depositor should know, at the first entry. FHIR R4 bundle-definitions.html#Bundle.entry.response.outcome. */
function warned(entries: BundleEntry[], { warnings }: Deposited, { request }: Exchange): BundleEntry[] {
  const [first, ...rest] = entries;
  if (warnings.length === 0 || first?.response === undefined) return entries;
  const outcome = outcomeOf(warnings, request.origin.requestId, 'warning') as OperationOutcome;
  return [{ ...first, response: { ...first.response, outcome } }, ...rest];
}

/** Authors are kept within the documents and lists that name them: there the first one is found. */
function placeOfPersons(set: Deposited['set'], [first]: Deposited['entries']): string {
  return first === undefined ? `List/${idOf(set.entryUUID)}` : `DocumentReference/${idOf(first.logicalID)}`;
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

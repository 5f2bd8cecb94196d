import type { DocumentReference } from 'fhir/r4.js';
import { withStatedTraits } from '../cda/stated-traits.ts';
import { type Problem, problem, Refused } from '../domain/error.ts';
import { type Cx, cxOf } from '../domain/identifier.ts';
import { currentIdentifiers } from '../domain/record.ts';
import { withManifests } from '../dsg/lot-manifest.ts';
import type { Staged } from '../store/port.ts';
import type { Deposit, Deposited, DepositedBytes } from '../usecases/deposit.ts';
import { isTraced, type Request, type Tools } from '../usecases/perform.ts';
import { resumed } from '../usecases/staging.ts';
import { submit } from '../usecases/submit.ts';
import { bytesOf, withoutSpace } from './base64.ts';
import type { Answer } from './exchange.ts';
import { statusOf } from './outcome.ts';
import { withoutRepeats } from './validate.ts';

/** A document as it came: the id of its entry's draft, and its bytes: in base64, as text in UTF-8, or as they wait. */
export type Attached = { readonly id: string } & (
  | { readonly base64: string }
  | { readonly text: string }
  | { readonly staged: Staged }
);

/** Bytes up to this size are decoded at once. */
const atOnce = 48 * 1024;

/** Takes the bytes in; what was taken in is discarded when the rest cannot be. */
export async function receiveAll(tools: Tools, attached: readonly Attached[]): Promise<Deposit['documents']> {
  const documents: DepositedBytes[] = [];
  try {
    for (const one of attached) documents.push({ id: one.id, ...(await receive(tools, one)) });
  } catch (error) {
    await Promise.allSettled(documents.map(({ received }) => received.discard()));
    throw error;
  }
  return documents;
}

async function receive(tools: Tools, one: Attached): Promise<Omit<DepositedBytes, 'id'>> {
  if ('staged' in one) return { received: resumed(tools, one.staged), staged: one.staged.id };
  if ('text' in one) return { received: tools.blobs.receiveBytes(Buffer.from(one.text)) };
  const plain = withoutSpace(one.base64);
  if ((plain.length / 4) * 3 <= atOnce) return { received: tools.blobs.receiveBytes(Buffer.from(plain, 'base64')) };
  return { received: await tools.blobs.receive(bytesOf(plain), plain.length) };
}

/** What is deposited stands: it is not sent as one that was an error, nor, where it comes alone, as superseded. IHE MHD, DocumentReference.status. */
export function asDeposited({ status }: DocumentReference, path: string, allowed: readonly string[]): Problem[] {
  return allowed.includes(status)
    ? []
    : [
        problem('elementMalformed', {
          expression: `${path}.status`,
          value: status,
          detail: `a document is deposited as ${allowed.join(' or ')}`,
        }),
      ];
}

/** All identifiers of the records that literal references name, by the id of Patient. Where there is none, the reference is unresolved. */
export async function patientsHeld({ store }: Tools, ids: readonly string[]): Promise<Map<string, readonly Cx[]>> {
  const found = await Promise.all(ids.map((id) => store.facts.recordById(id)));
  return new Map(
    found.flatMap((facts) =>
      facts === undefined ? [] : [[facts.record.id, currentIdentifiers(facts.record).map(cxOf)]],
    ),
  );
}

/**
 * Deposits what was read and answers by it. A refusal that has its event is answered with the FHIRPath of every fault; any fault of content
 * is 400, or what is said, while 401, 403 and 413 keep their meaning.
 * @param paths the FHIRPath of every object, by the id of its draft, of the patient by `patient`, of all of them by `objects`
 */
export async function provide(
  tools: Tools,
  request: Request,
  deposit: Deposit,
  paths: ReadonlyMap<string, string>,
  answer: (deposited: Deposited) => Answer,
  statusOfFaults = 400,
): Promise<Answer> {
  return answering(paths, statusOfFaults, async () =>
    answer(await submit(tools, request, await withStatedTraits(await withManifests(deposit), tools.settings.regime))),
  );
}

/** Answers by what is done, or by the faults for which it was refused, as `provide`. */
export async function answering(
  paths: ReadonlyMap<string, string>,
  statusOfFaults: number,
  work: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const refused = withoutRepeats(withoutConsequences(error.problems).map((one) => located(one, paths)));
    if (!isTraced(error)) throw new Refused(refused);
    return { refused, status: statusOfContent(refused, statusOfFaults) };
  }
}

/** Bytes that are not found are not told again as a document that is missing. */
function withoutConsequences(problems: readonly Problem[]): readonly Problem[] {
  const unresolved = problems.flatMap(({ name, about }) => (name === 'attachmentUnresolved' ? [about.object] : []));
  return problems.filter(({ name, about }) => name !== 'documentMissing' || !unresolved.includes(about.object));
}

/** The status of a refusal for these problems. */
function statusOfContent(problems: readonly Problem[], usual: number): number {
  // The condition of a create is no content. FHIR R4 http.html#ccreate.
  if (problems.some(({ name }) => name === 'multipleMatches')) return statusOf('multipleMatches');
  const statuses = problems.map(({ name }) => statusOf(name));
  return statuses.find((status) => status >= 500) ?? statuses.find((status) => kept.has(status)) ?? usual;
}

const kept: ReadonlySet<number> = new Set([401, 403, 413, 415]);

/** The element that an attribute of XDS is read from. IHE MHD, mapping of XDSDocumentEntry and XDSSubmissionSet. */
const ofDocument: Readonly<Record<string, string>> = {
  author: 'author',
  authorPerson: 'author',
  authorSpecialty: 'author',
  authorInstitution: 'author',
  availabilityStatus: 'status',
  classCode: 'category',
  comments: 'description',
  confidentialityCode: 'securityLabel',
  creationTime: 'content[0].attachment.creation',
  entryUUID: 'identifier',
  eventCodeList: 'context.event',
  formatCode: 'content[0].format',
  hash: 'content[0].attachment.hash',
  healthcareFacilityTypeCode: 'context.facilityType',
  languageCode: 'content[0].attachment.language',
  legalAuthenticator: 'authenticator',
  mimeType: 'content[0].attachment.contentType',
  patientId: 'subject',
  practiceSettingCode: 'context.practiceSetting',
  referenceIdList: 'context.related',
  serviceStartTime: 'context.period.start',
  serviceStopTime: 'context.period.end',
  size: 'content[0].attachment.size',
  sourcePatientId: 'context.sourcePatientInfo',
  sourcePatientInfo: 'context.sourcePatientInfo',
  title: 'content[0].attachment.title',
  typeCode: 'type',
  uniqueId: 'masterIdentifier',
};
const ofList: Readonly<Record<string, string>> = {
  author: 'source',
  authorPerson: 'source',
  authorInstitution: 'source',
  codeList: 'extension',
  comments: 'note',
  contentTypeCode: 'extension',
  entryUUID: 'identifier',
  intendedRecipient: 'extension',
  lastUpdateTime: 'date',
  patientId: 'subject',
  sourceId: 'extension',
  submissionTime: 'date',
  title: 'title',
  uniqueId: 'identifier',
};

/** Problems that concern one attribute without naming it. */
const attributeOf: { readonly [N in Problem['name']]?: string } = {
  hashDiffers: 'hash',
  sizeDiffers: 'size',
  nonIdenticalHash: 'hash',
  nonIdenticalSize: 'size',
  uniqueIdInUse: 'uniqueId',
  uniqueIdOfAnotherKind: 'uniqueId',
  patientIdsDiffer: 'patientId',
  insMalformed: 'patientId',
  visibilityNotAllowed: 'confidentialityCode',
};

/** Problems of the whole submission that name no object. */
const ofWhole: { readonly [N in Problem['name']]?: string } = {
  unknownPatient: 'patient',
  recordClosed: 'patient',
  submissionSetCount: 'objects',
};

/** The problem with its FHIRPath, as far as it has one. */
export function located(one: Problem, paths: ReadonlyMap<string, string>): Problem {
  const { about, name } = one;
  const { object = about.value ?? '', expression } = about;
  const whole = paths.get(ofWhole[name] ?? '');
  const place =
    paths.get(object) ?? whole ?? (object.startsWith('Bundle.') ? object.replace(/ in set$/, '') : undefined);
  if (expression !== undefined || place === undefined) return one;
  const attribute = about.attribute ?? attributeOf[name] ?? '';
  const isList = paths.get(`list ${object}`) !== undefined;
  const element = (isList ? ofList : ofDocument)[attribute];
  return { ...one, about: { ...about, expression: element === undefined ? place : `${place}.${element}` } };
}

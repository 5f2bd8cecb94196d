import { type CdaFacts, readCda } from '../cda/header.ts';
import { entryOf, xcnOf } from '../cda/metadata.ts';
import { traitsIn } from '../cda/stated-traits.ts';
import type { Code } from '../domain/code.ts';
import type { AssociationDraft, DocumentEntry, EntryDraft, SetDraft, VisibilityCode } from '../domain/document.ts';
import { type Problem, problem, Refused, wordsOf } from '../domain/error.ts';
import { patientIdOf, sortIdentifiers } from '../domain/fed-identity.ts';
import { type Cx, cxOf, type Identifier, oidOfUuid, sameIdentifier } from '../domain/identifier.ts';
import { type Author, professionalAuthority, structureXon, systemXcn } from '../domain/people.ts';
import { type DepositDefaults, depositorOf, type Sender } from '../domain/sender.ts';
import { dtmOf } from '../domain/time.ts';
import type { Request, Tools } from '../usecases/perform.ts';
import { getDocuments } from '../usecases/query.ts';
import { submit } from '../usecases/submit.ts';
import { update } from '../usecases/update.ts';
import { type Asks, type DocumentMessage, type Flag, readDocuments, type SentBy } from './document-message.ts';
import type { Notes } from './iti8.ts';
import { type Message, type Segment, segmentsOf } from './message.ts';
import { identifiersAt, patientLines, patientOf } from './patient.ts';

/** A sender that deposits documents. */
export type Depositor = Sender & { readonly deposits: DepositDefaults };

/**
 * Deposits the documents of an ORU^R01 or MDM message as one submission of the sender's structure: metadata come from the header of each CDA,
 * the message, and what is configured of the sender. Volet Transmission de documents CDA-R2 en HL7 v2, mapping XDS; IHE ITI TF-2 3.41.
 * @returns what nothing was kept of
 * @throws Refused with all problems of message, document headers and rules; or with what the decision refuses
 */
export async function deposit(
  tools: Tools,
  { origin }: Pick<Request, 'origin'>,
  message: Message,
  sender: Depositor,
): Promise<Notes> {
  const read = readDocuments(message);
  const notes = read.pointers.map((obx) => `${obx} points to a document of elsewhere (RP): nothing was kept of it.`);
  const caller = depositorOf(sender, read.set.has('CONNEXION_SECRETE'));
  const request: Request = { origin, caller };
  const patient = readHolder(tools, message);
  const problems = [...patient.problems, ...authorProblems(read.by, sender), ...read.problems];
  const documents = read.documents.map((sent) => ({ ...sent, facts: readCda(sent.bytes) }));
  const sound = documents.flatMap(({ facts, ...sent }) => (facts === undefined ? [] : [{ ...sent, facts }]));
  for (const { id, facts } of documents)
    if (facts === undefined)
      problems.push(problem('fieldMalformed', { attribute: 'OBX-5', object: id, value: 'ED', detail: noCda }));
    else problems.push(...holderProblems(tools, id, facts, patient.id));
  if (patient.id === undefined || sound.length === 0) throw new Refused(problems);

  if (sound.some(({ asks }) => asks === 'deletion')) {
    await remove(tools, request, { read, sender, patient: patient.id, problems, sound });
    return notes;
  }
  const replaced = await targets(tools, request, sound, patient.id, problems);
  if (problems.length > 0) throw new Refused(problems);
  const received = sound.map((document) => ({ ...document, received: tools.blobs.receiveBytes(document.bytes) }));
  const filer = filerOf(read.by, sender);
  const patientId = patientIdOf(tools.settings.domain, patient.id);
  const entries = received.map(({ id, facts, received: { size, sha1 } }) =>
    entryOf(
      {
        id,
        facts,
        size,
        sha1,
        patientId,
        sourcePatientId: patient.local ?? patientId,
        sourcePatientInfo: patient.lines,
        hidden: hiddenBy(read.set),
        filer,
        otherwise: {
          facility: sender.deposits.healthcareFacilityTypeCode,
          setting: sender.deposits.practiceSettingCode,
        },
      },
      tools.settings.domain,
    ),
  );
  const set = setOf(tools, patientId, read, sender);
  const { warnings } = await submit(tools, request, {
    submission: { sets: [set], entries, folders: [], associations: associationsOf(entries, replaced) },
    documents: received.map(({ id, received: bytes }) => ({ id, received: bytes })),
    stated: received.map(({ id, facts }) => traitsIn(id, facts)),
  });
  return [...notes, ...warnings.map(wordsOf)];
}

const noCda = 'no CDA R2: well-formed XML in UTF-8 without DOCTYPE, whose ClinicalDocument has an id and a code';
const setId = 'MSH[1]';

function setOf(tools: Tools, patientId: Cx, read: DocumentMessage, sender: Depositor): SetDraft {
  return {
    id: setId,
    uniqueId: oidOfUuid(tools.newId()),
    sourceId: sender.deposits.sourceId,
    patientId,
    submissionTime: dtmOf(tools.now()),
    contentTypeCode: activityOf(read, sender.deposits, tools),
    authors: [filerOf(read.by, sender)],
    intendedRecipients: [],
    extra: [],
  };
}

type Removal = {
  readonly read: DocumentMessage;
  readonly sender: Depositor;
  readonly patient: Identifier;
  readonly problems: Problem[];
  readonly sound: readonly Sound[];
};

/** Deletes the documents that the message brings once more: their status becomes Deleted, as ITI-57 would make it. DMP TD3.3c. */
async function remove(
  tools: Tools,
  request: Request,
  { read, sender, patient, problems, sound }: Removal,
): Promise<void> {
  const named = sound.map(({ id, facts }) => ({ id, uniqueId: facts.uniqueId }));
  const found = await registered(tools, request, named, patient, problems);
  if (problems.length > 0) throw new Refused(problems);
  const associations = [...found.values()].map(
    ({ entryUUID, status }, index): AssociationDraft => ({
      id: `deletion-${index + 1}`,
      type: 'UpdateAvailabilityStatus',
      source: setId,
      target: entryUUID,
      originalStatus: status,
      newStatus: 'deleted',
      extra: [],
    }),
  );
  const set = setOf(tools, patientIdOf(tools.settings.domain, patient), read, sender);
  const origin = { ...request.origin, transaction: 'ITI-57' } as const;
  await update(tools, { ...request, origin }, { submission: { sets: [set], entries: [], folders: [], associations } });
}

type Holder = {
  readonly id: Identifier | undefined;
  readonly local: Cx | undefined;
  readonly lines: ReturnType<typeof patientLines>;
  readonly problems: readonly Problem[];
};

/** The patient by the first identifier of the domain in PID-3; another one is the source's own. */
function readHolder({ settings }: Tools, message: Message): Holder {
  const found = patientOf(message);
  if ('problems' in found) return { id: undefined, local: undefined, lines: [], problems: found.problems };
  const { pid } = found;
  const all = identifiersAt(message, pid, 3);
  const { ours, calculated, problems } = sortIdentifiers(all, settings);
  const [id] = ours;
  const isOther = (held: Identifier) => ![...ours, ...calculated].some((known) => sameIdentifier(known, held));
  const local = all.find(isOther);
  return {
    id,
    local: local && { ...cxOf(local), ...(settings.domain.cx === 'lenient' && { type: 'PI' }) },
    lines: patientLines(message, pid),
    problems: id === undefined && problems.length === 0 ? [missingHolder(pid)] : problems,
  };
}

function missingHolder({ fields }: Segment): Problem {
  return (fields[3] ?? '') === ''
    ? problem('fieldMissing', { attribute: 'PID-3' })
    : problem('fieldMissing', { attribute: 'PID-3', detail: 'no identifier is of an authority of this domain' });
}

/** The document is about the patient of the message: its header names him by the same identifier. */
function holderProblems(
  { settings }: Tools,
  object: string,
  facts: CdaFacts,
  patient: Identifier | undefined,
): Problem[] {
  if (patient === undefined) return [];
  const { ours } = sortIdentifiers(facts.patient.ids, settings);
  if (ours.some((id) => sameIdentifier(id, patient))) return [];
  const [other] = settings.domain.identity.kind === 'ins' ? ours : ours.filter(({ oid }) => oid === patient.oid);
  if (other !== undefined)
    return [problem('patientIdsDiffer', { object, value: other.value, detail: `${patient.value} in PID-3` })];
  if (settings.domain.identity.kind !== 'ins') return [];
  return [problem('fieldMissing', { attribute: 'OBX-5', object, detail: 'recordTarget/patientRole/id with the INS' })];
}

/** A structure sends in its own name. The FINESS number without its prefix is the structure's too. */
function authorProblems({ structure: named }: SentBy, { structure }: Sender): Problem[] {
  if (named === undefined || named.id === structure.id) return [];
  if (named.type.startsWith('FINE') && `1${named.id}` === structure.id) return [];
  return [problem('authorNotCaller', { attribute: 'PRT-8.10', value: named.id })];
}

function filerOf({ person }: SentBy, { structure, application }: Sender): Author {
  const { id, name = id } = structure;
  return {
    person:
      person === undefined
        ? systemXcn(`${id}/${application}`, application, { oid: professionalAuthority })
        : xcnOf(
            { value: person.id, oid: person.oid },
            { family: person.family, ...(person.given !== '' && { given: person.given }) },
          ),
    institutions: [structureXon(id, name)],
    roles: [],
    specialties: [],
    telecommunications: [],
  };
}

const codes: { readonly [F in Flag]?: VisibilityCode } = {
  MASQUE_PS: 'MASQUE_PS',
  INVISIBLE_PATIENT: 'INVISIBLE_PATIENT',
  INVISIBLE_REP_LEGAUX: 'INVISIBLE_REPRESENTANTS_LEGAUX',
};

function hiddenBy(set: ReadonlySet<Flag>): VisibilityCode[] {
  return [...set].flatMap((flag) => codes[flag] ?? []);
}

/** Activity by the class of the patient: inpatient, outpatient, recurring, ambulatory care unknown, emergency. Volet, mapping XDS. */
const activities: Readonly<Record<string, string>> = { I: '03', O: '07', R: '19', N: '97', E: '07' };
const activitySystem = '1.2.250.1.213.2.2';

function activityOf(
  { patientClass }: DocumentMessage,
  { contentTypeCode }: DepositDefaults,
  { settings }: Tools,
): Code {
  const code = Object.hasOwn(activities, patientClass) ? activities[patientClass] : undefined;
  const { codes: known } = settings.domain.valueSets.contentTypeCode ?? { codes: [] };
  return known.find((held) => held.code === code && held.system === activitySystem) ?? contentTypeCode;
}

type Sound = { readonly id: string; readonly asks: Asks; readonly facts: CdaFacts };

/** The registered documents that others replace, by the id of the new one; found by the uniqueId in the header (relatedDocument RPLC). */
async function targets(
  tools: Tools,
  request: Request,
  documents: readonly Sound[],
  patient: Identifier,
  problems: Problem[],
): Promise<ReadonlyMap<string, Registered>> {
  for (const { id, asks, facts } of documents)
    if (asks === 'replacement' && facts.replaces === undefined) {
      const detail = 'relatedDocument RPLC names what it replaces';
      problems.push(problem('fieldMissing', { attribute: 'OBX-5', object: id, detail }));
    }
  const named = documents.flatMap(({ id, facts }) =>
    facts.replaces === undefined ? [] : [{ id, uniqueId: facts.replaces }],
  );
  return registered(tools, request, named, patient, problems);
}

type Registered = Pick<DocumentEntry, 'entryUUID' | 'status'>;

/** The sender's documents of these uniqueIds, looked up only while all is well. */
async function registered(
  tools: Tools,
  request: Request,
  named: readonly { readonly id: string; readonly uniqueId: string }[],
  patient: Identifier,
  problems: Problem[],
): Promise<ReadonlyMap<string, Registered>> {
  const found = new Map<string, Registered>();
  if (named.length === 0 || problems.length > 0) return found;
  const values = named.map(({ uniqueId }) => uniqueId);
  const documents = await getDocuments(tools, request, { by: 'uniqueId', values, patient });
  for (const { id, uniqueId } of named) {
    const target = documents.find(({ entry, latest }) => latest && entry.uniqueId === uniqueId);
    if (target !== undefined) found.set(id, target.entry);
    else
      problems.push(
        problem('referenceUnresolved', {
          attribute: 'OBX-5',
          object: id,
          value: uniqueId,
          detail: 'no document of yours has it',
        }),
      );
  }
  return found;
}

function associationsOf(entries: readonly EntryDraft[], replaced: ReadonlyMap<string, Registered>): AssociationDraft[] {
  return entries.flatMap(({ id }, index): AssociationDraft[] => {
    const target = replaced.get(id);
    const member: AssociationDraft = {
      id: `member-${index + 1}`,
      type: 'HasMember',
      source: setId,
      target: id,
      submissionSetStatus: 'Original',
      extra: [],
    };
    return target === undefined
      ? [member]
      : [member, { id: `replacement-${index + 1}`, type: 'RPLC', source: id, target: target.entryUUID, extra: [] }];
  });
}

/** Segments without which a document message is none. */
export function structureProblems(message: Message, type: 'ORU' | 'MDM'): Problem[] {
  const needed = type === 'ORU' ? ['PID', 'OBR', 'OBX'] : ['PID', 'TXA', 'OBX'];
  return needed
    .filter((name) => segmentsOf(message, name).length === 0)
    .map((attribute) => problem('segmentMissing', { attribute }));
}

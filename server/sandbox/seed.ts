import { hash } from 'node:crypto';
import { documentType } from '../cda/document-types.ts';
import { readCda } from '../cda/header.ts';
import type { Caller } from '../domain/actor.ts';
import type { Consent, ConsentActor, ConsentStatement } from '../domain/consent.ts';
import type { RecordFacts } from '../domain/decision.ts';
import { isSubsumed } from '../domain/record.ts';
import { type Statable, stateConsent, withdrawConsent } from '../usecases/consent.ts';
import type { Deposit } from '../usecases/deposit.ts';
import type { Request, Tools } from '../usecases/perform.ts';
import { closeRecord, createRecord } from '../usecases/record.ts';
import { submit } from '../usecases/submit.ts';
import { actorOf, callerOf, identifierOf } from './caller.ts';
import { writeCda } from './cda.ts';
import { type Depositor, describe, submissionOf } from './metadata.ts';
import { registerSummary } from './on-demand.ts';
import { people, personOf, type SandboxPatient, type SandboxPerson } from './people.ts';
import { type Story, type StoryConsent, type StoryDocument, stories } from './stories.ts';
import { unfitFor } from './unfit.ts';

/**
 * Fills the sandbox with its records, consents and documents, through the use cases and in the name of its people. What is there already is
 * left as it is, whatever became of it since: seeding again changes nothing and traces nothing. Documents that the affinity domain does not
 * take, for their codes or for who names their patient, are left out.
 */
export async function seed(tools: Tools, progress: (line: string) => void): Promise<void> {
  for (const [index, story] of stories.entries()) {
    const done = await tell(tools, story, progress);
    if (done > 0)
      progress(
        `Sandbox: record ${index + 1}/${stories.length} (${story.patient}), ${story.documents.length} documents`,
      );
  }
  if (await registerSummary(tools, 'laurent')) progress('Sandbox: a summary of laurent, assembled on demand');
}

/** Answers how many steps were missing. */
async function tell(tools: Tools, story: Story, progress: (line: string) => void): Promise<number> {
  const patient = holderOf(story);
  const ins = identifierOf(patient);
  const facts = async (): Promise<RecordFacts | undefined> => tools.store.facts.recordByIdentifier(ins);
  const known = await facts();
  // Merged into another record: the story is over.
  if (known !== undefined && isSubsumed(known.record, ins)) return 0;
  let steps = 0;
  if (known === undefined) {
    await create(tools, story, patient);
    steps++;
  }
  for (const statement of story.consents) {
    if (stated((await facts())?.consents ?? [], statement)) continue;
    await state(tools, story, patient, statement);
    steps++;
  }
  for (const document of story.documents) {
    const uuid = namedUuid(uniqueIdOf(document));
    if ((await tools.store.facts.recordOfDocument(`urn:uuid:${uuid}`)) !== undefined) continue;
    const [request, deposit] = filing(tools, patient, document);
    const unfit = unfitFor(tools, request, deposit);
    if (unfit.length > 0) {
      progress(`Sandbox: document ${document.number} of ${story.patient} is left out: ${unfit.join(', ')}`);
      await Promise.all(deposit.documents.map(({ received }) => received.discard()));
      continue;
    }
    await submit(tools, request, deposit);
    steps++;
  }
  if (story.closed !== undefined && !wasClosed(await facts())) {
    await closeRecord(tools, requestOf(callerOf(patient)), ins, story.closed);
    steps++;
  }
  return steps;
}

/** By the professional of the story or, where records are opened automatically, by the system. */
async function create(tools: Tools, { creator }: Story, patient: SandboxPatient): Promise<void> {
  const system: Caller = {
    actor: { kind: 'system', id: 'opendmp', name: 'OpenDMP', rights: [] },
    mode: 'normal',
    secret: false,
    credential: { kind: 'internal', id: 'sandbox' },
  };
  const caller = tools.settings.regime.createdBy === 'system' ? system : callerOf(known(creator));
  await createRecord(tools, requestOf(caller), {
    ins: identifierOf(patient),
    ...(patient.insC !== undefined && {
      others: [{ value: patient.insC, oid: '1.2.250.1.213.1.4.2', use: 'secondary' }],
    }),
    traits: {
      family: patient.family,
      given: patient.given,
      gender: patient.gender,
      birthDate: patient.birthDate,
      birthPlace: patient.birthPlace,
    },
    representatives: people.flatMap((p) =>
      p.kind === 'representative' && p.of === patient.slug
        ? [{ id: p.ins, name: `${p.given} ${p.family}`, relation: p.relation }]
        : [],
    ),
  });
}

async function state(tools: Tools, { speaks }: Story, patient: SandboxPatient, consent: StoryConsent): Promise<void> {
  const request = requestOf(callerOf(speaks === undefined ? patient : known(speaks)));
  const change = 'withdraw' in consent ? withdrawConsent : stateConsent;
  await change(tools, request, identifierOf(patient), statementOf(consent));
}

function statementOf(consent: StoryConsent): Statable {
  if ('oppose' in consent) return { kind: 'opposition', to: consent.oppose };
  if ('block' in consent) return { kind: 'block', actor: namedBy(consent.block) };
  const slug = 'authorise' in consent ? consent.authorise : consent.withdraw;
  const treatingDoctor = 'authorise' in consent && consent.treatingDoctor === true;
  return { kind: 'authorisation', actor: namedBy(slug), treatingDoctor };
}

function namedBy(slug: string): ConsentActor {
  const actor = actorOf(known(slug));
  if (actor.kind === 'professional') return { kind: 'professional', id: actor.id, name: actor.name };
  if (actor.kind === 'structure') return { ...actor.structure, kind: 'structure' };
  throw new Error(`${slug} is nobody whom a consent can name`);
}

/** Whether the holder's side ever made the story's statement, even if it was taken back since; a creator's own authorisation is another one. */
function stated(consents: readonly Consent[], wanted: StoryConsent): boolean {
  const statement = statementOf(wanted);
  return consents.some(
    (c) =>
      c.statedBy.kind !== 'professional' &&
      sameStory(c.statement, statement) &&
      (!('withdraw' in wanted) || c.status === 'inactive'),
  );
}

function sameStory(made: ConsentStatement, wanted: Statable): boolean {
  if (made.kind === 'authorisation' && wanted.kind === 'authorisation' && made.treatingDoctor !== wanted.treatingDoctor)
    return false;
  if ('actor' in made && 'actor' in wanted)
    return made.kind === wanted.kind && JSON.stringify(made.actor) === JSON.stringify(wanted.actor);
  return (
    made.kind === wanted.kind && (made.kind !== 'opposition' || wanted.kind !== 'opposition' || made.to === wanted.to)
  );
}

/** Closed now, or closed once: closing ends every authorisation. */
function wasClosed(facts: RecordFacts | undefined): boolean {
  return (
    facts?.record.state !== 'open' ||
    facts.consents.every((c) => c.statement.kind !== 'authorisation' || c.status === 'inactive')
  );
}

function filing(tools: Tools, patient: SandboxPatient, document: StoryDocument): [Request, Deposit] {
  const depositor = depositorOf(document);
  const bytes = bytesOf(patient, depositor, document);
  const facts = readCda(bytes);
  if (facts === undefined) throw new Error(`document ${document.number} of the sandbox is no CDA`);
  const entryUuid = namedUuid(facts.uniqueId);
  const filed = describe({
    bytes,
    facts,
    depositor,
    patient,
    ...(document.hide !== undefined && { hide: document.hide }),
    entryUuid,
    setUuid: tools.newId(),
    setUniqueId: `1.2.250.1.999.1.4.${document.number}`,
    at: tools.now(),
  });
  return [
    requestOf(callerOf(depositor)),
    {
      submission: submissionOf(filed, tools.newId()),
      documents: [{ id: filed.entry.entryUUID, received: tools.blobs.receiveBytes(bytes) }],
    },
  ];
}

function bytesOf(patient: SandboxPatient, author: Depositor, document: StoryDocument): Uint8Array {
  const type = documentType(document.type);
  if (type === undefined) throw new Error(`${document.type} is no type of document`);
  const serviceAt = Date.parse(`${document.on}T09:00:00Z`);
  return writeCda({
    id: uniqueIdOf(document),
    typeCode: type.typeCode,
    title: document.title,
    writtenAt: serviceAt + 45 * 60_000,
    serviceAt,
    patient,
    author,
    content: document.content(),
  });
}

function uniqueIdOf({ number }: StoryDocument): string {
  return `1.2.250.1.999.1.3.${number}`;
}

/** A UUID that follows from a name. RFC 9562 §5.8 (version 8). */
function namedUuid(name: string): string {
  const hex = hash('sha256', name, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function requestOf(caller: Caller): Request {
  return { caller, origin: { transaction: 'internal', requestId: 'sandbox', endpoint: 'sandbox' } };
}

function holderOf({ patient }: Story): SandboxPatient {
  const person = known(patient);
  if (person.kind !== 'patient') throw new Error(`${patient} is no patient`);
  return person;
}

function depositorOf({ by }: StoryDocument): Depositor {
  const person = known(by);
  if (person.kind === 'representative' || person.kind === 'system') throw new Error(`${by} deposits nothing`);
  return person;
}

function known(slug: string): SandboxPerson {
  const person = personOf(slug);
  if (person === undefined) throw new Error(`nobody in the sandbox is called ${slug}`);
  return person;
}

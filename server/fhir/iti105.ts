import type { DocumentReference } from 'fhir/r4.js';
import { Refused } from '../domain/error.ts';
import type { Deposited } from '../usecases/submit.ts';
import { attachmentAlone } from './attachments.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { filed } from './filing.ts';
import { documentReferenceOf, idOf } from './map/document-reference.ts';
import { patientsHeld, provide, receiveAll } from './provide.ts';
import { literalPatients, readAlone } from './read/provide-bundle.ts';
import { validate } from './validate.ts';

const type = 'DocumentReference';

/**
 * Simplified Publish: one document with its bytes inside; the submission set is made here. A document that breaks a rule is answered with 422.
 * IHE MHD 2:3.105.4.1.3.
 * @throws Refused with every problem of structure
 */
async function handle(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const sent = await exchange.json();
  const { isSound, problems: broken } = validate(sent, type);
  if (!isSound) throw new Refused(broken);
  // Its structure was checked just now.
  const resource = sent as unknown as DocumentReference;
  const patients = await patientsHeld(tools, literalPatients([resource], base));
  const { entry, associations, named, problems } = readAlone(resource, { base, patients });
  const now = tools.now();
  const sought = { object: entry.id, path: type, resource };
  const { attached, problems: missing } = await attachmentAlone(tools, request.caller, sought, base);
  const documents = await receiveAll(tools, attached);
  const submission = filed(entry, associations, exchange, now);
  const deposit = { submission, documents, named, problems: [...problems, ...missing, ...broken] };
  return provide(tools, request, deposit, new Map([[entry.id, type]]), (done) => created(done, base, now), 422);
}

function created({ entries, record = '' }: Deposited, base: string, now: number): Answer {
  const [entry] = entries;
  if (entry === undefined) throw new TypeError('nothing was deposited');
  const resource = documentReferenceOf({ entry, record, registeredAt: now, revision: 1, changedAt: now }, base);
  return {
    status: 201,
    body: JSON.stringify(resource),
    headers: { Location: `${base}/${type}/${idOf(entry.logicalID)}/_history/1`, ETag: 'W/"1"' },
  };
}

/** Simplified Publish. IHE MHD 2:3.105. */
export const publishInteractions: readonly Interaction[] = [
  {
    method: 'POST',
    path: `/${type}`,
    resource: type,
    interaction: 'create',
    transaction: 'ITI-105',
    action: 'submitDocuments',
    what: 'Deposit one document with its bytes inside',
    handle,
  },
];

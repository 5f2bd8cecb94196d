import { withStatedTraits } from '../cda/stated-traits.ts';
import { Refused, refuse } from '../domain/error.ts';
import { isUuid } from '../domain/identifier.ts';
import { withManifests } from '../dsg/lot-manifest.ts';
import type { Deposited } from '../usecases/deposit.ts';
import { readDocuments } from '../usecases/search-documents.ts';
import { type AlreadyThere, submit, submitUnless } from '../usecases/submit.ts';
import { attachmentAlone } from './attachments.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { filed } from './filing.ts';
import { uniqueIdOf } from './map/code.ts';
import { documentReferenceOf, idOf } from './map/document-reference.ts';
import { answering, asDeposited, patientsHeld, receiveAll } from './provide.ts';
import { literalPatients, readAlone } from './read/provide-bundle.ts';
import { stateHeaders } from './state.ts';
import { validate } from './validate.ts';

const type = 'DocumentReference';

/**
 * Simplified Publish: one document with its bytes inside; the submission set is made here. A document that breaks a rule is answered with 422.
 * IHE MHD 2:3.105.4.1.3.
 * @throws Refused with every problem of structure
 */
async function handle(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const unless = unlessIn(exchange.header('If-None-Exist'));
  const sent = await exchange.json();
  const { resource, problems: broken } = validate(sent, type);
  if (resource === undefined) throw new Refused(broken);
  const patients = await patientsHeld(tools, literalPatients([resource], base));
  const { entry, associations, named, problems } = readAlone(resource, { base, patients });
  const untimely = asDeposited(resource, type, ['current']);
  const now = tools.now();
  const sought = { object: entry.id, path: type, resource };
  const { attached, problems: missing } = await attachmentAlone(tools, request.caller, sought, base);
  const documents = await receiveAll(tools, attached);
  const submission = filed(entry, associations, exchange, now);
  const deposit = { submission, documents, named, problems: [...problems, ...untimely, ...missing, ...broken] };
  const paths = new Map([
    [entry.id, type],
    ['patient', `${type}.subject`],
  ]);
  return answering(paths, 422, async () => {
    const whole = await withStatedTraits(await withManifests(deposit), tools.settings.regime);
    const done = await (unless === undefined
      ? submit(tools, request, whole)
      : submitUnless(tools, request, whole, unless));
    return 'existing' in done ? found(done, exchange) : created(done, exchange, now, associations.length > 0);
  });
}

/** The document that is there already. FHIR R4 http.html#ccreate. */
function found({ existing }: AlreadyThere, { base, writeDocument }: Exchange): Answer {
  const location = `${base}/${type}/${idOf(existing.entry.logicalID)}/_history/${existing.revision}`;
  return {
    status: 200,
    body: writeDocument(existing).resource,
    headers: { Location: location, ...stateHeaders(existing) },
  };
}

/**
 * The names that `If-None-Exist` asks for: `identifier=<system>|<value>`, of a document or its entry.
 * @throws Refused conditionNotTaken for any other search
 */
function unlessIn(header: string): Parameters<typeof submitUnless>[3] | undefined {
  if (header === '') return undefined;
  const query = header.slice(header.indexOf('?') + 1);
  const [[name, value = ''] = [], ...more] = [...new URLSearchParams(query)];
  const at = value.indexOf('|');
  const uniqueId = at < 0 ? undefined : uniqueIdOf(value.slice(0, at), value.slice(at + 1));
  if (name !== 'identifier' || more.length > 0 || uniqueId === undefined)
    refuse('conditionNotTaken', {
      attribute: 'If-None-Exist',
      value: header,
      detail: 'identifier=<system>|<value> alone is',
    });
  const bare = value.slice(at + 1);
  return { uniqueIds: [uniqueId], entryUUIDs: isUuid(bare) ? [bare.toLowerCase()] : [] };
}

async function created(
  { entries, record = '' }: Deposited,
  exchange: Exchange,
  now: number,
  relates: boolean,
): Promise<Answer> {
  const [entry] = entries;
  if (entry === undefined) throw new TypeError('nothing was deposited');
  const document = { entry, record, registeredAt: now, revision: 1, changedAt: now };
  return {
    status: 201,
    body: relates
      ? await related(exchange, entry.logicalID)
      : JSON.stringify(documentReferenceOf(document, exchange.base)),
    headers: { Location: `${exchange.base}/${type}/${idOf(entry.logicalID)}/_history/1`, ...stateHeaders(document) },
  };
}

/** The document with what it relates to, as a read gives it. */
async function related({ tools, request, writeDocument }: Exchange, logicalID: string): Promise<Buffer> {
  const names = { by: 'logicalID', values: [logicalID] } as const;
  const { items, relations } = await readDocuments(tools, { ...request, spent: true }, names);
  const [document] = items;
  if (document === undefined) throw new TypeError('what was deposited is not found');
  return writeDocument(document, relations.get(document.entry.entryUUID)).resource;
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

import type { Patient } from 'fhir/r4.js';
import { type Problem, problem } from '../../domain/error.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { validate } from '../validate.ts';
import { unknownAround } from './around.ts';

/** One entry of the history that a message brings. */
export type Told = {
  readonly method: string;
  readonly url: string;
  readonly ifNoneExist?: string;
  readonly patient?: Patient;
};

/** A message of ITI-93, its entries in order. */
export type FeedMessage = {
  readonly id: string;
  /** What is asked of the MessageHeader; '' for an id that it has not. */
  readonly header: { readonly id: string; readonly eventUri: string };
  readonly entries: readonly Told[];
};

/**
 * Reads a message: a Bundle of a MessageHeader and of a history whose entries tell of patients. Everything that is wrong with its structure
 * is told at once. IHE PMIR 3:3.93.4.1.2; FHIR R4 messaging.html.
 */
export function messageIn(sent: Json): { readonly message?: FeedMessage; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const bundle = resourceIn(sent, 'Bundle', 'Bundle', problems);
  check(bundle['type'] === 'message', 'Bundle.type', 'message is expected', problems, bundle['type']);
  problems.push(...unknownAround(bundle, 'Bundle', 'entry'));
  const entries = listIn(bundle['entry'], 'Bundle.entry', problems);
  check(entries.length === 2, 'Bundle.entry', 'a MessageHeader and a history are expected', problems);
  const [first, second] = entries.map((entry) => entry['resource']);
  const header = headerIn(first, problems);
  const history = resourceIn(second, 'Bundle', 'Bundle.entry[1].resource', problems);
  problems.push(...unknownAround(history, 'Bundle', 'entry', 'Bundle.entry[1].resource'));
  const place = 'Bundle.entry[1].resource.entry';
  check(
    history['type'] === 'history',
    'Bundle.entry[1].resource.type',
    'history is expected',
    problems,
    history['type'],
  );
  const told: Told[] = [];
  for (const [i, entry] of listIn(history['entry'], place, problems).entries())
    told.push(entryIn(entry, `${place}[${i}]`, problems));
  check(told.length > 0, place, 'at least one entry is expected', problems);
  if (problems.length > 0) return { problems };
  return { message: { id: text(bundle['id']), header, entries: told }, problems };
}

function headerIn(resource: Json | undefined, problems: Problem[]): FeedMessage['header'] {
  const place = 'Bundle.entry[0].resource';
  const header = resourceIn(resource, 'MessageHeader', place, problems);
  const source = objectIn(header['source'], `${place}.source`, problems);
  check(typeof source['endpoint'] === 'string', `${place}.source.endpoint`, 'the address of the sender', problems);
  check(typeof header['eventUri'] === 'string', `${place}.eventUri`, 'the event', problems);
  check(typeof (header['id'] ?? '') === 'string', `${place}.id`, 'an id', problems);
  return { id: text(header['id']), eventUri: text(header['eventUri']) };
}

function entryIn(entry: JsonObject, place: string, problems: Problem[]): Told {
  const request = objectIn(entry['request'], `${place}.request`, problems);
  const { method, url, ifNoneExist } = request;
  const isKnown = method === 'POST' || method === 'PUT' || method === 'DELETE';
  check(isKnown, `${place}.request.method`, 'POST, PUT or DELETE is expected', problems, method);
  check(
    typeof url === 'string' && /(^|\/)Patient\b/.test(url),
    `${place}.request.url`,
    'Patient is expected',
    problems,
    url,
  );
  const patient = patientIn(entry['resource'], `${place}.resource`, problems);
  if (entry['resource'] === undefined && method !== 'DELETE')
    problems.push(problem('elementMissing', { expression: `${place}.resource` }));
  return {
    method: text(method),
    url: text(url),
    ...(ifNoneExist !== undefined && { ifNoneExist: text(ifNoneExist) }),
    ...(patient !== undefined && { patient }),
  };
}

function patientIn(sent: Json | undefined, place: string, problems: Problem[]): Patient | undefined {
  if (sent === undefined) return undefined;
  const { resource, problems: found } = validate(sent, 'Patient');
  problems.push(...found.map((one) => within(one, place)));
  return resource;
}

/** The same problem with its place in the message. */
function within(found: Problem, place: string): Problem {
  const { expression = '' } = found.about;
  return { ...found, about: { ...found.about, expression: expression.replace(/^Patient/, place) } };
}

function resourceIn(value: Json | undefined, type: string, place: string, problems: Problem[]): JsonObject {
  const found = objectIn(value, place, problems);
  if (Object.keys(found).length > 0)
    check(
      found['resourceType'] === type,
      `${place}.resourceType`,
      `${type} is expected`,
      problems,
      found['resourceType'],
    );
  return found;
}

function objectIn(value: Json | undefined, place: string, problems: Problem[]): JsonObject {
  if (value === undefined) problems.push(problem('elementMissing', { expression: place }));
  else if (isObject(value)) return value;
  else problems.push(problem('elementMalformed', { expression: place, detail: 'an element is expected' }));
  return {};
}

function listIn(value: Json | undefined, place: string, problems: Problem[]): readonly JsonObject[] {
  if (value === undefined) return [];
  if (Array.isArray(value))
    return (value as readonly Json[]).map((one, i) => objectIn(one, `${place}[${i}]`, problems));
  problems.push(problem('elementMalformed', { expression: place, detail: 'a list is expected' }));
  return [];
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function check(holds: boolean, expression: string, detail: string, problems: Problem[], value?: Json): void {
  if (holds) return;
  const shown = typeof value === 'string' ? { value: value.slice(0, 100) } : {};
  problems.push(problem('elementMalformed', { expression, detail, ...shown }));
}

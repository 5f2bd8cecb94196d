import type { OperationOutcomeIssue } from 'fhir/r4.js';
import { type Problem, type ProblemName, problem, Refused } from '../domain/error.ts';
import { isTraced, traceIdentified } from '../usecases/perform.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { isObject, isSaidToBe, type Json, type JsonObject, parseJson } from './json.ts';
import { isAlone } from './limits.ts';
import { observerOf } from './map/audit-event.ts';
import { ignoredIn } from './operation-parameters.ts';
import { outcomeOf } from './outcome.ts';
import { isKnownProfile } from './profile/check.ts';
import { termsIn } from './read/consent.ts';
import { shapeOf } from './read/shape.ts';
import { toldEventIn } from './read/told-event.ts';
import { withinScope } from './scope.ts';
import { validate, withoutRepeats } from './validate.ts';
import { coreDefinitions, ownConsent } from './vocabulary.ts';

type Type = Exclude<Interaction['resource'], 'system'>;

/** What a submission is and brings. */
const submitted: readonly Type[] = ['Bundle', 'DocumentReference', 'List', 'Binary'];

const modes = ['create', 'update', 'delete'] as const;
type Mode = (typeof modes)[number];

/** What is to be validated, and as what. */
type Question = {
  readonly resource?: Json;
  readonly mode: Mode;
  readonly profiles: readonly string[];
  /** What was given besides, to be told. */
  readonly ignored: readonly Problem[];
};

/**
 * Whether a resource would be taken: its structure, the rules of FHIR and the profiles that it claims or that are named, and of a Consent whether
 * it can be enforced; what depends on the record is judged when it is sent. Always answered with 200 and an OperationOutcome, unless the question itself is wrong.
 * FHIR R4 resource-operation-validate.html.
 */
async function validateType(exchange: Exchange, type: Type): Promise<Answer> {
  const question = await questionIn(exchange, type);
  if (question.mode === 'delete')
    throw new Refused([
      problem('parameterMalformed', { attribute: 'mode', value: question.mode, detail: 'a delete has an id' }),
    ]);
  if (question.resource === undefined) throw new Refused([problem('elementMissing', { expression: type })]);
  const { tools, request } = exchange;
  const also = type === 'AuditEvent' ? problemsOfTelling(exchange, question.resource) : [];
  const answer = answerTo(question.resource, type, question, request.origin.requestId, also);
  await traceIdentified(tools, request, 'validate');
  return answer;
}

/** What keeps a partner's event from being taken, besides what the profiles ask. */
function problemsOfTelling(exchange: Exchange, resource: Json): readonly Problem[] {
  const { resource: event } = shapeOf(resource, 'AuditEvent');
  return event === undefined ? [] : toldEventIn(event, observerOf(exchange), exchange.tools.now()).problems;
}

/** The same for what stands here already: it is read, by who may read it, and validated itself where no other content is given. */
async function validateInstance(
  exchange: Exchange,
  type: Type,
  read: Interaction['handle'],
  served: ReadonlySet<Interaction['interaction']>,
): Promise<Answer> {
  const question = hasBody(exchange) ? await questionIn(exchange, type) : questionOf([], exchange);
  const { mode, resource, ignored }: Question = question;
  const { requestId } = exchange.request.origin;
  const stored = await storedBy(read, exchange);
  if (mode !== 'create' && !served.has(mode === 'update' && served.has('patch') ? 'patch' : mode))
    return outcome([problem('interactionUnsupported', { value: `${mode} ${type}` })], ignored, requestId);
  if (mode === 'delete') return outcome([], ignored, requestId);
  const answer = answerTo(resource ?? stored, type, question, requestId);
  const differs = isObject(resource) && resource['id'] !== exchange.id;
  if (!differs) return answer;
  const wrong = problem('elementMalformed', { expression: `${type}.id`, detail: 'it is that of the address' });
  return answerTo(resource, type, question, requestId, [wrong]);
}

const ofXml: ReadonlySet<ProblemName> = new Set(['elementUnknown', 'elementMalformed']);

/** The faults of structure that XML shows while it is read are an answer, like those that are found in JSON afterwards. */
async function withFaultsOfXml({ tools, request }: Exchange, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof Refused) || !error.problems.every(({ name }) => ofXml.has(name))) throw error;
    if (!isTraced(error)) await traceIdentified(tools, request, 'validate');
    return outcome(error.problems, [], request.origin.requestId);
  }
}

function hasBody({ header }: Exchange): boolean {
  return header('Transfer-Encoding') !== '' || Number(header('Content-Length')) > 0;
}

/** What a read answers. @throws Refused as the read */
async function storedBy(read: Interaction['handle'], exchange: Exchange): Promise<Json> {
  const answer = await read({ ...exchange, parameters: [], header: () => '' });
  if ('refused' in answer) throw new Refused(answer.refused);
  const { body } = answer;
  if (typeof body === 'function') throw new Refused([problem('interactionUnsupported', { value: '$validate' })]);
  return parseJson(body.toString());
}

function answerTo(
  sent: Json,
  type: Type,
  { profiles, ignored }: Pick<Question, 'profiles' | 'ignored'>,
  requestId: string,
  besides: readonly Problem[] = [],
): Answer {
  const unknown = profiles
    .filter((url) => !isKnownProfile(url) && url !== `${coreDefinitions}${type}`)
    .map((value) => problem('profileUnknown', { value, attribute: 'profile' }));
  const also = type === 'Consent' ? [...profiles, ownConsent] : profiles;
  const { resource, problems, warnings } = validate(sent, type, also);
  const kept = resource?.resourceType === 'Consent' ? termsIn(resource).problems : [];
  return outcome(withoutRepeats([...besides, ...kept, ...problems, ...unknown]), [...ignored, ...warnings], requestId);
}

function outcome(problems: readonly Problem[], warnings: readonly Problem[], requestId: string): Answer {
  const valid: OperationOutcomeIssue = {
    severity: 'information',
    code: 'informational',
    details: { text: 'valid' },
    diagnostics: 'Nothing was found that is wrong.',
  };
  const { issue, ...rest } = outcomeOf(problems, requestId);
  const told = [...issue, ...outcomeOf(warnings, requestId, 'warning').issue];
  return { body: JSON.stringify({ ...rest, issue: problems.length === 0 ? [...told, valid] : told }) };
}

/** The resource itself with parameters in the address, or Parameters. */
async function questionIn(exchange: Exchange, type: Type): Promise<Question> {
  const sent = await exchange.json(isAlone(type) ? type : undefined);
  if (!isSaidToBe('Parameters', sent)) return { ...questionOf([], exchange), resource: sent };
  const { parameter } = sent;
  const parameters = Array.isArray(parameter) ? (parameter as readonly Json[]).filter(isObject) : [];
  const resource = parameters.find(({ name }) => name === 'resource')?.['resource'];
  return { ...questionOf(parameters, exchange), ...(resource !== undefined && { resource }) };
}

function questionOf(parameters: readonly JsonObject[], exchange: Exchange): Question {
  const given = (name: string) => [
    ...exchange.parameters.flatMap(([key, value]) => (key === name ? [value] : [])),
    ...parameters.flatMap((one) => (one['name'] === name ? textsOf(one) : [])),
  ];
  const [mode = exchange.id === '' ? 'create' : 'update'] = given('mode');
  const known = modes.find((one) => one === mode);
  if (known === undefined)
    throw new Refused([
      problem('parameterMalformed', { attribute: 'mode', value: mode, detail: `${modes.join(', ')} are known` }),
    ]);
  const named = parameters.map(({ name }): [string, string] => [typeof name === 'string' ? name : '', '']);
  const ignored = ignoredIn([...exchange.parameters, ...named], ['resource', 'mode', 'profile'], exchange);
  return { mode: known, profiles: given('profile'), ignored };
}

function textsOf({ valueCode, valueUri, valueCanonical, valueString }: JsonObject): string[] {
  return [valueCode, valueUri, valueCanonical, valueString].filter((value) => typeof value === 'string');
}

const operation = {
  name: 'validate',
  definition: 'http://hl7.org/fhir/OperationDefinition/Resource-validate',
} as const;

/**
 * `$validate` for every type that is taken, and for each resource that can be read.
 * @param served the interactions by which resources are read and changed
 */
export function validateInteractions(served: readonly Interaction[]): readonly Interaction[] {
  const taken = served.filter(({ interaction }) => interaction === 'create' || interaction === 'update');
  const types = new Set([...submitted, ...taken.flatMap(({ resource }) => (resource === 'system' ? [] : [resource]))]);
  return [...types].flatMap((type): Interaction[] => {
    const common = { method: 'POST', resource: type, interaction: 'operation', operation } as const;
    const ofType = served.filter(({ resource }) => resource === type);
    const reader = ofType.find(({ interaction, ownMediaTypes }) => interaction === 'read' && ownMediaTypes !== true);
    const onType: Interaction = {
      ...common,
      path: `/${type}/$validate`,
      transaction: 'read',
      action: 'identify',
      what: 'Whether a resource would be taken',
      handle: (exchange) => withFaultsOfXml(exchange, validateType(exchange, type)),
    };
    if (reader === undefined) return [onType];
    const read = withinScope(reader);
    const interactions = new Set(ofType.map(({ interaction }) => interaction));
    const onInstance: Interaction = {
      ...common,
      path: `/${type}/:id/$validate`,
      transaction: reader.transaction,
      action: reader.action,
      what: 'Whether the resource, or what is to replace it, is valid',
      handle: (exchange) => withFaultsOfXml(exchange, validateInstance(exchange, type, read.handle, interactions)),
      ...(reader.told && { told: reader.told }),
    };
    return [onType, onInstance];
  });
}

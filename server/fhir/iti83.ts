import { type Problem, type ProblemName, problem, Refused, refuse } from '../domain/error.ts';
import { type CrossReference, resolveIdentifiers } from '../usecases/resolve-identifiers.ts';
import { askedText } from './asked-text.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { identifierOf } from './map/patient.ts';
import { toldOf, unknownIn } from './operation-parameters.ts';
import { type Given, queryString } from './search.ts';
import { readIdentifier, readToken } from './search-values.ts';
import { valid } from './validate.ts';
import { operations } from './vocabulary.ts';

const type = 'Patient';

/** The other identifiers of a patient, and his id here. IHE PIXm, ITI-83. */
async function pix(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const given = exchange.method === 'POST' ? await posted(exchange) : exchange.parameters;
  const { source, systems, ignored } = questionIn(given, exchange);
  const asksHere = systems.length === 0 || systems.some((system) => isHere(system, base));
  const targets = systems.filter((system) => !isHere(system, base)).map(oidOf);
  const query = askedText(exchange.method, `${type}/$ihe-pix`, queryString(given));
  const question = { source, ...(systems.length > 0 && { targets }), query };
  const found = await orUnknown(resolveIdentifiers(tools, request, question), exchange, source);
  if (found === undefined) return { refused: [problem('sourceIdentifierUnknown')] };
  const { record, identifiers } = found;
  const parameter = [
    ...identifiers.map((identifier) => ({ name: 'targetIdentifier', valueIdentifier: identifierOf(identifier) })),
    ...(asksHere ? [{ name: 'targetId', valueReference: { reference: `${base}/${type}/${record}` } }] : []),
    ...toldOf(ignored, exchange),
  ];
  return { body: JSON.stringify({ resourceType: 'Parameters', ...(parameter.length > 0 && { parameter }) }) };
}

const absent: ReadonlySet<ProblemName> = new Set(['unknownPatient']);
const hidden: ReadonlySet<ProblemName> = new Set(['unknownPatient', 'accessDenied', 'recordClosed']);

/** Undefined for who is unknown: nobody has the identifier; or the id names a record on which the caller has no right. */
async function orUnknown<T>(
  found: Promise<T>,
  { request }: Exchange,
  source: CrossReference['source'],
): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    const isHidden = 'record' in source && request.caller.patient === undefined;
    const unknown = isHidden ? hidden : absent;
    if (error instanceof Refused && error.problems.some(({ name }) => unknown.has(name))) return undefined;
    throw error;
  }
}

/** The parameters of a body. @throws Refused for what is no Parameters, with everything that is wrong about it */
async function posted(exchange: Exchange): Promise<Given> {
  const { parameter = [] } = valid(await exchange.json(type), 'Parameters');
  return parameter.map(({ name, valueString, valueUri, valueUrl, valueCode }) => [
    name,
    valueString ?? valueUri ?? valueUrl ?? valueCode ?? '',
  ]);
}

const names: readonly string[] = ['sourceIdentifier', 'targetSystem'];

/** @throws Refused parameterMissing, parameterMalformed, parameterUnknown, all in one */
function questionIn(
  given: Given,
  { base, strict }: Exchange,
): Pick<CrossReference, 'source'> & { readonly systems: readonly string[]; readonly ignored: readonly Problem[] } {
  const of = (wanted: string) => given.filter(([name]) => name === wanted).map(([, value]) => value);
  const [sources, systems] = [of('sourceIdentifier'), of('targetSystem').flatMap((value) => value.split(','))];
  const [text = ''] = sources;
  const source = sourceIn(text, base);
  const unknown = unknownIn(given, names);
  const problems: Problem[] = [
    ...(sources.length === 0
      ? [problem('parameterMissing', { attribute: 'sourceIdentifier', detail: 'one is expected' })]
      : []),
    ...(sources.length > 1 || (sources.length === 1 && source === undefined) ? [malformedSource(text)] : []),
    ...(strict ? unknown : []),
  ];
  if (problems.length > 0 || source === undefined) throw new Refused(problems);
  return { source, systems, ignored: unknown };
}

function malformedSource(value: string): Problem {
  const detail = 'one <system>|<value> is expected, or this server and Patient/<id>';
  return problem('parameterMalformed', { attribute: 'sourceIdentifier', value, detail });
}

/** A system that is no OID named nobody here. @throws Refused sourceAuthorityUnknown */
function sourceIn(text: string, base: string): CrossReference['source'] | undefined {
  const { system = '', code } = readToken(text);
  if (system === '' || code === '') return undefined;
  const id = /^Patient\/([A-Za-z0-9.-]{1,64})$/.exec(code)?.[1];
  if (isHere(system, base)) return id === undefined ? undefined : { record: id };
  return readIdentifier(text) ?? refuse('sourceAuthorityUnknown', { attribute: 'sourceIdentifier', value: system });
}

function isHere(system: string, base: string): boolean {
  return [base, `${base}/`, `${base}/${type}`].includes(system);
}

function oidOf(system: string): string {
  return system.startsWith('urn:oid:') ? system.slice(8) : system;
}

const common = {
  path: `/${type}/$ihe-pix`,
  resource: type,
  interaction: 'operation',
  operation: { name: 'ihe-pix', definition: operations.pix },
  transaction: 'ITI-83',
  action: 'resolveIdentifiers',
  handle: pix,
} as const;

/** Patient Identifier Cross-reference for Mobile. IHE PIXm, ITI-83. */
export const crossReferenceInteractions: readonly Interaction[] = [
  { ...common, method: 'GET', what: 'The other identifiers of a patient' },
  { ...common, method: 'POST', what: 'The same, parameters in the body' },
];

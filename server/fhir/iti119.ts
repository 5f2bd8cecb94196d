import type { Parameters, Patient } from 'fhir/r4.js';
import { problem, Refused, refuse } from '../domain/error.ts';
import type { Grade } from '../domain/match.ts';
import { findingIdentifiers, matchPatients } from '../usecases/find-patients.ts';
import { testExistence } from '../usecases/patient.ts';
import { askedText } from './asked-text.ts';
import { searchset } from './bundle.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { isSaidToBe } from './json.ts';
import { existenceOf, patientOf } from './map/patient.ts';
import { identityIn } from './read/identity.ts';
import { isA } from './read/shape.ts';
import { maximumCount, usualCount } from './search.ts';
import { valid } from './validate.ts';
import { extensions, matchGrades, operations } from './vocabulary.ts';

const type = 'Patient';

/** A patient who may be the one. */
type Matched = { readonly patient: Patient; readonly score: number; readonly grade: Grade };

/**
 * Who the patient is. With an identifier by which records are found here it is the existence test: one certain match, or none; without, a search
 * by traits. IHE PDQm, ITI-119; FHIR R4 Patient/$match.
 */
async function match(exchange: Exchange): Promise<Answer> {
  const { tools } = exchange;
  const { patient, onlyCertain, limit } = await askedIn(exchange);
  const { identifiers, traits } = identityIn(patient);
  const named = findingIdentifiers(tools, identifiers);
  const query = askedText('POST', `${type}/$match`, JSON.stringify(patient));
  const matches: Matched[] =
    named.length > 0
      ? await existing(exchange, named, query)
      : (await matchPatients(tools, exchange.request, { traits, onlyCertain, limit, query })).map(
          ({ record, ...how }) => ({
            patient: patientOf(record),
            ...how,
          }),
        );
  return { body: bundleOf(exchange, matches.slice(0, limit)) };
}

async function existing(
  { tools, request }: Exchange,
  named: ReturnType<typeof findingIdentifiers>,
  query: string,
): Promise<Matched[]> {
  for (const identifier of named)
    try {
      const existence = await testExistence(tools, request, identifier, query);
      return [{ patient: existenceOf(existence), score: 1, grade: 'certain' }];
    } catch (error) {
      if (!(error instanceof Refused) || error.problems[0]?.name !== 'unknownPatient') throw error;
    }
  return [];
}

/** The best match first. IHE PDQm, IHE.PDQm.MatchParametersOut. */
function bundleOf({ base, request }: Exchange, matches: readonly Matched[]): Buffer {
  const entries = matches.map(({ patient, score, grade }) => {
    const search = {
      extension: [{ url: extensions.matchGrade, valueCode: matchGrades[grade] }],
      mode: 'match',
      score,
    };
    return Buffer.from(JSON.stringify({ fullUrl: `${base}/${type}/${patient.id ?? ''}`, resource: patient, search }));
  });
  const answer = { total: matches.length, self: `${base}/${type}/$match`, entries, warnings: [] };
  return searchset(answer, request.origin.requestId);
}

type Asked = { readonly patient: Patient; readonly onlyCertain: boolean; readonly limit: number };

/** Parameters, or the Patient alone. @throws Refused for a body that is neither, with everything that is wrong about it */
async function askedIn(exchange: Exchange): Promise<Asked> {
  const sent = await exchange.json(type);
  if (isSaidToBe('Parameters', sent)) return parametersIn(valid(sent, 'Parameters'));
  return { patient: valid(sent, type), onlyCertain: false, limit: usualCount };
}

function parametersIn({ parameter = [] }: Parameters): Asked {
  const of = (name: string) => parameter.filter((one) => one.name === name);
  const [resource, onlyCertain, count] = [of('resource'), of('onlyCertainMatches'), of('count')];
  const patient = resource[0]?.resource;
  const { valueBoolean = false } = onlyCertain[0] ?? {};
  const { valueInteger = usualCount } = count[0] ?? {};
  const known = ['resource', 'onlyCertainMatches', 'count'];
  const problems = [
    ...parameter.flatMap(({ name }, i) =>
      known.includes(name)
        ? []
        : [problem('elementUnknown', { expression: `Parameters.parameter[${i}]`, value: name })],
    ),
    ...[resource, onlyCertain, count]
      .filter((all) => all.length > 1)
      .map((all) =>
        problem('elementMalformed', {
          expression: 'Parameters.parameter',
          value: all[0]?.name ?? '',
          detail: 'it is given once',
        }),
      ),
    ...(onlyCertain.length > 0 && onlyCertain[0]?.valueBoolean === undefined
      ? [
          problem('elementMalformed', {
            expression: 'Parameters.parameter',
            value: 'onlyCertainMatches',
            detail: 'a boolean is expected',
          }),
        ]
      : []),
    ...(count.length > 0 && (count[0]?.valueInteger ?? 0) < 1
      ? [
          problem('elementMalformed', {
            expression: 'Parameters.parameter',
            value: 'count',
            detail: 'an integer from 1 is expected',
          }),
        ]
      : []),
  ];
  if (problems.length > 0) throw new Refused(problems);
  if (!isA(patient, type))
    refuse('elementMissing', { expression: "Parameters.parameter.where(name='resource').resource" });
  return { patient, onlyCertain: valueBoolean, limit: Math.min(valueInteger, maximumCount) };
}

/** Patient Demographics Match. IHE PDQm, ITI-119. */
export const matchInteractions: readonly Interaction[] = [
  {
    method: 'POST',
    path: `/${type}/$match`,
    resource: type,
    interaction: 'operation',
    operation: { name: 'match', definition: operations.match },
    transaction: 'ITI-119',
    action: 'searchPatients',
    what: 'Existence test by INS; who a patient is by his traits, for who may search by them',
    handle: match,
  },
];

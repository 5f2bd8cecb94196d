import { problem, Refused } from '../domain/error.ts';
import type { Identifier } from '../domain/identifier.ts';
import { type Existence, readPatient, testExistence } from '../usecases/patient.ts';
import { entryOf, searchset } from './bundle.ts';
import { unknownUnlessNamed } from './concealment.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { existenceOf, patientOf } from './map/patient.ts';
import { type Paging, type ParameterTable, queryString, readSearch } from './search.ts';
import { readIdentifier } from './search-values.ts';

const type = 'Patient';

type PatientQuestion = Paging & { identifier?: Identifier };

/** Search parameters of Patient. */
export const patientSearchParameters: ParameterTable<PatientQuestion> = {
  identifier: {
    type: 'token',
    documentation: 'Existence test: urn:oid:<OID>|<value>',
    read(value, asked, attribute) {
      const identifier = readIdentifier(value);
      if (identifier === undefined || asked.identifier !== undefined)
        return [problem('parameterMalformed', { attribute, value, detail: 'one urn:oid:<OID>|<value> is expected' })];
      asked.identifier = identifier;
      return [];
    },
  },
};

/** The existence test: none or one. DMP TD0.2; PDSM4DMP. */
async function search(exchange: Exchange): Promise<Answer> {
  const { tools, request, parameters, base, strict } = exchange;
  const asked: PatientQuestion = {};
  const { used, warnings } = readSearch(parameters, patientSearchParameters, asked, strict);
  const { identifier, count = 1 } = asked;
  if (identifier === undefined)
    throw new Refused([
      problem('parameterMissing', { attribute: 'identifier', detail: 'patients are found by identifier' }),
    ]);
  const query = queryString(used);
  const found = await orNobody(testExistence(tools, request, identifier, `${type}?${query}`));
  const entries = found
    .slice(0, count)
    .map(
      (existence) => entryOf(`${base}/${type}/${existence.record.id}`, JSON.stringify(existenceOf(existence))).bytes,
    );
  const bundle = { total: found.length, self: `${base}/${type}?${query}`, entries, warnings };
  return { body: searchset(bundle, request.origin.requestId) };
}

async function orNobody(test: Promise<Existence>): Promise<readonly Existence[]> {
  try {
    return [await test];
  } catch (error) {
    if (error instanceof Refused && error.problems[0]?.name === 'unknownPatient') return [];
    throw error;
  }
}

async function read({ tools, request, id }: Exchange): Promise<Answer> {
  const { record, treatingDoctors } = await readPatient(tools, request, id);
  return { body: JSON.stringify(patientOf(record, treatingDoctors)), headers: { ETag: `W/"${record.version}"` } };
}

/** Patient: existence test and read. */
export const patientInteractions: readonly Interaction[] = [
  {
    method: 'GET',
    path: `/${type}`,
    resource: type,
    interaction: 'search-type',
    transaction: 'ITI-78',
    action: 'testExistence',
    what: 'Existence test of a record by identifier',
    handle: search,
  },
  {
    method: 'POST',
    path: `/${type}/_search`,
    resource: type,
    interaction: 'search-type',
    transaction: 'ITI-78',
    action: 'testExistence',
    what: 'The same, parameters in the body',
    handle: search,
  },
  {
    method: 'GET',
    path: `/${type}/:id`,
    resource: type,
    interaction: 'read',
    transaction: 'read',
    action: 'readPatient',
    what: "Read the holder's identity",
    handle: read,
    told: unknownUnlessNamed(type),
  },
];

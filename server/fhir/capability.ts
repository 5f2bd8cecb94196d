import type { CapabilityStatement, CapabilityStatementRestResource } from 'fhir/r4.js';
import { documentParameters } from './document-search.ts';
import type { Interaction } from './exchange.ts';
import { eventParameters } from './iti81.ts';
import { patientSearchParameters } from './patient.ts';
import { type Parameter, pagingParameters } from './search.ts';
import { fhirJson, implementationGuides, profiles } from './vocabulary.ts';

type Described = Pick<Parameter<never>, 'type' | 'documentation'>;

const parameters: Readonly<Record<Interaction['resource'], Readonly<Record<string, Described>>>> = {
  DocumentReference: documentParameters,
  Binary: {},
  Patient: patientSearchParameters,
  AuditEvent: eventParameters,
};

const supported: Readonly<Record<Interaction['resource'], readonly string[]>> = {
  DocumentReference: [profiles.mhdDocument, profiles.pdsmDocument],
  Binary: [],
  Patient: [profiles.patientIns],
  AuditEvent: [
    profiles.auditFindDocuments,
    profiles.auditRetrieve,
    profiles.auditPatientDemographics,
    profiles.auditPatientQuery,
    profiles.auditPatientRead,
  ],
};

/**
 * What is served, from the tables that serve it. FHIR R4 http.html#capabilities.
 * @param since when this statement last changed, in milliseconds since 1970
 */
export function capabilityStatement(
  interactions: readonly Interaction[],
  base: string,
  since: number,
): CapabilityStatement {
  const types = [...new Set(interactions.map(({ resource }) => resource))];
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: new Date(since).toISOString(),
    kind: 'instance',
    software: { name: 'OpenDMP' },
    implementation: { description: 'Documents of the shared medical record', url: base },
    fhirVersion: '4.0.1',
    format: [fhirJson, 'json'],
    implementationGuide: [...implementationGuides],
    rest: [
      {
        mode: 'server',
        documentation: `Search pages hold what the caller may see, newest first; totals count that alone. ${ofPaging()}`,
        security: {
          cors: false,
          service: [
            {
              coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'OAuth' }],
              text: 'Bearer token (JWT) for this address',
            },
          ],
        },
        resource: types.map((type) => resourceOf(type, interactions)),
      },
    ],
  };
}

function ofPaging(): string {
  const names = Object.keys(pagingParameters).filter((name) => name !== '_page');
  return `Every search takes ${names.join(', ')} (_sort: -date alone); further pages are reached by the next link.`;
}

function resourceOf(
  type: Interaction['resource'],
  interactions: readonly Interaction[],
): CapabilityStatementRestResource {
  const codes = new Set(interactions.filter(({ resource }) => resource === type).map(({ interaction }) => interaction));
  const searched = Object.entries(parameters[type]).filter(([, { documentation }]) => documentation !== undefined);
  return {
    type,
    ...(supported[type].length > 0 && { supportedProfile: [...supported[type]] }),
    interaction: [...codes].map((code) => ({ code })),
    versioning: 'no-version',
    ...(codes.has('search-type') && {
      searchParam: searched.map(([name, { type: kind, documentation = '' }]) => ({ name, type: kind, documentation })),
    }),
  };
}

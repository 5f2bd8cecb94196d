import { readFileSync } from 'node:fs';
import type { Consent, ConsentProvision } from 'fhir/r4.js';
import { personOf } from '../../server/sandbox/people.ts';

const hl7 = 'http://terminology.hl7.org/CodeSystem';
const pcf = 'https://profiles.ihe.net/ITI/PCF';

/** An identifier of one of the sandbox's people, as a reference. */
export function actorOf(slug: string, role = 'IRCP'): NonNullable<ConsentProvision['actor']>[number] {
  const person = personOf(slug);
  const [type, system, value] =
    person?.kind === 'professional'
      ? ['Practitioner', 'urn:oid:1.2.250.1.71.4.2.1', person.idNat]
      : person?.kind === 'structure'
        ? ['Organization', 'urn:oid:1.2.250.1.71.4.2.2', person.structIdNat]
        : ['Patient', 'urn:oid:1.2.3', 'x'];
  return {
    role: { coding: [{ system: `${hl7}/v3-ParticipationType`, code: role }] },
    reference: { type, identifier: { system, value }, display: slug },
  };
}

/** A provision by which this one of the sandbox's people may read, or may not. */
export const permit = (slug: string, more: Partial<ConsentProvision> = {}): ConsentProvision => ({
  type: 'permit',
  actor: [actorOf(slug)],
  ...more,
});
export const deny = (slug: string): ConsentProvision => ({ type: 'deny', actor: [actorOf(slug)] });

export const purpose = (...codes: string[]) => codes.map((code) => ({ system: `${hl7}/v3-ActReason`, code }));
export const masked = [
  {
    system: 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument',
    code: 'MASQUE_PS',
  },
];
export const policies = {
  normal: `${pcf}/Policy-all-normal`,
  deny: `${pcf}/Policy-deny`,
  breakGlassOnly: `${pcf}/Policy-break-glass-only`,
  treatingDoctor: 'https://opendmp.example/fhir/policy/treating-doctor',
};

/** A Consent of a patient, valid against the profiles of PCF, with the provision given. */
export function consentFor(
  patient: Consent['patient'],
  provision: ConsentProvision,
  changes: Partial<Consent> = {},
): Consent {
  return {
    resourceType: 'Consent',
    meta: { profile: [`${pcf}/StructureDefinition/IHE.PCF.consentIntermediate`] },
    status: 'active',
    scope: { coding: [{ system: `${hl7}/consentscope`, code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    ...(patient && { patient }),
    dateTime: '2026-03-01T10:00:00+01:00',
    performer: [{ display: 'The patient' }],
    organization: [{ display: 'OpenDMP' }],
    sourceReference: { display: 'Signed paper' },
    policy: [{ uri: policies.normal }],
    provision,
    ...changes,
  };
}

/** What is not kept here, one thing in each, and the reason that is told. */
export function refusedConsents() {
  const rows = readFileSync(new URL('../cases/consents/refused.json', import.meta.url), 'utf8');
  const read = (_: string, value: { readonly actorOf?: string } | null) =>
    value?.actorOf === undefined ? value : actorOf(value.actorOf);
  return JSON.parse(rows, read) as readonly {
    readonly what: string;
    readonly provision: ConsentProvision;
    readonly changes?: Partial<Consent>;
    readonly expression: string;
    readonly reason: string;
  }[];
}

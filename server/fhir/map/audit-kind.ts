import type { Coding } from 'fhir/r4.js';
import { audit, dcm, profiles } from '../vocabulary.ts';

/** What an event is of its kind; what it was about is told by the event itself. */
export type Shape = {
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  /** Which end the client is: it sends (source), receives (destination), or bids the custodian delete (application). */
  readonly client: 'source' | 'destination' | 'application';
  /** The profile of an event that has the one object of `main`, and one patient, or at most one where `anyPatient` says so. */
  readonly profile?: string;
  readonly anyPatient?: true;
  /** It asks for an identifier of the patient. */
  readonly patientNamed?: true;
  /** An identifier stands alone for the patient. */
  readonly patientByName?: true;
  /** Which of what was touched is the one object that the guides ask for; further ones are there by their type of resource. */
  readonly main?: Main;
};
export type Main = 'documents' | 'submissionSet' | 'query' | 'record' | 'touched';

export type How = 'create' | 'read' | 'update' | 'delete';

/** Subtypes of what was done, and the types of DICOM: what every row of the kinds is made of. IHE BALP 152.3; DICOM PS3.15 A.5. */
export const interaction = (code: string): Coding => ({ system: audit.interaction, code });
export const iti = (code: string, display: string): Coding => ({ system: audit.transaction, code, display });
export const event = (code: string, display: string): Coding => ({ system: dcm, code, display });
export const rest: Coding = { system: audit.eventType, code: 'rest', display: 'Restful Operation' };

const basics = {
  create: { action: 'C', client: 'source', profile: profiles.auditPatientCreate },
  read: { action: 'R', client: 'destination', profile: profiles.auditPatientRead },
  update: { action: 'U', client: 'source', profile: profiles.auditPatientUpdate },
  delete: { action: 'D', client: 'application', profile: profiles.auditPatientDelete },
} as const;

/** A RESTful act upon one object. IHE BALP 152.3. */
export function restful(how: How, main: Main, more: Partial<Shape> = {}, ...transaction: readonly Coding[]): Shape {
  return { type: rest, subtype: [interaction(how), ...transaction], main, ...basics[how], ...more };
}

/** A search. IHE BALP 152.3. */
export function search(profile: string, ...transaction: readonly Coding[]): Shape {
  return {
    type: rest,
    subtype: [interaction('search'), ...transaction],
    action: 'E',
    client: 'source',
    main: 'query',
    profile,
  };
}

/** Documents, or what is known of them, come in. IHE ITI TF-2 3.41.5, 3.42.5. */
export function incoming(subtype: Coding, action: 'C' | 'U' = 'C'): Shape {
  return { type: event('110107', 'Import'), subtype: [subtype], action, client: 'source' };
}

/** A record, or what is in it, is changed or removed. IHE ITI TF-2 3.8.5, 3.44.5; IHE RMD 3.62.5. */
export function ofRecord(subtype: Coding, action: 'U' | 'D'): Shape {
  return { type: event('110110', 'Patient Record'), subtype: [subtype], action, client: 'source' };
}

/** A query of a registry. IHE ITI TF-2 3.18.5. */
export function query(subtype: Coding): Shape {
  return { type: event('110112', 'Query'), subtype: [subtype], action: 'E', client: 'source' };
}

/** Documents, or news of them, go out. IHE ITI TF-2 3.43.5. */
export function outgoing(subtype: Coding): Shape {
  return { type: event('110106', 'Export'), subtype: [subtype], action: 'R', client: 'destination' };
}

/** Somebody is identified. IHE IUA 3.71.5. */
export function identification(subtype: Coding): Shape {
  return { type: event('110114', 'User Authentication'), subtype: [subtype], action: 'E', client: 'source' };
}

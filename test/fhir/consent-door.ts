import type { Bundle, Consent, ConsentProvision, OperationOutcome } from 'fhir/r4.js';
import { consentFor } from './consent-samples.ts';
import { type Door, openDoor } from './door.ts';

/** The door with the ways in which a test states consents of one patient. */
export async function openConsentDoor(patient = 'casanova') {
  const door: Door = await openDoor();
  const { oid, value } = door.world.ins(patient);
  const reference = { identifier: { system: `urn:oid:${oid}`, value } };
  const send = async <T = Consent>(who: string, method: 'POST' | 'PUT', path: string, body: unknown, headers = {}) =>
    door.ask<T>(path, {
      method,
      headers: {
        ...headers,
        'Content-Type': 'application/fhir+json',
        Authorization: `Bearer ${await door.token(who)}`,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const consent = (provision: ConsentProvision, changes: Partial<Consent> = {}) =>
    consentFor(reference, provision, changes);
  /** The search for what the patient has stated. */
  const search = (more: string) => `Consent?patient.identifier=${door.of(patient)}${more}`;
  return {
    ...door,
    reference,
    send,
    consent,
    state: (who: string, provision: ConsentProvision, changes: Partial<Consent> = {}) =>
      send(who, 'POST', 'Consent', consent(provision, changes)),
    change: (who: string, to: Consent, headers = {}) => send(who, 'PUT', `Consent/${to.id}`, to, headers),
    search,
    find: async (who: string, more = '') => (await door.get<Bundle<Consent>>(who, search(more))).json,
    /** Status of a search for the patient's documents. */
    searches: async (who: string, changes: Parameters<Door['get']>[2] = {}) =>
      (await door.get<Bundle>(who, `DocumentReference?patient.identifier=${door.of(patient)}&status=current`, changes))
        .status,
    problemsOf: ({ json }: { readonly json: unknown }) =>
      (json as OperationOutcome).issue.map(({ details, expression }) => [details?.text, expression?.[0]]),
  };
}
export type ConsentDoor = Awaited<ReturnType<typeof openConsentDoor>>;

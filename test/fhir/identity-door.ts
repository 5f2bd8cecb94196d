import type { Identifier, OperationOutcome, Patient } from 'fhir/r4.js';
import { type Door, type HttpAnswer, openDoor, type TokenChanges } from './door.ts';

/** The authority of a domain of fed authorities. */
export const localOid = '1.2.250.1.999.7';

type Changes = TokenChanges & { readonly headers?: Record<string, string> };

/** The door with the ways in which a test tells of patients. */
export async function openIdentityDoor(domain: 'dmp' | 'open' = 'dmp') {
  const door: Door = await openDoor({ domain, seeded: domain === 'dmp' });
  const send = async <T = OperationOutcome>(
    who: string,
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    { headers = {}, ...claims }: Changes = {},
  ): Promise<HttpAnswer<T>> =>
    door.ask<T>(path, {
      method,
      headers: {
        ...headers,
        ...(body !== undefined && { 'Content-Type': 'application/fhir+json' }),
        Authorization: `Bearer ${await door.token(who, claims)}`,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return {
    ...door,
    send,
    ins: (slug: string): Identifier => {
      const { oid, value } = door.world.ins(slug);
      return { system: `urn:oid:${oid}`, value };
    },
    idOf: async (slug: string) =>
      (await door.world.tools.store.facts.recordByIdentifier(door.world.ins(slug)))?.record.id ?? '',
    /** Names of the events since this many. */
    eventsSince: (count: number) =>
      door.world.tools.store
        .events()
        .slice(count)
        .map(({ action, outcome, origin }) => `${origin.transaction} ${action} ${outcome}`),
    eventCount: () => door.world.tools.store.events().length,
  };
}
export type IdentityDoor = Awaited<ReturnType<typeof openIdentityDoor>>;

/** A patient under the local authority. */
export function patientFor(value: string, changes: Partial<Patient> = {}): Patient {
  return {
    resourceType: 'Patient',
    identifier: [{ system: `urn:oid:${localOid}`, value }],
    name: [{ use: 'official', family: 'Doe', given: ['Jane', 'Ann'] }],
    gender: 'female',
    birthDate: '1980-02-29',
    ...changes,
  };
}

export const named = (value: string) => `Patient?identifier=urn:oid:${localOid}|${value}`;
export const problemsOf = ({ json }: { readonly json: unknown }) =>
  (json as OperationOutcome).issue.map(({ details, code }) => `${details?.text} ${code}`);

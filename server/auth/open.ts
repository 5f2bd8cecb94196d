import type { Caller } from '../domain/actor.ts';
import { type Identify, NotIdentified } from './credentials.ts';

/** Whoever brings no credential in a domain that asks for none. What he may do is the decision's. */
const anybody: Caller = {
  actor: { kind: 'system', id: 'anybody', name: 'No credential', rights: [] },
  mode: 'normal',
  secret: false,
  credential: { kind: 'none', id: 'none' },
};

/** The same identification, save that no credential at all is the one system of the domain; one that proves nothing is refused as ever. */
export function withoutCredentials({ assertion, bearer }: Identify): Identify {
  return {
    assertion: async (envelope) => assertion(envelope).catch(anybodyOr),
    bearer: async (authorization) => bearer(authorization).catch(anybodyOr),
  };
}

function anybodyOr(error: unknown): Caller {
  if (error instanceof NotIdentified && error.absent) return anybody;
  throw error;
}

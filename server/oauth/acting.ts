import { modeOf } from '../auth/vocabulary.ts';
import { type Caller, patientOfActor } from '../domain/actor.ts';
import { readCx } from '../domain/hl7v2.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { Account } from './authority.ts';
import { OAuthError } from './error.ts';
import type { Parameters } from './parameters.ts';

/** How somebody is about to act, in the words of the request. */
export type Acting = Pick<Caller, 'mode' | 'reason' | 'patient'>;

const longestReason = 500;

/**
 * What a request says of the access: `purpose_of_use` (normal, bris_de_glace, centre_15), `reason` in words, and `person_id`, the CX of the one
 * patient whom the token is for. IHE ITI-71 3.71.4.2.2.1 names these claims; whether the access is given is judged when the token is used.
 * @throws OAuthError invalid_request
 */
export function actingOf({ one }: Parameters): Acting {
  const mode = modeOf(one('purpose_of_use') ?? 'normal');
  if (mode === undefined)
    throw new OAuthError('invalid_request', 'purpose_of_use is normal, bris_de_glace or centre_15.');
  const reason = one('reason')?.trim();
  if (reason !== undefined && reason.length > longestReason)
    throw new OAuthError('invalid_request', `reason may have ${longestReason} characters.`);
  const patient = patientOf(one('person_id'));
  return { mode, ...(reason !== undefined && reason !== '' && { reason }), ...(patient && { patient }) };
}

function patientOf(cx: string | undefined): Identifier | undefined {
  if (cx === undefined) return undefined;
  const read = cx.length > 200 ? undefined : readCx(cx);
  if (read?.authority.oid === undefined)
    throw new OAuthError('invalid_request', 'person_id is a CX: INS^^^&OID&ISO^NH.');
  return { value: read.id, oid: read.authority.oid };
}

/** Who acts by an account, and how; holders and representatives act for the patient whom they name by being who they are. */
export function saidBy({ actor }: Account, acting: Acting) {
  const patient = acting.patient ?? patientOfActor(actor);
  return { ...acting, actor, secret: false, ...(patient && { patient }) };
}

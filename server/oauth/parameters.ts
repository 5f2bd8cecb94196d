import type { IncomingMessage } from 'node:http';
import { readSmallBody } from '../small-body.ts';
import { OAuthError } from './error.ts';

/** Bytes of a form. */
const longest = 64 * 1024;

/** Parameters of a request; each was given once. */
export type Parameters = {
  /** Undefined for a parameter that was not given, or given without a value. RFC 6749 §3.1, §3.2. */
  readonly one: (name: string) => string | undefined;
  /** @throws OAuthError invalid_request */
  readonly required: (name: string, remedy: string) => string;
  /** Every value of one that may come several times. */
  readonly all: (name: string) => readonly string[];
};

/** Parameters that may come several times. RFC 8707 §2, RFC 8693 §2.1. */
const repeatable = new Set(['resource', 'audience']);

/** @throws OAuthError invalid_request when a parameter comes twice. RFC 6749 §3.1 */
export function parametersOf(text: string): Parameters {
  const given = new URLSearchParams(text);
  const seen = new Set<string>();
  for (const name of given.keys()) {
    if (seen.has(name) && !repeatable.has(name))
      throw new OAuthError('invalid_request', `The parameter ${name} comes more than once: send it once.`, {
        why: 'a parameter comes more than once',
      });
    seen.add(name);
  }
  const all = (name: string) => given.getAll(name).filter((value) => value !== '');
  const one = (name: string) => all(name)[0];
  return {
    one,
    all,
    required(name, remedy) {
      const value = one(name);
      if (value === undefined) throw new OAuthError('invalid_request', `The parameter ${name} is missing: ${remedy}`);
      return value;
    },
  };
}

/**
 * Reads a posted form, as `readSmallBody`.
 * @throws OAuthError invalid_request: 415 for another media type, 413 beyond 64 KiB, 400 for a form that ends early or is not UTF-8
 */
export async function readForm(request: IncomingMessage): Promise<Parameters> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded')
    throw new OAuthError('invalid_request', 'Send the parameters as application/x-www-form-urlencoded.', {
      status: 415,
    });
  const body = await readSmallBody(request, longest);
  if (body === 'endsEarly') throw new OAuthError('invalid_request', 'The form ends before its announced length.');
  if (body === 'tooLarge')
    throw new OAuthError('invalid_request', `A form may have ${longest} bytes.`, { status: 413 });
  try {
    return parametersOf(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    if (error instanceof OAuthError) throw error;
    throw new OAuthError('invalid_request', 'The form is not UTF-8.');
  }
}

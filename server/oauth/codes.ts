import { z } from 'zod';
import { openJson, sealJson } from '../crypto/sealed-json.ts';
import { modes } from '../domain/actor.ts';
import { lifetimes, type Office } from './authority.ts';

const acting = z.object({
  mode: z.enum(modes),
  reason: z.string().optional(),
  patient: z.object({ value: z.string(), oid: z.string() }).optional(),
});

/** An authorisation request that was found good. */
const request = z.object({
  client: z.string(),
  redirectUri: z.string(),
  state: z.string().optional(),
  scope: z.string().optional(),
  challenge: z.string(),
  acting,
});
export type SignInRequest = z.infer<typeof request>;

const code = request.omit({ state: true }).extend({ account: z.string(), id: z.string(), until: z.number() });
export type Code = z.infer<typeof code>;

const ticket = z.object({ request, browser: z.string(), until: z.number() });

/** A code says all that it stands for, to this server alone: any web thread of it redeems it. `until` in milliseconds. */
export function writeCode({ sealKey, tools }: Office, of: Omit<Code, 'id' | 'until'>): string {
  const sealed: Code = { ...of, id: tools.newId(), until: tools.now() + lifetimes.code * 1000 };
  return sealJson(sealKey, 'code', sealed);
}

/** Undefined for what is no code, and for one whose time is over. */
export function readCode({ sealKey, tools }: Office, text: string): Code | undefined {
  const read = code.safeParse(openJson(sealKey, 'code', text));
  return read.success && tools.now() < read.data.until ? read.data : undefined;
}

/** What a sign-in page holds until it is answered, by the browser to which it was sent alone. */
export function writeTicket({ sealKey, tools }: Office, of: SignInRequest, browser: string): string {
  return sealJson(sealKey, 'sign-in', { request: of, browser, until: tools.now() + lifetimes.signIn * 1000 });
}

/** Undefined for what is no ticket of this browser, and for one whose time is over. */
export function readTicket({ sealKey, tools }: Office, text: string, browser: string): SignInRequest | undefined {
  const read = ticket.safeParse(openJson(sealKey, 'sign-in', text));
  return read.success && read.data.browser === browser && tools.now() < read.data.until ? read.data.request : undefined;
}

import type { Caller, StructureRef } from './actor.ts';
import type { Code } from './code.ts';

/** A system that sends HL7 version 2: one structure's, known by what MSH-3 and MSH-4 say and by its address. */
export type Sender = {
  readonly application: string;
  readonly facility: string;
  readonly addresses: readonly string[];
  readonly structure: StructureRef;
  /** Whether it may feed identities (ITI-8). */
  readonly feeds: boolean;
  /** What its documents say of themselves where they say nothing; absent: it deposits none. */
  readonly deposits?: DepositDefaults;
};

/** The OID of its installation (sourceId), and codes for what neither message nor document header says. */
export type DepositDefaults = {
  readonly sourceId: string;
  readonly healthcareFacilityTypeCode: Code;
  readonly practiceSettingCode: Code;
  readonly contentTypeCode: Code;
};

/** By what a message is recognised: any component of MSH-3 and of MSH-4, and the address that it came from. */
export type Recognition = {
  readonly application: readonly string[];
  readonly facility: readonly string[];
  readonly address: string;
};

/** The one sender that all three fit. */
export function senderOf(
  senders: readonly Sender[],
  { application, facility, address }: Recognition,
): Sender | undefined {
  return senders.find(
    (sender) =>
      application.includes(sender.application) &&
      facility.includes(sender.facility) &&
      sender.addresses.includes(address),
  );
}

/** The sender as the caller of a patient feed: a partner's system with that right, or with none. */
export function feederOf({ structure, feeds }: Sender): Caller {
  const { id, name = id } = structure;
  return callerOf({ kind: 'system', id, name, rights: feeds ? ['feed'] : [] }, id);
}

/** The sender as a depositor: its structure. `secret`: legal representatives are excluded. */
export function depositorOf({ structure }: Sender, secret: boolean): Caller {
  return { ...callerOf({ kind: 'structure', structure }, structure.id), secret };
}

function callerOf(actor: Caller['actor'], id: string): Caller {
  return { actor, mode: 'normal', secret: false, credential: { kind: 'address', id } };
}

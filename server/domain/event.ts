import { hash } from 'node:crypto';
import type { Action } from './action.ts';
import type { Actor, Mode } from './actor.ts';
import type { Identifier } from './identifier.ts';
import type { RecordId } from './record.ts';

/** The transactions that an event may belong to; `ORU` and `MDM` are documents by HL7 version 2, `internal` is our own work (seeding, jobs). */
export type Transaction =
  | 'ITI-8'
  | 'ITI-18'
  | 'ITI-20'
  | 'ITI-41'
  | 'ITI-42'
  | 'ITI-43'
  | 'ITI-44'
  | 'ITI-57'
  | 'ITI-51'
  | 'ITI-61'
  | 'ITI-62'
  | 'ITI-65'
  | 'ITI-66'
  | 'ITI-67'
  | 'ITI-68'
  | 'ITI-71'
  | 'ITI-78'
  | 'ITI-81'
  | 'ITI-83'
  | 'ITI-86'
  | 'ITI-92'
  | 'ITI-93'
  | 'ITI-104'
  | 'ITI-102'
  | 'ITI-105'
  | 'ITI-106'
  | 'ITI-108'
  | 'ITI-119'
  | 'ITI-110'
  | 'ITI-112'
  | 'ITI-113'
  | 'ITI-114'
  | 'ORU'
  | 'MDM'
  | 'read'
  | 'search'
  | 'create'
  | 'internal';

/** Where a request came from. */
export type Origin = {
  readonly transaction: Transaction;
  readonly requestId: string;
  readonly endpoint: string;
  readonly address?: string;
};

/** A document by its names at that time; `logicalID` where it is another than the entryUUID. */
export type TracedDocument = { readonly entryUUID: string; readonly uniqueId: string; readonly logicalID?: string };

/** How an event names a document. */
export function traced({ entryUUID, uniqueId, logicalID }: Required<TracedDocument>): TracedDocument {
  return { entryUUID, uniqueId, ...(logicalID !== entryUUID && { logicalID }) };
}

/**
 * An event of elsewhere, as a partner's system told it. The event around it says who told it; its `at` is the time that the partner's event says.
 */
export type Told = {
  /** The AuditEvent, as it was sent, in JSON. */
  readonly resource: string;
  /** When it came, in milliseconds since 1970. */
  readonly receivedAt: number;
  /** PS_IdNat and Struct_IdNat of those who took part. */
  readonly agents: readonly string[];
  /** Whatever it says that could be the entryUUID or uniqueId of an object: who may not know one of these objects does not see the event. */
  readonly names: readonly string[];
  /** By which the same is found when it is told again: see `digestOfTold`. */
  readonly digest?: string;
};

/** The SHA-256, in hexadecimal, of who tells and of what he tells as it was sent: an AuditEvent has no name of its own. */
export function digestOfTold(teller: string, resource: string): string {
  return hash('sha256', `${teller}\n${resource}`);
}

/** One act of one actor, written for the patient and for the proof. Times are milliseconds since 1970. */
export type EventDraft = {
  readonly at: number;
  readonly action: Action;
  readonly origin: Origin;
  readonly outcome: 'done' | 'refused' | 'failed';
  /** Name of the problem, for a refusal or failure; of the ground (`authorisation`, `treatingDoctor`, `breakGlass`…) otherwise. */
  readonly ground?: string;
  /** Absent when the caller could not be identified: the event then stays in the security audit. */
  readonly actor?: Actor;
  readonly mode?: Mode;
  readonly statedReason?: string;
  readonly credential?: string;
  readonly software?: string;
  readonly record?: RecordId;
  /** The identifier by which the request named the patient. */
  readonly patient?: Identifier;
  readonly documents?: readonly TracedDocument[];
  readonly submissionSet?: { readonly entryUUID: string; readonly uniqueId: string };
  /** The query as it was asked, in text. */
  readonly query?: string;
  /** Another resource than a document, by its relative address, where it has versions with that one. */
  readonly touched?: { readonly resource: string; readonly how: 'create' | 'read' | 'update' | 'delete' };
  readonly told?: Told;
};

/** An event in its place in the chain: `hash` = SHA-256 of the previous hash and of the event's JSON. */
export type AuditEvent = EventDraft & { readonly sequence: number; readonly previous: string; readonly hash: string };

/** When an event was written down, in milliseconds: what a partner tells happened at a time that he states. */
export function writtenAt({ at, told }: Pick<EventDraft, 'at' | 'told'>): number {
  return told?.receivedAt ?? at;
}

/** The ids under which an event is found: of its actor, or of those who took part in what a partner told. */
export function actorsOf({ actor, told }: Pick<EventDraft, 'actor' | 'told'>): readonly string[] {
  return told === undefined ? idsOf(actor) : told.agents;
}

/** A person's or a structure's own id; under AIR both act. */
function idsOf(actor: Actor | undefined): string[] {
  if (actor === undefined) return [];
  if (actor.kind === 'structure') return [actor.structure.id, ...(actor.employee ? [actor.employee.id] : [])];
  if (actor.kind === 'patient') return [actor.ins.value];
  return actor.kind === 'air' && actor.structure ? [actor.id, actor.structure.id] : [actor.id];
}

import type { Caller } from '../actor.ts';
import type { AffinityDomain } from '../affinity-domain.ts';
import type { Association, DocumentEntry, Folder } from '../document.ts';
import { type Identifier, isUuid } from '../identifier.ts';
import type { Regime } from '../regime.ts';

/** A document of the message as its bytes came in: SHA-1 in lower-case hex, size in bytes. */
export type ReceivedFacts = { readonly id: string; readonly sha1: string; readonly size: number };

/** The ds:Manifest of a signature document of the lot, by the id of its entry; `agrees`: the digest is that of the document it names. */
export type Manifest = {
  readonly id: string;
  readonly references: readonly { readonly uri: string; readonly agrees: boolean }[];
};

/** What the rules see besides the message, without asking the registry. */
export type MessageFacts = {
  readonly caller: Caller;
  readonly documents: readonly ReceivedFacts[];
  readonly manifests: readonly Manifest[];
  readonly domain: AffinityDomain;
  readonly insOids: readonly string[];
  /** repositoryUniqueIds of the On-Demand Document Sources that can be called. */
  readonly sources: readonly string[];
  /** This repository's. */
  readonly repositoryUniqueId: string;
  readonly regime: Regime;
  readonly entriesPerSubmission: number;
};

/** A registered object that holds a uniqueId. */
export type HeldUniqueId = {
  readonly kind: 'document' | 'submissionSet' | 'folder';
  readonly hash?: string;
  readonly size?: number;
};

/** A registered document that the message names; `own` when the caller wrote or filed it. */
export type Target = { readonly entry: DocumentEntry; readonly own: boolean };

/** What the registry knows of the things that the message names. Ids are written as `nameOf` writes them. */
export type RegistryFacts = MessageFacts & {
  /** Every identifier of the record's holder, old ones included. */
  readonly holder: readonly Identifier[];
  /** By uniqueId. */
  readonly held: ReadonlyMap<string, readonly HeldUniqueId[]>;
  /** Which of the message's own UUIDs are registered already. */
  readonly taken: ReadonlySet<string>;
  /** Names in the message that another patient's objects have, where the domain hides nobody's objects. */
  readonly elsewhere: ReadonlySet<string>;
  /** Documents that exist for the caller, by entryUUID. */
  readonly targets: ReadonlyMap<string, Target>;
  readonly folders: ReadonlyMap<string, Folder>;
  /** Other registered objects of the record that exist for the caller: no new association points to them. */
  readonly others: ReadonlyMap<string, 'registeredSet' | 'registeredAssociation'>;
  /** Registered associations that touch the targets. */
  readonly associations: readonly Association[];
};

/** An id in the form in which ids are compared: UUIDs in lower case, symbolic ones as they are. IHE ITI TF-3 4.2.3.1.5. */
export function nameOf(id: string): string {
  return isUuid(id) ? id.toLowerCase() : id;
}

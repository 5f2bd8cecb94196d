import habilitations from '../../profiles/habilitations.json' with { type: 'json' };
import type { Blobs } from '../../server/blobs/port.ts';
import { readDomain } from '../../server/config/domain.ts';
import { makeKeyring } from '../../server/crypto/keyring.ts';
import type { Caller } from '../../server/domain/actor.ts';
import type { Habilitations } from '../../server/domain/decision.ts';
import type { Identifier } from '../../server/domain/identifier.ts';
import { type Regime, regimes } from '../../server/domain/regime.ts';
import { callerOf, identifierOf } from '../../server/sandbox/caller.ts';
import { patientOf, personOf, sandboxCentres, testInsOid } from '../../server/sandbox/people.ts';
import { seed } from '../../server/sandbox/seed.ts';
import { httpSources } from '../../server/sources/http.ts';
import type { OnDemandSources } from '../../server/sources/port.ts';
import type { Store } from '../../server/store/port.ts';
import type { Request, Tools } from '../../server/usecases/perform.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { type MemoryStore, memoryStore } from './memory-store.ts';

/** A store with the bytes beside it. */
export type Adapters<S extends Store = Store> = { readonly store: S; readonly blobs: Blobs };

/** The sandbox in which a test plays: its tools, its people, and a clock that stands until it is set. */
export type World<S extends Store = Store> = {
  readonly tools: Tools & { readonly store: S };
  readonly clock: { now: number };
  /** A request of one of the sandbox's people. */
  readonly as: (slug: string, more?: Partial<Omit<Caller, 'actor'>>) => Request;
  /** The INS of one of its patients. */
  readonly ins: (slug: string) => Identifier;
};

/** The instant at which a world begins. */
export const worldBegins = Date.parse('2026-07-01T08:00:00Z');

export type WorldOptions = {
  readonly regime?: '2011' | '2022';
  /** Switches that are set otherwise than the regime has them. */
  readonly switches?: Partial<Regime>;
  readonly domain?: 'dmp' | 'open';
  /** Sources of on-demand documents; none by default. */
  readonly sources?: OnDemandSources;
  /** Whether the sandbox's records, consents and documents are there. */
  readonly seeded?: boolean;
};

/** A world in memory. */
export async function openWorld(options: WorldOptions = {}): Promise<World<MemoryStore>> {
  const store = memoryStore();
  return worldOn({ store, blobs: memoryBlobs(store) }, options);
}

/** A world on the given adapters, whose owner closes them. */
export async function worldOn<S extends Store>(
  { store, blobs }: Adapters<S>,
  { regime = '2011', switches = {}, domain = 'dmp', seeded = true, sources = httpSources([]) }: WorldOptions = {},
): Promise<World<S>> {
  const clock = { now: worldBegins };
  let ids = 0;
  const tools = {
    store,
    blobs,
    keyring: makeKeyring(Buffer.alloc(32, 7)),
    sources,
    settings: {
      regime: { ...regimes[regime], ...switches },
      domain: readDomain(domain),
      habilitations: habilitations as Habilitations,
      emergencyCentres: new Set(sandboxCentres),
      occupationalSpecialties: new Set(['SM25', 'C41', 'SCH35', 'CAPA11']),
      insOids: [testInsOid],
      repositoryUniqueId: '1.2.250.1.213.4.1.1.1.2',
      limits: { results: 1000, entriesPerSubmission: 1000 },
    },
    now: () => clock.now,
    newId: () => `01980000-0000-7000-8000-${(++ids).toString(16).padStart(12, '0')}`,
  };
  if (seeded) await seed(tools, () => {});
  return {
    tools,
    clock,
    as: (slug, more = {}) => ({
      caller: { ...callerOf(known(personOf(slug), slug)), ...more },
      origin: { transaction: 'internal', requestId: 'test', endpoint: 'test' },
    }),
    ins: (slug) => identifierOf(known(patientOf(slug), slug)),
  };
}

function known<T>(found: T | undefined, slug: string): T {
  if (found === undefined) throw new Error(`nobody is called ${slug}`);
  return found;
}

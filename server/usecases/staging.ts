import { type Blobs, ContentTooLarge, type Received } from '../blobs/port.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { type Caller, nameOfActor } from '../domain/actor.ts';
import { refuse } from '../domain/error.ts';
import type { Staged } from '../store/port.ts';
import { type Plan, perform, type Request, type Tools } from './perform.ts';

/** Milliseconds that bytes wait for the deposit that names them. */
export const stagedFor = 3_600_000;

/** Sizes in bytes. */
export type StagingLimits = {
  readonly each: number;
  /** Of all that wait for one caller. */
  readonly together: number;
};

/** One upload that flows: what waited when it began, or ended since, and what it brought so far. */
type Upload = { waiting: number; bytes: number };

/** The uploads that flow in this process, by their senders. */
export type Uploads = {
  readonly begin: (owner: string, waiting: number) => Upload;
  /** Bytes that wait or flow for that sender, as one of his uploads knows it. */
  readonly together: (owner: string, upload: Upload) => number;
  /** Ends an upload; `kept` bytes of it wait now. */
  readonly end: (owner: string, upload: Upload, kept: number) => void;
};

/** Counts what flows in at this moment, in this thread: what waits in the store is counted there. */
export function makeUploads(): Uploads {
  const flowing = new Map<string, Set<Upload>>();
  return {
    begin(owner, waiting) {
      const upload = { waiting, bytes: 0 };
      flowing.set(owner, (flowing.get(owner) ?? new Set()).add(upload));
      return upload;
    },
    together(owner, { waiting }) {
      return [...(flowing.get(owner) ?? [])].reduce((sum, { bytes }) => sum + bytes, waiting);
    },
    end(owner, upload, kept) {
      const others = flowing.get(owner) ?? new Set<Upload>();
      others.delete(upload);
      for (const other of others) other.waiting += kept;
      if (others.size === 0) flowing.delete(owner);
    },
  };
}

/**
 * Keeps bytes that come ahead of their document: sealed, for their sender alone, for an hour. They belong to no record until a deposit names
 * them. Nothing is read before the caller may do so; what flows at the same time counts while it comes.
 * @throws Refused messageTooLarge, tooMuchStaged, what reading the source throws, and what the decision refuses
 */
export async function stage(
  tools: Tools,
  request: Request,
  {
    source,
    contentType,
  }: { readonly source: (longest: number) => AsyncIterable<Uint8Array>; readonly contentType: string },
  limits: StagingLimits,
  uploads: Uploads,
): Promise<Staged> {
  const { store, blobs, now } = tools;
  const owner = nameOfActor(request.caller.actor);
  let received: Received | undefined;
  let staged: Staged | undefined;
  let upload: Upload | undefined;
  let kept = 0;
  const flowing = (one: Upload) => (longest: number) =>
    counted(source(longest), async (bytes) => {
      one.bytes += bytes;
      if (uploads.together(owner, one) <= limits.together) return;
      one.waiting = await store.staging.waiting(owner, now());
      if (uploads.together(owner, one) > limits.together) tooMuch(limits);
    });
  try {
    const done = await perform(tools, request, 'stageContent', 'none', async (): Promise<Plan<Staged>> => {
      const at = now();
      const waiting = await store.staging.waiting(owner, at);
      const room = limits.together - waiting;
      upload ??= uploads.begin(owner, waiting);
      received ??= await receive(blobs, flowing(upload), limits, room);
      if (received.size > room) tooMuch(limits);
      staged ??= await sealed(tools, received, { owner, contentType });
      // What came meanwhile by other requests counts too.
      const expect = [{ waiting: { owner, at, most: limits.together - staged.size } }];
      return { answer: staged, expect, put: [{ kind: 'staged', staged }] };
    });
    kept = done.size;
    return done;
  } catch (error) {
    await received?.discard();
    throw error;
  } finally {
    if (upload !== undefined) uploads.end(owner, upload, kept);
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  count: (bytes: number) => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of source) {
    await count(piece.length);
    yield piece;
  }
}

/** What was received, under a key and a name of its own. */
async function sealed(
  { keyring, now, newId }: Tools,
  received: Received,
  of: Pick<Staged, 'owner' | 'contentType'>,
): Promise<Staged> {
  const id = newId();
  const wrapped = keyring.newKey(keyName(id));
  const content = await received.stage(keyring.unwrap(keyName(id), wrapped));
  const { size, sha1, sha256 } = received;
  const key = Buffer.from(wrapped).toString('base64');
  return { id, ...of, until: now() + stagedFor, size, sha1, sha256, content, key };
}

async function receive(
  blobs: Blobs,
  source: (longest: number) => AsyncIterable<Uint8Array>,
  limits: StagingLimits,
  room: number,
): Promise<Received> {
  try {
    const { each } = limits;
    return await blobs.receive(source(each), Math.min(each, Math.max(0, room)), 'file');
  } catch (error) {
    if (!(error instanceof ContentTooLarge)) throw error;
    tooMuch(limits);
  }
}

function tooMuch({ together }: StagingLimits): never {
  refuse('tooMuchStaged', { detail: `at most ${together} bytes may` });
}

/** What waits under this id for this caller. Whatever waits for another is as unknown as what never was. */
export async function findStaged({ store, now }: Tools, caller: Caller, id: string): Promise<Staged | undefined> {
  const staged = await store.staging.find(id);
  return staged !== undefined && staged.owner === nameOfActor(caller.actor) && staged.until > now()
    ? staged
    : undefined;
}

/** Traces that its sender reads again what waits. @throws what the decision refuses */
export async function readStaged(tools: Tools, request: Request, staged: Staged): Promise<Pick<Received, 'open'>> {
  return perform(tools, request, 'stageContent', 'none', async () => ({ answer: resumed(tools, staged) }));
}

/** What waits, to be read or kept. */
export function resumed({ blobs, keyring }: { blobs: Blobs; keyring: Keyring }, staged: Staged): Received {
  return blobs.resume(keyring.unwrap(keyName(staged.id), Buffer.from(staged.key, 'base64')), staged);
}

function keyName(id: string): string {
  return `staged|${id}`;
}

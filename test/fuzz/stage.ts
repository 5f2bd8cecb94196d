import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { XmlDocument, XmlElement } from 'libxml2-wasm';
import { type Identify, NotIdentified } from '../../server/auth/credentials.ts';
import type { Blobs, Received } from '../../server/blobs/port.ts';
import { openBlobs } from '../../server/blobs/sealed.ts';
import { patientOf, personOf } from '../../server/sandbox/people.ts';
import { type OnDemandSources, SourceFailed } from '../../server/sources/port.ts';
import { openEmbedded } from '../../server/store/embedded/open.ts';
import type { Store } from '../../server/store/port.ts';
import type { Tools } from '../../server/usecases/perform.ts';
import { dispatch, type Face, type Reply } from '../../server/xds/dispatch.ts';
import type { XdsTransaction } from '../../server/xds/exchange.ts';
import { iti18 } from '../../server/xds/iti18.ts';
import { iti41 } from '../../server/xds/iti41.ts';
import { iti42 } from '../../server/xds/iti42.ts';
import { iti43 } from '../../server/xds/iti43.ts';
import { iti44 } from '../../server/xds/iti44.ts';
import { iti51 } from '../../server/xds/iti51.ts';
import { iti57 } from '../../server/xds/iti57.ts';
import { iti61 } from '../../server/xds/iti61.ts';
import { iti62 } from '../../server/xds/iti62.ts';
import { iti86 } from '../../server/xds/iti86.ts';
import { iti92 } from '../../server/xds/iti92.ts';
import type { TransportLimits } from '../../server/xds/limits.ts';
import { RequestBody } from '../../server/xds/request-body.ts';
import { namespace } from '../../server/xds/vocabulary.ts';
import { child } from '../../server/xml/element.ts';
import { ledgerOf } from '../support/clients.ts';
import { usualLimits } from '../support/limits.ts';
import { memoryBlobs } from '../support/memory-blobs.ts';
import { memoryStore } from '../support/memory-store.ts';
import { schemaProblems } from '../support/schemas.ts';
import { type World, worldOn } from '../support/world.ts';
import type { Wire } from './mutate.ts';
import type { Chance } from './random.ts';

/** Where an answer may be sent instead of its connection. */
export const ownAddress = 'http://answers.example.org/xds';

/** Where documents are assembled on demand. */
export const sourceId = '2.999.8';
export const brokenSourceId = '2.999.9';
const sources: OnDemandSources = {
  repositories: [sourceId, brokenSourceId],
  assemble: (repository) =>
    repository === brokenSourceId
      ? Promise.reject(new SourceFailed('out of order'))
      : Promise.resolve(Readable.from([Buffer.from('<ClinicalDocument/>')])),
};

/** How many objects of each kind are held, and a name of their state. */
type Ledger = Readonly<Record<string, number>>;

/** The sandbox behind the real dispatch; a caller is named in plain text. */
export type Stage = {
  readonly world: World;
  /** Sends a message in pieces; answers what is wrong with the answer or with what is held afterwards. */
  readonly check: (
    receiver: XdsTransaction['receiver'],
    wire: Wire,
    chance: Chance,
    limits?: Limits,
  ) => Promise<Checked>;
  readonly close: () => Promise<void>;
};
/** Limits of this one message: of the transport, and of what it may bring or find. */
export type Limits = Partial<Pick<TransportLimits, 'messageBytes'> & Tools['settings']['limits']>;
export type Checked = {
  readonly outcome: string;
  /** Codes and words of what the answer refuses; of a fault its code, or its subcode where it has one. */
  readonly told: readonly { readonly code: string; readonly words: string }[];
  readonly wrong: readonly string[];
};

/** A case may take this many milliseconds; they are of a busy machine. */
const patience = 10_000;

export async function openStage(kind: 'memory' | 'embedded'): Promise<Stage> {
  const { store, blobs: kept, ledger, close } = await (kind === 'memory' ? inMemory() : onDisk());
  const { blobs, live } = counting(kept);
  const world = await worldOn({ store, blobs }, { sources });
  const logged: string[] = [];
  const sentOff: Reply[] = [];
  let spent = 0;
  const face: Face = {
    tools: world.tools,
    identify: identify(world, () => `key-${++spent}`),
    transactions: [iti18, iti41, iti42, iti43, ...iti44, iti51, iti57, iti61, iti62, iti86, iti92],
    limits: { ...usualLimits, pause: 1000 },
    log: {
      info: () => {},
      error: (_fields, message, cause) =>
        logged.push(`${message}: ${Error.isError(cause) ? cause.stack : String(cause)}`),
    },
    ownWay: {
      isAllowed: (address) => address === ownAddress,
      hasRoom: () => Promise.resolve(true),
      add: async (answer) => void sentOff.push({ ...answer, status: 202 }),
    },
  };
  return {
    world,
    close,
    async check(receiver, wire, chance, limits = {}) {
      const before = ledger();
      const { reply, took } = await send(within(face, limits), receiver, wire, chance);
      const wrong: string[] = [];
      const answer = sentOff.pop() ?? reply;
      const bytes = await bytesOf(answer).catch((error: unknown) => `the answer broke: ${String(error)}`);
      const { outcome, told, problems } =
        typeof bytes === 'string' ? { outcome: 'broken', told: [], problems: [bytes] } : look(answer, bytes);
      wrong.push(...problems, ...logged.splice(0));
      if (took > patience) wrong.push(`took ${Math.round(took)} ms`);
      if (live() > 0) wrong.push(`${live()} documents neither kept nor discarded`);
      wrong.push(...compare(before, ledger(), outcome, wire));
      return { outcome, told, wrong };
    },
  };
}

function within(face: Face, { messageBytes = face.limits.messageBytes, ...limits }: Limits): Face {
  const { tools } = face;
  const settings = { ...tools.settings, limits: { ...tools.settings.limits, ...limits } };
  return { ...face, tools: { ...tools, settings }, limits: { ...face.limits, messageBytes } };
}

async function inMemory() {
  const store = memoryStore();
  return {
    store,
    blobs: memoryBlobs(store),
    ledger: (): Ledger => ({ ...store.held(), event: store.events().length }),
    close: async () => {},
  };
}

async function onDisk() {
  const folder = await mkdtemp(join(tmpdir(), 'opendmp-fuzz-'));
  const store: Store = await openEmbedded({ folder, threads: false });
  const { rows, last } = ledgerOf({ folder });
  return {
    store,
    blobs: openBlobs({ folder: join(folder, 'documents'), inlineLimit: 64 * 1024 }),
    ledger: (): Ledger => ({ ...(rows() as Ledger), event: last() }),
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

function counting(blobs: Blobs): { blobs: Blobs; live: () => number } {
  const held = new Set<Received>();
  const counted = (received: Received): Received => {
    const outer: Received = {
      ...received,
      keep: async (key) => {
        held.delete(outer);
        return received.keep(key);
      },
      discard: async () => {
        held.delete(outer);
        await received.discard();
      },
    };
    held.add(outer);
    return outer;
  };
  return {
    live: () => held.size,
    blobs: {
      ...blobs,
      receive: async (source, limit) => counted(await blobs.receive(source, limit)),
      receiveBytes: (bytes) => counted(blobs.receiveBytes(bytes)),
    },
  };
}

/** wsse:Security holds `as`, one of the sandbox's people, perhaps `for` and one of its patients. */
function identify(world: World, key: () => string): Identify {
  return {
    assertion: async ({ root }) => {
      const said = child(child(root, namespace.soap12, 'Header'), namespace.wsse, 'Security')?.text.trim() ?? '';
      const [, slug = '', patient = ''] = /^as (\S+)(?: for (\S+))?$/.exec(said) ?? [];
      if (personOf(slug) === undefined) throw new NotIdentified('nobody', said === '');
      const credential = {
        kind: 'assertion',
        id: slug,
        issuer: 'test',
        spendKey: key(),
        until: Number.MAX_SAFE_INTEGER,
      } as const;
      return world.as(slug, { credential, ...(patientOf(patient) && { patient: world.ins(patient) }) }).caller;
    },
    bearer: async () => {
      throw new NotIdentified('not here');
    },
  };
}

async function send(face: Face, receiver: XdsTransaction['receiver'], { contentType, body }: Wire, chance: Chance) {
  const pieces = chance.happens(0.5) ? [body] : cutUp(body, chance);
  const gone = chance.happens(0.01);
  const stream = Readable.from(gone ? interrupted(pieces) : pieces);
  stream.on('error', () => {});
  const request = Object.assign(stream, { headers: { 'content-type': contentType } });
  const begun = performance.now();
  const reply = await dispatch(face, {
    receiver,
    headers: request.headers,
    body: new RequestBody(request as unknown as IncomingMessage, face.limits),
    origin: { requestId: 'fuzz', endpoint: 'http://dmp.example.org/xds' },
  });
  stream.destroy();
  return { reply, took: performance.now() - begun };
}

function cutUp(body: Buffer, chance: Chance): Buffer[] {
  const pieces: Buffer[] = [];
  const most = chance.pick([7, 200, 5000]);
  for (let at = 0; at < body.length; ) {
    const length = 1 + chance.below(Math.max(most, body.length / 200));
    pieces.push(body.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

async function* interrupted(pieces: readonly Buffer[]): AsyncGenerator<Buffer, void, undefined> {
  yield* pieces.slice(0, Math.ceil(pieces.length / 2));
  await Promise.resolve();
  throw new Error('connection lost');
}

async function bytesOf({ bytes }: Reply): Promise<Buffer> {
  if (Buffer.isBuffer(bytes)) return bytes;
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

const soapNames = { e: namespace.soap12, a: namespace.wsa, r: namespace.rs, h: namespace.v3 };

/** What an answer is, and what is wrong with it as SOAP 1.2 and by our schemas. */
function look(
  { status, contentType, length }: Reply,
  bytes: Buffer,
): Omit<Checked, 'wrong'> & { readonly problems: string[] } {
  const problems: string[] = [];
  if (length !== bytes.length) problems.push(`length ${length} instead of ${bytes.length}`);
  if (![200, 202, 400, 401, 413, 415, 500, 503].includes(status)) problems.push(`status ${status}`);
  const envelope = envelopeIn(contentType, bytes);
  let document: XmlDocument;
  try {
    document = XmlDocument.fromString(envelope);
  } catch (error) {
    return {
      outcome: 'unreadable',
      told: [],
      problems: [...problems, `unreadable answer: ${String(error)}: ${envelope.slice(0, 2000)}`],
    };
  }
  try {
    const all = (path: string) => document.find(path, soapNames);
    if (all('/e:Envelope/e:Body/*').length !== 1)
      problems.push(`not one element in the Body: ${envelope.slice(0, 2000)}`);
    if (all('/e:Envelope/e:Header/a:Action').length !== 1) problems.push('no wsa:Action');
    if (all('/e:Envelope/e:Body/e:Fault').length > 0) {
      if (status < 400 && status !== 202) problems.push(`a fault with ${status}`);
      const [code] = all('//e:Code/e:Subcode/e:Value').concat(all('//e:Code/e:Value'));
      return { outcome: 'Fault', told: [{ code: textOf(code), words: textOf(all('//e:Reason/e:Text')[0]) }], problems };
    }
    if (status >= 300) problems.push(`an answer with ${status}`);
    // What a sender calls an address comes back as it was, be it one or not: MessageID, slotType.
    problems.push(...schemaProblems(envelope).filter((problem) => !problem.includes("'xs:anyURI'")));
    const [registry] = all('/e:Envelope/e:Body/*[@status] | /e:Envelope/e:Body/*/r:RegistryResponse[@status]');
    const [acknowledged] = all('//h:acknowledgement/h:typeCode');
    const said = attribute(registry, 'status')?.replace(/^.*:/, '') ?? attribute(acknowledged, 'code') ?? '';
    const root = all('/e:Envelope/e:Body/*')[0];
    const told = all('//r:RegistryError').map((error) => ({
      code: attribute(error, 'errorCode') ?? '',
      words: attribute(error, 'codeContext') ?? '',
    }));
    const details = all('//h:acknowledgementDetail[@typeCode="E"]').map((detail) => ({
      code: attribute(detail.get('h:code', soapNames), 'code') ?? '',
      words: textOf(detail.get('h:text', soapNames)),
    }));
    return { outcome: `${root instanceof XmlElement ? root.name : ''} ${said}`, told: [...told, ...details], problems };
  } finally {
    document.dispose();
  }
}

function attribute(node: unknown, name: string): string | undefined {
  return node instanceof XmlElement ? node.attr(name)?.value : undefined;
}

function textOf(node: unknown): string {
  return node instanceof XmlElement ? node.content : '';
}

function envelopeIn(contentType: string, bytes: Buffer): string {
  const boundary = /boundary="([^"]+)"/.exec(contentType)?.[1];
  if (boundary === undefined) return bytes.toString();
  const begin = bytes.indexOf('\r\n\r\n') + 4;
  return bytes.toString('utf8', begin, bytes.indexOf(`\r\n--${boundary}`, begin));
}

/** How many entries a message submits; undefined when another reader cannot read it. */
function entriesIn(body: Buffer): number | undefined {
  const end = body.lastIndexOf('Envelope>') + 'Envelope>'.length;
  try {
    const document = XmlDocument.fromString(body.toString('utf8', body.indexOf('<'), end));
    try {
      const path =
        '//m:RegistryObjectList/m:ExtrinsicObject | //m:RegistryObjectList/m:Identifiable[contains(@i:type, "ExtrinsicObject")]';
      return document.find(path, { m: namespace.rim, i: namespace.xsi }).length;
    } finally {
      document.dispose();
    }
  } catch {
    return undefined;
  }
}

/** Whether what is held agrees with what was answered: all or nothing, and one event at least. */
function compare(before: Ledger, after: Ledger, outcome: string, { body }: Wire): string[] {
  const changed = Object.keys(after).filter((name) => name !== 'event' && after[name] !== before[name]);
  const told = `${outcome}; ${JSON.stringify(before)} became ${JSON.stringify(after)}`;
  const wrong: string[] = [];
  if ((after['event'] ?? 0) <= (before['event'] ?? 0) && outcome !== 'Fault') wrong.push(`no event: ${told}`);
  if (!outcome.includes('Success') && !outcome.endsWith('CA') && changed.length > 0)
    wrong.push(`changed though refused: ${told}`);
  if (outcome === 'RegistryResponse Success') {
    const grown = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
    const text = body.toString('latin1');
    const removes = text.includes('RemoveObjectsRequest') || text.includes('RemoveDocumentsRequest');
    if (!removes && grown('submission_set') !== 1) wrong.push(`no set: ${told}`);
    const entries = entriesIn(body);
    if (!removes && entries !== undefined && grown('document') !== entries)
      wrong.push(`${entries} entries acknowledged: ${told}`);
  }
  return wrong;
}

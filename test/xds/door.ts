import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Koa from 'koa';
import { type Identify, NotIdentified } from '../../server/auth/credentials.ts';
import type { Blobs, Received } from '../../server/blobs/port.ts';
import { openBlobs } from '../../server/blobs/sealed.ts';
import { makeKeyring } from '../../server/crypto/keyring.ts';
import type { Caller } from '../../server/domain/actor.ts';
import { Refused } from '../../server/domain/error.ts';
import { httpSources } from '../../server/sources/http.ts';
import { StoreBusy, StoreFull, StoreStopped } from '../../server/store/port.ts';
import type { Settings } from '../../server/usecases/perform.ts';
import { writeRegistryResponse } from '../../server/xds/errors.ts';
import type { AnswerPart, XdsTransaction } from '../../server/xds/exchange.ts';
import type { TransportLimits } from '../../server/xds/limits.ts';
import { xdsRouter } from '../../server/xds/routes.ts';
import { action, namespace } from '../../server/xds/vocabulary.ts';
import { child } from '../../server/xml/element.ts';
import { escapeAttribute } from '../../server/xml/write.ts';
import { usualLimits } from '../support/limits.ts';
import { memoryStore } from '../support/memory-store.ts';

/** A server with the XDS face and transactions that tell what they were given: for the rules of the transport alone. */
export async function openDoor(limits: Partial<TransportLimits> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'opendmp-door-'));
  const store = memoryStore();
  const kept = countingBlobs(openBlobs({ folder, inlineLimit: 64 * 1024 }));
  const logged: string[] = [];
  const answerParts: AnswerPart[] = [];
  const tools = {
    store,
    blobs: kept.blobs,
    keyring: makeKeyring(Buffer.alloc(32, 1)),
    sources: httpSources([]),
    settings: {} as Settings,
    now: () => 1_772_445_600_000,
    newId: randomUUID as () => string,
  };
  const app = new Koa();
  app.silent = true;
  app.use(
    xdsRouter(tools, identify, transactions(answerParts), {
      log: { info: () => {}, error: (_fields, message, cause) => logged.push(`${message}: ${String(cause)}`) },
      publicUrl: 'http://dmp.example.org',
      limits: { ...usualLimits, ...limits },
    }).routes(),
  );
  const answer = app.callback();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    answerParts,
    /** What went wrong without anybody's fault. */
    logged,
    events: () => store.events(),
    /** Documents received and neither kept nor discarded. */
    live: kept.live,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}
export type Door = Awaited<ReturnType<typeof openDoor>>;

function countingBlobs(blobs: Blobs): { blobs: Blobs; live: () => number } {
  const live = new Set<Received>();
  const counted = (received: Received): Received => {
    const outer: Received = {
      ...received,
      keep: async (key) => {
        live.delete(outer);
        return received.keep(key);
      },
      discard: async () => {
        if (!live.delete(outer)) throw new Error('discarded twice');
        await received.discard();
      },
    };
    live.add(outer);
    return outer;
  };
  return {
    live: () => live.size,
    blobs: {
      receive: async (source, limit, into) => counted(await blobs.receive(source, limit, into)),
      receiveBytes: (bytes) => counted(blobs.receiveBytes(bytes)),
      resume: (key, staged) => blobs.resume(key, staged),
      open: async (key, place, span) => blobs.open(key, place, span),
      sweep: async (olderThan, isNamed) => blobs.sweep(olderThan, isNamed),
    },
  };
}

/** wsse:Security holds the name of the assertion in plain text. */
const identify: Identify = {
  assertion: async ({ root }) => {
    const security = child(child(root, namespace.soap12, 'Header'), namespace.wsse, 'Security');
    if (security === undefined) throw new NotIdentified('nothing in wsse:Security', true);
    if (!security.text.startsWith('assertion-')) throw new NotIdentified('signature does not verify');
    return callerOf(security.text);
  },
  bearer: async () => {
    throw new NotIdentified('not here');
  },
};

function callerOf(name: string): Caller {
  return {
    actor: { kind: 'professional', id: '899970000001', name: 'MARTIN Paul', card: 'CPS', profession: '10' },
    mode: 'normal',
    secret: false,
    credential: { kind: 'assertion', id: name, issuer: 'test', spendKey: name, until: Number.MAX_SAFE_INTEGER },
  };
}

function transactions(answerParts: readonly AnswerPart[]): XdsTransaction[] {
  const refused: XdsTransaction['refused'] = (problems) => ({
    body: writeRegistryResponse('failure', problems, 'registry'),
  });
  return [
    {
      name: 'ITI-18',
      requestAction: action.iti18[0],
      responseAction: action.iti18[1],
      packaging: 'soap',
      receiver: 'registry',
      requestRoot: { namespace: namespace.query, local: 'AdhocQueryRequest' },
      handle: async ({ request, body }) => {
        const ask = body.attributes.find(({ local }) => local === 'ask')?.value;
        if (ask === 'refusal') throw new Refused([{ name: 'queryUnknown', about: { value: 'x' } }]);
        if (ask === 'busy') throw new StoreBusy();
        if (ask === 'stopped') throw new StoreStopped();
        if (ask === 'full') throw new StoreFull();
        if (ask === 'crash') throw new TypeError('secret detail');
        return { body: `<Told endpoint="${request.origin.endpoint}" address="${request.origin.address ?? ''}"/>` };
      },
      refused,
    },
    {
      name: 'ITI-41',
      requestAction: action.iti41[0],
      responseAction: action.iti41[1],
      packaging: 'mtom',
      receiver: 'repository',
      requestRoot: { namespace: namespace.xds, local: 'ProvideAndRegisterDocumentSetRequest' },
      handle: async ({ documents }) => {
        const received = await documents();
        const told = received.map(
          (d) => `<Got id="${escapeAttribute(d.id)}" size="${d.received.size}" sha1="${d.received.sha1}"/>`,
        );
        for (const document of received) await document.received.discard();
        return { body: `<Told>${told.join('')}</Told>` };
      },
      refused: (problems) => ({ body: writeRegistryResponse('failure', problems, 'repository') }),
    },
    {
      name: 'ITI-43',
      requestAction: action.iti43[0],
      responseAction: action.iti43[1],
      packaging: 'mtom',
      receiver: 'repository',
      requestRoot: { namespace: namespace.xds, local: 'RetrieveDocumentSetRequest' },
      handle: async () => ({ body: '<Told/>', parts: answerParts }),
      refused,
    },
  ];
}

/** A message of test/xds/messages. */
export function message(name: string): string {
  return readFileSync(new URL(`messages/${name}.xml`, import.meta.url), 'utf8');
}

/** A deposit whose documents are the XML given. */
export function deposit(documents: string, assertion = 'assertion-1'): string {
  return message('deposit').replace('<!--documents-->', documents).replace('assertion-1', assertion);
}

export const include = (id: string, href: string) =>
  `<Document id="${id}"><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="${href}"/></Document>`;

import { configOf } from '../../server/config/config.ts';
import { readEnv } from '../../server/config/env.ts';
import { type Context, openContext } from '../../server/context.ts';
import { decide, type Permit, seesAll, type Visibility } from '../../server/domain/decision.ts';
import { documentWriter } from '../../server/fhir/document-writer.ts';
import type { Exchange as FhirExchange } from '../../server/fhir/exchange.ts';
import { documentInteractions } from '../../server/fhir/iti67.ts';
import { binaryInteractions } from '../../server/fhir/iti68.ts';
import { sandboxCentres } from '../../server/sandbox/people.ts';
import { makeChangeCounts } from '../../server/store/embedded/change-counts.ts';
import { openDatabase } from '../../server/store/embedded/driver.ts';
import { encodeChanges } from '../../server/store/embedded/encode.ts';
import { filesOf } from '../../server/store/embedded/files.ts';
import { makeDocumentReads } from '../../server/store/embedded/read-documents.ts';
import { makeRecordKeys } from '../../server/store/embedded/record-keys.ts';
import type { ChangeSet, DocumentFilter } from '../../server/store/port.ts';
import type { Request, Tools } from '../../server/usecases/perform.ts';
import { submit } from '../../server/usecases/submit.ts';
import { actionOf, messageIdOf } from '../../server/xds/addressing.ts';
import { packMtom, packPlain } from '../../server/xds/answer.ts';
import { readSubmission } from '../../server/xds/ebrim/read.ts';
import { writeDocument } from '../../server/xds/ebrim/write.ts';
import { writeRegistryResponse } from '../../server/xds/errors.ts';
import { iti18 } from '../../server/xds/iti18.ts';
import { MultipartReader } from '../../server/xds/multipart.ts';
import { checkUnderstood, takeApart, writeEnvelope } from '../../server/xds/soap.ts';
import { namespace } from '../../server/xds/vocabulary.ts';
import { child, type XmlElement } from '../../server/xml/element.ts';
import { decodeUtf8, defaultXmlLimits, parseXml } from '../../server/xml/read.ts';
import { benchPatient } from './fill.ts';
import { askedAbout, type Bench, deposits, finds, tokenOf } from './requests.ts';

/** What one stage costs: µs of processor time of a web thread, and of the writer's thread where that one works. */
type Cost = { readonly web: number; readonly writer?: number };

/** So many messages of each kind are made and used in turn: parsers and caches do not see the same one again at once. */
const messages = 256;
const rounds = 7;
const roundMs = 60;

/**
 * Measures the stages of ITI-41, ITI-18, a FHIR page of 20 and a read of 20 kB on the functions themselves, one after the other; answers a
 * table. Opens the data folder that the settings name, while no server has it, and writes some thousand documents into it. The least of
 * several rounds counts: what another process took of the caches does not.
 */
export async function stages(entries: number): Promise<string> {
  const config = configOf(readEnv(), sandboxCentres);
  const context = await openContext(config);
  const bench: Bench = {
    data: config.data,
    url: new URL(config.env.DMP_PUBLIC_URL),
    patients: Math.ceil(entries / 100),
    known: new Map(),
  };
  const rows: string[] = [];
  const row = (request: string, what: string, { web, writer }: Cost) =>
    rows.push(
      `| ${request} | ${what} | ${Math.max(0, web).toFixed(web < 10 ? 1 : 0)} | ${writer === undefined ? '' : writer.toFixed(0)} |`,
    );
  try {
    await stagesOfDeposit(context, bench, row);
    await stagesOfQuery(context, bench, row);
    await stagesOfPage(context, bench, row);
  } finally {
    await context.close();
  }
  return `| Request | Stage | web thread µs | writer µs |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

type Row = (request: string, what: string, cost: Cost) => unknown;

async function stagesOfDeposit({ tools, identify }: Context, bench: Bench, row: Row): Promise<void> {
  const say = (what: string, cost: Cost) => row('ITI-41', what, cost);
  const bodies = deposits(bench, messages).map((request) => request.subarray(request.indexOf('\r\n\r\n') + 4));
  const split = async (body: Buffer) => {
    let given: Buffer | undefined = body;
    const pull = () => {
      const piece = given;
      given = undefined;
      return Promise.resolve(piece);
    };
    const reader = new MultipartReader(pull, 'bench', { headerBytes: 16_384, parts: 10 });
    const pieces: Buffer[] = [];
    for (let part = await reader.next(); part !== undefined; part = await reader.next())
      pieces.push(part.ready ?? body);
    return pieces;
  };
  say('multipart split', await cost((n) => split(at(bodies, n))));
  const parts = await Promise.all(bodies.map(split));
  const roots = parts.map(([root]) => root ?? Buffer.alloc(0));
  const documents = parts.map(([, document]) => document ?? Buffer.alloc(0));
  say('UTF-8', await cost((n) => decodeUtf8(at(roots, n))));
  const sources = roots.map(decodeUtf8);
  say('XML to tree', await cost((n) => parseXml(at(sources, n), defaultXmlLimits)));
  const trees = sources.map((source) => ({ source, root: parseXml(source, defaultXmlLimits) }));
  say('envelope, action', await cost((n) => openEnvelope(at(trees, n).root)));
  say('VIHF: signature, digest, claims', await cost((n) => identify.assertion(at(trees, n))));
  const requests = await Promise.all(
    trees.map(async (tree): Promise<Request> => ({ caller: await identify.assertion(tree), origin: origin('ITI-41') })),
  );
  const lists = trees.map(({ root }) => listOf(root));
  say('ebRIM read', await cost((n) => readSubmission(at(lists, n))));
  say('SHA-1 and SHA-256 of the document', await cost((n) => tools.blobs.receiveBytes(at(documents, n))));
  const captured = capture(tools);
  const deposit = (n: number) => ({
    ...readSubmission(at(lists, n)),
    documents: [{ id: 'doc', received: tools.blobs.receiveBytes(at(documents, n)) }],
  });
  const whole = await cost((n) => submit(captured.tools, at(requests, n), deposit(n)));
  const before = await cost(deposit);
  say('facts, decision, rules, acceptance, seal', { web: whole.web - before.web });
  const [permit] = captured.taken.map((one) => one.permit);
  if (permit !== undefined)
    say(
      '… of these the record facts',
      await cost((n) => tools.store.facts.recordByIdentifier(benchPatient(askedAbout(bench.patients, n)))),
    );
  const sets = captured.taken.slice(-messages);
  say('change set encoded', await cost((n) => encodeChanges(at(sets, n).permit.record, at(sets, n).changes)));
  const fresh = await freshDeposits(captured, bench, depositMaker(tools, identify, split));
  say('to the writer and back, in groups of 32', await costOfCommits(tools, fresh));
  const registryResponse = () => writeRegistryResponse('success', [], 'repository');
  say(
    'answer',
    await cost(() =>
      packMtom(
        'urn:a',
        writeEnvelope({ action: 'urn:a', messageId: 'urn:b', relatesTo: 'urn:c' }, registryResponse()),
        [],
        'x',
      ),
    ),
  );
}

type Captured = { readonly tools: Tools; taken: { readonly permit: Permit; readonly changes: ChangeSet }[] };

/** Tools whose commits are caught instead of written. */
function capture(tools: Tools): Captured {
  const captured: Captured = { taken: [], tools };
  const commit: Tools['store']['write']['commit'] = (permit, changes) => {
    captured.taken.push({ permit, changes });
    if (captured.taken.length > 4 * messages) captured.taken = captured.taken.slice(-messages);
    return Promise.resolve({ done: true, sequences: [1] });
  };
  return Object.assign(captured, {
    tools: { ...tools, store: { ...tools.store, write: { ...tools.store.write, commit } } },
  });
}

type MakeDeposit = (
  body: Buffer,
) => Promise<{ readonly request: Request; readonly deposit: Parameters<typeof submit>[2] }>;

function depositMaker(
  tools: Tools,
  identify: Context['identify'],
  split: (body: Buffer) => Promise<Buffer[]>,
): MakeDeposit {
  return async (body) => {
    const [root = body, document = body] = await split(body);
    const source = decodeUtf8(root);
    const tree = { source, root: parseXml(source, defaultXmlLimits) };
    return {
      request: { caller: await identify.assertion(tree), origin: origin('ITI-41') },
      deposit: {
        ...readSubmission(listOf(tree.root)),
        documents: [{ id: 'doc', received: tools.blobs.receiveBytes(document) }],
      },
    };
  };
}

/** Change sets that were never written, 32 × 40 of them. */
async function freshDeposits(captured: Captured, bench: Bench, make: MakeDeposit): Promise<Captured['taken']> {
  const all: Captured['taken'] = [];
  for (const request of deposits(bench, 32 * 40)) {
    captured.taken = [];
    const made = await make(request.subarray(request.indexOf('\r\n\r\n') + 4));
    await submit(captured.tools, made.request, made.deposit);
    all.push(...captured.taken);
  }
  return all;
}

async function costOfCommits(tools: Tools, sets: Captured['taken']): Promise<Cost> {
  let best: { web: number; writer: number } | undefined;
  for (let from = 0; from + 32 * 5 <= sets.length; from += 32 * 5) {
    const process0 = process.cpuUsage();
    const own0 = process.threadCpuUsage();
    for (let group = from; group < from + 32 * 5; group += 32)
      await Promise.all(
        sets.slice(group, group + 32).map(({ permit, changes }) => tools.store.write.commit(permit, changes)),
      );
    const own = total(process.threadCpuUsage(own0)) / 160;
    const all = total(process.cpuUsage(process0)) / 160;
    if (best === undefined || all < best.web + best.writer) best = { web: own, writer: all - own };
  }
  return best ?? { web: 0 };
}

async function stagesOfQuery({ tools, identify }: Context, bench: Bench, row: Row): Promise<void> {
  const say = (what: string, cost: Cost) => row('ITI-18, 10 entries', what, cost);
  const sources = finds(bench, messages).map((request) =>
    decodeUtf8(request.subarray(request.indexOf('\r\n\r\n') + 4)),
  );
  say('XML to tree', await cost((n) => parseXml(at(sources, n), defaultXmlLimits)));
  const trees = sources.map((source) => ({ source, root: parseXml(source, defaultXmlLimits) }));
  say('VIHF: signature, digest, claims', await cost((n) => identify.assertion(at(trees, n))));
  const callers = await Promise.all(trees.map((tree) => identify.assertion(tree)));
  const captured = capture(tools);
  const exchange = (n: number) => ({
    tools: captured.tools,
    request: { caller: at(callers, n), origin: origin('ITI-18') },
    envelope: at(trees, n),
    body: takeApart(at(trees, n).root).body,
    documents: () => Promise.resolve([]),
  });
  const whole = await cost((n) => iti18.handle(exchange(n)));
  const permits = await permitsOf(captured.tools, at(callers, 0), bench);
  const filter = { statuses: ['approved'], creationTime: { from: '20251222000000', to: '20260101000000' } } as const;
  const read = await cost((n) => tools.store.read.documents(at(permits, n), filter, { limit: 1000 }));
  const found = await Promise.all(
    permits.slice(0, 100).map((permit) => tools.store.read.documents(permit, filter, { limit: 1000 })),
  );
  const written = await cost((n) => {
    let text = '';
    for (const { entry } of at(found, n).items) text += writeDocument(entry);
    return text;
  });
  say('query read, facts, decision', { web: whole.web - read.web - written.web });
  say('documents found and read', read);
  say('ebRIM written', written);
  const answers = found.map(
    ({ items }) =>
      () =>
        items.map(({ entry }) => writeDocument(entry)).join(''),
  );
  const packed = await cost((n) =>
    packPlain('urn:a', writeEnvelope({ action: 'urn:a', messageId: 'urn:b', relatesTo: 'urn:c' }, at(answers, n)())),
  );
  const made = await cost((n) => at(answers, n)());
  say('envelope, UTF-8', { web: packed.web - made.web });
  say('event to the writer and back, in groups of 32', await costOfEvents(tools, captured));
}

async function stagesOfPage({ tools, identify, linkKey }: Context, bench: Bench, row: Row): Promise<void> {
  const say = (what: string, cost: Cost) => row('FHIR page of 20', what, cost);
  const authorization = `Bearer ${await tokenOf(bench)}`;
  const caller = await identify.bearer(authorization);
  say('token known', await cost(() => identify.bearer(authorization)));
  const captured = capture(tools);
  const [search] = documentInteractions;
  const [binary] = binaryInteractions;
  if (search === undefined || binary === undefined) return;
  const base = `${bench.url.origin}/fhir`;
  const exchange = (n: number): FhirExchange => {
    const { oid, value } = benchPatient(askedAbout(bench.patients, n));
    // What a search by GET looks at.
    return {
      tools: captured.tools,
      request: { caller, origin: origin('ITI-67') },
      base,
      linkKey,
      writeDocument: documentWriter(base),
      id: '',
      parameters: [
        ['patient.identifier', `urn:oid:${oid}|${value}`],
        ['status', 'current'],
        ['_count', '20'],
      ],
      strict: false,
      header: () => '',
      preferred: ([first]) => first,
    } as Partial<FhirExchange> as FhirExchange;
  };
  const permits = await permitsOf(captured.tools, caller, bench);
  const filter = { statuses: ['approved'] } as const;
  const read = await cost((n) => tools.store.read.documents(at(permits, n), filter, { limit: 20 }));
  const count = await cost((n) => tools.store.read.countDocuments(at(permits, n), filter));
  const pages = await Promise.all(
    permits.slice(0, 100).map((permit) => tools.store.read.documents(permit, filter, { limit: 20 })),
  );
  const written = await cost((n) => at(pages, n).items.map((document) => documentWriter(base)(document)));
  const whole = await cost((n) => search.handle(exchange(n)));
  say('search read, facts, decision, bundle', { web: whole.web - read.web - count.web - written.web });
  say('documents found and read', read);
  say('counted', count);
  say('… of both, the filter by consent and masking', { web: await costOfVisibility(bench.data, permits, filter) });
  say('FHIR written', written);
  say('event to the writer and back, in groups of 32', await costOfEvents(tools, captured));
  const documents = pages.flatMap(({ items }) => items.slice(0, 1));
  const bytes = await cost(async (n) => {
    const { entry } = at(documents, n);
    const answer = await binary.handle({ ...exchange(n), id: entry.logicalID.slice(9), parameters: [] });
    return 'body' in answer && typeof answer.body === 'function' ? answer.body() : undefined;
  });
  row('FHIR read of 20 kB', 'facts, decision, entry, bytes opened', bytes);
}

/** What a page and its count cost more with a professional's filter than without any, µs. */
async function costOfVisibility(data: string, permits: readonly Permit[], filter: DocumentFilter): Promise<number> {
  const database = openDatabase(filesOf(data).main, { readOnly: true });
  const reads = makeDocumentReads(database, makeChangeCounts(), makeRecordKeys(database));
  const page = (n: number, all?: Visibility) => {
    const { record = '', visibility } = at(permits, n);
    const reading = { record, visibility: all ?? visibility };
    return [reads.documents(reading, filter, { limit: 20 }), reads.countDocuments(reading, filter)];
  };
  const differences: number[] = [];
  for (let round = 0; round < 3; round++) {
    const without = await cost((n) => page(n, seesAll));
    differences.push((await cost((n) => page(n))).web - without.web);
  }
  database.close();
  return differences.sort((a, b) => a - b)[1] ?? 0;
}

/** The event of a read alone goes to the writer. */
function costOfEvents(tools: Tools, captured: Captured): Promise<Cost> {
  const sets = captured.taken
    .slice(-messages)
    .map(({ permit, changes: { spend: _spend, ...changes } }) => ({ permit, changes }));
  return costOfCommits(tools, Array.from({ length: 6 }, () => sets).flat());
}

async function permitsOf(tools: Tools, caller: Request['caller'], bench: Bench): Promise<Permit[]> {
  const permits: Permit[] = [];
  for (let n = 0; n < Math.min(messages, bench.patients / 2); n++) {
    const facts = await tools.store.facts.recordByIdentifier(benchPatient(n));
    const { patient: _patient, ...anybody } = caller;
    const decision = decide({ caller: anybody, action: 'searchDocuments' }, facts, {
      ...tools.settings,
      now: tools.now(),
    });
    if ('permit' in decision) permits.push(decision.permit);
  }
  return permits;
}

function openEnvelope(root: XmlElement): unknown {
  const { blocks } = takeApart(root);
  checkUnderstood(blocks);
  return [messageIdOf(root), actionOf(blocks)];
}

function listOf(root: XmlElement): XmlElement {
  const request = child(takeApart(root).body, namespace.lcm, 'SubmitObjectsRequest');
  const list = child(request, namespace.rim, 'RegistryObjectList');
  if (list === undefined) throw new Error('the message of the bench has no objects');
  return list;
}

function origin(transaction: Request['origin']['transaction']): Request['origin'] {
  return { transaction, requestId: 'bench', endpoint: 'bench' };
}

function at<T>(all: readonly T[], n: number): T {
  return all[n % all.length] as T;
}

/** The least mean of several rounds, each long enough for the clock of processor time. */
async function cost(work: (n: number) => unknown): Promise<Cost> {
  const begun = performance.now();
  for (let n = 0; n < messages; n++) await work(n);
  const times = messages * Math.ceil(roundMs / (performance.now() - begun));
  let web = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const before = process.threadCpuUsage();
    for (let n = 0; n < times; n++) await work(n);
    web = Math.min(web, total(process.threadCpuUsage(before)) / times);
  }
  return { web };
}

function total({ user, system }: { user: number; system: number }): number {
  return user + system;
}

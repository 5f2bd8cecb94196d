import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { filesOf } from '../server/store/embedded/files.ts';
import { benchPatient, fill } from './bench/fill.ts';
import { large } from './bench/large.ts';
import { type Measured, type Prepared, quantile, run } from './bench/load.ts';
import { cpuOf, machine, machineBusy, memoryOf, readIntoMemory } from './bench/machine.ts';
import {
  findSubmissionSets,
  getAll,
  getDocuments,
  largeSubmissions,
  registrations,
  updates,
} from './bench/registry-requests.ts';
import {
  type Bench,
  depositedTo,
  deposits,
  finds,
  reads,
  resourceReads,
  retrieves,
  searches,
  tokenOf,
} from './bench/requests.ts';
import { stages } from './bench/stages.ts';
import { stagesOf, startAgain, startTarget, type Target } from './bench/target.ts';

const usage = `npm run bench -- [--entries 10000[,1000000]] [--seconds 10] [--rounds 1] [--only ITI-41,ITI-18,ITI-18-of-50,ITI-43,search,read,DocumentReference] [--large 1024] [--stages] [--write]

Fills a store (kept in .cache/bench), starts a server on it and drives it from this process. With two sizes the servers are driven in turn.
--large sends and reads one document of so many MiB, each way on a server that has worked and on one just started, and watches its memory. --only also takes GetDocuments, GetAll, FindSubmissionSets, ITI-42, ITI-57 and 500-entries. --stages prints what each stage of a request costs,
measured on the functions themselves. --write puts the tables into docs/benchmarks.md.
`;

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '1' },
    only: { type: 'string', default: 'ITI-41,ITI-18,ITI-18-of-50,ITI-43,search,read,DocumentReference' },
    large: { type: 'string' },
    stages: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    fill: { type: 'string' },
    'stages-of': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const success = (head: string, status: number) => status === 200 && head.includes('ResponseStatusType:Success');
const found = (_head: string, status: number) => status === 200;

const say = (line: string) => void process.stderr.write(`${line}\n`);

type Row = {
  readonly store: string;
  readonly what: string;
  readonly mode: string;
  readonly measured: Measured;
  readonly serverCpu: number;
  readonly generatorCpu: number;
  readonly foreign: number;
  readonly peak: number;
};

type Kind = {
  readonly name: string;
  readonly rate: number;
  readonly guess: number;
  readonly prepare: (bench: Bench, count: number) => Promise<Supply>;
};
type Supply = { readonly next: () => Prepared | undefined; readonly good: (head: string, status: number) => boolean };

const kinds: readonly Kind[] = [
  { name: 'ITI-41', rate: 1000, guess: 2200, prepare: async (b, n) => once(deposits(b, n), success) },
  { name: 'ITI-18', rate: 1000, guess: 3500, prepare: async (b, n) => once(finds(b, n), success) },
  { name: 'ITI-43', rate: 1000, guess: 3500, prepare: async (b, n) => once(retrieves(b, n), success) },
  { name: 'search', rate: 1000, guess: 0, prepare: async (b) => again(await searches(b), found) },
  { name: 'read', rate: 4000, guess: 0, prepare: async (b) => again(await reads(b), found) },
  { name: 'DocumentReference', rate: 4000, guess: 0, prepare: async (b) => again(await resourceReads(b), found) },
  {
    name: 'ITI-18-of-50',
    rate: 1000,
    guess: 3500,
    prepare: async (b, n) => once(finds({ ...b, patients: 100 }, n), success),
  },
  // Asked for by name alone.
  { name: 'GetDocuments', rate: 1000, guess: 3500, prepare: async (b, n) => once(getDocuments(b, n), success) },
  { name: 'GetAll', rate: 50, guess: 300, prepare: async (b, n) => once(getAll(b, n), success) },
  {
    name: 'FindSubmissionSets',
    rate: 1000,
    guess: 3500,
    prepare: async (b, n) => once(findSubmissionSets(b, n), success),
  },
  { name: 'ITI-42', rate: 500, guess: 1500, prepare: async (b, n) => once(registrations(b, n), success) },
  { name: 'ITI-57', rate: 100, guess: 300, prepare: async (b, n) => once(await updates(b, n), success) },
  { name: '500-entries', rate: 1, guess: 6, prepare: async (b, n) => once(largeSubmissions(b, n), success) },
];

const aims: readonly (readonly [what: string, perSecond: number])[] = [
  ['ITI-41', 1400],
  ['ITI-18', 2000],
  ['search', 2000],
  ['read', 8000],
  ['DocumentReference', 6000],
];

if (values.help) process.stdout.write(usage);
else if (values.fill !== undefined) await fill(Number(values.fill), say);
else if (values['stages-of'] !== undefined) process.stdout.write(await stages(Number(values['stages-of'])));
else await bench();

async function bench(): Promise<void> {
  const seconds = Number(values.seconds);
  const targets: Target[] = [];
  for (const [index, entries] of values.entries.split(',').entries())
    targets.push(await startTarget(Number(entries), 18_080 + index, say));
  const rows: Row[] = [];
  for (const target of targets) await warmUp(target);
  for (let round = 0; round < Number(values.rounds); round++)
    for (const kind of kinds.filter(({ name }) => values.only.split(',').includes(name)))
      for (const target of targets) rows.push(...(await measure(target, kind, seconds)));
  const [first] = targets;
  const grown =
    values.large !== undefined && first !== undefined
      ? await large(first, Number(values.large), startAgain, say)
      : undefined;
  for (const target of targets) await target.stop();
  const costs = values.stages && first !== undefined ? await stagesOf(first, say) : undefined;
  const text = report(targets, rows, grown, costs);
  process.stdout.write(text);
  if (values.write) writeFileSync(resolve(import.meta.dirname, '../docs/benchmarks.md'), text);
}

/** Each request is sent once: its assertion serves one request. */
function once(requests: Prepared[], good: Supply['good']): Supply {
  return { next: () => requests.pop(), good };
}

function again(requests: readonly Prepared[], good: Supply['good']): Supply {
  let n = 0;
  return { next: () => requests[n++ % requests.length], good };
}

async function benchOf(target: Target): Promise<Bench> {
  const entries = Number(/\d+$/.exec(target.data)?.[0]);
  const bench: Bench = { data: target.data, url: target.url, patients: Math.ceil(entries / 100), known: new Map() };
  const token = await tokenOf(bench);
  const known = new Map<number, { uniqueId: string; id: string }[]>();
  for (let n = 0; n < Math.min(200, bench.patients / 2); n++) {
    const patient = depositedTo(bench.patients, n);
    const { oid, value } = benchPatient(patient);
    const address = new URL(
      `/fhir/DocumentReference?patient.identifier=urn:oid:${oid}%7C${value}&status=current&_count=2`,
      target.url,
    );
    const bundle = (await (await fetch(address, { headers: { Authorization: `Bearer ${token}` } })).json()) as {
      entry?: { resource: { id: string; masterIdentifier: { value: string } } }[];
    };
    known.set(
      patient,
      (bundle.entry ?? []).map(({ resource }) => ({
        id: resource.id,
        uniqueId: resource.masterIdentifier.value.replace('urn:oid:', ''),
      })),
    );
  }
  return { ...bench, known };
}

/** Cold code and a single web thread are not what is measured: the first seconds of load are thrown away, and the newest documents are of 20 kB. */
async function warmUp(target: Target): Promise<void> {
  say(`warming up ${target.name}`);
  const bench = await benchOf(target);
  const supplies = [
    once(deposits(bench, Math.max(2500, Math.min(bench.patients, 200) * 2)), success),
    once(finds(bench, 2500), success),
    again(await searches(bench), found),
  ];
  for (const supply of supplies)
    await run({ ...supply, host: target.url.hostname, port: Number(target.url.port), connections: 32, seconds: 4 });
}

async function measure(target: Target, kind: Kind, seconds: number): Promise<Row[]> {
  const rows: Row[] = [];
  await readIntoMemory(filesOf(target.data).main);
  const bench = await benchOf(target);
  for (const shape of [
    { connections: 1 },
    { connections: 32 },
    { connections: 128 },
    { connections: 32, rate: kind.rate },
  ]) {
    const rate = 'rate' in shape ? shape.rate : undefined;
    const mode = rate === undefined ? `closed, ${shape.connections}` : `open, ${rate}/s`;
    const count =
      rate !== undefined
        ? Math.ceil(rate * seconds * 1.02)
        : Math.ceil((shape.connections === 1 ? kind.guess / 2 : kind.guess) * seconds);
    say(`${target.name}: ${kind.name}, ${mode}`);
    const supply = await kind.prepare(bench, count);
    const before = { server: cpuOf(target.pid), own: process.cpuUsage(), all: machineBusy() };
    const measured = await run({
      ...supply,
      host: target.url.hostname,
      port: Number(target.url.port),
      connections: shape.connections,
      seconds,
      ...(rate !== undefined && { rate }),
    });
    const own = process.cpuUsage(before.own);
    const generator = (own.user + own.system) / 1e6;
    const server = cpuOf(target.pid) - before.server;
    rows.push({
      store: target.name,
      what: kind.name,
      mode,
      measured,
      serverCpu: (server / measured.requests) * 1e6,
      generatorCpu: (generator / measured.requests) * 1e6,
      foreign: Math.max(0, machineBusy() - before.all - server - generator) / measured.seconds,
      peak: memoryOf(target.pid, 'VmHWM'),
    });
    const [last] = rows.slice(-1);
    if (last !== undefined) say(`  ${rowText(last)}`);
  }
  return rows;
}

function rowText({ store, what, mode, measured, serverCpu, generatorCpu, foreign, peak }: Row): string {
  const rate = Math.round(measured.requests / measured.seconds);
  const ms = (q: number) => quantile(measured.latencies, q).toFixed(1);
  return `| ${store} | ${what} | ${mode} | ${rate} | ${ms(0.5)} | ${ms(0.99)} | ${serverCpu.toFixed(0)} | ${generatorCpu.toFixed(0)} | ${(foreign * 100).toFixed(0)} % | ${measured.failures} | ${peak.toFixed(0)} |`;
}

function report(
  targets: readonly Target[],
  rows: readonly Row[],
  grown: string | undefined,
  costs: string | undefined,
): string {
  return `# Benchmarks

${machine()}; server and load generator on the same machine. Written by \`npm run bench -- --write\`.

Every ITI request carries a fresh signed VIHF, made before the measured window and verified by the server; every request, reads included, has its
audit event on disk before it is answered. ITI-41 brings a CDA of 20 kB by MTOM, ITI-18 finds ten entries as LeafClass, of
half of all patients in turn or of 50 in either store, ITI-43 and read fetch
20 kB, search answers a page of 20. The file of the store is in the machine's memory: a store that is not costs a read of the disk for each document. Closed loop: each connection sends when it was answered. Open loop: requests fall due at a steady rate and
latency counts from the due time. Processor time is of whole processes; foreign is what neither server nor generator used, as part of one
processor.

| Store | Started in | Idle |
| --- | --- | --- |
${targets.map((t) => `| ${t.name} | ${t.startedIn.toFixed(0)} ms | ${t.idle.toFixed(0)} MB |`).join('\n')}

| Store | Request | Loop, connections | per second | p50 ms | p99 ms | server µs | generator µs | foreign | failed | peak MB |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.map(rowText).join('\n')}

## Against the aims

${aimsText(rows)}
${grown === undefined ? '' : `\n## Memory while one large document passes\n\n${grown}`}${
  costs === undefined
    ? ''
    : `
## What each stage costs

Microseconds of processor time, measured one after the other in one process on the functions themselves, on the store of ${targets[0]?.name ?? ''}
without a server: the least of several rounds. HTTP, Koa and whatever threads cost each other come on top.

${costs}`
}`;
}

/** What one asks of two processors that carry the load generator too: requests per second, in the closed loop that reaches more. */
function aimsText(rows: readonly Row[]): string {
  const lines = aims.flatMap(([what, aim]) => {
    const asked = rows.filter((row) => row.what === what && row.mode.startsWith('closed'));
    return [...Map.groupBy(asked, ({ store }) => store)].map(([store, all]) => {
      const reached = Math.max(...all.map(({ measured }) => Math.round(measured.requests / measured.seconds)));
      return `| ${store} | ${what} | ${aim} | ${reached} | ${Math.round((reached / aim) * 100)} % |`;
    });
  });
  return `| Store | Request | aim per second | reached | part |\n| --- | --- | --- | --- | --- |\n${lines.join('\n')}`;
}

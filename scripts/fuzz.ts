import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { fuzzAssertions } from '../test/fuzz/assertions.ts';
import { fuzz } from '../test/fuzz/run.ts';

const usage = `node scripts/fuzz.ts [--seconds 60] [--seed 1] [--block 0] [--store memory|embedded] [--assertions] [--out .cache/fuzz]

Spoils sound messages of every XDS transaction and sends them to the dispatch of this process. A finding is an answer that is no sound SOAP, an
error of our own, a message that takes too long, something stored without being acknowledged or the other way round. Each finding is written into
--out as the message that made it; --seed and --block run its block again. --assertions spoils signed assertions instead and asks who sends them. Ends with 1 when something was found.
`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    block: { type: 'string' },
    store: { type: 'string', default: 'memory' },
    assertions: { type: 'boolean', default: false },
    out: { type: 'string', default: '.cache/fuzz' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(usage);
else await main();

async function main(): Promise<void> {
  const end = performance.now() + Number(values.seconds) * 1000;
  const seed = Number(values.seed);
  const watched = watch(seed);
  const goOn = () => performance.now() < end;
  const { cases, findings, outcomes } = values.assertions
    ? await fuzzAssertions(seed, goOn)
    : await fuzz({
        seed,
        store: values.store === 'embedded' ? 'embedded' : 'memory',
        ...(values.block !== undefined && { block: Number(values.block) }),
        goOn,
        begin: watched.begin,
      });
  await watched.end();
  for (const [outcome, count] of [...outcomes].sort())
    process.stdout.write(`${String(count).padStart(8)}  ${outcome}\n`);
  if (findings.length > 0) mkdirSync(values.out, { recursive: true });
  const seen = new Set<string>();
  for (const { block, number, name, done, wrong, sample } of findings) {
    const kind = wrong.join('\n').replaceAll(/\d+/g, '0').slice(0, 300);
    if (seen.has(kind)) continue;
    seen.add(kind);
    const path = join(values.out, `${seed}-${block}-${number}.txt`);
    writeFileSync(
      path,
      Buffer.concat([Buffer.from(`Content-Type: ${sample.wire.contentType}\r\n\r\n`), sample.wire.body]),
    );
    process.stdout.write(`\n${path} (${name}; ${done.join(', ')})\n${wrong.join('\n').slice(0, 3000)}\n`);
  }
  process.stdout.write(`\nseed ${seed}: ${cases} cases, ${findings.length} findings of ${seen.size} kinds\n`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}

/** Names the case during which this thread stands still for ten seconds, and ends the process. */
function watch(seed: number): { begin: (block: number, number: number) => void; end: () => Promise<unknown> } {
  const place = new Int32Array(new SharedArrayBuffer(12));
  const guard = new Worker(
    `const { workerData: place } = require('node:worker_threads');
     let last = 0;
     setInterval(() => {
       if (place[2] === last && place[2] > 0) {
         require('node:fs').writeSync(2, 'hangs: --seed ${seed} --block ' + place[0] + ', case ' + place[1] + '\\n');
         process.kill(process.pid, 'SIGKILL');
       }
       last = place[2];
     }, 10_000);`,
    { eval: true, workerData: place },
  );
  guard.unref();
  return {
    begin: (block, number) => {
      place[0] = block;
      place[1] = number;
      place[2] = (place[2] ?? 0) + 1;
    },
    end: () => guard.terminate(),
  };
}

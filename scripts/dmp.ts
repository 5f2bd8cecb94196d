import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Misused, type Options, RefusedByServer } from './dmp/call.ts';

// Halves the time of a command from its second run on.
enableCompileCache(join(import.meta.dirname, '..', '.cache', 'compile'));

type Command = {
  readonly usage: string;
  readonly what: string;
  readonly options: readonly (keyof typeof allOptions)[];
  readonly positionals: number;
  readonly load: () => Promise<(options: Options, positionals: readonly string[]) => Promise<void> | void>;
};

const allOptions = {
  as: { type: 'string' },
  patient: { type: 'string' },
  mode: { type: 'string' },
  reason: { type: 'string' },
  'issued-at': { type: 'string' },
  'expires-in': { type: 'string' },
  audience: { type: 'string' },
  type: { type: 'string' },
  title: { type: 'string' },
  via: { type: 'string' },
  hide: { type: 'string' },
  out: { type: 'string' },
  unwrap: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

const who = ['as', 'patient', 'mode', 'reason'] as const;
const whoUsage = '--as SLUG [--patient SLUG|INS] [--mode normal|bris_de_glace|centre_15] [--reason TEXT]';

const commands: Readonly<Record<string, Command>> = {
  people: {
    usage: 'people [--json]',
    what: 'the invented people of the sandbox',
    options: ['json'],
    positionals: 0,
    load: async () => (await import('./dmp/people.ts')).showPeople,
  },
  vihf: {
    usage: `vihf ${whoUsage} [--issued-at TIME]`,
    what: 'one signed assertion, ready to stand in wsse:Security; it serves one request',
    options: [...who, 'issued-at'],
    positionals: 0,
    load: async () => (await import('./dmp/credential.ts')).printVihf,
  },
  token: {
    usage: `token ${whoUsage} [--expires-in SECONDS] [--audience URL]`,
    what: 'one bearer token for /fhir',
    options: [...who, 'expires-in', 'audience'],
    positionals: 0,
    load: async () => (await import('./dmp/credential.ts')).printToken,
  },
  submit: {
    usage: `submit FILE ${whoUsage} [--type CODE] [--title T] [--via xds|fhir] [--hide patient|professionals] [--json]`,
    what: 'deposits a document; text, PDF and images are wrapped into a CDA',
    options: [...who, 'type', 'title', 'via', 'hide', 'json'],
    positionals: 1,
    load: async () => (await import('./dmp/submit.ts')).submitFile,
  },
  find: {
    usage: `find ${whoUsage} [--via xds|fhir] [--json]`,
    what: 'lists the current documents of a record, newest first',
    options: [...who, 'via', 'json'],
    positionals: 0,
    load: async () => (await import('./dmp/find.ts')).findDocuments,
  },
  get: {
    usage: `get ID ${whoUsage} [--via xds|fhir] [--out FILE] [--unwrap]`,
    what: 'the bytes of a document, by uniqueId or entryUUID; --unwrap: what is inside a CDA of level 1',
    options: [...who, 'via', 'out', 'unwrap', 'json'],
    positionals: 1,
    load: async () => (await import('./dmp/get.ts')).getDocument,
  },
};

// Whoever reads the output may stop reading, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${Error.isError(error) ? error.message : String(error)}\n`);
  process.exitCode = error instanceof Misused || isParseError(error) ? 2 : 1;
  if (!(error instanceof Misused || error instanceof RefusedByServer || isParseError(error))) throw error;
}

async function run([name = '', ...rest]: readonly string[]): Promise<void> {
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(usage());
    return;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined)
    throw new Misused(`${name === '' ? 'No command' : `Unknown command "${name}"`}\n\n${usage()}`);
  const help = rest.includes('--help');
  if (help) {
    process.stdout.write(`npm run -s dmp -- ${command.usage}\n  ${command.what}\n`);
    return;
  }
  const options = Object.fromEntries(command.options.map((option) => [option, allOptions[option]]));
  const { values, positionals } = parseArgs({
    args: negativesJoined(rest),
    options,
    allowPositionals: true,
    strict: true,
  });
  if (positionals.length !== command.positionals) throw new Misused(`Usage: npm run -s dmp -- ${command.usage}`);
  const work = await command.load();
  await work(values, positionals);
}

/** `--expires-in -60` as `--expires-in=-60`: a number of less than nothing is no option. */
function negativesJoined(args: readonly string[]): string[] {
  return args.flatMap((arg, i) => {
    if (/^-\d+$/.test(arg) && args[i - 1]?.startsWith('--') === true) return [];
    const next = args[i + 1];
    return arg.startsWith('--') && next !== undefined && /^-\d+$/.test(next) ? [`${arg}=${next}`] : [arg];
  });
}

function usage(): string {
  const lines = Object.values(commands).map(({ usage: how, what }) => `  ${how}\n      ${what}`);
  return [
    'npm run -s dmp -- COMMAND',
    '',
    ...lines,
    '',
    'The server is DMP_URL (http://127.0.0.1:8080); the keys of the sandbox are read in DMP_DATA (./data).',
    'Exit codes: 0 done, 1 refused, 2 misused.',
    '',
  ].join('\n');
}

function isParseError(error: unknown): boolean {
  return Error.isError(error) && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

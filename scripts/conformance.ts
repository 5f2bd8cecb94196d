import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const usage = `npm run conformance [-- --check | --run] [part of an id or of words]

Prints the rules of the standard that the XDS face keeps (test/conformance/rules) with the tests that prove them: one at least for a rule that
is kept, and for a rule that can be broken one that breaks it. Ends with 1 when a rule has none, or names a test that does not exist.
--check prints problems alone; --run runs the tests named and ends with 1 when one of them fails or was not run.
`;

/** A rule of the standard in our words. \`answer\`: how a violation is answered; absent where a sender cannot break the rule. */
type Rule = {
  readonly id: string;
  readonly clause: string;
  readonly rule: string;
  readonly answer?: string;
  /** Tests in which it is kept, and in which it is broken: \`file#name\`, the file below test/. */
  readonly kept: readonly string[];
  readonly broken?: readonly string[];
};
type Section = { readonly title: string; readonly rules: readonly Rule[] };

const root = resolve(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    run: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** Files of tests, read once. */
const texts = new Map<string, string>();

/** The tests that run the cases of a file. */
const runners: Readonly<Record<string, string>> = {
  'test/cases/submissions/': 'test/domain/rules.test.ts',
  'test/cases/faults/xds': 'test/xds/faults.test.ts',
};

if (values.help) process.stdout.write(usage);
else main();

function main(): void {
  const sections = read();
  const wanted = positionals.join(' ').toLowerCase();
  const shown = sections
    .map(({ title, rules }) => ({
      title,
      rules: rules.filter((rule) => `${rule.id} ${rule.clause} ${rule.rule}`.toLowerCase().includes(wanted)),
    }))
    .filter(({ rules }) => rules.length > 0);
  const rules = shown.flatMap((section) => section.rules);
  if (!values.check) for (const section of shown) print(section);
  const problems = [...check(sections.flatMap((section) => section.rules)), ...(values.run ? run(rules) : [])];
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  const tests = new Set(rules.flatMap(testsOf));
  process.stdout.write(`conformance: ${rules.length} rules, ${tests.size} tests, ${problems.length} problems\n`);
  if (problems.length > 0) process.exitCode = 1;
}

function read(): Section[] {
  const folder = resolve(root, 'test/conformance/rules');
  const order = [
    'transport',
    'metadata',
    'iti-41',
    'iti-42',
    'iti-61',
    'iti-18',
    'iti-51',
    'iti-43',
    'iti-57',
    'iti-92',
  ];
  const place = (file: string) => (order.indexOf(file.replace('.json', '')) + order.length) % (order.length + 1);
  return readdirSync(folder)
    .sort((a, b) => place(a) - place(b) || a.localeCompare(b))
    .map((file) => JSON.parse(readFileSync(resolve(folder, file), 'utf8')) as Section);
}

function testsOf({ kept, broken = [] }: Rule): string[] {
  return [...kept, ...broken];
}

function print({ title, rules }: Section): void {
  process.stdout.write(`\n${title}\n${'='.repeat(title.length)}\n`);
  for (const { id, clause, rule, answer, kept, broken = [] } of rules) {
    process.stdout.write(`\n${id}  ${rule}\n    ${clause}${answer === undefined ? '' : `; else: ${answer}`}\n`);
    for (const test of kept) process.stdout.write(`    kept    ${test.replace('#', ': ')}\n`);
    for (const test of broken) process.stdout.write(`    broken  ${test.replace('#', ': ')}\n`);
  }
  process.stdout.write('\n');
}

function check(rules: readonly Rule[]): string[] {
  const ids = rules.map(({ id }) => id);
  return [
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id}: two rules of that id`),
    ...rules.filter(({ kept }) => kept.length === 0).map(({ id }) => `${id}: no test keeps it`),
    ...rules
      .filter(({ answer, broken = [] }) => (answer !== undefined) !== broken.length > 0)
      .map(({ id }) => `${id}: an answer and a test that breaks the rule go together`),
    ...rules.flatMap((rule) =>
      testsOf(rule)
        .filter((test) => !exists(test))
        .map((test) => `${rule.id}: there is no test ${test}`),
    ),
  ];
}

function placeOf(test: string): { readonly file: string; readonly name: string } {
  const [path = '', name = ''] = test.split('#');
  return { file: `test/${path}${path.startsWith('cases/') ? '.json' : '.test.ts'}`, name };
}

/** Whether a file of tests or cases holds that name as a text of its own. */
function exists(test: string): boolean {
  const { file, name } = placeOf(test);
  const path = resolve(root, file);
  if (!existsSync(path)) return false;
  const text = texts.get(file) ?? readFileSync(path, 'utf8');
  texts.set(file, text);
  const json = JSON.stringify(name);
  return ["'", '"', '`'].some((quote) => text.includes(quote + name + quote)) || text.includes(json);
}

type Results = {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly fullName: string;
      readonly status: string;
    }[];
  }[];
};

/** Runs the files that are named and looks for each test among those that passed. A name with blanks (%s) stands for all of them. */
function run(rules: readonly Rule[]): string[] {
  const runnerOf = (file: string) => Object.entries(runners).find(([start]) => file.startsWith(start))?.[1] ?? file;
  const named = [...new Set(rules.flatMap(testsOf))].map((test) => ({ test, ...placeOf(test) }));
  const files = [...new Set(named.map(({ file }) => runnerOf(file)))];
  const done = spawnSync('npm', ['test', '--', '--json', ...files], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { testResults } = JSON.parse(done.stdout.slice(done.stdout.indexOf('{"'))) as Results;
  return named.flatMap(({ test, file, name }) => {
    const results = testResults.find((result) => result.name === resolve(root, runnerOf(file)))?.assertionResults ?? [];
    const found = results.filter(({ fullName }) => matches(fullName, name));
    if (found.length === 0) return [`${test}: was not run`];
    return found.every(({ status }) => status === 'passed') ? [] : [`${test}: fails`];
  });
}

function matches(fullName: string, name: string): boolean {
  const parts = name.split(/%[sdijo]/).filter((part) => part.trim() !== '');
  return parts.every((part) => fullName.includes(part));
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { settingsTable } from '../server/config/env.ts';
import { catalogue, type Problem, type ProblemName } from '../server/domain/error.ts';
import { consentSearch } from '../server/fhir/consent-search.ts';
import { deviceSearch, organizationSearch, practitionerSearch, roleSearch } from '../server/fhir/directory-search.ts';
import { listSearch } from '../server/fhir/iti66.ts';
import { documentSearch } from '../server/fhir/iti67.ts';
import { eventSearch } from '../server/fhir/iti81.ts';
import { statusOf } from '../server/fhir/outcome.ts';
import { patientSearch } from '../server/fhir/patient-search.ts';
import { routeTable } from '../server/fhir/routes.ts';
import { subscriptionSearch } from '../server/fhir/subscription-search.ts';
import { topicSearch } from '../server/fhir/subscription-topic.ts';
import { conditionOf } from '../server/hl7/errors.ts';
import { codeNames } from '../server/xds/errors.ts';
import { multiPatientQueryTable } from '../server/xds/multi-patient-queries.ts';
import { queryTable } from '../server/xds/queries.ts';
import { xdsTransactions } from '../server/xds/transactions.ts';
import { auditPage } from './audit-page.ts';
import { profilesPage } from './profiles-page.ts';

/**
 * The pages of docs/ that the code writes: `--write` writes them, without it they are compared and a difference fails.
 */
const pages: Record<string, () => string> = {
  'docs/audit.md': auditPage,
  'docs/configuration.md': configuration,
  'docs/errors.md': errors,
  'docs/fhir-profiles.md': profilesPage,
  'docs/transactions.md': transactions,
  'docs/searches.md': searches,
};
const root = resolve(import.meta.dirname, '..');
const stale: string[] = [];
for (const [path, write] of Object.entries(pages)) {
  const file = resolve(root, path);
  const text = `${write().trim()}\n`;
  if (process.argv.includes('--write')) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) stale.push(path);
}
if (stale.length > 0) {
  process.stderr.write(`not what the code says: ${stale.join(', ')}; run npm run docs\n`);
  process.exit(1);
}
process.stdout.write(`docs: ${Object.keys(pages).length} generated pages are fresh\n`);

function configuration(): string {
  const rows = Object.entries(settingsTable.shape).map(([name, schema]) => {
    const empty = schema.safeParse(undefined);
    const byDefault: unknown = empty.success ? empty.data : undefined;
    return `| \`${name}\` | ${shownDefault(byDefault)} | ${(schema.description ?? '').replaceAll('|', '\\|')} |`;
  });
  return `# Settings

Environment variables, all optional in the sandbox. Every mistake is reported at start, all together, and the server ends with exit code 78.
An unknown name that begins with \`DMP_\` is a mistake too. Sizes are in bytes, durations in seconds. (Written from the code by \`npm run docs\`.)

| Variable | Default | What it does |
| --- | --- | --- |
${rows.join('\n')}

The command-line client reads \`DMP_URL\` (default: the local sandbox) and \`DMP_DATA\` (the sandbox keys).`;
}

function shownDefault(value: unknown): string {
  if (value === undefined) return '–';
  if (Array.isArray(value)) return value.length === 0 ? '–' : `\`${value.join(',')}\``;
  if (typeof value === 'boolean') return value ? '`on`' : '`off`';
  return `\`${typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value)}\``;
}

function errors(): string {
  const names = Object.keys(catalogue) as ProblemName[];
  const rows = names.map((name) => {
    const words = catalogue[name];
    const about: Problem['about'] = {
      attribute: '*attribute*',
      object: '*object*',
      value: '*value*',
      detail: '*detail*',
    };
    return `| ${name} | ${codeNames(name)} | ${statusOf(name)} | ${conditionOf(name).code} | ${words.what(about).replaceAll('|', '\\|')}. | ${words.rule} | ${words.remedy.replaceAll('|', '\\|')} |`;
  });
  return `# Problems

One catalogue for every face. XDS answers carry the code in \`errorCode\` and the words in \`codeContext\`; FHIR answers carry them in an
OperationOutcome; HL7 v2 acknowledgements carry the condition of table 0357 in ERR-3. All problems of a submission come in one answer. The
request id is in the header \`X-Request-Id\` of every answer and in the audit event. (Written from the code and from the cases of test/cases/faults by \`npm run docs\`.)

| Problem | XDS | HTTP (FHIR) | HL7 v2 | What it says | Rule | What to do |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

## Examples

What a message says that has the problem, and what it says when it is mended; each is sent in a test, the one refused with exactly this
problem, the other accepted. \`as dr-martin\` stands for the assertion of that person, \`for laurent\` for its patient; \`[70*<b>]\` for seventy of
them; … for a longer text. What is missing here depends on the server and not on a message, or needs more than one.

${names.flatMap(example).join('\n')}`;
}

type Fault = {
  readonly message: string;
  readonly fault: string;
  readonly right: string | readonly string[];
  readonly wrong: string | readonly string[];
  readonly problem: ProblemName;
  readonly code: string;
  readonly limits?: Readonly<Record<string, number>>;
};

function example(name: ProblemName): string[] {
  const faults = ['xds', 'fhir', 'hl7'].flatMap(
    (face) => JSON.parse(readFileSync(resolve(root, `test/cases/faults/${face}.json`), 'utf8')) as Fault[],
  );
  const found = faults.find(({ problem }) => problem === name);
  if (found === undefined) return [];
  const { message, fault, code, limits } = found;
  const [right, wrong] = [[found.right].flat(), [found.wrong].flat()];
  const limit = Object.entries(limits ?? {}).map(([what, most]) => `; ${what} at most ${most}`);
  const pairs = right.flatMap((text, index) => [`wrong: ${fragment(wrong[index] ?? '')}`, `right: ${fragment(text)}`]);
  return [`### ${name}`, '', `${message}: ${fault}${limit.join('')} → \`${code}\``, '', '```', ...pairs, '```', ''];
}

function fragment(text: string): string {
  const line = text.replaceAll(/\r?\n/g, '⏎');
  if (line === '') return '(nothing)';
  return line.length > 400 ? `${line.slice(0, 280)} … ${line.slice(-100)}` : line;
}

type Searched = {
  readonly type: string;
  readonly parameters: Readonly<Record<string, { readonly type: string; readonly documentation?: string | undefined }>>;
  readonly sorts: readonly string[];
  readonly sortsWithin?: true;
  readonly includes: readonly string[];
  readonly revIncludes: readonly string[];
};

function searches(): string {
  return `# Searches of FHIR

GET with parameters in the address, or POST to \`_search\` with a form. Values joined by commas are alternatives; a parameter
given twice asks for both. Dates take eq, ne, ge, gt, le, lt, sa, eb and ap. What is not served is reported, or refused with
\`Prefer: handling=strict\`; a modifier or chain that is not served is always refused. \`_count\`, \`_total\`, \`_summary\` and \`_elements\` are those of
FHIR R4; totals count what the caller may see, exactly. Pages are reached by their link alone. (Written from the code by \`npm run docs\`.)

${[documentSearch, listSearch, eventSearch, consentSearch, patientSearch, subscriptionSearch, topicSearch].map(searchOf).join('\n\n')}

# Whom documents name

For professionals, structures and systems; [decision 0018](decisions/0018-directory-of-authors.md) says who is found and who is not. At least \`_id\`,
\`identifier\` or \`practitioner\` is named, twenty values at most: nobody is listed, and there is no search by name.

${[practitionerSearch, roleSearch, organizationSearch, deviceSearch].map(searchOf).join('\n\n')}`;
}

function searchOf({
  type,
  parameters,
  sorts: [usual, ...others],
  sortsWithin,
  includes,
  revIncludes,
}: Searched): string {
  const named = Object.keys(parameters).filter((name) => parameters[name]?.documentation !== undefined);
  const begins = (one: string, name: string) => one.startsWith(`${name}:`) || one.startsWith(`${name}.`);
  const forms = (name: string) =>
    Object.keys(parameters)
      .filter(
        (one) =>
          begins(one, name) && !named.some((other) => other === one || (begins(other, name) && begins(one, other))),
      )
      .map((one) => `\`${one.slice(name.length)}\``);
  const rows = Object.entries(parameters).flatMap(([name, { type: kind, documentation }]) =>
    documentation === undefined
      ? []
      : [`| \`${name}\` | ${kind} | ${documentation.replaceAll('|', '\\|')} | ${forms(name).join(' ')} |`],
  );
  const told = (what: string, all: readonly string[]) =>
    all.length === 0 ? [] : [`${what}: ${all.map((one) => `\`${one}\``).join(', ')}.`];
  const sorts = [`-${usual}`, `${usual}`, ...others.flatMap((one) => [`-${one}`, one])];
  const also = [
    ...told(sortsWithin === true ? '`_sort` (several, each within the one before)' : '`_sort`', sorts),
    ...told('`_include`', includes),
    ...told('`_revinclude`', revIncludes),
  ];
  return `## ${type}

${also.join(' ')}

| Parameter | Type | What it looks at | Other forms |
| --- | --- | --- | --- |
${rows.join('\n')}`;
}

function transactions(): string {
  const xds = xdsTransactions.map(
    (t) =>
      `| ${t.name} | \`POST /xds/${t.receiver}\`, \`POST /si-dmp-server/v2/services/${t.receiver}\` | \`${t.requestAction}\` | ${t.packaging === 'mtom' ? 'MTOM' : 'SOAP'} |`,
  );
  const rows = (table: typeof queryTable | typeof multiPatientQueryTable) =>
    table.map((q) => `| ${q.name} | \`${q.id}\` | ${q.parameters.map((p) => `\`${p}\``).join(' ')} |`);
  const fhir = routeTable.map((r) => `| \`${r.method} /fhir${r.path}\` | ${r.transaction} | ${r.what} |`);
  return `# What is served

(Written from the code by \`npm run docs\`.)

## XDS.b

SOAP 1.2 with WS-Addressing; the caller is identified by one VIHF assertion in \`wsse:Security\`, which serves one request.
ITI-42, 44, 51, 61, 62, 86 and 92 are for [partners' systems](systems.md).

| Transaction | Address | wsa:Action | Packaging |
| --- | --- | --- | --- |
${xds.join('\n')}

### Stored queries of ITI-18

| Query | Id | Parameters |
| --- | --- | --- |
${rows(queryTable).join('\n')}

### Stored queries of ITI-51

| Query | Id | Parameters |
| --- | --- | --- |
${rows(multiPatientQueryTable).join('\n')}

## FHIR R4

The caller is identified by a bearer token. JSON and XML, in and out: by Content-Type, and by Accept or \`_format\`.

| Request | Transaction | What |
| --- | --- | --- |
${fhir.join('\n')}`;
}

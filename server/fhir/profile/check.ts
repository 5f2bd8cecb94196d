import { type About, type Problem, type ProblemName, problem } from '../../domain/error.ts';
import { isObject, isSaidToBe, type Json, type JsonObject } from '../json.ts';
import { coreDefinitions } from '../vocabulary.ts';
import { childrenOf, codingsIn, type Found, follow, type Step, stepsOf } from './path.ts';
import { isObeyed } from './rules.ts';
import { type Constraint, cardinality, type Entries, nameOf, type Profile, profileTable } from './table.ts';

export type Checked = { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/** A constraint whose path was read. */
type Compiled = Constraint & {
  readonly parents: readonly Step[];
  readonly last: Step | undefined;
  readonly count: ReturnType<typeof cardinality> | undefined;
  readonly clause: string;
};

type CompiledProfile = Omit<Profile, 'constraints'> & { readonly constraints: readonly Compiled[] };

let compiled: ReadonlyMap<string, CompiledProfile> | undefined;

/** The profile of that address; their paths are read when one is asked for first. */
function profileAt(url: string): CompiledProfile | undefined {
  compiled ??= new Map(
    profileTable.map((profile) => [
      profile.url,
      { ...profile, constraints: profile.constraints.map(compiledFor(profile)) },
    ]),
  );
  return compiled.get(url);
}

function compiledFor({ url, guide, extensions }: Profile): (constraint: Constraint) => Compiled {
  return (constraint) => {
    const steps = stepsOf(constraint.path, extensions);
    return {
      ...constraint,
      parents: steps.slice(0, -1),
      last: steps.at(-1),
      count: constraint.card === undefined ? undefined : cardinality(constraint.card),
      clause: `${guide}, ${nameOf(url)}${constraint.path === '' ? '' : `: ${constraint.path}`}`,
    };
  };
}

/** Whether this server knows the constraints of that profile, whose address may carry a version. */
export function isKnownProfile(address: string): boolean {
  return profileAt(withoutVersion(address)) !== undefined;
}

function withoutVersion(address: string): string {
  return address.split('|')[0] ?? '';
}

/** So many are told at once. */
const most = 100;

/**
 * Everything in a resource that breaks a profile which it claims in `meta.profile`, or which the profile of its Bundle asks for; contained
 * resources, entries and parameters too. Any JSON may be given: what is no resource breaks nothing here. A profile that is not known is a
 * warning. FHIR R4 resource.html#Meta.
 * @param also profiles that the resource has to obey besides
 */
export function checkProfiles(resource: Json, also: readonly string[] = []): Checked {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  if (isObject(resource)) checkResource(resource, typeOf(resource), also, { problems, warnings });
  return { problems: distinct(problems).slice(0, most), warnings: distinct(warnings).slice(0, most) };
}

/** One problem for each fault: profiles ask for the same as their parents, and a resource may claim several. */
function distinct(problems: readonly Problem[]): Problem[] {
  const keyOf = ({ name, about }: Problem) => `${name} ${about.expression} ${about.attribute ?? ''}`;
  return [...new Map(problems.toReversed().map((one) => [keyOf(one), one])).values()].toReversed();
}

type Report = { readonly problems: Problem[]; readonly warnings: Problem[] };

function checkResource(resource: JsonObject, at: string, also: readonly string[], report: Report): void {
  if (report.problems.length > most) return;
  const profiles = obeyed(resource, at, also, report);
  const root = { resource, contained: containedTypes(resource) };
  const asked = new Map<JsonObject, readonly string[]>();
  for (const profile of profiles) {
    for (const constraint of profile.constraints) check(constraint, { value: resource, at }, root, report);
    for (const [entry, url] of checkEntries(profile, resource, at, report))
      asked.set(entry, [...(asked.get(entry) ?? []), url]);
  }
  for (const { value, at: place } of inside(resource, at))
    if (isObject(value)) checkResource(value, place, asked.get(value) ?? [], report);
}

/** The profiles claimed, those asked for, and their parents; each once. */
function obeyed(resource: JsonObject, at: string, also: readonly string[], report: Report): Set<CompiledProfile> {
  const found = new Set<CompiledProfile>();
  const add = (url: string | undefined) => {
    for (let profile = profileAt(url ?? ''); profile !== undefined; profile = profileAt(profile.parent ?? ''))
      found.add(profile);
  };
  for (const { value, at: place } of follow([{ value: resource, at }], metaProfile)) {
    if (typeof value !== 'string') continue;
    const url = withoutVersion(value);
    const profile = profileAt(url);
    if (profile === undefined) {
      if (!url.startsWith(coreDefinitions))
        report.warnings.push(problem('profileUnknown', { expression: place, value }));
    } else if (profile.type !== resource['resourceType'])
      report.problems.push(
        problem('profileRuleBroken', { expression: place, value, detail: `it is a profile of ${profile.type}` }),
      );
    else add(url);
  }
  for (const address of also) add(withoutVersion(address));
  return found;
}

const metaProfile = stepsOf('meta.profile', {});
const places = ['contained', 'entry.resource', 'parameter.resource'].map((path) => stepsOf(path, {}));

/** The resources that stand in a resource; a FHIR document is kept as it came. */
function inside(resource: JsonObject, at: string): readonly Found[] {
  if (resource['resourceType'] === 'Bundle' && at !== 'Bundle') return [];
  return places.flatMap((steps) => follow([{ value: resource, at }], steps));
}

/** The resource in which an element stands, and the types of what it contains by their ids. */
type Root = { readonly resource: JsonObject; readonly contained: ReadonlyMap<string, string> };

function check(constraint: Compiled, from: Found, root: Root, report: Report): void {
  const { last, parents, count } = constraint;
  if (last === undefined) {
    checkOne(constraint, from, root, report);
    return;
  }
  for (const parent of follow([from], parents)) {
    const found = childrenOf(parent, last);
    if (count !== undefined) checkCount(constraint, count, parent, last, found, report);
    for (const one of found) checkOne(constraint, one, root, report);
  }
}

function checkCount(
  constraint: Compiled,
  { min, max }: { min: number; max: number },
  parent: Found,
  { name, choice }: Step,
  found: readonly Found[],
  report: Report,
): void {
  const isThere = found.length > 0 || (!choice && isObject(parent.value) && parent.value[`_${name}`] !== undefined);
  if (found.length < min && !(isThere && min === 1))
    tell(report, constraint, 'profileElementMissing', { expression: `${parent.at}.${name}` });
  else if (found.length > max)
    tell(report, constraint, 'profileElementForbidden', { expression: found[max]?.at ?? `${parent.at}.${name}` });
}

function checkOne(constraint: Compiled, { value, at }: Found, root: Root, report: Report): void {
  const { codes, value: fixed, starts, targets, contained, rule, says } = constraint;
  const shown = typeof value === 'string' ? { value } : {};
  if (codes !== undefined && !codingsIn(value).some((code) => isOneOf(code, constraint)))
    tell(report, constraint, 'profileCodeNotAllowed', {
      expression: at,
      ...shownCode(value),
      detail: codesOf(constraint),
    });
  if (fixed !== undefined && value !== fixed)
    tell(report, constraint, 'profileRuleBroken', { expression: at, ...shown, detail: `${fixed} is expected` });
  if (starts !== undefined && !(typeof value === 'string' && value.startsWith(starts)))
    tell(report, constraint, 'profileRuleBroken', { expression: at, ...shown, detail: `it begins with ${starts}` });
  if ((targets !== undefined || contained === true) && isObject(value)) {
    const wrong = wrongReference(value, constraint, root);
    if (wrong !== undefined) tell(report, constraint, 'profileRuleBroken', { expression: at, detail: wrong });
  }
  if (rule !== undefined && isObject(value) && !isObeyed(rule, value, root.resource))
    tell(report, constraint, 'profileRuleBroken', { expression: at, detail: `${rule}: ${says ?? ''}` });
}

function isOneOf(
  { code = '', system, display }: { readonly code?: string; readonly system?: string; readonly display?: string },
  constraint: Constraint,
): boolean {
  const { codes = [], system: of, display: shown } = constraint;
  // Guides have published their addresses under http too.
  const isOf = of === undefined || system === of || system?.replace(/^http:/, 'https:') === of;
  return isOf && codes.includes(code) && (shown === undefined || display === shown);
}

function shownCode(value: Json): Pick<About, 'value'> {
  const code = codingsIn(value)[0]?.code;
  return code === undefined ? {} : { value: code };
}

function codesOf({ codes = [], system, display }: Constraint): string {
  const named = display === undefined ? codes.join(', ') : `${codes.join(', ')} (${display})`;
  return `${named}${system === undefined ? '' : ` of ${system}`} is expected`;
}

function wrongReference(reference: JsonObject, { targets, contained }: Constraint, root: Root): string | undefined {
  const { reference: to } = reference;
  const local = typeof to === 'string' && to.startsWith('#') ? to.slice(1) : undefined;
  if (contained === true && local === undefined) return 'a contained resource is expected';
  const type = local === undefined ? namedType(reference) : root.contained.get(local);
  if (local !== undefined && type === undefined) return `there is no contained ${local}`;
  if (targets === undefined || type === undefined || targets.includes(type)) return undefined;
  return `it is a ${type}, and ${targets.join(', ')} is expected`;
}

function containedTypes({ contained }: JsonObject): ReadonlyMap<string, string> {
  const all = Array.isArray(contained) ? (contained as readonly Json[]).filter(isObject) : [];
  return new Map(all.flatMap((one) => (typeof one['id'] === 'string' ? [[one['id'], typeOf(one)]] : [])));
}

/** The type that a reference tells by its form or says; none for URNs. FHIR R4 references.html#literal. */
function namedType({ reference, type }: JsonObject): string | undefined {
  const literal = typeof reference === 'string' ? /^(?:https?:\/\/.*\/)?([A-Z][A-Za-z]+)[/?]/.exec(reference) : null;
  return literal?.[1] ?? (typeof type === 'string' ? nameOf(type) : undefined);
}

function typeOf({ resourceType }: JsonObject): string {
  return typeof resourceType === 'string' ? resourceType : 'Resource';
}

/** Counts the slices of entries; what each resource has to obey besides is answered. */
function checkEntries(
  profile: CompiledProfile,
  bundle: JsonObject,
  at: string,
  report: Report,
): [JsonObject, string][] {
  const { entries: slices, closed, guide, url } = profile;
  if (slices.length === 0) return [];
  const rule = `${guide}, ${nameOf(url)}`;
  const counts = new Map<string, number>();
  const obliged: [JsonObject, string][] = [];
  for (const { value, at: place } of childrenOf({ value: bundle, at }, entryStep)) {
    if (!isObject(value)) continue;
    const slice = slices.find((one) => isOfSlice(value, one));
    const { resource } = value;
    if (slice !== undefined) counts.set(slice.slice, (counts.get(slice.slice) ?? 0) + 1);
    else if (closed)
      report.problems.push(
        problem('profileElementForbidden', { expression: place, rule, detail: `${rule} has no such entry` }),
      );
    if (slice?.profile !== undefined && isObject(resource)) obliged.push([resource, slice.profile]);
    if (slice !== undefined && (counts.get(slice.slice) ?? 0) > cardinality(slice.card).max)
      report.problems.push(
        problem('profileElementForbidden', { expression: place, rule, detail: `${slice.card} ${slice.slice}` }),
      );
  }
  for (const { slice, card } of slices)
    if ((counts.get(slice) ?? 0) < cardinality(card).min)
      report.problems.push(
        problem('profileElementMissing', { expression: `${at}.entry`, rule, detail: `${card} ${slice}` }),
      );
  return obliged;
}

const entryStep: Step = { name: 'entry', choice: false, filters: [] };

function isOfSlice({ resource, request }: JsonObject, { resource: type, list, methods }: Entries): boolean {
  if (!isSaidToBe(type, resource)) return false;
  const method = isObject(request) ? request['method'] : undefined;
  if (methods !== undefined && !(typeof method === 'string' && methods.includes(method))) return false;
  return list === undefined || codingsIn(resource['code'] ?? '').some(({ code }) => code === list);
}

/** Names the constraint as the rule. */
function tell({ problems, warnings }: Report, constraint: Compiled, name: ProblemName, about: About): void {
  const { clause, card, xds, severity } = constraint;
  const asked = card === undefined ? clause : `${clause} ${card}`;
  const detail = about.detail === undefined ? {} : { detail: about.detail };
  const found = problem(name, { ...about, ...detail, rule: asked, ...(xds !== undefined && { attribute: xds }) });
  (severity === 'warning' ? warnings : problems).push(found);
}

import type { Json } from '../../server/fhir/json.ts';
import { childrenOf, codingsIn, type Step, stepsOf } from '../../server/fhir/profile/path.ts';
import {
  type Constraint,
  cardinality,
  type Entries,
  type Profile,
  profileTable,
} from '../../server/fhir/profile/table.ts';
import { type ElementShape, structureOf } from '../../server/fhir/structure.ts';

export type Draft = { [key: string]: Draft | Draft[] | string | number | boolean };

const profileOf = (url: string | undefined) => profileTable.find((profile) => profile.url === url);

/** The constraints of a profile, then those of its parents. */
export function constraintsOf(
  profile: Profile,
): readonly { readonly row: Constraint; readonly steps: readonly Step[] }[] {
  const parent = profileOf(profile.parent);
  const own = profile.constraints.map((row) => ({ row, steps: stepsOf(row.path, profile.extensions) }));
  return [...own, ...(parent === undefined ? [] : constraintsOf(parent))];
}

/** A resource that has every element which its profile speaks of, each as the profile wants it. */
export function sampleOf(profile: Profile): Draft {
  const resource: Draft = { resourceType: profile.type, meta: { profile: [profile.url] as unknown as Draft[] } };
  const forbidden = new Set(constraintsOf(profile).flatMap(({ row }) => (row.card === '0..0' ? [row.path] : [])));
  // What is said of the inside of a choice tells which type it has.
  const isChoice = (steps: readonly Step[]) => Number(steps.at(-1)?.choice ?? false);
  const sorted = constraintsOf(profile).toSorted(
    (a, b) => b.steps.length - a.steps.length || isChoice(a.steps) - isChoice(b.steps),
  );
  // Twice: an element of which there have to be two is made when its inside was looked at.
  const constraints = [...sorted, ...sorted];
  if (profile.type === 'AuditEvent') resource['source'] = { observer: { display: 'x' } };
  for (const { row, steps } of constraints) {
    if ([...forbidden].some((path) => row.path === path || row.path.startsWith(`${path}.`)) || steps.length === 0)
      continue;
    const parents = ensure(resource, profile.type, steps.slice(0, -1), steps.at(-1));
    const last = steps.at(-1);
    for (const { holder, type } of parents) {
      if (last === undefined) continue;
      const { key, shape } = keyOf(type, last, holder, row.targets === undefined ? undefined : toReference);
      const there = childrenOf({ value: holder, at: '' }, last).length;
      const least = Math.max(1, row.card === undefined ? 1 : cardinality(row.card).min);
      for (let count = there; count < least; count++) add(holder, key, shape, madeFor(shape, last, resource));
      const kinds = ['codes', 'value', 'starts', 'targets', 'contained'] as const;
      for (const kind of kinds) {
        if (row[kind] === undefined) continue;
        const named = !forbidden.has(`${row.path}.reference`);
        change(holder, last, (old) => wanted(row, shape, resource, old, named));
      }
    }
  }
  for (const entry of profile.entries) if (cardinality(entry.card).max > 0) addEntry(resource, entry);
  return resource;
}

function addEntry(bundle: Draft, { resource: type, list, methods, profile }: Entries): void {
  const asked = profileOf(profile);
  const resource: Draft = asked === undefined ? { resourceType: type } : sampleOf(asked);
  if (list !== undefined && asked === undefined) resource['code'] = { coding: [{ code: list }] };
  const entry: Draft = { fullUrl: 'urn:x', resource };
  if (methods?.[0] !== undefined) entry['request'] = { method: methods[0], url: type };
  bundle['entry'] = [
    ...((bundle['entry'] as Draft[] | undefined) ?? []).filter(({ resource: r }) => r !== undefined),
    entry,
  ];
}

/** Every element to which the steps lead; the first is made where there is none. */
export function ensure(
  root: Draft,
  rootType: string,
  steps: readonly Step[],
  after?: Step,
): { holder: Draft; type: string }[] {
  let found = [{ holder: root, type: rootType }];
  for (const [i, step] of steps.entries())
    found = found.flatMap(({ holder, type }) => {
      const { key, shape } = keyOf(type, step, holder, steps[i + 1] ?? after);
      if (childrenOf({ value: holder, at: '' }, step).length === 0) add(holder, key, shape, madeFor(shape, step, root));
      return childrenOf({ value: holder, at: '' }, step).map(({ value }) => ({
        holder: value as unknown as Draft,
        type: shape.type,
      }));
    });
  return found;
}

const toReference: Step = { name: 'reference', choice: false, filters: [] };

/** The name of an element, and what it is; of a choice the one that is there, or else one that has the next element. */
export function keyOf(
  type: string,
  { name, choice }: Step,
  holder: Draft,
  next?: Step,
): { key: string; shape: ElementShape } {
  const named = [...(structureOf(type)?.values() ?? [])].filter((one) => (choice ? one.choice : one.name) === name);
  const fitting = named.filter(
    (one) => next === undefined || (/^[A-Z]/.test(one.type) && structureOf(one.type)?.has(next.name) === true),
  );
  const shape = named.find((one) => choice && Object.hasOwn(holder, one.name)) ?? fitting[0] ?? named[0];
  if (shape === undefined) throw new Error(`${type} has no ${name}`);
  return { key: shape.name, shape };
}

function add(holder: Draft, key: string, shape: ElementShape, value: Draft | string | boolean | number): void {
  if (!shape.isList) holder[key] = value;
  else holder[key] = [...((holder[key] as Draft[] | undefined) ?? []), value as Draft];
}

/** Puts another value in the place of each child. */
export function change(holder: Draft, step: Step, to: (old: Json) => Draft | string | boolean | number): void {
  const matched = new Set(childrenOf({ value: holder, at: '' }, step).map(({ value }) => value));
  for (const [key, value] of Object.entries(holder)) {
    const isNamed = step.choice ? key.startsWith(step.name) : key === step.name;
    if (!isNamed) continue;
    const put = (one: Json) => (matched.has(one) ? to(one) : one) as Draft;
    holder[key] = Array.isArray(value) ? (value as Json[]).map(put) : put(value);
  }
}

const primitives: Readonly<Record<string, string | boolean | number>> = {
  boolean: true,
  integer: 1,
  unsignedInt: 1,
  positiveInt: 1,
  decimal: 1,
  date: '2026-07-01',
  dateTime: '2026-07-01',
  instant: '2026-07-01T08:00:00Z',
  base64Binary: 'AAAA',
};

function madeFor({ type }: ElementShape, { filters }: Step, resource: Draft): Draft | string | boolean | number {
  const simple = structureOf(type);
  if (simple === undefined || /^[a-z]/.test(type)) return primitives[type] ?? 'x';
  if (type === 'Resource') return { resourceType: 'Patient', id: 'x' };
  if (type === 'Reference') return { display: 'x' };
  if (type === 'HumanName') return withFilters({ family: 'x' }, type, filters);
  if (type === 'Extension') return withFilters({ url: 'urn:x' }, type, filters);
  return withFilters({}, type, filters, resource);
}

function withFilters(value: Draft, type: string, filters: Step['filters'], _resource?: Draft): Draft {
  for (const { keys, values } of filters) {
    let holder = value;
    let of = type;
    for (const [i, key] of keys.entries()) {
      const shape = structureOf(of)?.get(key);
      const code = values[0] ?? '';
      if (i < keys.length - 1) {
        const inner: Draft = {};
        holder[key] = inner;
        holder = inner;
        of = shape?.type ?? '';
      } else holder[key] = coded(shape?.type ?? 'code', { code });
    }
  }
  return value;
}

function coded(type: string, coding: Draft): Draft | string {
  if (type === 'Coding') return coding;
  const { code } = coding;
  return type === 'CodeableConcept' || typeof code !== 'string' ? { coding: [coding] } : code;
}

function wanted(
  row: Constraint,
  { type }: ElementShape,
  resource: Draft,
  old: Json,
  named: boolean,
): Draft | string | boolean {
  const { codes, system, display, value, starts, targets, contained } = row;
  const isRight = codingsIn(old).some(
    (one) =>
      codes?.includes(one.code ?? '') === true &&
      (system === undefined || one.system === system) &&
      (display === undefined || one.display === display),
  );
  const begins = starts !== undefined && typeof old === 'string' && old.startsWith(starts);
  if (isRight || begins) return old as unknown as Draft;
  if (codes !== undefined)
    return coded(type, {
      code: codes[0] ?? '',
      ...(system !== undefined && { system }),
      ...(display !== undefined && { display }),
    });
  if (value !== undefined) return value;
  if (starts !== undefined) return `${starts}1`;
  const [target = 'Patient'] = targets ?? [];
  if (typeof old === 'object' && old !== null && 'reference' in old) return old as unknown as Draft;
  if (!named) return { ...(old as object), type: target };
  if (contained !== true) return { ...(old as object), reference: `${target}/1` };
  const id = `c${((resource['contained'] as Draft[] | undefined) ?? []).length}`;
  resource['contained'] = [...((resource['contained'] as Draft[] | undefined) ?? []), { resourceType: target, id }];
  return { ...(old as object), reference: `#${id}` };
}

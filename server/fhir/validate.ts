import type { Problem, ProblemName } from '../domain/error.ts';
import { invariantProblems } from './base/invariants.ts';
import type { Json } from './json.ts';
import { type Checked, checkProfiles } from './profile/check.ts';
import { isObject } from './profile/path.ts';
import { shapeProblems } from './read/shape.ts';

export type Validated = Checked & {
  /** Its structure is that of FHIR: what it says can be read. */
  readonly isSound: boolean;
};

/**
 * Everything that is wrong with a resource before what it says is judged: the structure that is taken here, the rules of FHIR R4, and the
 * profiles that it claims or is asked to obey. Rules of FHIR are looked at when the structure is sound. FHIR R4 validation.html.
 * @param type what it is to be
 * @param also addresses of profiles
 */
export function validate(resource: Json, type: string, also: readonly string[] = []): Validated {
  const structure = shapeProblems(resource, type);
  const isOfType = isObject(resource) && resource['resourceType'] === type;
  const { problems, warnings } = isOfType ? checkProfiles(resource, also) : { problems: [], warnings: [] };
  const isSound = structure.length === 0;
  const rules = isSound && isOfType ? invariantProblems(resource) : [];
  return { isSound, problems: withoutRepeats([...structure, ...rules, ...problems]), warnings };
}

const ofProfiles: ReadonlySet<ProblemName> = new Set([
  'profileElementMissing',
  'profileElementForbidden',
  'profileCodeNotAllowed',
  'profileRuleBroken',
  'invariantBroken',
]);

const isPlain = (name: ProblemName) => name === 'profileElementMissing' || name === 'invariantBroken';

/** Faults that are told without their place, or with another. */
const toldBy: ReadonlyMap<ProblemName, string> = new Map([
  ['submissionSetCount', 'Bundle.entry'],
  ['documentMissing', '.attachment.data'],
  ['duplicateId', 'Bundle'],
]);

/** A fault that is told by what is asked of the content is not told again by a profile. */
export function withoutRepeats(problems: readonly Problem[]): readonly Problem[] {
  const told = new Map<string, Problem[]>();
  for (const one of problems)
    if (!ofProfiles.has(one.name)) {
      const key = one.about.expression ?? '';
      told.set(key, [...(told.get(key) ?? []), one]);
    }
  const elsewhere = problems.flatMap(({ name }) => toldBy.get(name) ?? []);
  return problems.filter(({ name, about: { expression = '', attribute } }) => {
    if (!ofProfiles.has(name)) return true;
    if (isPlain(name) && elsewhere.some((end) => expression.endsWith(end))) return false;
    const same = told.get(expression.replace(/\[\d+\]$/, '')) ?? told.get(expression) ?? [];
    return !same.some((one) => attribute === undefined || attribute === one.about.attribute);
  });
}

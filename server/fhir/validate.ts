import type { Problem, ProblemName } from '../domain/error.ts';
import { invariantProblems } from './invariants.ts';
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
export async function validate(resource: Json, type: string, also: readonly string[] = []): Promise<Validated> {
  const structure = shapeProblems(resource, type);
  const { problems, warnings } = checkProfiles(resource, also);
  const isSound = structure.length === 0;
  const rules = isSound && isObject(resource) ? await invariantProblems(resource) : [];
  return { isSound, problems: withoutRepeats([...structure, ...rules, ...problems]), warnings };
}

const ofProfiles: ReadonlySet<ProblemName> = new Set([
  'profileElementMissing',
  'profileElementForbidden',
  'profileCodeNotAllowed',
  'profileRuleBroken',
  'invariantBroken',
]);

/** A fault that is told by what is asked of the content is not told again by a profile. */
export function withoutRepeats(problems: readonly Problem[]): readonly Problem[] {
  const told = new Map<string, Problem[]>();
  for (const one of problems)
    if (!ofProfiles.has(one.name)) {
      const key = one.about.expression ?? '';
      told.set(key, [...(told.get(key) ?? []), one]);
    }
  const countsSets = problems.some(({ name }) => name === 'submissionSetCount');
  return problems.filter(({ name, about: { expression = '', attribute } }) => {
    if (!ofProfiles.has(name)) return true;
    if (countsSets && name === 'profileElementMissing' && expression === 'Bundle.entry') return false;
    const same = told.get(expression.replace(/\[\d+\]$/, '')) ?? told.get(expression) ?? [];
    return !same.some((one) => attribute === undefined || attribute === one.about.attribute);
  });
}

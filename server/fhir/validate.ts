import { type Problem, type ProblemName, Refused } from '../domain/error.ts';
import { invariantProblems } from './base/invariants.ts';
import { isSaidToBe, type Json } from './json.ts';
import { type Checked, checkProfiles } from './profile/check.ts';
import { type ResourceOf, type ResourceType, shapeOf } from './read/shape.ts';

type Validated<T extends ResourceType> = Checked & {
  /** What was sent, typed as what it is, where its structure is that of FHIR: what it says can be read though it may break rules. */
  readonly resource: ResourceOf<T> | undefined;
};

/**
 * Everything that is wrong with a resource before what it says is judged: the structure that is taken here, the rules of FHIR R4, and the
 * profiles that it claims or is asked to obey. Rules of FHIR are looked at when the structure is sound. FHIR R4 validation.html.
 * @param type what it is to be
 * @param also addresses of profiles
 */
export function validate<T extends ResourceType>(sent: Json, type: T, also: readonly string[] = []): Validated<T> {
  const { resource, problems: structure } = shapeOf(sent, type);
  const isOfType = isSaidToBe(type, sent);
  const { problems, warnings } = isOfType ? checkProfiles(sent, also) : { problems: [], warnings: [] };
  const rules = resource !== undefined && isOfType ? invariantProblems(sent) : [];
  return { resource, problems: withoutRepeats([...structure, ...rules, ...problems]), warnings };
}

/** The resource in which `validate` finds nothing wrong. @throws Refused with everything that is wrong with it */
export function valid<T extends ResourceType>(sent: Json, type: T): ResourceOf<T> {
  const { resource, problems } = validate(sent, type);
  if (resource === undefined || problems.length > 0) throw new Refused(problems);
  return resource;
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

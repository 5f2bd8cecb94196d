import { invariants } from '../server/fhir/base/rules.ts';
import { type Constraint, nameOf, type Profile, profileTable } from '../server/fhir/profile/table.ts';

/** The page docs/fhir-profiles.md: what is checked of which profile, from the tables by which it is checked. */
export function profilesPage(): string {
  const guides = [...new Set(profileTable.map(({ guide }) => guide))];
  return `# What resources are checked against

A resource is checked for its structure, for the rules of FHIR R4 among elements, and for every profile that it claims in \`meta.profile\`, with or
without \`|version\`; entries of a Bundle also for the profile that the Bundle asks of them. All faults come in one answer, each with its
\`expression\`, the clause and what to do. A profile that is not listed here is no fault: \`$validate\` says that it is not known.
A deposit (ITI-65) with such a fault is 400, a single resource 422. A row that says *warning* refuses nothing.
(Written from the code by \`npm run docs\`.)

Elements are written as paths: \`agent[type=110153]\` is every agent of that type, \`extension(sourceId)\` an extension by name, \`value[x]\` a
choice of types. A profile has the rows of its parent too.

${guides.map(guideOf).join('\n\n')}

## Rules of FHIR R4

| Where | Key | Asked for |
| --- | --- | --- |
${Object.entries(invariants)
  .flatMap(([at, rules]) => rules.map(({ key, says }) => `| ${at} | \`${key}\` | ${says} |`))
  .join('\n')}`;
}

function guideOf(guide: string): string {
  const profiles = profileTable.filter((profile) => profile.guide === guide);
  const named = new Map(profiles.flatMap(({ extensions }) => Object.entries(extensions)));
  const extensions = [...named].map(([name, url]) => `- ${name}: \`${url}\``);
  return [`## ${guide}`, ...(extensions.length === 0 ? [] : [extensions.join('\n')]), ...profiles.map(profileOf)].join(
    '\n\n',
  );
}

function profileOf({ url, type, parent, closed, entries, constraints }: Profile): string {
  const parents = parent === undefined ? '' : ` Parent: ${nameOf(parent)}.`;
  const slices = entries.map(({ slice, resource, list, methods, card, profile }) => {
    const kind = list === undefined ? resource : `${resource} (${list})`;
    const asked = profile === undefined ? '' : `; ${nameOf(profile)}`;
    return `| entry: ${slice} | ${card} | ${kind}${methods === undefined ? '' : ` by ${methods.join(', ')}`}${asked} |`;
  });
  const rows = constraints.map(
    (row) => `| ${row.path === '' ? type : row.path} | ${row.card ?? ''} | ${askedOf(row)} |`,
  );
  const others = closed ? ['| entry: any other | 0..0 | |'] : [];
  return `### ${nameOf(url)}\n\n\`${url}\` on ${type}.${parents}\n\n| Element | Number | Asked for |\n| --- | --- | --- |\n${[...slices, ...others, ...rows].join('\n')}`;
}

function askedOf({
  codes,
  system,
  display,
  value,
  starts,
  targets,
  contained,
  rule,
  says,
  severity,
}: Constraint): string {
  const named = codes?.map((code) => `\`${code}\``).join(', ');
  return [
    ...(named === undefined
      ? []
      : [`${named}${display === undefined ? '' : ` (${display})`}${system === undefined ? '' : ` of ${system}`}`]),
    ...(value === undefined ? [] : [`\`${value}\``]),
    ...(starts === undefined ? [] : [`begins with \`${starts}\``]),
    ...(targets === undefined ? [] : [`reference to ${targets.join(', ')}`]),
    ...(contained === true ? ['contained'] : []),
    ...(rule === undefined ? [] : [`\`${rule}\`: ${says ?? ''}`]),
    ...(severity === undefined ? [] : ['*warning*']),
  ].join('; ');
}

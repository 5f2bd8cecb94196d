import { type EntryDraft, type Submission, visibilityCodes, visibilitySystem } from '../document.ts';
import { type Problem, problem } from '../error.ts';

/** HL7 v3 Confidentiality. */
const confidentialitySystem = '2.16.840.1.113883.5.25';

/** JDV_J58 by code system. */
const valueSet = new Map<string, readonly string[]>([
  [confidentialitySystem, ['N', 'R', 'V']],
  [visibilitySystem, visibilityCodes],
]);

/**
 * The confidentiality code N of HL7 (R and V are in the value set and not used), and any visibility codes of TRE_A07. Any other is refused: a
 * document that was meant to be hidden is never shown by mistake. CI-SIS value set JDV_J58.
 */
export function confidentiality({ entries }: Submission): Problem[] {
  return entries.flatMap((entry) => [...oneOfHl7(entry), ...onlyKnown(entry)]);
}

function oneOfHl7({ id, confidentialityCodes = [] }: EntryDraft): Problem[] {
  const found = confidentialityCodes.filter(({ system }) => system === confidentialitySystem).map(({ code }) => code);
  const about = { attribute: 'confidentialityCode', object: id };
  const restricted = found
    .filter((code) => code === 'R' || code === 'V')
    .map((value) => problem('visibilityNotAllowed', { ...about, value, detail: 'R and V are not used here' }));
  if (confidentialityCodes.length === 0 || found.length === 1) return restricted;
  const detail = `one code of ${confidentialitySystem} is asked for`;
  if (found.length === 0) return [problem('attributeMissing', { ...about, detail })];
  return [problem('attributesContradict', { ...about, value: found.join(', '), detail }), ...restricted];
}

function onlyKnown({ id, confidentialityCodes = [] }: EntryDraft): Problem[] {
  return confidentialityCodes
    .filter(({ code, system }) => valueSet.get(system)?.includes(code) !== true)
    .map(({ code, system }) =>
      problem('codeNotAllowed', { attribute: 'confidentialityCode', object: id, value: `${code}^^${system}` }),
    );
}

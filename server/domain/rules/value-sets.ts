import { type AffinityDomain, type CodedAttribute, holdsCode, type ValueSet } from '../affinity-domain.ts';
import type { Code } from '../code.ts';
import type { EntryDraft, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { Author } from '../people.ts';
import type { MessageFacts } from './facts.ts';

type Coded = readonly [attribute: CodedAttribute, object: string, codes: readonly (Code | undefined)[] | undefined];

/**
 * Codes are among those that the domain prescribes, by code and scheme. IHE ITI TF-3 4.2.3.1.2; the DMP's value sets are those of CI-SIS
 * (JDV_J57 to JDV_J66). Roles of authors and types of reference ids are among those that it prescribes too: a role is a display name of its
 * list, or a code.
 */
export function valueSets({ sets, entries, folders }: Submission, { domain }: MessageFacts): Problem[] {
  const coded: Coded[] = [
    ...sets.flatMap(({ id, contentTypeCode, authors }): Coded[] => [
      ['contentTypeCode', id, [contentTypeCode]],
      ['authorSpecialty', id, specialtiesOf(authors)],
      ['authorRole', id, rolesOf(authors, domain.valueSets.authorRole)],
    ]),
    ...entries.flatMap((entry) => codesOfEntry(entry, domain.valueSets)),
    ...folders.map(({ id, codes }): Coded => ['codeList', id, codes]),
  ];
  return coded.flatMap(([attribute, object, codes = []]) => {
    const set = domain.valueSets[attribute];
    if (set === undefined) return [];
    return codes
      .filter((code) => code !== undefined && !holdsCode(set, code))
      .map((code) =>
        problem('codeNotAllowed', {
          attribute,
          object,
          value: `${code?.code}^^${code?.system}`,
          detail: `not in ${set.name}`,
        }),
      );
  });
}

function codesOfEntry(entry: EntryDraft, { authorRole, referenceIdList }: AffinityDomain['valueSets']): Coded[] {
  return [
    ['classCode', entry.id, [entry.classCode]],
    ['typeCode', entry.id, [entry.typeCode]],
    ['formatCode', entry.id, [entry.formatCode]],
    ['healthcareFacilityTypeCode', entry.id, [entry.healthcareFacilityTypeCode]],
    ['practiceSettingCode', entry.id, [entry.practiceSettingCode]],
    ['confidentialityCode', entry.id, entry.confidentialityCodes],
    ['eventCodeList', entry.id, entry.eventCodes],
    ['authorSpecialty', entry.id, specialtiesOf(entry.authors)],
    ['authorRole', entry.id, rolesOf(entry.authors, authorRole)],
    ['referenceIdList', entry.id, entry.referenceIds?.map(({ type }) => typeOf(type, referenceIdList))],
  ];
}

/** Roles as CI-SIS writes them, the display name of a code; or the code itself, `code^display^oid` or `code^^^&oid&ISO`. */
function rolesOf(authors: readonly Author[] = [], set: ValueSet | undefined): Code[] {
  return authors.flatMap(({ roles }) =>
    roles.map((text) => {
      const [code = '', , third = '', fourth = ''] = text.split('^');
      const named = set?.codes.find(({ display }) => display === text);
      return named ?? { code, system: third === '' ? (fourth.split('&')[1] ?? '') : third };
    }),
  );
}

/** The type of a reference id is a URN, whose code system no message names. */
function typeOf(type: string, set: ValueSet | undefined): Code {
  return set?.codes.find(({ code }) => code === type) ?? { code: type, system: '' };
}

/** Specialties as CI-SIS writes them, `code^display^oid`; a plain text is a code without scheme. */
function specialtiesOf(authors: readonly Author[] = []): Code[] {
  return authors.flatMap(({ specialties }) =>
    specialties.map((text) => {
      const [code = '', , system = ''] = text.split('^');
      return { code, system };
    }),
  );
}

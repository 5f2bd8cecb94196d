import type { Code } from '../code.ts';
import type { EntryDraft, FolderDraft, SetDraft, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { isOid, isUuid } from '../identifier.ts';
import { isDtm } from '../time.ts';
import { nameOf } from './facts.ts';

/** What a value has to look like, and that in words. */
type Form = { readonly isLegal: (value: string) => boolean; readonly words: string };
type Format = readonly [attribute: string, value: string | undefined, form: Form];

const form = (words: string, isLegal: Form['isLegal']): Form => ({ isLegal, words });
const matches = (words: string, pattern: RegExp) => form(words, (text) => pattern.test(text));
const atMost = (length: number) =>
  form(`1 to ${length} characters`, (text) => text.length > 0 && text.length <= length);

/** The longest text of a rim:LocalizedString, so that what is returned is valid; comments may be longer. ebRIM 3.0 (FreeFormText); IHE ITI TF-3 4.2.3.1.1. */
const LONGEST_NAME = 1024;

const printable = matches('1 to 128 printable characters of ASCII without blanks', /^[\x21-\x7e]{1,128}$/);
const sha1 = matches('the 40 hexadecimal digits of a SHA-1', /^[0-9a-fA-F]{40}$/);
const languageTag = matches('a language tag such as fr-FR', /^[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*$/);
const mediaType = matches(
  'one media type such as text/xml',
  /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(\s*;\s*[\w.-]+=("[^"\\\p{Cc}]*"|[\w.:+-]+))*$/u,
);
const uri = matches('a URI without blanks', /^[^\s\p{Cc}]{1,2048}$/u);
const dtm = form('a real date and time YYYY[MM[DD[hh[mm[ss]]]]] in UTC, without zone and fractions', isDtm);
const second = form('YYYYMMDDhhmmss in UTC', (text) => text.length === 14 && isDtm(text));
const oid = form('an OID of at most 64 characters, without leading zeros', isOid);
const oidUrn = form('urn:oid: and an OID', (text) => text.startsWith('urn:oid:') && isOid(text.slice(8)));
const count = form('a whole number of bytes', (text) => /^\d+$/.test(text) && Number.isSafeInteger(Number(text)));
const uuidOr = (own: string) => form('urn:uuid: and a UUID', (id) => isUuid(id) || id === nameOf(own));

/** Values have the form of their data type. IHE ITI TF-3 table 4.2.3.1.7-2, 4.2.3.2 to 4.2.3.4. */
export function attributeFormats({ sets, entries, folders, associations }: Submission): Problem[] {
  return [
    ...sets.flatMap((set) => [...malformed(set.id, formatsOfSet(set)), ...malformedCodes(set.id, codesOfSet(set))]),
    ...entries.flatMap((entry) => [
      ...malformed(entry.id, formatsOfEntry(entry)),
      ...malformedCodes(entry.id, codesOfEntry(entry)),
      ...repeatedPidLines(entry),
    ]),
    ...folders.flatMap((folder) => [
      ...malformed(folder.id, formatsOfFolder(folder)),
      ...malformedCodes(folder.id, [['codeList', folder.codes]]),
    ]),
    ...associations.flatMap(({ id, documentation }) =>
      malformedCodes(id, [['associationDocumentation', [documentation]]]),
    ),
  ];
}

function formatsOfEntry(entry: EntryDraft): Format[] {
  return [
    ['uniqueId', entry.uniqueId, printable],
    ['logicalID', entry.logicalID, uuidOr(entry.id)],
    ['creationTime', entry.creationTime, dtm],
    ['serviceStartTime', entry.serviceStartTime, dtm],
    ['serviceStopTime', entry.serviceStopTime, dtm],
    ['hash', entry.hash, sha1],
    ['size', entry.size?.toString(), count],
    ['languageCode', entry.languageCode, languageTag],
    ['mimeType', entry.mimeType, mediaType],
    ['repositoryUniqueId', entry.repositoryUniqueId, oid],
    ['homeCommunityId', entry.homeCommunityId, oidUrn],
    ['URI', entry.uri, uri],
    ['title', entry.title?.value, atMost(128)],
    ...languagesOf(entry),
  ];
}

function formatsOfSet(set: SetDraft): Format[] {
  return [
    ['uniqueId', set.uniqueId, oid],
    ['sourceId', set.sourceId, oid],
    ['submissionTime', set.submissionTime, dtm],
    ['title', set.title?.value, atMost(LONGEST_NAME)],
    ['homeCommunityId', set.homeCommunityId, oidUrn],
    ...languagesOf(set),
  ];
}

function formatsOfFolder(folder: FolderDraft): Format[] {
  return [
    ['uniqueId', folder.uniqueId, oid],
    ['logicalID', folder.logicalID, uuidOr(folder.id)],
    ['lastUpdateTime', folder.lastUpdateTime, second],
    ['homeCommunityId', folder.homeCommunityId, oidUrn],
    ['title', folder.title?.value, atMost(256)],
    ...languagesOf(folder),
  ];
}

/** The xml:lang of what is written for people. XML 1.0 §2.12. */
function languagesOf({ title, comments }: Pick<EntryDraft, 'title' | 'comments'>): Format[] {
  return [
    ['xml:lang of title', title?.language, languageTag],
    ['xml:lang of comments', comments?.language, languageTag],
  ];
}

function malformed(object: string, formats: readonly Format[]): Problem[] {
  return formats.flatMap(([attribute, value, { isLegal, words }]) =>
    value === undefined || isLegal(value)
      ? []
      : [problem('attributeMalformed', { attribute, object, value, detail: `it has to be ${words}` })],
  );
}

type Coded = readonly [attribute: string, codes: readonly (Code | undefined)[] | undefined];

function codesOfEntry(entry: EntryDraft): Coded[] {
  return [
    ['classCode', [entry.classCode]],
    ['typeCode', [entry.typeCode]],
    ['formatCode', [entry.formatCode]],
    ['healthcareFacilityTypeCode', [entry.healthcareFacilityTypeCode]],
    ['practiceSettingCode', [entry.practiceSettingCode]],
    ['confidentialityCode', entry.confidentialityCodes],
    ['eventCodeList', entry.eventCodes],
  ];
}

function codesOfSet(set: SetDraft): Coded[] {
  return [['contentTypeCode', [set.contentTypeCode]]];
}

/** A code without its scheme names nothing; its display name is a LocalizedString. IHE ITI TF-3 4.2.3.1.2. */
function malformedCodes(object: string, coded: readonly Coded[]): Problem[] {
  return coded.flatMap(([attribute, codes = []]) =>
    codes
      .filter((code) => code !== undefined)
      .flatMap(({ code, system, display = '' }) => [
        ...(code === '' || system === ''
          ? [malformedCode(attribute, object, `${code}^^${system}`, 'half a code')]
          : []),
        ...(display.length > LONGEST_NAME ? [malformedCode(attribute, object, display, tooLongName)] : []),
      ]),
  );
}

const tooLongName = `a display name of more than ${LONGEST_NAME} characters`;

function malformedCode(attribute: string, object: string, value: string, detail: string): Problem {
  return problem('attributeMalformed', { attribute, object, value, detail });
}

/** PID-7 and PID-8 are there at most once. IHE ITI TF-3 4.2.3.2.23. */
function repeatedPidLines({ id, sourcePatientInfo = [] }: EntryDraft): Problem[] {
  return [7, 8]
    .filter((field) => sourcePatientInfo.filter((line) => line.field === field).length > 1)
    .map((field) => problem('attributeRepeated', { attribute: `PID-${field} in sourcePatientInfo`, object: id }));
}

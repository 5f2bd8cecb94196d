import { type Problem, problem } from '../../domain/error.ts';
import type { CodeMatch, DocumentFilter, FolderFilter, SetFilter, WatchFilter } from '../../store/port.ts';
import type { PatientRef } from '../../usecases/query.ts';
import { statusesShownAs } from '../document-status.ts';
import { uniqueIdOf } from '../map/code.ts';
import { alternatives, readCode, readIdentifier, readToken } from '../search-values.ts';
import type { Topic } from '../subscription-topics.ts';
import { mhdListTypes, uris } from '../vocabulary.ts';

/** What a filter says: whose, and which of them. */
export type Filtered = { readonly patient?: PatientRef; readonly filter: WatchFilter };

type Draft = {
  patient?: PatientRef;
  families?: readonly string[];
  givens?: readonly string[];
  documents: { -readonly [K in keyof DocumentFilter]: DocumentFilter[K] };
  sets: { -readonly [K in keyof SetFilter]: SetFilter[K] };
  folders: { -readonly [K in keyof FolderFilter]: FolderFilter[K] };
};

/** Reads one parameter; answers what is wrong. */
type Read = (value: string, draft: Draft, base: string) => string | undefined;

const once = 'it is expected once';

function codes(value: string): readonly CodeMatch[] | undefined {
  const list = alternatives(value).map(readCode);
  const known = list.filter((code) => code !== undefined);
  return known.length === list.length ? known : undefined;
}

function single(
  key: 'classCodes' | 'typeCodes' | 'formatCodes' | 'practiceSettingCodes' | 'healthcareFacilityTypeCodes',
): Read {
  return (value, { documents }) => {
    const list = codes(value);
    if (list === undefined) return 'code or system|code is expected';
    if (documents[key] !== undefined) return once;
    documents[key] = list;
    return undefined;
  };
}

function several(key: 'eventCodes' | 'confidentialityCodes'): Read {
  return (value, { documents }) => {
    const list = codes(value);
    if (list === undefined) return 'code or system|code is expected';
    documents[key] = [...(documents[key] ?? []), list];
    return undefined;
  };
}

function name(part: 'families' | 'givens'): Read {
  return (value, draft) => {
    const names = alternatives(value).map((text) => readToken(text).code.trim());
    if (names.includes('') || draft[part] !== undefined) return 'one name is expected';
    draft[part] = names;
    return undefined;
  };
}

function named(draft: Draft, patient: PatientRef): string | undefined {
  if (draft.patient !== undefined && JSON.stringify(draft.patient) !== JSON.stringify(patient))
    return 'another parameter names another patient';
  draft.patient = patient;
  return undefined;
}

const whose: Readonly<Record<string, Read>> = {
  patient(value, draft, base) {
    const local = value.startsWith(`${base}/`) ? value.slice(base.length + 1) : value;
    const id = /^(?:Patient\/)?([A-Za-z0-9.-]{1,64})$/.exec(local)?.[1];
    return id === undefined ? 'Patient/<id> is expected' : named(draft, { record: id });
  },
  'patient.identifier'(value, draft) {
    const identifier = readIdentifier(value);
    return identifier === undefined ? 'urn:oid:<OID>|<value> of one patient is expected' : named(draft, identifier);
  },
};

const ofDocuments: Readonly<Record<string, Read>> = {
  type: single('typeCodes'),
  category: single('classCodes'),
  format: single('formatCodes'),
  setting: single('practiceSettingCodes'),
  facility: single('healthcareFacilityTypeCodes'),
  event: several('eventCodes'),
  'security-label': several('confidentialityCodes'),
  'author.family': name('families'),
  'author.given': name('givens'),
  status(value, { documents }) {
    const found = alternatives(value).map((text) => statusesShownAs.get(readToken(text).code));
    if (found.includes(undefined)) return 'current, superseded or entered-in-error is expected';
    if (documents.statuses !== undefined) return once;
    documents.statuses = found.flatMap((some) => some ?? []);
    return undefined;
  },
};

function listCode(wanted: string): Read {
  return (value) => {
    const { system = mhdListTypes, code } = readToken(value);
    const isSo = system.replace(/^http:/, 'https:') === mhdListTypes && code === wanted;
    return isSo ? undefined : `${wanted} is expected, as the topic says`;
  };
}

const ofSets: Readonly<Record<string, Read>> = {
  code: listCode('submissionset'),
  sourceId(value, { sets }) {
    if (sets.sourceIds !== undefined) return once;
    sets.sourceIds = alternatives(value).map((text) => readToken(text).code.replace(/^urn:oid:/, ''));
    return undefined;
  },
};

const ofFolders: Readonly<Record<string, Read>> = {
  code: listCode('folder'),
  designationType(value, { folders }) {
    const list = codes(value);
    if (list === undefined) return 'code or system|code is expected';
    folders.codes = [...(folders.codes ?? []), list];
    return undefined;
  },
  identifier(value, { folders }) {
    const [token, ...more] = alternatives(value).map(readToken);
    if (token === undefined || token.code === '' || more.length > 0) return 'one system|value is expected';
    const isUuid = (token.system ?? uris) === uris && token.code.startsWith('urn:uuid:');
    if (isUuid) folders.entryUUIDs = [token.code.toLowerCase()];
    else folders.uniqueIds = [uniqueIdOf(token.system, token.code)];
    return undefined;
  },
  status(value, { folders }) {
    const found = alternatives(value).map((text) => readToken(text).code);
    if (found.some((one) => one !== 'current' && one !== 'retired')) return 'current or retired is expected';
    if (folders.statuses !== undefined) return once;
    folders.statuses = found.map((one) => (one === 'current' ? 'approved' : 'deprecated'));
    return undefined;
  },
};

const readers = { document: ofDocuments, submissionSet: ofSets, folder: ofFolders };
const fields = { document: 'documents', submissionSet: 'sets', folder: 'folders' } as const;

/** Longest text of one filter. */
const longest = 2000;

/**
 * What the filters of a topic say; all of them hold together.
 * @param texts `DocumentReference?patient=Patient/1&type=57832-8`
 * @param base the public address of this face
 */
export function filterIn(
  texts: readonly string[],
  topic: Topic,
  base: string,
): Filtered & { readonly problems: readonly Problem[] } {
  const draft: Draft = { documents: {}, sets: {}, folders: {} };
  const problems: Problem[] = [];
  const at = 'Subscription.criteria.extension';
  const wrong = (expression: string, value: string, detail: string) =>
    problems.push(problem('subscriptionNotHonoured', { expression, value, detail }));
  const { object, across } = topic.interest;
  const table: Readonly<Record<string, Read>> = { ...readers[object], ...whose };
  texts.forEach((text, i) => {
    const expression = `${at}[${i}].value`;
    const [type = '', ...rest] = text.split('?');
    if (text.length > longest) wrong(expression, text, `${longest} characters are the most`);
    else if (type !== topic.resource) wrong(expression, text, `${topic.resource}?… is expected`);
    else
      for (const [parameter, value] of new URLSearchParams(rest.join('?'))) {
        const read = topic.filters.includes(parameter) ? table[parameter] : undefined;
        const detail =
          read === undefined ? `the topic can be filtered by ${topic.filters.join(', ')}` : read(value, draft, base);
        if (detail !== undefined) wrong(expression, `${parameter}=${value}`, detail);
      }
  });
  if (!across && draft.patient === undefined && problems.length === 0)
    problems.push(
      problem('subscriptionNotHonoured', {
        expression: at,
        detail: 'the topic concerns one patient: patient or patient.identifier is expected among the filters',
      }),
    );
  const persons = personPatterns(draft);
  const chosen = { ...draft[fields[object]], ...(persons.length > 0 && { authorPersons: persons }) };
  const filter: WatchFilter = Object.keys(chosen).length === 0 ? {} : { [fields[object]]: chosen };
  return { filter, problems, ...(draft.patient && { patient: draft.patient }) };
}

/**
 * Patterns against the XCN text: family name in component 2, given name in component 3, in the usual ways of writing a name.
 * IHE ITI TF-2 3.18.4.1.2.3.7.1.
 */
function personPatterns({ families, givens }: Draft): string[] {
  if (families === undefined && givens === undefined) return [];
  const starts = (names: readonly string[] | undefined) => names?.flatMap(writings).map((text) => `^${text}%`) ?? [''];
  return starts(families).flatMap((family) =>
    starts(givens).map((given) => (family === '' ? `%^%${given}` : `%${family}${given}`)),
  );
}

function writings(text: string): string[] {
  const plain = text.replace(/[%^]/g, '_');
  const capitalised = plain.charAt(0).toUpperCase() + plain.slice(1).toLowerCase();
  return [...new Set([plain, plain.toUpperCase(), plain.toLowerCase(), capitalised])];
}

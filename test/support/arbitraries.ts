import fc from 'fast-check';
import type { Code } from '../../server/domain/code.ts';
import {
  type Association,
  associationTypes,
  type DocumentEntry,
  type Folder,
  type LocalizedText,
  type Slot,
  type SubmissionSet,
} from '../../server/domain/document.ts';
import type { Cx, Cxi } from '../../server/domain/identifier.ts';
import type { Author, PidLine, Recipient, Xcn, Xon, Xtn } from '../../server/domain/people.ts';
import { dtmOf } from '../../server/domain/time.ts';

/** Text of people: letters with accents, marks that XML and HL7 v2 treat specially, no white space at the ends. */
export const text = (maxLength = 24): fc.Arbitrary<string> =>
  fc
    .string({
      unit: fc.constantFrom(...'abcXYZ019 éèçŒ-.\'"<>&|^~\\;,%_/É漢', '😀'),
      minLength: 1,
      maxLength,
    })
    .map((s) => s.trim())
    .filter((s) => s !== '');

/** Any text that XML can carry, white space and line ends included. */
export const anyText: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom(...'aé <>&"\'\r\n\t', '😀'),
  maxLength: 30,
});

const word = fc.string({ unit: fc.constantFrom(...'ABCdef012-_.'), minLength: 1, maxLength: 16 });

export const oid: fc.Arbitrary<string> = fc
  .array(fc.integer({ min: 0, max: 99_999 }), { minLength: 1, maxLength: 7 })
  .map((arcs) => `1.2.${arcs.join('.')}`);

export const uuidUrn: fc.Arbitrary<string> = fc.uuid({ version: [1, 3, 4, 5, 6, 7] }).map((uuid) => `urn:uuid:${uuid}`);

/** A DTM of any precision. */
export const dtm: fc.Arbitrary<string> = fc
  .tuple(fc.integer({ min: 0, max: 4_102_444_799 }), fc.constantFrom(4, 6, 8, 10, 12, 14))
  .map(([seconds, length]) => dtmOf(seconds * 1000).slice(0, length));

const code: fc.Arbitrary<Code> = fc.record({
  code: word,
  system: fc.oneof(oid, fc.constantFrom('URN', 'ASTM')),
  display: text(),
});

const authority = oid.map((value) => ({ oid: value }));

export const cx: fc.Arbitrary<Cx> = present({ id: text(15), authority }, { type: fc.constantFrom('NH', 'PI') });

const cxi: fc.Arbitrary<Cxi> = fc.record({
  id: text(15),
  authority,
  type: fc.constantFrom(
    'urn:ihe:iti:xds:2013:accession',
    'urn:ihe:iti:xds:2013:order',
    'urn:ihe:iti:xds:2016:studyInstanceUID',
  ),
});

const namedPerson: fc.Arbitrary<Xcn> = present(
  { family: text(12) },
  { given: text(12), second: text(8), prefix: text(6), degree: text(6) },
);

const identifiedPerson: fc.Arbitrary<Xcn> = present(
  { id: word, authority },
  { family: text(12), given: text(12), nameType: fc.constantFrom('D', 'U'), idType: fc.constantFrom('IDNPS', 'NH') },
);

export const xcn: fc.Arbitrary<Xcn> = fc.oneof(namedPerson, identifiedPerson);

export const xon: fc.Arbitrary<Xon> = fc.oneof(
  present({ name: text() }, { id: oid }),
  present({ name: text(), authority, id: word }, { idType: fc.constant('IDNST') }),
);

const xtn: fc.Arbitrary<Xtn> = fc.oneof(
  fc.record({ type: fc.constant('Internet'), use: fc.constant('NET'), address: text() }),
  fc.record({ type: fc.constant('PH'), number: word, country: word }),
);

export const author: fc.Arbitrary<Author> = present(
  {
    institutions: fc.array(xon, { maxLength: 2 }),
    roles: fc.array(text(), { maxLength: 2 }),
    specialties: fc.array(text(), { maxLength: 2 }),
    telecommunications: fc.array(xtn, { maxLength: 2 }),
  },
  { person: xcn },
);

const pidLine: fc.Arbitrary<PidLine> = fc.record({ field: fc.constantFrom(3, 5, 11), value: text() });

const localized: fc.Arbitrary<LocalizedText> = present(
  {
    value: fc.oneof(
      text(100),
      anyText.filter((value) => value !== ''),
    ),
  },
  { language: fc.constantFrom('fr-FR', 'fr', 'en') },
);

const extra: fc.Arbitrary<Slot[]> = fc.uniqueArray(
  present(
    { name: word.map((name) => `urn:example:${name}`), values: fc.array(anyText, { maxLength: 3 }) },
    { type: word },
  ),
  { maxLength: 2, selector: (slot) => slot.name },
);

const homeCommunityId = oid.map((value) => `urn:oid:${value}`);

const common = {
  entryUUID: uuidUrn,
  uniqueId: oid,
  patientId: cx,
  extra,
};

/** Any DocumentEntry that is sound by itself, stable and on-demand, in every status. */
export const documentEntry: fc.Arbitrary<DocumentEntry> = present(
  {
    ...common,
    logicalID: uuidUrn,
    version: fc.integer({ min: 1, max: 99 }),
    objectType: fc.constantFrom('stable', 'onDemand'),
    status: fc.constantFrom('approved', 'deprecated', 'archived', 'deleted'),
    sourcePatientId: cx,
    sourcePatientInfo: fc.array(pidLine, { maxLength: 3 }),
    mimeType: fc.constantFrom('text/xml', 'application/pdf', 'application/dicom'),
    languageCode: fc.constantFrom('fr-FR', 'fr', 'art'),
    repositoryUniqueId: oid,
    classCode: code,
    typeCode: code,
    formatCode: code,
    healthcareFacilityTypeCode: code,
    practiceSettingCode: code,
    confidentialityCodes: fc.array(code, { minLength: 1, maxLength: 3 }),
    eventCodes: fc.array(code, { maxLength: 2 }),
    authors: fc.array(author, { maxLength: 2 }),
    referenceIds: fc.array(cxi, { maxLength: 2 }),
  },
  {
    documentAvailability: fc.constantFrom('online', 'offline'),
    title: localized,
    comments: localized,
    creationTime: dtm,
    serviceStartTime: dtm,
    serviceStopTime: dtm,
    hash: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 40, maxLength: 40 }),
    size: fc.nat(),
    uri: word.map((name) => `${name}.xml`),
    homeCommunityId,
    legalAuthenticator: xcn,
  },
);

export const submissionSet: fc.Arbitrary<SubmissionSet> = present(
  {
    ...common,
    status: fc.constant('approved'),
    sourceId: oid,
    submissionTime: dtm,
    contentTypeCode: code,
    authors: fc.array(author, { maxLength: 2 }),
    intendedRecipients: fc.array(recipient(), { maxLength: 2 }),
  },
  { title: localized, comments: localized, homeCommunityId },
);

export const folder: fc.Arbitrary<Folder> = present(
  {
    ...common,
    logicalID: uuidUrn,
    version: fc.integer({ min: 1, max: 99 }),
    status: fc.constantFrom('approved', 'deprecated'),
    title: localized,
    codes: fc.array(code, { minLength: 1, maxLength: 2 }),
    lastUpdateTime: dtm,
  },
  { comments: localized, homeCommunityId },
);

export const association: fc.Arbitrary<Association> = present(
  {
    entryUUID: uuidUrn,
    type: fc.constantFrom(...associationTypes),
    source: uuidUrn,
    target: uuidUrn,
    status: fc.constantFrom('approved', 'deprecated'),
    extra,
  },
  {
    submissionSetStatus: fc.constantFrom('Original', 'Reference'),
    previousVersion: fc.constantFrom('1', '2'),
    associationPropagation: fc.boolean(),
    originalStatus: fc.constantFrom('approved', 'deprecated', 'archived', 'deleted'),
    newStatus: fc.constantFrom('approved', 'deprecated', 'archived', 'deleted'),
    documentation: code,
  },
);

function recipient(): fc.Arbitrary<Recipient> {
  return fc.oneof(
    present({ person: xcn }, { telecommunication: xtn }),
    present({ organisation: xon }, { person: xcn, telecommunication: xtn }),
  );
}

type Values<T> = { readonly [K in keyof T]: T[K] extends fc.Arbitrary<infer V> ? V : never };

/** A record of fields that are always there and of others that may be absent. */
function present<R extends Record<string, fc.Arbitrary<unknown>>, O extends Record<string, fc.Arbitrary<unknown>>>(
  required: R,
  optional: O,
): fc.Arbitrary<Values<R> & Partial<Values<O>>> {
  return fc.tuple(fc.record(required), fc.record(optional, { requiredKeys: [] })).map(
    // fc.record's own types lose the correlation of key and value in generic code.
    ([always, sometimes]) => ({ ...always, ...sometimes }) as Values<R> & Partial<Values<O>>,
  );
}

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseStringPromise } from 'xml2js';
import type { Association, DocumentEntry, Folder, Submission, SubmissionSet } from '../../../server/domain/document.ts';
import { readSubmission } from '../../../server/xds/ebrim/read.ts';
import {
  writeAssociation,
  writeDocument,
  writeFolder,
  writeObjectRef,
  writeSubmissionSet,
} from '../../../server/xds/ebrim/write.ts';
import { namespace } from '../../../server/xds/vocabulary.ts';
import { defaultXmlLimits, parseXml } from '../../../server/xml/read.ts';
import { association, documentEntry, folder, submissionSet } from '../../support/arbitraries.ts';

const list = (inside: string) =>
  `<rim:RegistryObjectList xmlns:rim="${namespace.rim}">${inside}</rim:RegistryObjectList>`;
const read = (xml: string) => readSubmission(parseXml(list(xml), defaultXmlLimits));
const nothing: Submission = { sets: [], entries: [], folders: [], associations: [] };

/** What a source would have sent: the object under its own id. */
function asDraft<T extends { readonly entryUUID: string }>({ entryUUID, ...rest }: T) {
  return { id: entryUUID, ...rest };
}

test('an entry that is written reads as it was', () => {
  fc.assert(
    fc.property(documentEntry, (entry) => {
      expect(read(writeDocument(entry))).toEqual({
        submission: { ...nothing, entries: [asDraft(entry)] },
        problems: [],
      });
    }),
  );
});

test('an entry is written in characters of one byte, and reads as it was with any other', () => {
  const wide = 'Cœur : «\u00a0l’ECG\u00a0» — 漢字 😀 & <"é">\t';
  fc.assert(
    fc.property(documentEntry, (entry) => {
      const given: DocumentEntry = {
        ...entry,
        title: { value: `${wide}.` },
        typeCode: { ...entry.typeCode, display: `${wide}.` },
        extra: [{ name: 'urn:test:ß–x', values: [wide] }],
      };
      const written = writeDocument(given);
      expect(/[^\0-\xff]/.exec(written)).toBeNull();
      expect(written).toContain('value="C&#339;ur : «\u00a0l&#8217;ECG');
      expect(read(written)).toEqual({ submission: { ...nothing, entries: [asDraft(given)] }, problems: [] });
    }),
    { numRuns: 20 },
  );
});

test('a submission set that is written reads as it was', () => {
  fc.assert(
    fc.property(submissionSet, (set) => {
      expect(read(writeSubmissionSet(set))).toEqual({ submission: { ...nothing, sets: [asDraft(set)] }, problems: [] });
    }),
  );
});

test('a folder that is written reads as it was', () => {
  fc.assert(
    fc.property(folder, (written) => {
      expect(read(writeFolder(written))).toEqual({
        submission: { ...nothing, folders: [asDraft(written)] },
        problems: [],
      });
    }),
  );
});

test('an association that is written reads as it was', () => {
  fc.assert(
    fc.property(association, (written) => {
      expect(read(writeAssociation(written))).toEqual({
        submission: { ...nothing, associations: [asDraft(written)] },
        problems: [],
      });
    }),
  );
});

test('objects of all kinds in one list read as they were, each as itself', () => {
  const parts = fc.tuple(documentEntry, submissionSet, folder, association, documentEntry);
  fc.assert(
    fc.property(parts, ([entry, set, binder, link, other]) => {
      const xml = [writeAssociation(link), writeFolder(binder), writeDocument(entry), writeSubmissionSet(set)];
      expect(read([...xml, writeDocument(other)].join(''))).toEqual({
        submission: {
          sets: [asDraft(set)],
          entries: [asDraft(entry), asDraft(other)],
          folders: [asDraft(binder)],
          associations: [asDraft(link)],
        },
        problems: [],
      });
    }),
    { numRuns: 50 },
  );
});

/** Attributes of each kind; one that is new does not compile until it stands here, and fails until it is generated. */
const attributes = {
  entry: {
    ...{ entryUUID: 1, logicalID: 1, version: 1, objectType: 1, status: 1, documentAvailability: 1, uniqueId: 1 },
    ...{ patientId: 1, sourcePatientId: 1, sourcePatientInfo: 1, mimeType: 1, title: 1, comments: 1, languageCode: 1 },
    ...{ creationTime: 1, serviceStartTime: 1, serviceStopTime: 1, hash: 1, size: 1, repositoryUniqueId: 1, uri: 1 },
    ...{ homeCommunityId: 1, classCode: 1, typeCode: 1, formatCode: 1, healthcareFacilityTypeCode: 1 },
    ...{ practiceSettingCode: 1, confidentialityCodes: 1, eventCodes: 1, authors: 1, legalAuthenticator: 1 },
    ...{ referenceIds: 1, extra: 1 },
  } satisfies Record<keyof DocumentEntry, 1>,
  set: {
    ...{ entryUUID: 1, status: 1, uniqueId: 1, sourceId: 1, patientId: 1, submissionTime: 1, contentTypeCode: 1 },
    ...{ title: 1, comments: 1, authors: 1, intendedRecipients: 1, homeCommunityId: 1, extra: 1 },
  } satisfies Record<keyof SubmissionSet, 1>,
  folder: {
    ...{ entryUUID: 1, logicalID: 1, version: 1, status: 1, uniqueId: 1, patientId: 1, title: 1, comments: 1 },
    ...{ codes: 1, lastUpdateTime: 1, homeCommunityId: 1, extra: 1 },
  } satisfies Record<keyof Folder, 1>,
  association: {
    ...{ entryUUID: 1, type: 1, source: 1, target: 1, status: 1, submissionSetStatus: 1, previousVersion: 1 },
    ...{ associationPropagation: 1, originalStatus: 1, newStatus: 1, documentation: 1, extra: 1 },
  } satisfies Record<keyof Association, 1>,
};

test.each<[keyof typeof attributes, fc.Arbitrary<object>]>([
  ['entry', documentEntry],
  ['set', submissionSet],
  ['folder', folder],
  ['association', association],
])('what is generated of an %s has every attribute', (kind, generated) => {
  const found = new Set(fc.sample(generated, 100).flatMap(Object.keys));
  expect([...found].sort()).toEqual(Object.keys(attributes[kind]).sort());
});

test('another reader finds the same values, and ids that no two parts share', async () => {
  type Node = { readonly $: Readonly<Record<string, string>>; readonly [child: string]: unknown };
  await fc.assert(
    fc.asyncProperty(documentEntry, async (entry) => {
      const tree = (await parseStringPromise(list(writeDocument(entry)), { explicitArray: true })) as {
        'rim:RegistryObjectList': { 'rim:ExtrinsicObject': [Node] };
      };
      const [object] = tree['rim:RegistryObjectList']['rim:ExtrinsicObject'];
      const identifiers = object['rim:ExternalIdentifier'] as Node[];
      const classifications = object['rim:Classification'] as Node[];
      expect(object.$['id']).toBe(entry.entryUUID);
      expect(object.$['lid']).toBe(entry.logicalID);
      expect(identifiers.map((e) => e.$['value'])).toContain(entry.uniqueId);
      expect(classifications.map((c) => c.$['nodeRepresentation'])).toEqual(
        expect.arrayContaining(entry.confidentialityCodes.map((c) => c.code)),
      );
      const ids = [object, ...identifiers, ...classifications].map((node) => node.$['id']);
      expect(new Set(ids).size).toBe(ids.length);
    }),
    { numRuns: 30 },
  );
});

test('the parts of an object have the same ids each time it is written', () => {
  fc.assert(
    fc.property(documentEntry, (entry) => {
      expect(writeDocument(entry)).toBe(writeDocument(structuredClone(entry)));
    }),
    { numRuns: 20 },
  );
});

test('an ObjectRef names the object alone and is ignored in a submission', () => {
  const ref = writeObjectRef('urn:uuid:0c1c6c4e-2d15-4b6e-8e46-6a1b2f8f1a01');
  expect(ref).toBe('<rim:ObjectRef id="urn:uuid:0c1c6c4e-2d15-4b6e-8e46-6a1b2f8f1a01"/>');
  expect(read(ref)).toEqual({ submission: nothing, problems: [] });
});

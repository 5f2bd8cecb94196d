import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { DocumentReference } from 'fhir/r4.js';
import type { DocumentEntry } from '../../server/domain/document.ts';
import { roleOf, uniqueIdentifier, uniqueIdOf } from '../../server/fhir/map/code.ts';
import { documentReferenceOf } from '../../server/fhir/map/document-reference.ts';
import { extensions, systemOf, systemUrl } from '../../server/fhir/vocabulary.ts';
import { documentEntry } from '../support/arbitraries.ts';
import { authorOf, code, document } from '../support/registry.ts';

const base = 'https://dmp.example.org/fhir';
const shown = (changes: Partial<DocumentEntry> = {}): DocumentReference =>
  documentReferenceOf(
    {
      entry: document(1, changes),
      record: 'r1',
      registeredAt: 0,
      revision: 1,
      changedAt: 0,
    },
    base,
  );

function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}

describe('code systems', () => {
  test.each([
    [
      '1.2.250.1.213.1.1.4.6',
      'https://mos.esante.gouv.fr/NOS/TRE_A00-ProducteurDocNonPS/FHIR/TRE-A00-ProducteurDocNonPS',
    ],
    ['1.2.250.1.213.1.1.4.1', 'https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument'],
    ['2.16.840.1.113883.6.1', 'http://loinc.org'],
    ['1.2.840.10008.2.16.4', 'http://dicom.nema.org/resources/ontology/DCM'],
    ['2.16.840.1.113883.5.25', 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'],
    ['URN', 'https://mos.esante.gouv.fr/NOS/TRE_A10-NomenclatureURN/FHIR/TRE-A10-NomenclatureURN'],
    ['1.2.3.4', 'urn:oid:1.2.3.4'],
  ])('%s is written %s, and read back', (stored, url) => {
    expect(systemUrl(stored)).toBe(url);
    expect(systemOf(url)).toBe(stored);
  });

  test.each([
    [
      'https://mos.esante.gouv.fr/NOS/TRE_A08-HL7Confidentiality/FHIR/TRE-A08-HL7Confidentiality',
      '2.16.840.1.113883.5.25',
    ],
    ['http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode', '1.3.6.1.4.1.19376.1.2.3'],
    ['urn:oid:2.16.840.1.113883.6.1', '2.16.840.1.113883.6.1'],
  ])('%s is read as %s', (url, stored) => {
    expect(systemOf(url)).toBe(stored);
  });
});

describe('a uniqueId', () => {
  test.each([
    ['1.2.3', 'urn:ietf:rfc:3986', 'urn:oid:1.2.3'],
    ['1.2.3^AB^1', 'urn:oid:1.2.3', 'AB^1'],
    [
      'urn:uuid:00000000-0000-4000-8000-000000000000',
      'urn:ietf:rfc:3986',
      'urn:uuid:00000000-0000-4000-8000-000000000000',
    ],
  ])('%s is %s|%s, and back', (uniqueId, system, value) => {
    expect(uniqueIdentifier(uniqueId)).toEqual({ use: 'usual', system, value });
    expect(uniqueIdOf(system, value)).toBe(uniqueId);
  });
});

test('a role is a coding when it is written as one', () => {
  expect(roleOf('G15_10/SM26^Médecine générale^1.2.250.1.213.1.1.4.5')).toEqual({
    coding: [{ system: systemUrl('1.2.250.1.213.1.1.4.5'), code: 'G15_10/SM26', display: 'Médecine générale' }],
  });
  expect(roleOf('Médecin traitant')).toEqual({ text: 'Médecin traitant' });
  expect(roleOf('a^b^c')).toEqual({ text: 'a^b^c' });
});

describe('a document entry as DocumentReference', () => {
  test('hash is the base64 of the raw SHA-1, times are UTC', () => {
    const { content, date, context } = shown({ serviceStartTime: '202601' });
    expect(content[0]?.attachment).toEqual({
      contentType: 'text/xml',
      language: 'fr-FR',
      url: `${base}/Binary/00000000-0000-7000-8000-000000000001`,
      size: 3,
      hash: '2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
      title: 'Document 1',
      creation: '2026-01-02T03:04:05Z',
    });
    expect(date).toBe('1970-01-01T00:00:00.000Z');
    expect(context?.period).toEqual({ start: '2026-01' });
  });

  test.each([
    ['approved', 'current', false],
    ['archived', 'current', true],
    ['deprecated', 'superseded', false],
    ['deleted', 'entered-in-error', false],
  ] as const)('%s is %s', (status, shownAs, archived) => {
    const { status: got, extension } = shown({ status });
    expect(got).toBe(shownAs);
    expect(extension?.some(({ url, valueBoolean }) => url === extensions.isArchived && valueBoolean === true)).toBe(
      archived,
    );
  });

  test('a professional is a PractitionerRole with practitioner and organisation', () => {
    const author = { ...authorOf('899970000099', '1490000019'), roles: ['Médecin traitant'] };
    const { author: references, contained } = shown({ authors: [author] });
    expect(references).toEqual([{ reference: '#author-1' }]);
    expect(contained?.find(({ id }) => id === 'author-1')).toEqual({
      resourceType: 'PractitionerRole',
      id: 'author-1',
      practitioner: { reference: '#author-1-person' },
      organization: { reference: '#author-1-organisation-1' },
      code: [{ text: 'Médecin traitant' }],
    });
    expect(contained?.find(({ id }) => id === 'author-1-person')).toMatchObject({
      resourceType: 'Practitioner',
      identifier: [
        { type: { coding: [{ code: 'IDNPS' }] }, system: 'urn:oid:1.2.250.1.71.4.2.1', value: '899970000099' },
      ],
      name: [{ family: 'NOM9', given: ['Prénom'] }],
    });
  });

  test.each([
    ['Patient', { id: '279035121518989', authority: { oid: '1.2.250.1.213.1.4.10' }, nameType: 'D', idType: 'NH' }],
    ['Device', { id: '1490000019/APP1', authority: { oid: '1.2.250.1.71.4.2.1' }, nameType: 'U', idType: 'RI' }],
  ])('a %s as author is one, and keeps the specialty', (resourceType, person) => {
    const { contained } = shown({ authors: [{ ...authorOf(''), person, specialties: ['EXP_PATIENT'] }] });
    const found = contained?.find(({ id }) => id === 'author-1');
    expect(found).toMatchObject({ resourceType, identifier: [{ value: person.id }] });
    expect(JSON.stringify(found)).toContain(extensions.authorSpecialty);
  });

  test('a profile is claimed only when all that it asks for is there', () => {
    const names = (changes: Partial<DocumentEntry>) =>
      shown(changes).meta?.profile?.map((url) => url.split('/').at(-1));
    const whole = { legalAuthenticator: { id: '1', family: 'X' }, serviceStartTime: '2026' };
    expect(names(whole)).toEqual(['IHE.MHD.Comprehensive.DocumentReference', 'pdsm-comprehensive-document-reference']);
    expect(names({})).toEqual(['IHE.MHD.Comprehensive.DocumentReference']);
    expect(names({ ...whole, status: 'deleted' })).toBeUndefined();
  });

  test('the encounter of referenceIdList is the encounter', () => {
    const reference = (type: string) => ({ id: type, authority: { oid: '1.2.3' }, type: `urn:ihe:iti:xds:${type}` });
    const { context } = shown({ referenceIds: [reference('2015:encounterId'), reference('2013:accession')] });
    expect(context?.encounter?.map(({ identifier }) => identifier?.value)).toEqual(['2015:encounterId']);
    expect(context?.related).toEqual([
      {
        identifier: {
          type: { coding: [{ system: 'urn:ietf:rfc:3986', code: 'urn:ihe:iti:xds:2013:accession' }] },
          system: 'urn:oid:1.2.3',
          value: '2013:accession',
        },
      },
    ]);
  });

  test('every visibility code is shown', () => {
    const { securityLabel } = shown({
      confidentialityCodes: [code('N', '2.16.840.1.113883.5.25'), code('MASQUE_PS', '1.2.250.1.213.1.1.4.13')],
    });
    expect(securityLabel?.map(({ coding }) => coding?.[0]?.code)).toEqual(['N', 'MASQUE_PS']);
  });

  test('no text of any entry is lost', () => {
    fc.assert(
      fc.property(documentEntry, (entry) => {
        const stored = {
          entry,
          record: 'r1',
          position: 1,
          registeredAt: 0,
          sealedFor: 'r1',
          own: false,
          latest: true,
          revision: 1,
          changedAt: 0,
        };
        const said = leaves(documentReferenceOf(stored, base)).join('\n');
        const { hash, status, creationTime, serviceStartTime, serviceStopTime, patientId, ...rest } = entry;
        const plain = leaves(rest).filter((text) => !/[\\|^~&]/.test(text));
        const lost = plain.filter((text) => !said.includes(text) && !said.includes(systemUrl(text)));
        expect([
          lost,
          hash,
          status,
          creationTime,
          serviceStartTime,
          serviceStopTime,
          said.includes(patientId.id),
        ]).toEqual([[], hash, status, creationTime, serviceStartTime, serviceStopTime, true]);
      }),
      { numRuns: 200 },
    );
  });
});

import { hash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OperationOutcome } from 'fhir/r4.js';
import { readCda } from '../../server/cda/header.ts';
import type { Association, DocumentEntry } from '../../server/domain/document.ts';
import { oidOfUuid } from '../../server/domain/identifier.ts';
import { provideBundleOf } from '../../server/fhir/map/provide-bundle.ts';
import { writeCda } from '../../server/sandbox/cda.ts';
import { describe as describeDocument } from '../../server/sandbox/metadata.ts';
import { patientOf, personOf } from '../../server/sandbox/people.ts';
import { writeAssociation, writeDocument, writeSubmissionSet } from '../../server/xds/ebrim/write.ts';
import { iti41 } from '../../server/xds/iti41.ts';
import { post } from '../fhir/deposits.ts';
import { type Door, openDoor } from '../fhir/door.ts';
import { handled, seen } from '../xds/handled.ts';

const doors: { off?: Door; on?: Door } = {};
beforeAll(async () => {
  doors.off = await openDoor();
  doors.on = await openDoor({ switches: { lotSignatureRequired: true } });
});
afterAll(async () => {
  await doors.off?.close();
  await doors.on?.close();
});
const doorWhere = (setting: 'off' | 'on'): Door => {
  const door = doors[setting];
  if (door === undefined) throw new Error('no door');
  return door;
};

const urn = (code: string, system = 'URN', display = code) => ({ code, system, display });
const visibility = '1.2.250.1.213.1.1.4.13';

/** A lot of one document, by dr-martin for laurent, and its signature document. */
function lot(door: Door) {
  const [depositor, patient] = [personOf('dr-martin'), patientOf('laurent')];
  if (depositor?.kind !== 'professional' || patient === undefined) throw new Error('nobody');
  const at = door.world.tools.now();
  const bytes = writeCda({
    id: oidOfUuid(randomUUID()),
    typeCode: { code: '11488-4', system: '2.16.840.1.113883.6.1', display: 'CR ou fiche de consultation' },
    title: 'Compte rendu de consultation',
    writtenAt: at,
    serviceAt: at,
    patient,
    author: depositor,
    content: { kind: 'nonXml', mediaType: 'text/plain', bytes: Buffer.from('Bonjour') },
  });
  const facts = readCda(bytes);
  if (facts === undefined) throw new Error('the CDA cannot be read');
  const ids = { entryUuid: randomUUID(), setUuid: randomUUID(), setUniqueId: oidOfUuid(randomUUID()) };
  const { entry, set } = describeDocument({ bytes, facts, depositor, patient, at, ...ids });
  const member = (target: string): Association => ({
    entryUUID: `urn:uuid:${randomUUID()}`,
    type: 'HasMember',
    source: set.entryUUID,
    target,
    status: 'approved',
    submissionSetStatus: 'Original',
    extra: [],
  });
  const signed = (
    references: readonly (readonly [uri: string, digest: string])[],
  ): { entry: DocumentEntry; bytes: Buffer } => {
    const written = Buffer.from(
      `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:Object><ds:Manifest Id="IHEManifest">${references
        .map(
          ([uri, digest]) =>
            `<ds:Reference URI="${uri}"><ds:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/><ds:DigestValue>${digest}</ds:DigestValue></ds:Reference>`,
        )
        .join('')}</ds:Manifest></ds:Object></ds:Signature>`,
    );
    const entryUUID = `urn:uuid:${randomUUID()}`;
    return {
      bytes: written,
      entry: {
        ...entry,
        entryUUID,
        logicalID: entryUUID,
        uniqueId: oidOfUuid(randomUUID()),
        mimeType: 'text/xml',
        title: { value: 'Source', language: 'fr-FR' },
        languageCode: 'art',
        classCode: urn('urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1', 'URN', 'Digital Signature'),
        typeCode: urn('E1762', 'ASTM', 'Full Document'),
        formatCode: urn('http://www.w3.org/2000/09/xmldsig#'),
        eventCodes: [{ code: '1.2.840.10065.1.12.1.14', system: '1.2.840.10065.1.12', display: 'Source' }],
        confidentialityCodes: [
          ...entry.confidentialityCodes.filter(({ code }) => code === 'N'),
          urn('MASQUE_PS', visibility),
          urn('INVISIBLE_PATIENT', visibility),
        ],
        hash: hash('sha1', written, 'hex'),
        size: written.length,
      },
    };
  };
  return { set, entry, bytes, member, signed, digest: hash('sha1', bytes, 'base64') };
}

type Kind = 'right' | 'wrong digest' | 'a right and a wrong digest' | 'without the set' | 'shown' | 'none';

/** What is sent, by which signature. */
function sent(door: Door, kind: Kind) {
  const { set, entry, bytes, member, signed, digest } = lot(door);
  const digests = { 'wrong digest': ['AAAA'], 'a right and a wrong digest': [digest, 'AAAA'] };
  const [, named = [digest]] = Object.entries(digests).find(([name]) => name === kind) ?? [];
  const references = [
    ...(kind === 'without the set' ? [] : [[`urn:oid:${set.uniqueId}`, 'AA=='] as const]),
    ...named.map((one) => [`urn:oid:${entry.uniqueId}`, one] as const),
  ];
  const signature = signed(references);
  const { confidentialityCodes } = entry;
  const mask = urn('MASQUE_PS', visibility);
  const documents =
    kind === 'shown'
      ? [
          { entry: { ...entry, confidentialityCodes: [...confidentialityCodes, mask] }, bytes },
          { ...signature, entry: { ...signature.entry, confidentialityCodes } },
        ]
      : [{ entry, bytes }, ...(kind === 'none' ? [] : [signature])];
  return { set, documents, members: documents.map((one) => member(one.entry.entryUUID)) };
}

type Outcome = 'accepted' | string;

const faces: Readonly<Record<string, (door: Door, kind: Kind) => Promise<Outcome>>> = {
  'ITI-41': async (door, kind) => {
    const { set, documents, members } = sent(door, kind);
    const content = documents.map(
      ({ entry, bytes }) =>
        `<xds:Document id="${entry.entryUUID}">${Buffer.from(bytes).toString('base64')}</xds:Document>`,
    );
    const xml =
      '<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds="urn:ihe:iti:xds-b:2007"><lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">' +
      `<rim:RegistryObjectList>${documents.map(({ entry }) => writeDocument(entry)).join('')}${writeSubmissionSet(set)}${members.map((one) => writeAssociation(one)).join('')}</rim:RegistryObjectList>` +
      `</lcm:SubmitObjectsRequest>${content.join('')}</xds:ProvideAndRegisterDocumentSetRequest>`;
    const { status, errors } = await seen(await handled(iti41, door.world, door.world.as('dr-martin'), xml));
    return status === 'Success' ? 'accepted' : errors.map(({ code, context }) => `${code}: ${context}`).join('\n');
  },
  'ITI-65': async (door, kind) => {
    const { set, documents, members } = sent(door, kind);
    const bundle = provideBundleOf({
      set,
      documents: documents.map((one) => ({ ...one, binary: `urn:uuid:${randomUUID()}` })),
      folders: [],
      associations: members,
    });
    const { status, json } = await post<OperationOutcome>(door, 'dr-martin', bundle);
    if (status === 200) return 'accepted';
    return json.issue.map(({ details, diagnostics }) => `${details?.text}: ${diagnostics}`).join('\n');
  },
};

describe.each(Object.keys(faces))('the signature of a lot by %s', (face) => {
  const deposit = async (setting: 'off' | 'on', kind: Kind) =>
    (await faces[face]?.(doorWhere(setting), kind)) ?? 'no such face';

  test.each(['off', 'on'] as const)('is kept when it is right (required: %s)', async (setting) => {
    expect(await deposit(setting, 'right')).toBe('accepted');
  });

  test.each(['off', 'on'] as const)('refuses the lot when it is wrong (required: %s)', async (setting) => {
    for (const kind of ['wrong digest', 'a right and a wrong digest'] as const)
      expect(await deposit(setting, kind)).toMatch(
        /^(InvalidDocumentContent|lotSignatureWrong): .*the digest of document/,
      );
    expect(await deposit(setting, 'without the set')).toMatch(
      /^(InvalidDocumentContent|lotSignatureWrong): .*submission set .* is not in the manifest/,
    );
  });

  test('is hidden from whom a document is hidden that it names', async () => {
    expect(await deposit('off', 'shown')).toMatch(
      /^(XDSRepositoryMetadataError|visibilityNotAllowed): .*names a document that is hidden by MASQUE_PS/,
    );
  });

  test('may be missing while the setting is off, which it is by default', async () => {
    expect(await deposit('off', 'none')).toBe('accepted');
  });

  test('may not be missing while the setting is on', async () => {
    expect(await deposit('on', 'none')).toMatch(
      /^(XDSRepositoryMetadataError|lotSignatureMissing): .*comes without its signature/,
    );
  });
});

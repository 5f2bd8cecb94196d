import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readManifests } from '../../server/dsg/lot-manifest.ts';
import { readSubmission } from '../../server/xds/ebrim/read.ts';
import { writeAssociation, writeDocument, writeSubmissionSet } from '../../server/xds/ebrim/write.ts';
import { namespace } from '../../server/xds/vocabulary.ts';
import { child } from '../../server/xml/element.ts';
import { defaultXmlLimits, parseXml } from '../../server/xml/read.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import { association, document, submissionSet } from '../support/registry.ts';
import { openWorld, type World } from '../support/world.ts';

const cda = '<?xml version="1.0" encoding="UTF-8"?>\n<!-- a --><d xmlns="urn:hl7-org:v3"  b="2" a="1"><e/></d>';
const withComments = '<!-- a -->\n<d xmlns="urn:hl7-org:v3" a="1" b="2"><e></e></d>';
const withoutComments = '<d xmlns="urn:hl7-org:v3" a="1" b="2"><e></e></d>';
const digest = (text: string, algorithm = 'sha1') => createHash(algorithm).update(text).digest('base64');
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256';

const signature = (references: readonly (readonly [uri: string, digest: string, algorithm?: string])[]) =>
  `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:Object><ds:Manifest Id="IHEManifest">${references
    .map(
      ([uri, value, algorithm = 'http://www.w3.org/2000/09/xmldsig#sha1']) =>
        `<ds:Reference URI="${uri}"><ds:DigestMethod Algorithm="${algorithm}"/><ds:DigestValue>${value}</ds:DigestValue></ds:Reference>`,
    )
    .join('')}</ds:Manifest></ds:Object></ds:Signature>`;

let world: World<MemoryStore>;
beforeAll(async () => {
  world = await openWorld({ seeded: false });
});

async function read(source: string, content = cda) {
  const urn = (code: string, system: string) => ({ code, system, display: code });
  const signed = document(2, {
    classCode: urn('urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1', 'URN'),
    typeCode: urn('E1762', 'ASTM'),
    formatCode: urn('http://www.w3.org/2000/09/xmldsig#', 'URN'),
  });
  const list = parseXml(
    `<l><rim:RegistryObjectList xmlns:rim="${namespace.rim}">${writeDocument(document(1))}${writeDocument(signed)}${writeSubmissionSet(submissionSet(3))}${writeAssociation(association(4, 3, 1))}</rim:RegistryObjectList></l>`,
    defaultXmlLimits,
  );
  const objects = child(list, namespace.rim, 'RegistryObjectList');
  if (objects === undefined) throw new Error('no list');
  const { submission } = readSubmission(objects);
  const receive = (id: string, text: string) => ({ id, received: world.tools.blobs.receiveBytes(Buffer.from(text)) });
  const documents = [receive(document(1).entryUUID, content), receive(signed.entryUUID, source)];
  const [manifest] = await readManifests(submission, documents);
  return manifest?.references;
}

describe('a digest agrees with its document', () => {
  test.each([
    ['its bytes', digest(cda), undefined, true],
    ['its bytes, SHA-256', digest(cda, 'sha256'), sha256, true],
    ['its canonical form with comments', digest(withComments), undefined, true],
    ['its canonical form without', digest(withoutComments), undefined, true],
    ['its canonical form, SHA-256', digest(withComments, 'sha256'), sha256, true],
    ['other bytes', digest('other'), undefined, false],
    ['an algorithm that is none', digest(cda), 'urn:md5', false],
    ['a name that every object has', digest(cda), 'toString', false],
    ['SHA-1 under the name of SHA-256', digest(cda), sha256, false],
  ])('%s', async (_, value, algorithm, agrees) => {
    const signed: [string, string, string?] = ['urn:oid:2.999.1.1', value];
    if (algorithm !== undefined) signed.push(algorithm);
    const references = await read(signature([signed]));
    expect(references).toEqual([{ uri: 'urn:oid:2.999.1.1', agrees }]);
  });

  test('a document that is no XML', async () => {
    const bytes = 'plain & bytes';
    expect(await read(signature([['urn:oid:2.999.1.1', digest(bytes)]]), bytes)).toEqual([
      { uri: 'urn:oid:2.999.1.1', agrees: true },
    ]);
    expect(await read(signature([['urn:oid:2.999.1.1', digest('x')]]), bytes)).toEqual([
      { uri: 'urn:oid:2.999.1.1', agrees: false },
    ]);
  });

  test('the set has none: it is named alone', async () => {
    expect(await read(signature([['urn:oid:2.999.2.3', 'AA==']]))).toEqual([
      { uri: 'urn:oid:2.999.2.3', agrees: false },
    ]);
  });
});

test.each([
  ['no XML', 'PDF'],
  ['a signature without manifest', '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>'],
  ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
])('%s is no manifest', async (_, source) => {
  expect(await read(source)).toBeUndefined();
});

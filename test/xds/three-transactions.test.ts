import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { XdsTransaction } from '../../server/xds/exchange.ts';
import { iti18 } from '../../server/xds/iti18.ts';
import { iti41 } from '../../server/xds/iti41.ts';
import { iti43 } from '../../server/xds/iti43.ts';
import { at, envelopeOf, mtom, packaged, partsOf, plain, post, textAt, xopType } from '../support/wire.ts';
import { openWorld } from '../support/world.ts';
import { envelope, openFace } from './face.ts';

const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');

let face: Awaited<ReturnType<typeof openFace>>;
beforeAll(async () => {
  face = await openFace(await openWorld(), [iti18, iti41, iti43]);
});
afterAll(() => face.close());

async function ask(transaction: XdsTransaction, slug: string, body: string) {
  const answer = await post(face.port, `/xds/${transaction.receiver}`, plain, [
    envelope(transaction, slug, 'laurent', body),
  ]);
  const told = await envelopeOf(answer);
  expect(textAt(told, 'Header', 'Action')).toBe(transaction.responseAction);
  return { content: at(told, 'Body'), parts: partsOf(answer.bytes, String(answer.headers['content-type'])) };
}

test('a document goes in by ITI-41 as a package, is found by ITI-18 and comes out by ITI-43 byte for byte', async () => {
  const bytes = Buffer.from('Bonjour');
  const href = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:doc1@example.org"/>';
  const message = envelope(iti41, 'dr-martin', 'laurent', read('iti41/submission.xml').replace('Qm9uam91cg==', href));
  const sent = packaged([
    { id: 'root@example.org', type: xopType, body: message },
    { id: 'doc1@example.org', type: 'text/xml', body: bytes },
  ]);
  const deposited = await post(face.port, '/xds/repository', mtom(), [sent]);
  expect(at(await envelopeOf(deposited), 'Body', 'RegistryResponse', '$', 'status')).toMatch(/:Success$/);

  const found = await ask(iti18, 'dr-nguyen', read('iti18/find-documents.xml'));
  const newest = at(found.content, 'AdhocQueryResponse', 'RegistryObjectList', 'ExtrinsicObject', '0');
  expect(at(newest, 'Name', 'LocalizedString', '$', 'value')).toBe("Note d'essai");

  const one = read('iti43/retrieve.xml')
    .replace('1.2.250.1.999.1.3.103', '1.2.250.1.213.99.50.1')
    .replace('1.2.250.1.999.1.3.101', '1.2.250.1.213.99.50.1');
  const { content, parts } = await ask(iti43, 'dr-nguyen', one);
  const response = at(content, 'RetrieveDocumentSetResponse', 'DocumentResponse');
  expect(response).toMatchObject({ DocumentUniqueId: '1.2.250.1.213.99.50.1', mimeType: 'text/xml' });
  expect(parts).toHaveLength(2);
  const cid = String(textAt(response, 'Document', 'Include', '$', 'href')).slice('cid:'.length);
  expect(parts[1]?.head).toContain(`Content-ID: <${cid}>`);
  expect(parts[1]?.body).toEqual(bytes);
});

test('a refusal is a response of its transaction', async () => {
  const { content } = await ask(iti18, 'pharm-durand', read('iti18/find-documents.xml'));
  const response = at(content, 'AdhocQueryResponse');
  expect(at(response, '$', 'status')).toMatch(/:Failure$/);
  expect(at(response, 'RegistryErrorList', 'RegistryError', '$', 'codeContext')).toMatch(
    /^DMPAccessDeniedByRightsService/,
  );
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { personOf } from '../../server/sandbox/people.ts';
import { cxOf, readAnswer } from '../support/clients.ts';
import { envelope, type Filer, findDocuments, submission } from '../support/messages.ts';
import { openServer, type TestServer } from '../support/server.ts';
import { faultOf, mtom, packaged, post, type SentPart, xopType } from '../support/wire.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(async () => server.close());

const base64Of = /(<(?:\w+:)?(X509Certificate|SignatureValue|DigestValue)>)([^<]+)(?=<)/g;
const include = (cid: string) =>
  `<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:${cid}"></xop:Include>`;

/** An assertion as stacks send it that optimise every base64: its certificate and digests are parts. */
function optimised() {
  const parts: SentPart[] = [];
  const assertion = server.credentials
    .vihf('dr-martin', { patient: 'laurent' })
    .replace(base64Of, (_all, tag: string, local: string, base64: string) => {
      parts.push({ id: `${local}@wss`, body: Buffer.from(base64, 'base64') });
      return `${tag}${include(`${local}%40wss`)}`;
    });
  return { assertion, parts };
}

let counter = 0;
const bytes = Buffer.from('<text>Bonjour</text>');
const document = { id: 'doc1@example.org', type: 'text/xml', body: bytes };
const deposit = (assertion: string): SentPart => {
  const uniqueId = `1.2.250.1.213.99.71.${++counter}`;
  const filed = { cx: cxOf('laurent'), filer: personOf('dr-martin') as Filer, uniqueId, bytes, include: document.id };
  return { id: 'root@example.org', type: xopType, body: envelope('deposit', assertion, submission(filed)) };
};
const send = async (parts: readonly SentPart[], path = '/xds/repository') =>
  post(server.port, path, mtom(), [packaged(parts)]);

describe('an assertion whose base64 was put into parts', () => {
  test('is verified with them in their place, in front of the documents, behind them, in front of the root', async () => {
    for (const order of ['header first', 'header last', 'root last']) {
      const { assertion, parts } = optimised();
      expect(parts).toHaveLength(3);
      const root = deposit(assertion);
      const sent = {
        'header first': [root, ...parts, document],
        'header last': [root, document, ...parts],
        'root last': [document, ...parts, root],
      }[order];
      expect({ order, ...(await readAnswer(await send(sent ?? []))) }).toMatchObject({ order, status: 'Success' });
    }
  });

  test('is verified in a query too, which holds no documents', async () => {
    const { assertion, parts } = optimised();
    const body = envelope('find', assertion, findDocuments(cxOf('laurent')));
    const answer = await send([{ id: 'root@example.org', type: xopType, body }, ...parts], '/xds/registry');
    expect(await readAnswer(answer)).toMatchObject({ status: 'Success' });
    expect(answer.headers['content-type']).toMatch(/^application\/soap\+xml/);
  });

  const told = async (parts: readonly SentPart[]) => {
    const answer = await send(parts);
    const { code, subcode, reason } = await faultOf(answer);
    return { status: answer.status, code, subcode, reason };
  };

  test('is refused when a part says something else', async () => {
    const { assertion, parts } = optimised();
    const forged = parts.map((part) => (part.id === 'DigestValue@wss' ? { ...part, body: Buffer.alloc(32, 7) } : part));
    expect(await told([deposit(assertion), ...forged, document])).toMatchObject({
      status: 400,
      subcode: 'wsse:FailedAuthentication',
    });
  });

  test.each<[string, (parts: SentPart[]) => SentPart[], (assertion: string) => string, string]>([
    ['a part is missing', (parts) => parts.slice(1), (same) => same, 'the header has no such part'],
    [
      'two places name one part',
      (parts) => parts,
      (a) => a.replace('SignatureValue%40', 'DigestValue%40'),
      'no such part',
    ],
    ['another scheme is named', (parts) => parts, (a) => a.replace('cid:', 'http:'), 'no such part'],
    [
      'a part is no certificate by its size',
      ([first, ...rest]) => [{ ...first, body: Buffer.alloc(70_000) }, ...rest],
      (same) => same,
      '65536 bytes in a part of the header',
    ],
    ['there are too many', (parts) => parts, (a) => include('x').repeat(33) + a, '32 parts of the header'],
  ])('is told when %s', async (_name, sent, change, words) => {
    const { assertion, parts } = optimised();
    const fault = await told([deposit(change(assertion)), ...sent(parts), document]);
    expect(fault).toMatchObject({ status: 400, code: 'Sender', reason: expect.stringContaining(words) });
  });
});

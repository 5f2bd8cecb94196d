import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  at,
  envelopeOf,
  faultOf,
  type HttpAnswer,
  mtom,
  packaged,
  partsOf,
  plain,
  post,
  raw,
  type SentPart,
  textAt,
  xopType,
} from '../support/wire.ts';
import { type Door, deposit, include, message, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor({
    inlineBytes: 200_000,
    messageBytes: 3_000_000,
    spooledBytes: 1_000_000,
    parts: 20,
    pause: 400,
  });
});
afterAll(async () => door.close());
let before = 0;
beforeEach(() => {
  before = door.events().length;
});
afterEach(() => {
  // Whatever happened: no document lies about, and nothing failed that should not.
  expect(door.live()).toBe(0);
  expect(door.logged).toEqual([]);
});

let counter = 0;
const assertion = () => `assertion-m${counter++}`;
const root = (documents: string): SentPart => ({
  id: 'root@example.org',
  type: xopType,
  body: deposit(documents, assertion()),
});
const part = (id: string, body: string | Uint8Array = `bytes of ${id}`): SentPart => ({ id, body });
const send = async (body: Uint8Array, contentType = mtom(), headers = {}) =>
  post(door.port, '/xds/repository', contentType, [body], headers);
const sendParts = async (...parts: SentPart[]) => send(packaged(parts));

const sha1 = (bytes: string | Uint8Array) => createHash('sha1').update(bytes).digest('hex');
const told = (...documents: [id: string, bytes: string | Uint8Array][]) =>
  documents.map(([id, bytes]) => ({ id, size: String(bytes.length), sha1: sha1(bytes) }));

async function gotOf(answer: HttpAnswer): Promise<unknown[]> {
  expect(answer.status).toBe(200);
  const got = at(await envelopeOf(answer), 'Body', 'Told', 'Got');
  return (Array.isArray(got) ? got : got === undefined ? [] : [got]).map((one: unknown) => at(one, '$'));
}

async function errorOf(answer: HttpAnswer): Promise<unknown> {
  expect(answer.status).toBe(200);
  return at(await envelopeOf(answer), 'Body', 'RegistryResponse', 'RegistryErrorList', 'RegistryError', '$');
}

const large = Buffer.alloc(700_000, 'large document \r\n--MIMEB \0');

describe('documents come in', () => {
  test('by reference, in the order of their elements, whatever the order of parts', async () => {
    const answer = await sendParts(
      root(include('d1', 'cid:a@x') + include('d2', 'cid:b@x')),
      part('b@x', large),
      part('a@x'),
    );
    expect(await gotOf(answer)).toEqual(told(['d1', 'bytes of a@x'], ['d2', large]));
  });

  test('inline, in base64 with white space', async () => {
    const base64 = Buffer.from('Bonjour').toString('base64');
    const answer = await sendParts(
      root(`<Document id="d1">\n ${base64.slice(0, 5)}\r\n\t${base64.slice(5)} </Document>`),
    );
    expect(await gotOf(answer)).toEqual(told(['d1', 'Bonjour']));
  });

  test('inline and larger than a piece', async () => {
    const bytes = large.subarray(0, 190_001);
    const answer = await sendParts(root(`<Document id="d1">${bytes.toString('base64')}</Document>`));
    expect(await gotOf(answer)).toEqual(told(['d1', bytes]));
  });

  test('mixed, and empty', async () => {
    const answer = await sendParts(
      root(`${include('d1', 'cid:a')}<Document id="d2"/><Document id="d3">eA==</Document>`),
      part('a', ''),
    );
    expect(await gotOf(answer)).toEqual(told(['d1', ''], ['d2', ''], ['d3', 'x']));
  });

  test('in plain SOAP: answered as a package all the same', async () => {
    const body = deposit('<Document id="d1">Qm9uam91cg==</Document>', assertion());
    const answer = await send(Buffer.from(body), plain);
    expect(await gotOf(answer)).toEqual(told(['d1', 'Bonjour']));
    expect(answer.headers['content-type']).toMatch(/^multipart\/related; type="application\/xop\+xml"/);
  });

  test.each([
    ['start without angle brackets', mtom().replace(/[<>]/g, '')],
    ['no start', mtom().replace(/ start="[^"]*";/, '')],
    ['an empty start', mtom().replace(/ start="[^"]*";/, ' start="";')],
    ['no type, no start-info', 'multipart/related; boundary=MIMEB1'],
    ['type of SwA', 'multipart/related; boundary=MIMEB1; type="text/xml"; start-info="text/xml"'],
  ])('%s', async (_name, contentType) => {
    const answer = await send(packaged([root(include('d1', 'cid:a@x')), part('a@x')]), contentType);
    expect(await gotOf(answer)).toEqual(told(['d1', 'bytes of a@x']));
  });

  test('the root behind the documents', async () => {
    const answer = await sendParts(
      part('b@x', large),
      part('a@x'),
      root(include('d1', 'cid:a@x') + include('d2', 'cid:b@x')),
    );
    expect(await gotOf(answer)).toEqual(told(['d1', 'bytes of a@x'], ['d2', large]));
  });

  test.each([
    ['a@x', 'cid:a%40x'],
    ['a%40x', 'cid:a%40x'],
    ['a b+c', 'cid:a%20b+c'],
    ['100%', 'cid:100%'],
    ['a', 'CID:a'],
  ])('Content-ID %s is named by %s', async (id, href) => {
    expect(await gotOf(await sendParts(root(include('d1', href)), part(id, 'x')))).toEqual(told(['d1', 'x']));
  });

  test('a part in base64', async () => {
    const sent = { id: 'a', encoding: 'base64', body: Buffer.from('Bonjour').toString('base64') };
    expect(await gotOf(await sendParts(root(include('d1', 'cid:a')), sent))).toEqual(told(['d1', 'Bonjour']));
  });

  test.each(['application/soap+xml', 'text/xml; charset="utf-8"', 'application/xop+xml'])(
    'a root part of type %s',
    async (type) => {
      const answer = await sendParts({ ...root(include('d1', 'cid:a')), type }, part('a', 'x'));
      expect(await gotOf(answer)).toEqual(told(['d1', 'x']));
    },
  );

  test('in many small pieces, without a promised length', async () => {
    const body = packaged([root(include('d1', 'cid:a@x')), part('a@x')]);
    const pieces = Array.from({ length: Math.ceil(body.length / 11) }, (_, i) => body.subarray(i * 11, i * 11 + 11));
    expect(await gotOf(await post(door.port, '/xds/repository', mtom(), pieces))).toEqual(told(['d1', 'bytes of a@x']));
  });

  test('after 100 Continue', async () => {
    const body = packaged([root(include('d1', 'cid:a')), part('a', 'x')]);
    const head = `POST /xds/repository HTTP/1.1\r\nHost: x\r\nContent-Type: ${mtom()}\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`;
    const got = await raw(door.port, Buffer.concat([Buffer.from(head), body]));
    expect(got).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });
});

describe('broken packages get a fault, leave one event and nothing else', () => {
  type Case = {
    readonly body: () => Uint8Array;
    readonly words: string;
    readonly type?: string;
    readonly identified: boolean;
  };
  const whole = (...parts: SentPart[]) => packaged(parts);
  const cases: Record<string, Case> = {
    'a cid that is not found': {
      body: () => whole(root(include('d1', 'cid:a') + include('d2', 'cid:b')), part('a')),
      words: 'cid:b": there is no such part',
      identified: true,
    },
    'a cid named twice': {
      body: () => whole(root(include('d1', 'cid:a') + include('d2', 'cid:a')), part('a')),
      words: 'another document names it too',
      identified: true,
    },
    'two parts for one cid': {
      body: () => whole(root(include('d1', 'cid:a%40x')), part('a@x'), part('a%40x')),
      words: 'two parts answer to it',
      identified: true,
    },
    'two parts of the same Content-ID': {
      body: () => whole(root(include('d1', 'cid:a')), part('a'), part('a')),
      words: 'two parts have the Content-ID a',
      identified: true,
    },
    'a part that nothing names': {
      body: () => whole(root(include('d1', 'cid:a')), part('a'), part('b')),
      words: 'no document names the part with the Content-ID b',
      identified: true,
    },
    'a part that nothing names, no document at all': {
      body: () => whole(root(''), part('b')),
      words: 'no document names the part with the Content-ID b',
      identified: true,
    },
    'a part in front of the root that nothing names': {
      body: () => whole(part('b'), root(include('d1', 'cid:a')), part('a')),
      words: 'no document names the part with the Content-ID b',
      identified: true,
    },
    'a part without Content-ID': {
      body: () => whole(root(include('d1', 'cid:a')), part('a'), { body: 'x' }),
      words: 'has no Content-ID',
      identified: true,
    },
    'an include of http': {
      body: () => whole(root(include('d1', 'http://127.0.0.1:9/'))),
      words: 'only cid: is followed',
      identified: true,
    },
    'an include of a file': {
      body: () => whole(root(include('d1', 'file:///etc/passwd'))),
      words: 'only cid: is followed',
      identified: true,
    },
    'an include without href': {
      body: () => whole(root(include('d1', '').replace('href=""', ''))),
      words: 'only cid: is followed',
      identified: true,
    },
    'an include in plain SOAP': {
      body: () => Buffer.from(deposit(include('d1', 'cid:a'), assertion())),
      type: plain,
      words: 'there is no such part',
      identified: true,
    },
    'the end missing behind the documents': {
      body: () => packaged([root(include('d1', 'cid:a')), part('a')], 'MIMEB1', ''),
      words: 'ended before it was complete',
      identified: true,
    },
    'the end missing behind a lone root': {
      body: () => packaged([root('')], 'MIMEB1', '\r\n--MIMEB1'),
      words: 'ended before it was complete',
      identified: true,
    },
    'another boundary behind the root': {
      body: () => Buffer.concat([whole(root(include('d1', 'cid:a'))).subarray(0, -4), Buffer.from('X\r\n\r\n')]),
      words: 'CRLF',
      identified: true,
    },
    'another boundary from the start': {
      body: () => packaged([root('')], 'OTHER'),
      words: 'ended before it was complete',
      identified: false,
    },
    'no boundary': {
      body: () => whole(root('')),
      type: 'multipart/related; type="application/xop+xml"',
      words: 'no legal boundary',
      identified: false,
    },
    'multipart/form-data': {
      body: () => whole(root('')),
      type: 'multipart/form-data; boundary=MIMEB1',
      words: 'not accepted',
      identified: false,
    },
    'a start that no part has': {
      body: () => whole(root(include('d1', 'cid:a')), part('a')),
      type: mtom('another@x'),
      words: 'no part is the root',
      identified: false,
    },
    'an empty package': {
      body: () => packaged([], 'MIMEB1', '--MIMEB1--\r\n'),
      words: 'no part is the root',
      identified: false,
    },
    'a root that is a picture': {
      body: () => whole({ ...root(''), type: 'image/png' }),
      words: 'the root part is image/png',
      identified: false,
    },
    'a root in Latin-1': {
      body: () => whole({ ...root(''), type: 'application/xop+xml; charset=latin1' }),
      words: 'latin1',
      identified: false,
    },
    uuencode: {
      body: () => whole(root(include('d1', 'cid:a')), { ...part('a'), encoding: 'x-uuencode' }),
      words: 'Content-Transfer-Encoding',
      identified: true,
    },
    'MIME headers in the body': {
      body: () => Buffer.concat([Buffer.from(`MIME-Version: 1.0\r\nContent-Type: ${mtom()}\r\n\r\n`), whole(root(''))]),
      type: plain,
      words: 'not well-formed',
      identified: false,
    },
    'too many parts': {
      body: () =>
        whole(
          root(Array.from({ length: 20 }, (_, i) => include(`d${i}`, `cid:${i}`)).join('')),
          ...Array.from({ length: 20 }, (_, i) => part(`${i}`)),
        ),
      words: 'more than 20 parts',
      identified: true,
    },
    'too large by its documents': {
      body: () =>
        whole(
          root(Array.from({ length: 5 }, (_, i) => include(`d${i}`, `cid:${i}`)).join('')),
          ...Array.from({ length: 5 }, (_, i) => part(`${i}`, large)),
        ),
      words: 'larger than this server accepts',
      identified: true,
    },
    'too much in front of the root': {
      body: () => whole(part('a', large), part('b', large), root(include('d1', 'cid:a') + include('d2', 'cid:b'))),
      words: 'in front of the root',
      identified: false,
    },
    'too much in base64': {
      body: () =>
        whole(root(`<Document id="d1">${large.subarray(0, 150_000).toString('base64')}</Document>`.repeat(2))),
      words: 'documents in base64',
      identified: true,
    },
  };

  test.each(Object.keys(cases))('%s', async (name) => {
    const row = cases[name];
    if (row === undefined) throw new Error(name);
    const answer = await send(row.body(), row.type);
    const fault = await faultOf(answer);
    expect([answer.status, fault.code]).toEqual([name === 'multipart/form-data' ? 415 : 400, 'Sender']);
    expect(fault.reason).toContain(row.words);
    expect(door.events().length - before).toBe(row.identified ? 1 : 0);
    if (row.identified) {
      expect(fault.relatesTo).toBe('urn:uuid:8d1c2f6e-3f63-4a35-8a55-0f4b8d1c7e21');
      expect(door.events().at(-1)).toMatchObject({ action: 'submitDocuments', outcome: 'failed' });
    }
    expect(await gotOf(await sendParts(root('')))).toEqual([]);
  });

  test.each([
    ['not base64', '<Document id="d1">Qm9*</Document>', 'not base64'],
    ['cut base64', '<Document id="d1">Qm9ua</Document>', 'not base64'],
    ['an element in a document', '<Document id="d1"><a/></Document>', 'one xop:Include and nothing else'],
    ['text beside an include', include('d1', 'cid:a').replace('<xop', 'x<xop'), 'one xop:Include and nothing else'],
    ['two includes', include('d1', 'cid:a').replace(/(<xop.*\/>)/, '$1$1'), 'one xop:Include and nothing else'],
    ['a document without id', '<Document>eA==</Document>', 'id of xds:Document is missing'],
  ])('%s is a fault of metadata', async (_name, documents, words) => {
    const answer = await sendParts(root(documents));
    expect(await errorOf(answer)).toMatchObject({
      errorCode: 'XDSRepositoryMetadataError',
      codeContext: expect.stringContaining(words),
    });
    expect(door.events().length - before).toBe(1);
  });

  test('without a credential the documents are not even read', async () => {
    const bare = root(include('d1', 'cid:a'));
    const body = String(bare.body).replace(/<Security.*<\/Security>/, '');
    const answer = await sendParts({ ...bare, body }, part('a'));
    expect(answer.status).toBe(401);
    expect(answer.headers['content-type']).toMatch(/^multipart\/related/);
    expect(await faultOf(answer)).toMatchObject({ subcode: 'wsse:SecurityTokenUnavailable' });
  });
});

describe('bodies longer, shorter or slower than promised', () => {
  const request = (body: Uint8Array, length: number, contentType = mtom()) =>
    Buffer.concat([
      Buffer.from(
        `POST /xds/repository HTTP/1.1\r\nHost: x\r\nContent-Type: ${contentType}\r\nContent-Length: ${length}\r\n\r\n`,
      ),
      body,
    ]);
  const body = () => packaged([root(include('d1', 'cid:a')), part('a', large)]);
  const served = async () => expect(await gotOf(await sendParts(root('')))).toEqual([]);

  test('longer: what is behind the message is no message', async () => {
    const sent = body();
    const got = await raw(door.port, Buffer.concat([request(sent, sent.length), Buffer.from('surplus\r\n\r\n')]));
    // Whether our answer or the parser's refusal of the surplus comes first is a matter of luck.
    expect(got).toMatch(/^HTTP\/1\.1 (200 OK|400 Bad Request)/);
    await served();
  });

  test('shorter, then silence: a fault within the time allowed, the connection closed', async () => {
    const sent = body();
    const got = await raw(door.port, request(sent, sent.length + 10));
    expect(got).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    expect(got).toMatch(/\r\nConnection: close\r\n/i);
    expect(got).toContain('ended before it was complete');
    await served();
  });

  test('plain SOAP, shorter, then silence', async () => {
    const sent = Buffer.from(deposit('', assertion()));
    const got = await raw(door.port, request(sent, sent.length + 10, plain));
    expect(got).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    expect(got).toContain('ended before it was complete');
    await served();
  });

  test('shorter, then the end of the connection', async () => {
    const sent = body();
    const got = await raw(door.port, request(sent, sent.length + 10), 'end');
    expect(got).toMatch(/^(HTTP\/1\.1 400|$)/);
    await served();
  });

  test.each([10, 1000, 2500, 300_000])('the client is gone after %d bytes', async (length) => {
    const sent = body();
    await raw(door.port, request(sent.subarray(0, length), sent.length), 'destroy');
    await served();
    const until = performance.now() + 5000;
    while (door.live() > 0 && performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
    expect(door.live()).toBe(0);
  });

  test('a length beyond the limit is refused before anything is read', async () => {
    const got = await raw(door.port, request(Buffer.from('--MIMEB1\r\n'), 3_000_001));
    expect(got).toMatch(/^HTTP\/1\.1 400/);
    expect(got).toContain('more than 3000000 bytes');
  });

  test('a message that is no SOAP is answered while its body still flows', async () => {
    const got = await raw(
      door.port,
      request(
        packaged([{ id: 'root@example.org', type: xopType, body: '<a/>' }], 'MIMEB1', '\r\n--MIMEB1\r\n\r\n'),
        2_000_000,
      ),
    );
    expect(got).toMatch(/^HTTP\/1\.1 400/);
    expect(got).toContain('no SOAP 1.2 envelope');
  });

  test('a connection serves on after a fault whose message was read', async () => {
    const sent = packaged([root(include('d1', 'cid:a'))]);
    const again = packaged([root('')]);
    const got = await raw(door.port, Buffer.concat([request(sent, sent.length), request(again, again.length)]));
    expect(got).toMatch(/^HTTP\/1\.1 400/);
    expect(got).not.toMatch(/Connection: close/i);
  });
});

describe('answers', () => {
  const ask = async () => {
    const text = message('query')
      .replace('assertion-1', assertion())
      .replace('urn:ihe:iti:2007:RegistryStoredQuery', 'urn:ihe:iti:2007:RetrieveDocumentSet')
      .replace(
        /<query:AdhocQueryRequest.*<\/query:AdhocQueryRequest>/s,
        '<RetrieveDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007"/>',
      );
    return send(packaged([{ id: 'root@example.org', type: xopType, body: text }]));
  };
  afterEach(() => void door.answerParts.splice(0));

  test('are packages in the strict form', async () => {
    door.answerParts.push({ contentId: 'a@opendmp', mediaType: 'text/plain', size: 7, bytes: Buffer.from('Bonjour') });
    const answer = await ask();
    const type = String(answer.headers['content-type']);
    expect(type).toMatch(
      /^multipart\/related; type="application\/xop\+xml"; start="<root-[\w-]+@opendmp>"; start-info="application\/soap\+xml"; boundary="MIME-[\w-]+"; action="urn:ihe:iti:2007:RetrieveDocumentSetResponse"$/,
    );
    const parts = partsOf(answer.bytes, type);
    expect(parts.map(({ head }) => head.split('\r\n'))).toEqual([
      [
        'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"',
        'Content-Transfer-Encoding: binary',
        `Content-ID: ${/start="([^"]+)"/.exec(type)?.[1]}`,
      ],
      ['Content-Type: text/plain', 'Content-Transfer-Encoding: binary', 'Content-ID: <a@opendmp>'],
    ]);
    expect(parts[1]?.body.toString()).toBe('Bonjour');
    expect(textAt(await envelopeOf(answer), 'Header', 'Action')).toBe('urn:ihe:iti:2007:RetrieveDocumentSetResponse');
  });

  test('stream large parts with a known length', async () => {
    const stream = async function* () {
      for (let at = 0; at < large.length; at += 65_536) yield large.subarray(at, at + 65_536);
    };
    door.answerParts.push({ contentId: 'a', mediaType: 'a/b', size: large.length, bytes: stream() });
    door.answerParts.push({ contentId: 'b', mediaType: 'a/b', size: 1, bytes: Buffer.from('b') });
    const answer = await ask();
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
    expect(
      partsOf(answer.bytes, String(answer.headers['content-type']))
        .map(({ body }) => sha1(body))
        .slice(1),
    ).toEqual([sha1(large), sha1('b')]);
  });

  test('end with the connection when a part fails in the middle', async () => {
    const broken = async function* () {
      yield large;
      throw new Error('damaged');
    };
    door.answerParts.push({ contentId: 'a', mediaType: 'a/b', size: 2 * large.length, bytes: broken() });
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addressing } from '../../server/xds/vocabulary.ts';
import { at, envelopeOf, faultOf, plain, post, textAt } from '../support/wire.ts';
import { type Door, message, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(async () => door.close());

const messageId = 'urn:uuid:5b7b3a5e-0a1d-4c43-9a0c-0d3c3a6f9d11';
let counter = 0;
/** The sample query, each time with an assertion of its own. */
const query = () => message('query').replace('assertion-1', `assertion-q${counter++}`);
const ask = async (body: string | Uint8Array, contentType = plain, path = '/xds/registry') =>
  post(door.port, path, contentType, [body]);

test('a query is answered by its transaction, in plain SOAP, related to the request', async () => {
  const answer = await ask(query());
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe(
    'application/soap+xml; charset=UTF-8; action="urn:ihe:iti:2007:RegistryStoredQueryResponse"',
  );
  const envelope = await envelopeOf(answer);
  expect(textAt(envelope, 'Header', 'Action')).toBe('urn:ihe:iti:2007:RegistryStoredQueryResponse');
  expect(textAt(envelope, 'Header', 'RelatesTo')).toBe(messageId);
  expect(at(envelope, 'Body', 'Told', '$')).toEqual({
    endpoint: 'http://dmp.example.org/xds/registry',
    address: '127.0.0.1',
  });
});

test('the address of DMP software serves the same', async () => {
  const answer = await ask(query(), plain, '/si-dmp-server/v2/services/registry');
  expect(at(await envelopeOf(answer), 'Body', 'Told', '$', 'endpoint')).toBe(
    'http://dmp.example.org/si-dmp-server/v2/services/registry',
  );
});

/** The address at which the transaction was asked. */
const toldBy = async (answer: Awaited<ReturnType<typeof ask>>) =>
  at(await envelopeOf(answer), 'Body', 'Told', '$', 'endpoint');
const registry = 'http://dmp.example.org/xds/registry';

describe('liberal on input', () => {
  const variants: Record<string, (text: string) => string | Uint8Array> = {
    'a byte order mark': (text) => `\ufeff${text}`,
    'no MessageID and no ReplyTo': (text) =>
      text.replace(/<wsa:MessageID>.*<\/wsa:MessageID>/, '').replace(/<wsa:ReplyTo>.*<\/wsa:ReplyTo>/, ''),
    'an Action without mustUnderstand, in white space': (text) =>
      text.replace(/<wsa:Action.*>(urn:[^<]+)</, '<wsa:Action>\n  $1\n<'),
    'an unknown block that need not be understood': (text) =>
      text.replace('</soap12:Header>', '<x:y xmlns:x="urn:x" soap12:mustUnderstand="false"/></soap12:Header>'),
    'an unknown block that another role must understand': (text) =>
      text.replace(
        '</soap12:Header>',
        '<x:y xmlns:x="urn:x" soap12:role="urn:another" soap12:mustUnderstand="1"/></soap12:Header>',
      ),
    comments: (text) => `<!-- before -->${text.slice(text.indexOf('?>') + 2).trim()}<!-- behind -->`,
    'CRLF line ends': (text) => text.replace(/\n/g, '\r\n'),
  };
  test.each(Object.keys(variants))('%s is accepted', async (name) => {
    expect(await toldBy(await ask(variants[name]?.(query()) ?? ''))).toBe(registry);
  });
  test.each([
    'application/soap+xml',
    'application/soap+xml;charset="utf-8"; action=urn:whatever:it/says',
    'Application/SOAP+XML ; Charset=UTF-8',
  ])('content type %s is accepted', async (type) => {
    expect(await toldBy(await ask(query(), type))).toBe(registry);
  });

  const utf16 = (text: string) => Buffer.from(text.replace('UTF-8', 'UTF-16'), 'utf16le');
  test.each<[string, string, Uint8Array]>([
    ['UTF-16 by its mark alone', 'application/soap+xml', utf16(`\ufeff${query()}`)],
    ['UTF-16 of big-endian order', 'application/soap+xml; charset=UTF-16', utf16(`\ufeff${query()}`).swap16()],
    ['UTF-16 in the order that is named', 'application/soap+xml; charset=utf-16le', utf16(query())],
    [
      'UTF-8 that its XML declaration calls Latin-1',
      'application/soap+xml; charset=UTF-8',
      Buffer.from(query().replace('encoding="UTF-8"', "encoding = 'ISO-8859-1' standalone='yes'")),
    ],
  ])('%s is read', async (_name, type, bytes) => {
    expect(await toldBy(await ask(bytes, type))).toBe(registry);
  });
});

describe('what is no request gets a fault by name', () => {
  const sender = { status: 400, code: 'Sender', action: addressing.soapFaultAction };
  type Case = {
    readonly of: (text: string) => string | Uint8Array;
    readonly expected: Readonly<Record<string, unknown>>;
    readonly type?: string;
    readonly path?: string;
  };
  const header = (block: string) => (text: string) => text.replace('</soap12:Header>', `${block}</soap12:Header>`);
  const cases: Record<string, Case> = {
    'not XML': { of: () => 'hello', expected: { ...sender, words: 'not well-formed' } },
    'an empty body': { of: () => '', expected: { ...sender, words: 'not well-formed' } },
    JSON: { of: () => '{}', type: 'application/json', expected: { ...sender, status: 415, words: 'application/json' } },
    'another root': { of: () => '<a/>', expected: { ...sender, words: 'no SOAP 1.2 envelope' } },
    'two roots': { of: (text) => `${text}<a/>`, expected: { ...sender, words: 'only one root' } },
    'no Body': {
      of: (text) => text.replace(/<soap12:Body>.*<\/soap12:Body>/s, ''),
      expected: { ...sender, words: 'no Body', relatesTo: messageId },
    },
    'an empty Body': {
      of: (text) => text.replace(/<soap12:Body>.*<\/soap12:Body>/s, '<soap12:Body/>'),
      expected: { ...sender, words: 'Body is empty' },
    },
    'two elements in the Body': {
      of: (text) => text.replace('</soap12:Body>', '<a/></soap12:Body>'),
      expected: { ...sender, words: 'more than one element' },
    },
    'something behind the Body': {
      of: (text) => text.replace('</soap12:Body>', '</soap12:Body><soap12:Body/>'),
      expected: { ...sender, words: 'behind the Body' },
    },
    'SOAP 1.1': {
      of: (text) =>
        text.replaceAll('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'),
      type: 'text/xml; charset=utf-8',
      expected: { status: 500, code: 'VersionMismatch', upgrade: true, relatesTo: messageId },
    },
    'an unknown action': {
      of: (text) => text.replace('urn:ihe:iti:2007:RegistryStoredQuery', 'urn:ihe:iti:2007:Nothing'),
      expected: {
        status: 400,
        code: 'Sender',
        subcode: 'wsa:ActionNotSupported',
        action: addressing.faultAction,
        relatesTo: messageId,
      },
    },
    'an action of the other address': {
      of: (text) => text,
      path: '/xds/repository',
      expected: { status: 400, code: 'Sender', subcode: 'wsa:ActionNotSupported' },
    },
    'no action': {
      of: (text) => text.replace(/<wsa:Action.*<\/wsa:Action>/, ''),
      expected: {
        status: 400,
        code: 'Sender',
        subcode: 'wsa:MessageAddressingHeaderRequired',
        action: addressing.faultAction,
      },
    },
    'an empty action': {
      of: (text) => text.replace(/(<wsa:Action[^>]*>)[^<]*/, '$1 '),
      expected: { code: 'Sender', subcode: 'wsa:MessageAddressingHeaderRequired' },
    },
    'a doubled action': {
      of: header('<wsa:Action>urn:ihe:iti:2007:RegistryStoredQuery</wsa:Action>'),
      expected: { code: 'Sender', subcode: 'wsa:MessageAddressingHeaderRequired' },
    },
    'no Header': {
      of: (text) => text.replace(/<soap12:Header>.*<\/soap12:Header>/s, ''),
      expected: { code: 'Sender', subcode: 'wsa:MessageAddressingHeaderRequired' },
    },
    'a doubled MessageID': {
      of: header('<wsa:MessageID>urn:x</wsa:MessageID>'),
      expected: { status: 400, code: 'Sender', subcode: 'wsa:InvalidAddressingHeader', relatesTo: undefined },
    },
    'a reply address of its own': {
      of: (text) => text.replace('http://www.w3.org/2005/08/addressing/anonymous', 'http://127.0.0.1:9/reply'),
      expected: {
        status: 400,
        code: 'Sender',
        subcode: 'wsa:InvalidAddressingHeader',
        words: 'anonymous',
        relatesTo: messageId,
      },
    },
    'a block that must be understood (1)': {
      of: header('<x:y xmlns:x="urn:x:1" soap12:mustUnderstand="1"/>'),
      expected: { status: 500, code: 'MustUnderstand', notUnderstood: 'n:y', relatesTo: messageId },
    },
    'a block that must be understood (true)': {
      of: header('<y soap12:mustUnderstand="true" soap12:role="http://www.w3.org/2003/05/soap-envelope/role/next"/>'),
      expected: { status: 500, code: 'MustUnderstand', notUnderstood: 'y' },
    },
    // A reader that checks names of namespaces would not read the fault.
    'a block of a namespace that is no URI': {
      of: header('<x:y xmlns:x="http://www.w3http://%x" soap12:mustUnderstand="1"/>'),
      expected: { status: 500, code: 'MustUnderstand', notUnderstood: undefined, words: '{http://www.w3http://%x}y' },
    },
    'a DTD': { of: (text) => text.replace('?>', '?><!DOCTYPE a>'), expected: { ...sender, words: 'DOCTYPE' } },
    'an entity': { of: (text) => text.replace('assertion-', '&who;'), expected: { ...sender, words: 'entity' } },
    'a DTD with an entity': {
      of: (text) => text.replace('?>', '?><!DOCTYPE a [<!ENTITY who SYSTEM "file:///etc/passwd">]>'),
      expected: { ...sender, words: 'DOCTYPE' },
    },
    'a processing instruction': {
      of: (text) => text.replace('?>', '?><?xml-stylesheet href="a"?>'),
      expected: { ...sender, words: 'processing instruction' },
    },
    'too deep': {
      of: (text) => text.replace('</soap12:Body>', `${'<a>'.repeat(70)}${'</a>'.repeat(70)}</soap12:Body>`),
      expected: { ...sender, words: '64 levels' },
    },
    '100,000 attributes on one element': {
      of: (text) =>
        text.replace(
          '<rim:AdhocQuery ',
          `<rim:AdhocQuery ${Array.from({ length: 1e5 }, (_, i) => `a${i}=""`).join(' ')} `,
        ),
      expected: { ...sender, words: '64 attributes on one element' },
    },
    '100,000 attributes in all': {
      of: (text) => text.replace('</rim:AdhocQuery>', `${'<a b="" c="" d="" e=""/>'.repeat(6e4)}</rim:AdhocQuery>`),
      expected: { ...sender, words: '95000 attributes' },
    },
    '200,000 elements': {
      of: (text) => text.replace('</rim:AdhocQuery>', `${'<a/>'.repeat(2e5)}</rim:AdhocQuery>`),
      expected: { ...sender, words: '200000 elements' },
    },
    'a text of more than a million characters': {
      of: (text) => text.replace("'P1^", 'P'.repeat(1_000_001)),
      expected: { ...sender, words: '1000000 characters' },
    },
    'more than 16 MiB': {
      of: (text) => text.replace('</rim:AdhocQuery>', `${`<a>${' '.repeat(999_000)}</a>`.repeat(17)}</rim:AdhocQuery>`),
      expected: { ...sender, words: '16777216 characters' },
    },
    'broken UTF-8': {
      of: (text) =>
        Buffer.concat([Buffer.from(text.slice(0, 500)), Buffer.from([0xc3, 0x28]), Buffer.from(text.slice(500))]),
      expected: { ...sender, words: 'not UTF-8' },
    },
    'UTF-16 that is called UTF-8': {
      of: (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
      expected: { ...sender, words: 'UTF-16' },
    },
    'half a character of UTF-16': {
      of: (text) => Buffer.from(`\ufeff${text}`, 'utf16le').subarray(0, -1),
      type: 'application/soap+xml; charset=utf-16',
      expected: { ...sender, words: 'UTF-16' },
    },
    'UTF-16 of no byte order': {
      of: (text) => Buffer.from(text, 'utf16le'),
      type: 'application/soap+xml; charset=utf-16',
      expected: { ...sender, words: 'byte order mark' },
    },
    'UTF-16 without a mark': { of: (text) => Buffer.from(text, 'utf16le'), expected: { ...sender, words: 'UTF-16' } },
    'an XML declaration of Latin-1': {
      of: (text) => text.replace('UTF-8', 'ISO-8859-1'),
      type: 'application/soap+xml',
      expected: { ...sender, words: 'ISO-8859-1' },
    },
    'a charset of Latin-1': {
      of: (text) => text,
      type: 'application/soap+xml; charset=iso-8859-1',
      expected: { ...sender, words: 'iso-8859-1' },
    },
    'another element in the Body': {
      of: (text) => text.replaceAll('AdhocQueryRequest', 'AnotherRequest'),
      expected: { ...sender, words: 'AnotherRequest', relatesTo: messageId },
    },
  };

  test.each(Object.keys(cases))('%s', async (name) => {
    const row = cases[name];
    if (row === undefined) throw new Error(name);
    const answer = await ask(row.of(query()), row.type, row.path);
    const fault = await faultOf(answer);
    const { words, ...expected } = row.expected;
    expect({ status: answer.status, ...fault }).toMatchObject(expected);
    if (typeof words === 'string') expect(fault.reason).toContain(words);
    expect((await ask(query())).status).toBe(200);
  });
});

describe('identification', () => {
  test('no credential: 401, the token is unavailable, an event of nobody', async () => {
    const before = door.events().length;
    const answer = await ask(query().replace(/<wsse:Security.*<\/wsse:Security>/, ''));
    expect(answer.status).toBe(401);
    expect(await faultOf(answer)).toMatchObject({
      code: 'Sender',
      subcode: 'wsse:SecurityTokenUnavailable',
      relatesTo: messageId,
    });
    const events = door.events().slice(before);
    expect(events).toMatchObject([{ action: 'identify', outcome: 'refused', origin: { transaction: 'ITI-18' } }]);
    expect(events[0]).not.toHaveProperty('actor');
  });

  test('a bad credential: 400, and nothing about what was wrong with it', async () => {
    const answer = await ask(query().replace(/assertion-q\d+/, 'forged'));
    expect(answer.status).toBe(400);
    const fault = await faultOf(answer);
    expect(fault).toMatchObject({ code: 'Sender', subcode: 'wsse:FailedAuthentication', relatesTo: messageId });
    expect(answer.bytes.toString()).not.toContain('signature');
  });

  test('a credential that a refused message has used cannot be used again', async () => {
    const used = query().replaceAll('AdhocQueryRequest', 'AnotherRequest');
    await ask(used);
    const answer = await ask(used);
    expect(answer.status).toBe(400);
    expect(await faultOf(answer)).toMatchObject({ code: 'Sender', subcode: 'wsse:FailedAuthentication' });
  });
});

describe('after identification every refusal leaves one event', () => {
  const asking = (what: string) =>
    query().replace('<query:AdhocQueryRequest ', `<query:AdhocQueryRequest ask="${what}" `);
  const codeOf = (envelope: unknown) =>
    at(envelope, 'Body', 'RegistryResponse', 'RegistryErrorList', 'RegistryError', '$');

  test('a refusal of the reading: the response of the transaction', async () => {
    const before = door.events().length;
    const answer = await ask(asking('refusal'));
    expect(answer.status).toBe(200);
    expect(codeOf(await envelopeOf(answer))).toMatchObject({ errorCode: 'XDSUnknownStoredQuery' });
    expect(door.events().slice(before)).toMatchObject([
      { action: 'searchDocuments', outcome: 'failed', ground: 'queryUnknown', actor: { kind: 'professional' } },
    ]);
  });

  test('an unexpected body', async () => {
    const before = door.events().length;
    await ask(query().replaceAll('AdhocQueryRequest', 'AnotherRequest'));
    expect(door.events().slice(before)).toMatchObject([
      { action: 'searchDocuments', outcome: 'failed', ground: 'bodyUnexpected' },
    ]);
  });

  test.each([
    ['busy', 'XDSRegistryBusy'],
    ['stopped', 'XDSRegistryBusy'],
    ['full', 'XDSRegistryOutOfResources'],
  ])('a store that is %s', async (what, errorCode) => {
    const answer = await ask(asking(what));
    expect(answer.status).toBe(200);
    expect(codeOf(await envelopeOf(answer))).toMatchObject({ errorCode });
  });

  test('a failure of our own: a Receiver fault without detail, its cause in the log', async () => {
    const answer = await ask(asking('crash'));
    expect(answer.status).toBe(500);
    expect(await faultOf(answer)).toMatchObject({ code: 'Receiver', relatesTo: messageId });
    expect(answer.bytes.toString()).not.toContain('secret detail');
    expect(door.logged.at(-1)).toContain('secret detail');
  });
});

describe('the request id', () => {
  test('is echoed when harmless, and kept in the event', async () => {
    const answer = await post(door.port, '/xds/registry', plain, [query().replaceAll('AdhocQueryRequest', 'X')], {
      'X-Request-Id': 'abc-1.2.3',
    });
    expect(answer.headers['x-request-id']).toBe('abc-1.2.3');
    expect(door.events().at(-1)?.origin.requestId).toBe('abc-1.2.3');
  });

  test.each(['a b', 'x'.repeat(129), 'é'])('is made when %s is sent', async (given) => {
    const answer = await post(door.port, '/xds/registry', plain, [query()], { 'X-Request-Id': given });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

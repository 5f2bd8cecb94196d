import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeRootAuthority } from '../../server/crypto/certificate-authority.ts';
import { signEnveloped } from '../../server/crypto/signature.ts';
import { personOf } from '../../server/sandbox/people.ts';
import { type Acting, cxOf, packageOf, readAnswer, unsigned, type XdsAnswer } from '../support/clients.ts';
import { envelope, type Filed, findDocuments, submission, transactions } from '../support/messages.ts';
import { openServer, type TestServer } from '../support/server.ts';
import { mtom, packaged, post, xopType } from '../support/wire.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server.close());

const filer = () => {
  const person = personOf('dr-martin');
  if (person?.kind !== 'professional') throw new Error('dr-martin');
  return person;
};
const vihf = (acting: Acting = { patient: 'laurent' }, more = {}) => server.credentials.vihf('dr-martin', acting, more);

let number = 0;
let filed: Omit<Filed, 'include'>;
beforeEach(() => {
  number++;
  filed = {
    cx: cxOf('laurent'),
    filer: filer(),
    uniqueId: `2.999.3.${number}`,
    bytes: Buffer.from(`document ${number}`),
  };
});

/** What is sent changes nothing but the events; answers both. */
async function refused(send: () => Promise<XdsAnswer>) {
  const { answer, events, unchanged } = await server.ledger.traced(send);
  expect(unchanged).toBe(true);
  expect(events).toHaveLength(1);
  return { answer, event: events[0] };
}
const deposit = (change?: (request: string) => string, security = vihf()) =>
  server.xds.deposit(security, filed, change);
const slot = (name: string) => new RegExp(`<rim:Slot name="${name}">[\\s\\S]*?</rim:Slot>`);

test('the deposit that is spoilt below is a good one', async () => {
  expect(await deposit()).toMatchObject({ http: 200, status: 'Success', errors: [] });
});

describe('metadata', () => {
  test('incomplete and contradictory: every problem in one answer, with attribute, value, rule and remedy', async () => {
    const { answer, event } = await refused(() =>
      deposit((request) =>
        request
          .replace(slot('languageCode'), '')
          .replace('<rim:Value>20250301101500</rim:Value>', '<rim:Value>20251301101500</rim:Value>')
          .replace(
            '<rim:Value>20250301080000</rim:Value>',
            '<rim:Value>20250301080000</rim:Value></rim:ValueList></rim:Slot>' +
              '<rim:Slot name="serviceStopTime"><rim:ValueList><rim:Value>20250301070000</rim:Value>',
          )
          .replace('nodeRepresentation="N"', 'nodeRepresentation="R"')
          .replace('<rim:Value>Original</rim:Value>', '<rim:Value>Copy</rim:Value>'),
      ),
    );
    expect(answer).toMatchObject({ http: 200, status: 'Failure' });
    expect(event).toMatchObject({ action: 'submitDocuments', outcome: 'failed' });
    for (const [attribute = '', value = ''] of [
      ['languageCode'],
      ['creationTime', '20251301101500'],
      ['serviceStopTime', '20250301070000'],
      ['confidentialityCode', 'R'],
      ['SubmissionSetStatus', 'Copy'],
    ]) {
      const told = answer.errors.filter(({ context }) => context.includes(attribute));
      expect(told).toHaveLength(1);
      expect(told[0]?.code).toBe('XDSRepositoryMetadataError');
      expect(told[0]?.context).toContain(value);
      // What is wrong. Rule: where it stands. What to do.
      expect(told[0]?.context).toMatch(/^.+\. Rule: .+\. .+\.$/s);
    }
  });

  test('of nobody’s patient', async () => {
    const { answer } = await refused(() =>
      deposit((request) => request.replaceAll(/161053523812385/g, '161053523812386')),
    );
    expect(answer.status).toBe('Failure');
    expect(answer.errors.map(({ code }) => code)).toEqual(['XDSPatientIdDoesNotMatch']);
  });

  test('of an author who is not the caller', async () => {
    const { answer } = await refused(() => deposit((request) => request.replaceAll('899970000016', '899970000024')));
    expect(answer.errors).toMatchObject([
      { code: 'XDSRepositoryMetadataError', context: expect.stringContaining('author') },
    ]);
  });
});

describe('documents', () => {
  test.each([
    [
      'a wrong hash',
      'hash',
      (request: string) => request.replace(slot('hash'), hashOf('da39a3ee5e6b4b0d3255bfef95601890afd80709')),
    ],
    ['a wrong size', 'size', (request: string) => request.replace(slot('size'), sizeOf(8))],
  ])('%s', async (_, attribute, change) => {
    const { answer } = await refused(() => deposit(change));
    expect(answer).toMatchObject({ status: 'Failure', errors: [{ code: 'XDSRepositoryMetadataError' }] });
    expect(answer.errors[0]?.context).toMatch(new RegExp(`^${attribute} of doc1`));
  });
  const hashOf = (hash: string) =>
    `<rim:Slot name="hash"><rim:ValueList><rim:Value>${hash}</rim:Value></rim:ValueList></rim:Slot>`;
  const sizeOf = (size: number) =>
    `<rim:Slot name="size"><rim:ValueList><rim:Value>${size}</rim:Value></rim:ValueList></rim:Slot>`;

  test('without metadata', async () => {
    const { answer } = await refused(() =>
      deposit((request) =>
        request.replace('</xds:ProvideAnd', '<xds:Document id="doc2">QQ==</xds:Document></xds:ProvideAnd'),
      ),
    );
    expect(answer.errors).toMatchObject([
      { code: 'XDSMissingDocumentMetadata', context: expect.stringContaining('doc2') },
    ]);
  });

  test('that are described and not sent', async () => {
    const { answer } = await refused(() =>
      server.xds.ask('deposit', vihf(), submission(filed).replace(/<xds:Document [\s\S]*<\/xds:Document>/, '')),
    );
    expect(answer.errors).toMatchObject([{ code: 'XDSMissingDocument', context: expect.stringContaining('doc1') }]);
  });
});

describe('a patient', () => {
  test('of the submission other than that of the assertion', async () => {
    const { answer, event } = await refused(() => deposit(undefined, vihf({ patient: 'blanc' })));
    expect(answer).toMatchObject({ status: 'Failure', errors: [{ code: 'XDSPatientIdDoesNotMatch' }] });
    expect(event).toMatchObject({ outcome: 'refused', ground: 'otherPatient' });
    expect(event).not.toHaveProperty('record');
    expect(event).not.toHaveProperty('patient');
  });

  test('named twice, differently, within the submission', async () => {
    const { answer } = await refused(() =>
      deposit((request) => {
        const at = request.lastIndexOf('161053523812385');
        return `${request.slice(0, at)}288017511423611${request.slice(at + 15)}`;
      }),
    );
    expect(answer.errors).toMatchObject([{ code: 'XDSPatientIdDoesNotMatch' }]);
  });

  test.each([
    ['without a record', 'garnier', /^(?!.*closed)/],
    ['whose record is closed', 'faure', /closed/],
  ])('%s', async (_, patient, words) => {
    filed = { ...filed, cx: cxOf(patient) };
    const { answer, event } = await refused(() => deposit(undefined, vihf({ patient })));
    expect(answer).toMatchObject({ status: 'Failure', errors: [{ code: 'XDSUnknownPatientId' }] });
    expect(answer.errors[0]?.context).toMatch(words);
    expect(event).toMatchObject({ outcome: 'refused', actor: { id: filer().idNat } });
  });

  test('who did not authorise the depositor', async () => {
    const { answer } = await refused(() =>
      server.xds.deposit(server.credentials.vihf('pharm-durand', { patient: 'laurent' }), filed),
    );
    expect(answer.errors).toMatchObject([
      { code: 'XDSRepositoryError', context: expect.stringMatching(/^DMPAccessDeniedByRightsService/) },
    ]);
  });
});

describe('a uniqueId that is held already', () => {
  test.each([
    ['by the same bytes', 'the same', 'XDSDuplicateUniqueIdInRegistry'],
    ['by other bytes', 'others', 'XDSNonIdenticalHash'],
  ])('%s', async (_, text, code) => {
    filed = { ...filed, bytes: Buffer.from('the same') };
    expect((await deposit()).status).toBe('Success');
    filed = { ...filed, bytes: Buffer.from(text) };
    const { answer, event } = await refused(() =>
      deposit((request) => request.replace(`${filed.uniqueId}.1"`, `${filed.uniqueId}.2"`)),
    );
    expect(answer).toMatchObject({
      status: 'Failure',
      errors: [{ code, context: expect.stringContaining(filed.uniqueId) }],
    });
    expect(event).toMatchObject({ action: 'submitDocuments', outcome: 'failed' });
  });

  test('by a document of another patient is refused without telling whose it is', async () => {
    const { answer } = await refused(() =>
      deposit((request) => request.replaceAll(`"${filed.uniqueId}"`, '"1.2.250.1.999.1.3.401"')),
    );
    expect(answer.status).toBe('Failure');
    expect(answer.errors).toHaveLength(1);
    expect(answer.errors[0]?.context).not.toMatch(/155115935006418|GIRARD/i);
  });

  test('sent twice at the same moment is registered once', async () => {
    const answers = await Promise.all([deposit(), deposit()]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual(['Failure', 'Success']);
  });
});

describe('an assertion', () => {
  const minute = 60_000;
  const ask = (security: string | undefined) => server.xds.ask('find', security, findDocuments(cxOf('laurent')));
  const sound = () => vihf();

  /** The same names and numbers on a card of another authority. */
  async function strangers(): Promise<string> {
    const name = [
      [{ oid: '2.5.4.6', value: 'FR' }],
      [{ oid: '2.5.4.12', value: 'Médecin' }],
      [
        { oid: '2.5.4.42', value: 'Hélène' },
        { oid: '2.5.4.4', value: 'MARTIN' },
        { oid: '2.5.4.3', value: '899970000016' },
      ],
    ];
    const authority = await makeRootAuthority(
      [[{ oid: '2.5.4.6', value: 'FR' }], [{ oid: '2.5.4.3', value: 'AC SANDBOX OPENDMP PERSONNES' }]],
      Date.now(),
    );
    const { privateKey, der } = await authority.issue(name);
    const { createPrivateKey } = await import('node:crypto');
    return signEnveloped(unsigned(sound()), createPrivateKey(privateKey), der);
  }

  /** A forged assertion in front, the signed one moved out of sight. */
  function wrapped(): string {
    const signed = sound();
    const forged = unsigned(signed)
      .replace(/ID="_[^"]*"/, 'ID="_forged"')
      .replaceAll('899970000016', '899970000024');
    return forged.replace('</saml:Assertion>', `<saml:Advice>${signed}</saml:Advice></saml:Assertion>`);
  }

  const cases: Readonly<Record<string, () => string | Promise<string>>> = {
    expired: () => vihf(undefined, { issuedAt: Date.now() - 60 * minute }),
    'not yet valid': () => vihf(undefined, { issuedAt: Date.now() + 60 * minute }),
    doubled: () => sound() + sound(),
    'doubled, both the same': () => {
      const one = sound();
      return one + one;
    },
    wrapped,
    'signed by a stranger': strangers,
    unsigned: () => unsigned(sound()),
    'altered after signing': () => sound().replace('>normal<', '>x<').replace('code="normal"', 'code="bris_de_glace"'),
    'with a comment inside': () => sound().replace('899970000016<', '899970000016<!-- -->9<'),
    'of a secretary who claims to be a doctor': () =>
      server.credentials.resigned(
        'sec-moreau',
        server.credentials.vihf('sec-moreau', { patient: 'laurent' }),
        (assertion) =>
          assertion
            .replace('code="SECRETARIAT_MEDICAL"', 'code="10"')
            .replace('codeSystem="1.2.250.1.213.1.1.4.6"', 'codeSystem="1.2.250.1.71.1.2.7"'),
      ),
    'of another structure than the certificate’s': () =>
      server.credentials.resigned('labo-centre', server.credentials.vihf('labo-centre'), (assertion) =>
        assertion.replaceAll('1990000028', '1990000010'),
      ),
  };

  const isFault = (answer: XdsAnswer) => {
    expect(answer).toMatchObject({
      http: 400,
      status: 'Fault',
      fault: { code: 'Sender', subcode: 'wsse:FailedAuthentication' },
    });
    // Which check failed is nobody's business outside.
    expect(answer.fault?.reason).toBe(reason);
    expect(answer.fault?.relatesTo).toMatch(/^urn:uuid:/);
  };
  let reason = '';
  beforeAll(async () => {
    reason = (await ask(unsigned(sound()))).fault?.reason ?? '';
    expect(reason).not.toBe('');
  });

  test.each(Object.keys(cases))('%s', async (name) => {
    const security = await cases[name]?.();
    const { answer, event } = await refused(() => ask(security));
    isFault(answer);
    expect(event).toMatchObject({ action: 'identify', outcome: 'refused' });
    for (const key of ['actor', 'patient', 'record', 'credential']) expect(event).not.toHaveProperty(key);
  });

  test.each([
    ['missing', undefined],
    ['missing, another thing in its place', '<Assertion>899970000016</Assertion>'],
  ])('%s', async (_, security) => {
    const { answer, event } = await refused(() => ask(security));
    expect(answer).toMatchObject({ http: 401, status: 'Fault', fault: { subcode: 'wsse:SecurityTokenUnavailable' } });
    expect(event).toMatchObject({ action: 'identify', outcome: 'refused' });
  });

  test('replayed after a deposit that was refused', async () => {
    const security = sound();
    await deposit((request) => request.replace(slot('languageCode'), ''), security);
    const { answer, event } = await refused(() => deposit(undefined, security));
    isFault(answer);
    expect(event).toMatchObject({ action: 'identify', ground: 'replayed' });
  });

  test('in a deposit with its document: refused before anything is kept', async () => {
    const { answer } = await refused(() => deposit(undefined, vihf(undefined, { issuedAt: Date.now() - 60 * minute })));
    isFault(answer);
  });
});

describe('a client that is gone in the middle', () => {
  const large = Buffer.alloc(6 * 1024 * 1024, 'large document');

  /** Sends a part of a deposit that promises all of it, and cuts the connection when that part has left. */
  async function cut(share: number): Promise<void> {
    const whole = packageOf(
      envelope('deposit', vihf(), submission({ ...filed, bytes: large, include: 'doc1@example.org' })),
      large,
    );
    const head = `POST ${transactions.deposit.path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${mtom()}\r\nContent-Length: ${whole.length}\r\n\r\n`;
    const socket = connect(server.port, '127.0.0.1');
    await new Promise<void>((resolve) => {
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.write(head);
      socket.write(whole.subarray(0, Math.floor(whole.length * share)), () => socket.destroy());
    });
  }

  /** Waits until the server has noticed, which is when its event is written. */
  async function noticed(after: number): Promise<void> {
    for (let tries = 0; server.ledger.last() === after && tries < 200; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
  }

  test.each([0.5, 0.99])(
    'at %d of a large deposit: nothing is kept, one event, and the next one passes',
    async (share) => {
      const [before, rows, files] = [server.ledger.last(), server.ledger.rows(), server.ledger.files()];
      await cut(share);
      await noticed(before);
      expect(server.ledger.after(before)).toMatchObject([{ action: 'submitDocuments', outcome: 'failed' }]);
      expect(server.ledger.rows()).toEqual(rows);
      expect(server.ledger.files()).toEqual(files);
      expect((await deposit()).status).toBe('Success');
    },
  );

  test('a large deposit that arrives whole is kept', async () => {
    filed = { ...filed, bytes: large };
    const files = server.ledger.files().length;
    expect((await deposit()).status).toBe('Success');
    expect(server.ledger.files()).toHaveLength(files + 1);
  });
});

test('a document is refused whole where one of two is wrong', async () => {
  const request = submission({ ...filed, include: 'doc1@example.org' });
  const second = request
    .slice(request.indexOf('<rim:ExtrinsicObject'), request.indexOf('<rim:RegistryPackage'))
    .replaceAll(/"(c\d+|e\d+)"/g, '"$1b"')
    .replaceAll('"doc1"', '"doc2"')
    .replaceAll(`"${filed.uniqueId}"`, `"${filed.uniqueId}.9"`)
    .replace(slot('size'), '<rim:Slot name="size"><rim:ValueList><rim:Value>1</rim:Value></rim:ValueList></rim:Slot>');
  const both = request
    .replace('<rim:RegistryPackage', `${second}<rim:RegistryPackage`)
    .replace(
      '</rim:RegistryObjectList>',
      '<rim:Association id="a2" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember" sourceObject="ss1" targetObject="doc2">' +
        '<rim:Slot name="SubmissionSetStatus"><rim:ValueList><rim:Value>Original</rim:Value></rim:ValueList></rim:Slot></rim:Association></rim:RegistryObjectList>',
    )
    .replace(
      '</xds:ProvideAnd',
      `<xds:Document id="doc2">${Buffer.from(filed.bytes).toString('base64')}</xds:Document></xds:ProvideAnd`,
    );
  const send = (body: string) =>
    post(server.port, transactions.deposit.path, mtom(), [
      packaged([
        { id: 'root@example.org', type: xopType, body: envelope('deposit', vihf(), body) },
        { id: 'doc1@example.org', type: 'text/xml', body: filed.bytes },
      ]),
    ]).then(readAnswer);
  const { answer } = await refused(() => send(both));
  expect(answer.errors).toMatchObject([{ context: expect.stringMatching(/^size of doc2/) }]);
  const right = both.replace('<rim:Value>1</rim:Value>', `<rim:Value>${filed.bytes.length}</rim:Value>`);
  expect(await send(right)).toMatchObject({ status: 'Success', errors: [] });
});

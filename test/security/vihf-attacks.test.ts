import { sign } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Identify, NotIdentified, type ReadEnvelope } from '../../server/auth/credentials.ts';
import { openTrust } from '../../server/auth/trust.ts';
import { makeAssertionIdentifier } from '../../server/auth/vihf.ts';
import { XmlRejected } from '../../server/xml/read.ts';
import { envelope, issuedAt, makeSigners, readEnvelope, sample, signed } from '../support/assertions.ts';

let signers: Awaited<ReturnType<typeof makeSigners>>;
let identify: Identify['assertion'];
let good: string;

beforeAll(async () => {
  signers = await makeSigners();
  const trust = await openTrust({ authorities: signers.authorities, crls: '' });
  const settings = {
    allowSha1: false,
    skewSeconds: 120,
    maxAgeSeconds: 300,
    audience: 'https://dmp.example',
    systems: [],
  };
  identify = makeAssertionIdentifier(trust, settings, () => issuedAt);
  good = signed(sample('direct-3.0'), signers.doctor);
});

/** Why the message proves nobody; the parser refuses some before anybody looks for an assertion. */
async function whyNot(message: () => ReadEnvelope): Promise<string> {
  try {
    const { actor } = await identify(message());
    return `identified ${'id' in actor ? actor.id : actor.kind}`;
  } catch (error) {
    if (error instanceof NotIdentified) return error.why;
    if (error instanceof XmlRejected) return error.problem;
    throw error;
  }
}

/** What an attacker would like to be. */
const evil = () => sample('direct-3.0').replaceAll('899970000016', '899970000024').replace('_6f1d3a52', '_evil');
const signatureOf = (xml: string) => /<ds:Signature .*<\/ds:Signature>/s.exec(xml)?.[0] ?? '';
const keyInfo = /<ds:KeyInfo>.*<\/ds:KeyInfo>/s;
const id = '_6f1d3a52-direct';
const wsu = ' xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"';

test('the untouched message is identified', async () => {
  expect(await whyNot(() => envelope(good))).toBe('identified 899970000016');
});

describe('wrapping, doubling and altering', () => {
  const attacks: readonly (readonly [string, string, () => ReadEnvelope])[] = [
    ['no assertion at all', 'no assertion', () => envelope('')],
    [
      'a value altered',
      'digest wrong',
      () => envelope(good.replace('<saml:NameID>899970000016', '<saml:NameID>899970000024')),
    ],
    ['an attribute altered', 'digest wrong', () => envelope(good.replace('"normal"', '"centre_15"'))],
    ['an attribute added', 'digest wrong', () => envelope(good.replace('<saml:Subject>', '<saml:Subject x="">'))],
    [
      'the signature value altered',
      'signature wrong',
      () =>
        envelope(
          good.replace(/<ds:SignatureValue>(.)/, (_, c: string) => `<ds:SignatureValue>${c === 'A' ? 'B' : 'A'}`),
        ),
    ],
    [
      'the digest replaced by one of the altered text',
      'signature wrong',
      () =>
        envelope(
          signed(evil(), signers.doctor).replace(
            /<ds:SignatureValue>.*?</s,
            /<ds:SignatureValue>.*?</s.exec(good)?.[0] ?? '',
          ),
        ),
    ],
    ['an unsigned assertion before the signed one', 'more than one assertion', () => envelope(evil() + good)],
    ['an unsigned assertion behind it', 'more than one assertion', () => envelope(good + evil())],
    ['the same assertion twice', 'more than one assertion', () => envelope(good + good)],
    [
      'the signed one nested in another',
      'more than one assertion',
      () => envelope(evil().replace('<saml:Subject>', `<saml:Advice>${good}</saml:Advice><saml:Subject>`)),
    ],
    [
      'the signature moved, the original in ds:Object',
      'more than one assertion',
      () =>
        envelope(
          evil().replace(
            '</saml:Issuer>',
            `</saml:Issuer>${signatureOf(good).replace('</ds:Signature>', `<ds:Object>${good.replace(signatureOf(good), '')}</ds:Object></ds:Signature>`)}`,
          ),
        ),
    ],
    [
      'the signature moved to another assertion of the same ID',
      'digest wrong',
      () =>
        envelope(
          evil()
            .replace('_evil', '_6f1d3a52')
            .replace('</saml:Issuer>', `</saml:Issuer>${signatureOf(good)}`),
        ),
    ],
    [
      'the signature moved to another assertion',
      'reference to something else',
      () => envelope(evil().replace('</saml:Issuer>', `</saml:Issuer>${signatureOf(good)}`)),
    ],
    ['another assertion in the Body', 'more than one assertion', () => envelope(good, { elsewhere: evil() })],
    ['the assertion in the Body', 'assertion out of place', () => envelope('', { elsewhere: good })],
    ['the assertion in the Header, outside Security', 'assertion out of place', () => envelope('', { header: good })],
    [
      'the assertion in a Header that lies in the Body',
      'assertion out of place',
      () =>
        envelope('', {
          elsewhere:
            '<e:Header xmlns:e="http://www.w3.org/2003/05/soap-envelope"><s:Security xmlns:s="http://docs.oasis-open.org/' +
            `wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">${good}</s:Security></e:Header>`,
        }),
    ],
    [
      'the assertion deeper in Security',
      'assertion out of place',
      () => envelope(`<x xmlns="urn:example">${good}</x>`),
    ],
    [
      'an encrypted assertion beside it',
      'encrypted assertion',
      () => envelope(`${good}<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`),
    ],
    [
      'its ID elsewhere as ID',
      'ID of the assertion used twice',
      () => envelope(good, { elsewhere: `<x ID="${id}"/>` }),
    ],
    [
      'its ID elsewhere as Id',
      'ID of the assertion used twice',
      () => envelope(good, { elsewhere: `<x Id="${id}"/>` }),
    ],
    [
      'its ID elsewhere as id',
      'ID of the assertion used twice',
      () => envelope(good, { elsewhere: `<x id="${id}"/>` }),
    ],
    [
      'its ID elsewhere as xml:id',
      'ID of the assertion used twice',
      () => envelope(good, { elsewhere: `<x xml:id="${id}"/>` }),
    ],
    [
      'its ID elsewhere as wsu:Id',
      'ID of the assertion used twice',
      () => envelope(good, { attributes: wsu, elsewhere: `<x wsu:Id="${id}"/>` }),
    ],
    [
      'its ID elsewhere as q:Id',
      'ID of the assertion used twice',
      () => envelope(good, { elsewhere: `<x xmlns:q="urn:q" q:Id="${id}"/>` }),
    ],
    [
      'ids that differ by case alone, within Security',
      'id used twice in Security',
      () => envelope(`${good}<x xmlns="urn:example" Id="a"/><x xmlns="urn:example" ID="a"/>`),
    ],
    ['no ID', 'assertion without ID', () => envelope(good.replace(` ID="${id}"`, ''))],
    [
      'a comment inside NameID',
      'comment in the assertion',
      () => envelope(good.replace('<saml:NameID>8999', '<saml:NameID>8999<!-- -->')),
    ],
    [
      'a comment inside DigestValue',
      'comment in the assertion',
      () => envelope(good.replace('<ds:DigestValue>', '<ds:DigestValue><!-- -->')),
    ],
    [
      'a processing instruction inside NameID',
      'xmlForbidden',
      () => envelope(good.replace('<saml:NameID>8999', '<saml:NameID><?x 8999?>')),
    ],
    [
      'an entity of a DTD',
      'xmlForbidden',
      () =>
        readEnvelope(
          `<!DOCTYPE e [<!ENTITY a "8999">]>${envelope(good).source.replace('<saml:NameID>8999', '<saml:NameID>&a;')}`,
        ),
    ],
    [
      'an assertion of a megabyte',
      'assertion too long',
      () => envelope(good.replace('<ds:KeyInfo>', `<ds:KeyInfo>${' '.repeat(70_000)}`)),
    ],
  ];
  test.each(attacks)('%s: %s', async (_, why, message) => {
    expect(await whyNot(message)).toBe(why);
  });

  test('a message without any assertion is told from one with a bad one', async () => {
    await expect(identify(envelope(''))).rejects.toMatchObject({ absent: true });
    await expect(identify(envelope('', { elsewhere: good }))).rejects.toMatchObject({ absent: false });
  });

  test('an id that metadata repeats elsewhere in the message does not matter', async () => {
    const elsewhere = '<ExtrinsicObject id="Document01"/><Document id="Document01"/>';
    expect(await whyNot(() => envelope(good, { elsewhere }))).toBe('identified 899970000016');
  });
});

describe('keys', () => {
  const cases: readonly (readonly [string, string, () => string])[] = [
    [
      'signed by a stranger whose authority has the same name',
      'certificate of no trusted authority',
      () => signed(sample('direct-3.0'), signers.stranger),
    ],
    [
      'signed by a stranger under the certificate of the doctor',
      'signature wrong',
      () => signed(sample('direct-3.0'), { ...signers.doctor, key: signers.stranger.key }),
    ],
    [
      'signed by somebody else in the name of the doctor',
      'issuer is not the signer',
      () => signed(sample('direct-3.0'), signers.secretary),
    ],
    ['no KeyInfo', 'Signature of another shape', () => good.replace(keyInfo, '')],
    [
      'KeyInfo without certificate',
      'no certificate in KeyInfo',
      () => good.replace(keyInfo, '<ds:KeyInfo><ds:KeyName>me</ds:KeyName></ds:KeyInfo>'),
    ],
    [
      'KeyInfo that is no certificate',
      'certificate unreadable',
      () => good.replace(/(?<=<ds:X509Certificate>)[^<]*/, 'AAAA'),
    ],
    ['KeyInfo that is no base64', 'base64 broken', () => good.replace(/(?<=<ds:X509Certificate>)[^<]*/, '%%%')],
  ];
  test.each(cases)('%s: %s', async (_, why, assertion) => {
    expect(await whyNot(() => envelope(assertion()))).toBe(why);
  });
});

describe('shape of the signature', () => {
  const ds = 'http://www.w3.org/2000/09/xmldsig#';
  const reference = /<ds:Reference .*<\/ds:Reference>/s;
  const cases: readonly (readonly [string, string, (xml: string) => string])[] = [
    ['no signature', 'no signature behind Issuer', (xml) => xml.replace(signatureOf(xml), '')],
    [
      'signature not behind Issuer',
      'no signature behind Issuer',
      (xml) => xml.replace(signatureOf(xml), '').replace('</saml:Assertion>', `${signatureOf(xml)}</saml:Assertion>`),
    ],
    [
      'two signatures',
      'more than one signature',
      (xml) => xml.replace('</saml:Assertion>', `${signatureOf(xml)}</saml:Assertion>`),
    ],
    [
      'two SignedInfo',
      'Signature of another shape',
      (xml) => xml.replace(/<ds:SignedInfo>.*<\/ds:SignedInfo>/s, '$&$&'),
    ],
    [
      'an Object',
      'Signature of another shape',
      (xml) => xml.replace('</ds:Signature>', '<ds:Object></ds:Object></ds:Signature>'),
    ],
    ['no Reference', 'SignedInfo of another shape', (xml) => xml.replace(reference, '')],
    ['two References', 'SignedInfo of another shape', (xml) => xml.replace(reference, '$&$&')],
    [
      'a Reference to the whole document',
      'reference to something else',
      (xml) => xml.replace(`URI="#${id}"`, 'URI=""'),
    ],
    ['a Reference without URI', 'reference to something else', (xml) => xml.replace(` URI="#${id}"`, '')],
    [
      'a Reference elsewhere',
      'reference to something else',
      (xml) => xml.replace(`URI="#${id}"`, 'URI="http://evil.example/"'),
    ],
    [
      'one transform',
      'Transforms of another shape',
      (xml) => xml.replace(`<ds:Transform Algorithm="${ds}enveloped-signature"></ds:Transform>`, ''),
    ],
    [
      'an XSLT transform',
      'transforms not accepted',
      (xml) => xml.replace(`${ds}enveloped-signature`, 'http://www.w3.org/TR/1999/REC-xslt-19991116'),
    ],
    [
      'inclusive canonicalisation',
      'canonicalisation not accepted',
      (xml) =>
        xml.replaceAll('http://www.w3.org/2001/10/xml-exc-c14n#', 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315'),
    ],
    [
      'a method based on a shared secret',
      'signature method not accepted',
      (xml) => xml.replace('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', `${ds}hmac-sha1`),
    ],
    [
      'a method named like a property of objects',
      'signature method not accepted',
      (xml) => xml.replace('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'constructor'),
    ],
    ['a method for another kind of key', 'signature wrong', (xml) => xml.replace('#rsa-sha256', '#ecdsa-sha256')],
    [
      'SHA-1',
      'signature method not accepted',
      (xml) => xml.replace('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', `${ds}rsa-sha1`),
    ],
    [
      'SHA-1 as digest',
      'digest method not accepted',
      (xml) => xml.replace('http://www.w3.org/2001/04/xmlenc#sha256', `${ds}sha1`),
    ],
    ['an empty digest', 'base64 broken', (xml) => xml.replace(/<ds:DigestValue>[^<]*/, '<ds:DigestValue>')],
  ];
  test.each(cases)('%s: %s', async (_, why, change) => {
    expect(await whyNot(() => envelope(change(good)))).toBe(why);
  });
});

describe('another form of the same assertion', () => {
  const forms: readonly (readonly [string, () => ReadEnvelope])[] = [
    [
      'CDATA inside NameID',
      () => envelope(good.replace('<saml:NameID>899970000016', '<saml:NameID>8999<![CDATA[70000016]]>')),
    ],
    [
      'the prefix declared on the Envelope',
      () =>
        envelope(good.replace(' xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"', ''), {
          attributes: ' xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"',
        }),
    ],
    [
      'the prefix of the signature declared on the Envelope',
      () =>
        envelope(good.replace(' xmlns:ds="http://www.w3.org/2000/09/xmldsig#"', ''), {
          attributes: ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#"',
        }),
    ],
    [
      'other prefixes of the Envelope, a default one too',
      () => envelope(good, { attributes: ' xmlns="urn:a" xmlns:b="urn:b&amp;c"' }),
    ],
    ['empty-element tags', () => envelope(good.replace(/(<[\w:]+ [^<>]*)><\/[\w:]+>/g, '$1 />'))],
    [
      'attributes in another order',
      () => envelope(good.replace(/<saml:Assertion (\S+) (\S+)/, '<saml:Assertion $2 $1')),
    ],
    ['single quotes', () => envelope(good.replace('"3.0"', "'3.0'").replace('Version="2.0"', "Version='2.0'"))],
    [
      'white space inside tags',
      () => envelope(good.replace('<saml:Subject>', '<saml:Subject\n>').replace('<ds:SignedInfo>', '<ds:SignedInfo >')),
    ],
    ['character references', () => envelope(good.replace('<saml:NameID>8', '<saml:NameID>&#56;'))],
    [
      'base64 on several lines',
      () => envelope(good.replace(/(?<=<ds:X509Certificate>)[^<]*/, (text) => `\n${text.replace(/.{76}/g, '$&\n')}\n`)),
    ],
  ];
  test.each(forms)('%s gives the same caller', async (_, message) => {
    expect(await identify(message())).toEqual(await identify(envelope(good)));
  });
});

test('a default namespace around the assertion gives no meaning to its elements that have none', async () => {
  const unqualified = signed(sample('direct-3.0'), signers.doctor, (xml) =>
    xml.replace(/ xmlns="urn:hl7-org:v3"/g, ''),
  );
  expect(unqualified).not.toBe(good);
  const alone = await whyNot(() => envelope(unqualified));
  expect(alone).not.toBe('identified 899970000016');
  expect(await whyNot(() => envelope(unqualified, { attributes: ' xmlns="urn:hl7-org:v3"' }))).toBe(alone);
});

test('a SignedInfo that leans on a prefix declared outside it is verified in its canonical form', async () => {
  const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
  const list = (declaration: string) => `<ec:InclusiveNamespaces${declaration} PrefixList=""></ec:InclusiveNamespaces>`;
  const withList = (xml: string, declaration: string) =>
    xml.replace('</ds:CanonicalizationMethod>', `${list(declaration)}</ds:CanonicalizationMethod>`);
  const declaration = ` xmlns:ec="${exclusive}"`;
  const text = withList(/<ds:SignedInfo>.*<\/ds:SignedInfo>/s.exec(good)?.[0] ?? '', declaration);
  const canonical = text.replace('<ds:SignedInfo>', '<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">');
  const value = sign('sha256', Buffer.from(canonical), signers.doctor.key).toString('base64');
  const resigned = good.replace(/(?<=<ds:SignatureValue>)[^<]*/, value);
  expect(await whyNot(() => envelope(withList(resigned, declaration)))).toBe('identified 899970000016');
  expect(await whyNot(() => envelope(withList(resigned, ''), { attributes: declaration }))).toBe(
    'identified 899970000016',
  );
  expect(await whyNot(() => envelope(withList(good, ''), { attributes: declaration }))).toBe('signature wrong');
});

test('no change of one character makes another caller', async () => {
  const { source } = envelope(good);
  const start = source.indexOf('<saml:Assertion');
  const caller = await identify(envelope(good));
  const change = fc.record({
    at: fc.integer({ min: start, max: start + good.length - 1 }),
    removed: fc.constantFrom(0, 1),
    added: fc.oneof(fc.constantFrom('', ' ', '0', '1', '"', '<', '&', 'é', '\n'), fc.string({ maxLength: 1 })),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ at, removed, added }) => {
      const altered = source.slice(0, at) + added + source.slice(at + removed);
      try {
        expect(await identify(readEnvelope(altered))).toEqual(caller);
      } catch (error) {
        if (!(error instanceof NotIdentified || error instanceof XmlRejected)) throw error;
      }
    }),
    { numRuns: 400 },
  );
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignedXml } from 'xml-crypto';
import { type Identify, NotIdentified } from '../../server/auth/credentials.ts';
import { makeIdentify } from '../../server/auth/identify.ts';
import { openTrust } from '../../server/auth/trust.ts';
import { makeAssertionIdentifier } from '../../server/auth/vihf.ts';
import { loadCard, loadTokenKey } from '../../server/sandbox/cards.ts';
import { people, type SandboxPerson } from '../../server/sandbox/people.ts';
import { sandboxSystems } from '../../server/sandbox/systems.ts';
import { signToken } from '../../server/sandbox/token.ts';
import { signVihf } from '../../server/sandbox/vihf.ts';
import { envelope, issuedAt, makeSigners, type Signer, sample, signed } from '../support/assertions.ts';
import { putCards } from '../support/cards.ts';

const folder = mkdtempSync(join(tmpdir(), 'vihf-'));
afterAll(() => rmSync(folder, { recursive: true }));

let signers: Awaited<ReturnType<typeof makeSigners>>;
let identify: (allowSha1?: boolean) => Identify['assertion'];

beforeAll(async () => {
  signers = await makeSigners();
  const trust = await openTrust({ authorities: signers.authorities, crls: '' });
  const settings = { skewSeconds: 120, maxAgeSeconds: 300, audience: 'https://dmp.example', systems: [] };
  identify = (allowSha1 = false) => makeAssertionIdentifier(trust, { ...settings, allowSha1 }, () => issuedAt);
});

const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
const sha1 = 'http://www.w3.org/2000/09/xmldsig#sha1';

/** Signs as clients do that build on xml-crypto. */
function signedByXmlCrypto(
  xml: string,
  { key, certificate }: Signer,
  { signature = rsaSha256, digest = sha256, prefixes = [] as string[] } = {},
): string {
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString('base64')}\n-----END CERTIFICATE-----`;
  const signing = new SignedXml({
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }),
    publicCert: pem,
    signatureAlgorithm: signature,
    canonicalizationAlgorithm: exclusive,
  });
  signing.idAttributes = ['ID'];
  signing.addReference({
    xpath: "//*[local-name(.)='Assertion']",
    transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', exclusive],
    digestAlgorithm: digest,
    inclusiveNamespacesPrefixList: prefixes,
  });
  signing.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: "//*[local-name(.)='Issuer']", action: 'after' },
  });
  return signing.getSignedXml();
}

async function whyNot(identifier: Identify['assertion'], assertion: string): Promise<string> {
  try {
    await identifier(envelope(assertion));
    return 'identified';
  } catch (error) {
    if (error instanceof NotIdentified) return error.why;
    throw error;
  }
}

describe('an assertion signed by xml-crypto', () => {
  test('identifies its holder', async () => {
    const caller = await identify()(envelope(signedByXmlCrypto(sample('direct-3.0'), signers.doctor)));
    expect(caller).toEqual(await identify()(envelope(signed(sample('direct-3.0'), signers.doctor))));
  });

  test('from a pretty-printed text with a default namespace', async () => {
    const pretty = sample('indirect-2.0').replaceAll('><', '>\n  <').replaceAll('></AttributeValue>', '/>');
    const { actor } = await identify()(envelope(signedByXmlCrypto(pretty, signers.hospital)));
    expect(actor).toMatchObject({ kind: 'structure', structure: { id: '1990000010' } });
  });

  test('with prefixes that the canonical form keeps', async () => {
    const text = sample('direct-3.0').replace(' ID=', ' xmlns:xs="http://www.w3.org/2001/XMLSchema" ID=');
    const assertion = signedByXmlCrypto(text, signers.doctor, { prefixes: ['xs'] });
    expect(assertion).toContain('PrefixList="xs"');
    expect(await whyNot(identify(), assertion)).toBe('identified');
  });

  test.each([
    ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha512', 'http://www.w3.org/2001/04/xmlenc#sha512'],
    ['http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1', sha256],
  ])('by %s', async (signature, digest) => {
    expect(
      await whyNot(identify(), signedByXmlCrypto(sample('direct-3.0'), signers.doctor, { signature, digest })),
    ).toBe('identified');
  });

  test.each([
    ['http://www.w3.org/2000/09/xmldsig#rsa-sha1', sha1, 'signature method not accepted'],
    ['http://www.w3.org/2000/09/xmldsig#rsa-sha1', sha256, 'signature method not accepted'],
    [rsaSha256, sha1, 'digest method not accepted'],
  ])('by %s and %s only where SHA-1 is allowed', async (signature, digest, why) => {
    const assertion = signedByXmlCrypto(sample('direct-3.0'), signers.doctor, { signature, digest });
    expect(await whyNot(identify(), assertion)).toBe(why);
    expect(await whyNot(identify(true), assertion)).toBe('identified');
  });
});

describe('an assertion of ours', () => {
  test.each(['direct-3.0', 'indirect-2.0', 'air-4.0'] as const)('%s is verified by xmlsec1', (name) => {
    if (!found('xmlsec1')) return;
    const authorities = signers.authorities.split(/(?<=-----END CERTIFICATE-----)\s/).flatMap((pem, i) => {
      writeFileSync(join(folder, `ca-${i}.pem`), pem);
      return ['--trusted-pem', join(folder, `ca-${i}.pem`)];
    });
    const file = join(folder, `${name}.xml`);
    const verify = (text: string) => {
      writeFileSync(file, text);
      return execFileSync(
        'xmlsec1',
        // biome-ignore format: option and value side by side
        ['--verify', ...authorities, '--enabled-key-data', 'x509', '--enabled-reference-uris', 'same-doc',
          '--id-attr:ID', 'urn:oasis:names:tc:SAML:2.0:assertion:Assertion', '--verification-time', '2026-03-02 10:00:00', file],
        { env: { ...process.env, TZ: 'UTC' }, encoding: 'utf8', stdio: 'pipe' },
      );
    };
    const assertion = signed(sample(name), name === 'direct-3.0' ? signers.doctor : signers.hospital);
    expect(() => verify(assertion)).not.toThrow();
    expect(() => verify(assertion.replace('normal', 'norma1').replace('bris_de', 'brie_de'))).toThrow();
  });

  test('is verified by xml-crypto', () => {
    const assertion = signed(sample('direct-3.0'), signers.doctor);
    const check = (text: string) => {
      const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(signers.doctor.certificate).toString('base64')}\n-----END CERTIFICATE-----`;
      const verifying = new SignedXml({ publicCert: pem, getCertFromKeyInfo: () => null });
      verifying.idAttributes = ['ID'];
      verifying.loadSignature(/<ds:Signature .*<\/ds:Signature>/s.exec(text)?.[0] ?? '');
      return verifying.checkSignature(text);
    };
    expect(check(assertion)).toBe(true);
    expect(check(assertion.replace('normal', 'norma1'))).toBe(false);
  });
});

describe('the sandbox', () => {
  const now = Date.now();
  const audience = 'https://dmp.example';
  const token = { kind: 'own' as const, issuer: `${audience}/auth`, audience: `${audience}/fhir` };
  let sandbox: Identify;
  beforeAll(async () => {
    await putCards(folder);
    const authorities = readFileSync(join(folder, 'sandbox', 'ca.pem'), 'utf8');
    const jwks = join(folder, 'sandbox', 'jwks.json');
    const rules = { allowSha1: false, skewSeconds: 120, maxAgeSeconds: 300, systems: sandboxSystems() };
    sandbox = await makeIdentify(
      { authorities, crls: '', audience, ...rules, issuers: [{ ...token, jwks }] },
      () => now,
    );
  });

  const cardHolders = people.filter(({ kind }) => kind !== 'patient' && kind !== 'representative');
  test.each(cardHolders.map((person) => [person.slug, person] as const))('the card of %s', async (slug, person) => {
    const card = loadCard(folder, slug);
    if (card === undefined) throw new Error(`${slug} has no card`);
    const { actor } = await sandbox.assertion(envelope(signVihf(card, { mode: 'normal', issuedAt: now, id: slug })));
    expect(actor).toMatchObject(expected(person));
  });

  test.each(people.map((person) => [person.slug, person] as const))('the token of %s', async (slug, person) => {
    const options = { ...token, mode: 'normal', issuedAt: now, lifetime: 300, id: slug } as const;
    const { actor } = await sandbox.bearer(`Bearer ${await signToken(loadTokenKey(folder), person, options)}`);
    expect(actor).toMatchObject(expected(person));
  });

  function expected(person: SandboxPerson): object {
    switch (person.kind) {
      case 'professional': {
        const { idNat: id, structIdNat, profession, card, specialty } = person;
        return {
          kind: 'professional',
          id,
          profession,
          card,
          structure: { id: structIdNat },
          ...(specialty !== undefined && { specialty }),
        };
      }
      case 'structure':
        return {
          kind: 'structure',
          structure: { id: person.structIdNat, name: person.display },
          employee: { id: `${person.structIdNat}/${person.employee.id}` },
        };
      case 'patient':
        return { kind: 'patient', ins: { value: person.ins, oid: person.insOid } };
      case 'representative': {
        const minor = people.find(({ slug }) => slug === person.of);
        return { kind: 'representative', of: { value: minor?.kind === 'patient' && minor.ins } };
      }
      case 'system':
        return { kind: 'system', id: person.id, rights: person.rights };
    }
  }
});

function found(tool: string): boolean {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stdout.write(`skipped: ${tool} is not installed\n`);
    return false;
  }
}

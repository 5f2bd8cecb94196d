import { createPrivateKey, type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRootAuthority } from '../crypto/certificate-authority.ts';
import {
  people,
  type SandboxPerson,
  type SandboxProfessional,
  type SandboxStructure,
  type SandboxSystem,
} from './people.ts';
import { rolesOf } from './roles.ts';

/** Who signs assertions. */
type Holder = SandboxProfessional | SandboxStructure | SandboxSystem;

/** A card or an organisation certificate: what signs for one person of the sandbox. `subject` is the DN in RFC 2253. */
export type Card = {
  readonly holder: Holder;
  readonly subject: string;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
};

type StoredCard = { readonly subject: string; readonly certificate: string; readonly key: string };

const files = { anchors: 'ca.pem', cards: 'cards.json', tokenKey: 'token-key.json', jwks: 'jwks.json' } as const;

/** Where the sandbox keeps its keys. */
export function sandboxFolder(data: string): string {
  return join(data, 'sandbox');
}

/** Where the public key of its tokens lies (JWKS). */
export function jwksFile(data: string): string {
  return join(sandboxFolder(data), files.jwks);
}

/** No keys are there yet: the sandbox was never started on this data folder. */
export class CardsMissing extends Error {
  override readonly name = 'CardsMissing';
}

/**
 * Makes the sandbox's certificate authority, a signature certificate for each professional, structure and system, and the key that signs
 * tokens, into the sandbox folder: `ca.pem`, `cards.json`, `token-key.json`, `jwks.json`. When all of them are there, only people without a
 * certificate get one; when some are, all are made anew. Costs about two seconds.
 */
export async function makeCards(data: string, progress: (line: string) => void): Promise<void> {
  const folder = sandboxFolder(data);
  const place = (name: string) => join(folder, name);
  if (Object.values(files).every((name) => existsSync(place(name)))) return addCards(data, progress);
  progress('Making the cards and certificates of the sandbox');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { anchors, cards } = await makeCertificates(holders, Date.now());
  const { privateKey, publicKey } = await makeTokenKey();
  write(place(files.anchors), anchors);
  write(place(files.tokenKey), JSON.stringify(privateKey));
  write(place(files.jwks), JSON.stringify({ keys: [publicKey] }));
  write(place(files.cards), JSON.stringify(cards));
}

/**
 * The card of one person; undefined for who has none (patients, representatives).
 * @throws CardsMissing
 */
export function loadCard(data: string, slug: string): Card | undefined {
  const holder = holders.find((p) => p.slug === slug);
  if (holder === undefined) return undefined;
  const stored = storedCards(data)[slug];
  if (stored === undefined) return undefined;
  const { subject, certificate, key } = stored;
  return { holder, subject, certificate: Buffer.from(certificate, 'base64'), key: createPrivateKey(key) };
}

/**
 * The private key that signs the sandbox's tokens, as a JWK.
 * @throws CardsMissing
 */
export function loadTokenKey(data: string): webcrypto.JsonWebKey & { readonly kid: string } {
  return JSON.parse(read(data, files.tokenKey)) as ReturnType<typeof loadTokenKey>;
}

function isHolder(person: SandboxPerson): person is Holder {
  return person.kind === 'professional' || person.kind === 'structure' || person.kind === 'system';
}

const holders = people.filter(isHolder);

/** The keys of the sandbox's authorities were not kept: who came later has authorities of his own, trusted beside the others. */
async function addCards(data: string, progress: (line: string) => void): Promise<void> {
  const known = storedCards(data);
  const missing = holders.filter(({ slug }) => known[slug] === undefined);
  if (missing.length === 0) return;
  progress(`Making the certificate of ${missing.map(({ slug }) => slug).join(', ')}`);
  const { anchors, cards } = await makeCertificates(missing, Date.now());
  const place = (name: string) => join(sandboxFolder(data), name);
  write(place(files.anchors), `${read(data, files.anchors)}${anchors}`);
  write(place(files.cards), JSON.stringify({ ...known, ...cards }));
}

/** The file is this module's own. */
function storedCards(data: string): Readonly<Record<string, StoredCard>> {
  return JSON.parse(read(data, files.cards)) as Record<string, StoredCard>;
}

function read(data: string, name: string): string {
  const file = join(sandboxFolder(data), name);
  if (!existsSync(file))
    throw new CardsMissing(`${file} does not exist: start the sandbox first, or set DMP_DATA to its data folder`);
  return readFileSync(file, 'utf8');
}

/** A reader sees the whole file or none. */
function write(file: string, text: string): void {
  const half = `${file}.${randomBytes(4).toString('hex')}`;
  writeFileSync(half, `${text}\n`, { mode: 0o600 });
  renameSync(half, file);
}

async function makeTokenKey() {
  const rsa = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  };
  const pair = await webcrypto.subtle.generateKey(rsa, true, ['sign', 'verify']);
  const marks = { kid: randomBytes(8).toString('hex'), alg: 'RS256', use: 'sig' };
  const { key_ops: _ops, ext: _ext, ...privateKey } = await webcrypto.subtle.exportKey('jwk', pair.privateKey);
  const { kty, n, e } = privateKey;
  return { privateKey: { ...privateKey, ...marks }, publicKey: { kty, n, e, ...marks } };
}

/** A root with one authority for persons and one for organisations below it, as IGC-Santé has them. */
async function makeCertificates(
  of: readonly Holder[],
  now: number,
): Promise<{ anchors: string; cards: Record<string, StoredCard> }> {
  const root = await makeRootAuthority(authorityName('AC RACINE SANDBOX OPENDMP'), now);
  const persons = await root.authority(authorityName('AC SANDBOX OPENDMP PERSONNES'));
  const organisations = await root.authority(authorityName('AC SANDBOX OPENDMP ORGANISATIONS'));
  const cards: Record<string, StoredCard> = {};
  for (const holder of of) {
    const name = holder.kind === 'professional' ? personName(holder) : organisationName(holder);
    const issued = await (holder.kind === 'professional'
      ? persons.issue(name, professionOf(holder))
      : organisations.issue(name));
    cards[holder.slug] = {
      subject: rfc2253(name),
      certificate: Buffer.from(issued.der).toString('base64'),
      key: issued.privateKey,
    };
  }
  return { anchors: [root, persons, organisations].map(({ certificate }) => certificate).join('\n'), cards };
}

const types = {
  C: '2.5.4.6',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  CN: '2.5.4.3',
  title: '2.5.4.12',
  GN: '2.5.4.42',
  SN: '2.5.4.4',
};
type Keyword = keyof typeof types;
type Part = { readonly keyword: Keyword; readonly oid: string; readonly value: string };
const part = (keyword: Keyword, value: string): Part => ({ keyword, oid: types[keyword], value });

function authorityName(name: string): Part[][] {
  return [[part('C', 'FR')], [part('O', 'OPENDMP')], [part('OU', 'BAC A SABLE')], [part('CN', name)]];
}

/** As IGC-Santé names the holder of a CPS or of a nominative CPE. */
function personName(person: SandboxProfessional): Part[][] {
  return [
    [part('C', 'FR')],
    ...(person.card === 'CPE' ? [[part('OU', person.structIdNat)]] : []),
    [part('title', rolesOf(person)[0]?.display ?? person.profession)],
    [part('GN', person.given), part('SN', person.family), part('CN', person.idNat)],
  ];
}

/** As IGC-Santé names the signature certificate of an organisation. */
function organisationName({ display, structIdNat, slug }: SandboxStructure | SandboxSystem): Part[][] {
  return [
    [part('C', 'FR')],
    [part('ST', 'Rhône (69)')],
    [part('O', display)],
    [part('OU', structIdNat)],
    [part('CN', slug)],
  ];
}

/** The profession code that IGC-Santé writes into the cards of health professionals, as a PrintableString. */
function professionOf({ profession, card }: SandboxProfessional) {
  const code = Buffer.from(profession);
  return card === 'CPS'
    ? [{ oid: '1.2.250.1.71.1.2.7', der: Buffer.concat([Buffer.from([0x13, code.length]), code]) }]
    : [];
}

/** The last part first. RFC 2253 §2. */
function rfc2253(name: readonly (readonly Part[])[]): string {
  return name
    .toReversed()
    .map((set) => set.map(({ keyword, value }) => `${keyword}=${value.replace(/[,+"\\<>;]/g, '\\$&')}`).join('+'))
    .join(',');
}

import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Env } from './env.ts';

type Name = 'DMP_MASTER_KEY_FILE' | 'DMP_LINK_KEY_FILE' | 'DMP_TRUST_STORE' | 'DMP_TRUST_CRL' | 'DMP_TOKEN_JWKS';
type Check = (text: string) => boolean;

const key: readonly [Check, string] = [(text) => /^[0-9a-fA-F]{64}$/.test(text.trim()), '64 hexadecimal digits'];

/** What each file that a setting names has to hold. */
const contents: Readonly<Record<Name, readonly [Check, string]>> = {
  DMP_MASTER_KEY_FILE: key,
  DMP_LINK_KEY_FILE: key,
  DMP_TRUST_STORE: [(text) => certificatesIn(text).length > 0, 'certificates in PEM form'],
  DMP_TRUST_CRL: [(text) => text.includes('-----BEGIN'), 'revocation lists in PEM form'],
  DMP_TOKEN_JWKS: [(text) => text.includes('"keys"'), 'a key set (JWKS)'],
};

/** What is wrong with the files that settings name: one that cannot be read, or that holds something else. */
export function fileMistakes(env: Env): string[] {
  return filesOf(env).flatMap(([name, file]) => {
    const [holds, what] = contents[name];
    const text = read(file);
    if (text === undefined) return [`${name} names a file that cannot be read: ${file}`];
    return holds(text) ? [] : [`${name} names a file that does not hold ${what}: ${file}`];
  });
}

/** Which settings name keys of a sandbox: those in its folder, and its authorities wherever they were copied. */
export function sandboxKeys(env: Env): string[] {
  return filesOf(env)
    .filter(([name, file]) => liesInSandbox(file) || (name === 'DMP_TRUST_STORE' && trustsSandbox(file)))
    .map(([name]) => `${name} is a sandbox key`);
}

function filesOf(env: Env): [Name, string][] {
  return (Object.keys(contents) as Name[]).flatMap((name) => {
    const file = env[name];
    return file === undefined || /^https?:/.test(file) ? [] : [[name, file]];
  });
}

/** Beside the mark that the sandbox's maker leaves there. */
export function liesInSandbox(file: string): boolean {
  return existsSync(join(dirname(resolve(file)), 'cards.json'));
}

function trustsSandbox(file: string): boolean {
  return certificatesIn(read(file) ?? '').some(({ subject }) => /^OU=BAC A SABLE$/m.test(subject));
}

function certificatesIn(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((pem) => new X509Certificate(pem));
  } catch {
    return [];
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

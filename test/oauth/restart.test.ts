import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { makeFolder, type ServerProcess, startProcess } from '../support/server.ts';
import { audience, callback } from './door.ts';

const verifier = 'v'.repeat(43);

async function codeOf({ port }: ServerProcess, account: string): Promise<string> {
  const root = `http://127.0.0.1:${port}/auth`;
  const request = new URLSearchParams({
    response_type: 'code',
    client_id: 'opendmp-app',
    redirect_uri: callback,
    aud: audience,
    scope: 'ITI-67',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const page = await fetch(`${root}/authorize?${request.toString()}`);
  const ticket = /name="ticket" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
  const body = new URLSearchParams({ ticket, account, answer: 'yes' });
  const sent = await fetch(`${root}/sign-in`, { method: 'POST', redirect: 'manual', headers: { cookie }, body });
  return new URL(sent.headers.get('location') ?? '').searchParams.get('code') ?? '';
}

async function redeemed({ port }: ServerProcess, code: string): Promise<unknown> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: 'opendmp-app',
    redirect_uri: callback,
    code_verifier: verifier,
    code,
  });
  const answer = await fetch(`http://127.0.0.1:${port}/auth/token`, { method: 'POST', body });
  const { token_type: type, error } = (await answer.json()) as Readonly<Record<string, string>>;
  return error ?? type;
}

test('a code serves after a restart, and one that served before it does not', async () => {
  const folder = await makeFolder();
  try {
    const before = await startProcess(folder);
    const [used, kept] = [await codeOf(before, 'laurent'), await codeOf(before, 'dr-martin')];
    expect(await redeemed(before, used)).toBe('Bearer');
    await before.end('SIGKILL');
    const after = await startProcess(folder);
    try {
      expect(await redeemed(after, used)).toBe('invalid_grant');
      expect(await redeemed(after, kept)).toBe('Bearer');
      expect(await redeemed(after, kept)).toBe('invalid_grant');
      expect(before.output() + after.output()).not.toContain(kept);
    } finally {
      await after.end('SIGTERM');
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);

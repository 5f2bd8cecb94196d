import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Bundle } from 'fhir/r4.js';
import { seed } from '../../server/sandbox/seed.ts';
import { tokenOf } from '../support/clients.ts';
import { openServer } from '../support/server.ts';

/** The sandbox in our own domain with changes, written as docs/domains.md says. */
async function openRegion(changes: object) {
  const file = join(await mkdtemp(join(tmpdir(), 'opendmp-region-')), 'region.json');
  const ours = JSON.parse(readFileSync(new URL('../../profiles/domains/dmp.json', import.meta.url), 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...ours, name: 'region', ...changes }));
  return openServer({ DMP_DOMAIN: file });
}

test.each([
  ['other codes', { valueSets: { classCode: 'type-code-dmp' } }],
  ['other media types', { mimeTypes: ['application/pdf'] }],
  ['other names for patients', { identity: { kind: 'authorities', listed: ['2.999.10'], fed: false } }],
])(
  'a domain of %s has the people and records of the sandbox, without the documents that it does not take',
  async (_, changes) => {
    const region = await openRegion(changes);
    const [before, lines]: [number, string[]] = [region.ledger.last(), []];
    await seed(region.context.tools, (line) => lines.push(line));
    expect(region.ledger.last()).toBe(before);
    expect(lines).toContainEqual(expect.stringMatching(/^Sandbox: document 101 of laurent is left out: \w+/));
    const { status, json } = await region.fhir.get<Bundle>(
      await region.credentials.token('dr-martin', { patient: 'laurent' }),
      `DocumentReference?patient.identifier=${tokenOf('laurent')}`,
    );
    expect([status, json.total]).toEqual([200, 0]);
    await region.close();
  },
);

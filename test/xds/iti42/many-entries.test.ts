import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findDocuments } from '../../../server/usecases/query.ts';
import { action, namespace } from '../../../server/xds/vocabulary.ts';
import { chanceOf } from '../../fuzz/random.ts';
import { openStage, type Stage } from '../../fuzz/stage.ts';
import { mtom, packaged, xopType } from '../../support/wire.ts';

const many = 500;
const sample = readFileSync(new URL('../iti41/submission.xml', import.meta.url), 'utf8');
const cut = (from: string, to: string) => sample.slice(sample.indexOf(from), sample.indexOf(to) + to.length);
const entry = cut('<rim:ExtrinsicObject', '</rim:ExtrinsicObject>');
const membership = cut('<rim:Association', '</rim:Association>');
const include = (n: number) =>
  `<xds:Document id="doc${n}"><xop:Include xmlns:xop="${namespace.xop}" href="cid:doc${n}@example.org"/></xds:Document>`;
const numbers = Array.from({ length: many }, (_, index) => index + 1);

/** The sample with many documents, each in a part of its own; `change` alters one entry. */
function package500(change: (entry: string, n: number) => string = (same) => same) {
  const entries = numbers.map((n) =>
    change(
      entry
        .replaceAll('"doc1"', `"doc${n}"`)
        .replaceAll(/"([ce]\d+)"/g, `"$1-${n}"`)
        .replaceAll('1.2.250.1.213.99.50.1', `2.999.50.${n}`),
      n,
    ),
  );
  const memberships = numbers.map((n) => membership.replace('"a1"', `"a${n}"`).replace('"doc1"', `"doc${n}"`));
  const body = sample
    .replace(entry, entries.join(''))
    .replace(membership, memberships.join(''))
    .replace(/<xds:Document id="doc1">[^<]*<\/xds:Document>/, numbers.map(include).join(''));
  const envelope =
    `<s:Envelope xmlns:s="${namespace.soap12}" xmlns:a="${namespace.wsa}"><s:Header><a:Action>${action.iti41[0]}</a:Action>` +
    `<w:Security xmlns:w="${namespace.wsse}">as dr-martin for laurent</w:Security></s:Header><s:Body>${body}</s:Body></s:Envelope>`;
  const documents = numbers.map((n) => ({ id: `doc${n}@example.org`, type: 'text/xml', body: 'Bonjour' }));
  return {
    contentType: mtom(),
    body: packaged([{ id: 'root@example.org', type: xopType, body: envelope }, ...documents]),
  };
}

describe.each(['memory', 'embedded'] as const)('in the %s store', (kind) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(kind);
  });
  afterAll(() => stage.close());
  const send = (wire: ReturnType<typeof package500>) =>
    stage.check('repository', wire, { ...chanceOf(1), happens: () => false });
  const held = async () => {
    const { tools, as, ins } = stage.world;
    const all = { patient: ins('laurent'), filter: {}, query: 'all' };
    return (await findDocuments(tools, as('dr-martin'), all)).filter((row) =>
      row.entry.uniqueId.startsWith('2.999.50.'),
    );
  };

  test('one wrong entry among 500 refuses them all', async () => {
    const wrong = package500((text, n) => (n === 321 ? text.replace('>7<', '>8<') : text));
    const answer = await send(wrong);
    expect(answer.wrong).toEqual([]);
    expect(answer.told).toEqual([
      { code: 'XDSRepositoryMetadataError', words: expect.stringMatching(/^size of doc321 /) },
    ]);
    expect(await held()).toEqual([]);
  });

  test('a set of 500 entries is registered in one transaction', async () => {
    const answer = await send(package500());
    expect(answer).toEqual({ outcome: 'RegistryResponse Success', told: [], wrong: [] });
    const found = await held();
    expect(found).toHaveLength(many);
    expect(new Set(found.map((row) => row.registeredAt)).size).toBe(1);
  });
});

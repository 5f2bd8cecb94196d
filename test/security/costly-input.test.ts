import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rangeOf } from '../../server/fhir/byte-range.ts';
import { longestPatch } from '../../server/fhir/patch-body.ts';
import { fromQuotedPrintable } from '../../server/xds/quoted-printable.ts';
import { decodeXml } from '../../server/xml/read.ts';
import { type Door, openDoor } from '../fhir/door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(async () => door.close());

/** Milliseconds; what grows with the square of the input takes minutes. */
const enough = 3_000;

async function timed<T>(work: () => Promise<T> | T): Promise<T> {
  const from = performance.now();
  const answer = await work();
  expect(performance.now() - from).toBeLessThan(enough);
  return answer;
}

describe('what costs little to send costs little to refuse', () => {
  const million = 1_000_000;
  const binary = (data: string) => `{"resourceType":"Binary","contentType":"text/plain","data":"${data}"}`;
  const header = (text: string) =>
    JSON.stringify({
      resourceType: 'Subscription',
      status: 'requested',
      channel: { type: 'rest-hook', header: [text] },
    });
  const members = Array.from({ length: 200_000 }, (_, i) => `"a${i}":1`).join(',');
  const deny = Array.from({ length: 100_000 }, () => '{"type":"deny"}').join(',');

  test.each<[string, string, string, number]>([
    ['blanks in base64', 'Binary', binary(`${' '.repeat(2 * million)}!`), 400],
    ['base64 that ends badly', 'Binary', binary(`${'A'.repeat(2 * million)}!`), 400],
    ['escapes in a string', 'Binary', binary('\\n'.repeat(2 * million)), 400],
    ['escaped quotation marks', 'Binary', binary('\\"'.repeat(2 * million)), 400],
    ['members of one object', 'Binary', `{"resourceType":"Binary",${members}}`, 400],
    ['blanks in a header for a receiver', 'Subscription', header(`a:${' '.repeat(million)}\u0001`), 413],
    ['provisions of a Consent', 'Consent', `{"resourceType":"Consent","provision":{"provision":[${deny}]}}`, 413],
    ['unknown elements', '', `{"resourceType":"Bundle","type":"batch","entry":[{${members}}]}`, 400],
  ])('%s', async (_what, path, body, status) => {
    const token = await door.token('laurent');
    const answer = await timed(() =>
      door.ask(path === '' ? door.base : path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/fhir+json', Authorization: `Bearer ${token}` },
        body,
      }),
    );
    expect([answer.status, answer.json.issue.length]).toEqual([status, 1]);
  });

  test('parameters that nobody knows', async () => {
    const search = (count: number) =>
      door.get('laurent', `DocumentReference?${Array.from({ length: count }, () => 'a').join('&')}`);
    expect((await search(100)).status).toBe(200);
    const answer = await timed(() => search(5000));
    expect([answer.status, answer.json.issue.length]).toEqual([400, 1]);
  });

  test('a predicate of a patch', async () => {
    const sel = `DocumentReference/f:securityLabel[${' '.repeat(longestPatch - 1000)}!]`;
    const body = `<diff xmlns:f="http://hl7.org/fhir"><remove sel="${sel}"/></diff>`;
    const answer = await timed(async () =>
      door.ask('DocumentReference/aaaaaaaa-0000-4000-8000-000000000001', {
        method: 'PATCH',
        headers: {
          'Content-Type': 'application/xml-patch+xml',
          Authorization: `Bearer ${await door.token('laurent')}`,
        },
        body,
      }),
    );
    expect(answer.status).toBe(400);
  });

  test('the XML declaration of a message', async () => {
    const text = `<?xml ${' '.repeat(million)}!`;
    expect(await timed(() => decodeXml(Buffer.from(text), 'utf-8'))).toBe(text);
    const declared = '<?xml version="1.0" encoding="iso-8859-1"?><a/>';
    expect(decodeXml(Buffer.from(declared), 'utf-8')).toBe('<?xml version="1.0"?><a/>');
  });

  test('blanks in quoted-printable', async () => {
    async function* body() {
      yield Buffer.from(`${`${' '.repeat(300_000)}!\r\n`.repeat(3)}a \t \r\n=41 =\r\nb`);
    }
    const pieces = await timed(() => Array.fromAsync(fromQuotedPrintable(body())));
    const text = Buffer.concat(pieces).toString();
    expect(text.slice(-6)).toBe('a\r\nA b');
    expect(text.length).toBe(3 * 300_003 + 6);
  });

  test('blanks in a range', async () => {
    expect(await timed(() => rangeOf(`bytes=${' '.repeat(16_000)}!`, 10))).toBeUndefined();
    expect(rangeOf('bytes = 1 - 3', 10)).toEqual({ from: 1, to: 4 });
  });
});

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Binary, Bundle, DocumentReference } from 'fhir/r4.js';
import { type Door, openDoor } from './door.ts';

let door: Door;
let document: DocumentReference;
beforeAll(async () => {
  door = await openDoor();
  const query = `DocumentReference?patient.identifier=${door.of('laurent')}&type=11502-2`;
  const { json } = await door.get<Bundle<DocumentReference>>('dr-nguyen', query);
  const found = json.entry?.[0]?.resource;
  if (found === undefined) throw new Error('the laboratory report is missing');
  document = found;
});
afterAll(() => door.close());

const attachment = () => document.content[0]?.attachment;

describe('the bytes of a document', () => {
  test.each([undefined, '*/*', 'text/xml', 'application/pdf, */*;q=0.1'])(
    'come raw to who accepts %s',
    async (accept) => {
      const headers = accept === undefined ? {} : { Accept: accept };
      const { status, headers: got, bytes } = await door.get('dr-nguyen', attachment()?.url ?? '', { headers });
      expect(status).toBe(200);
      expect(got.get('content-type')).toBe('text/xml');
      expect(bytes).toHaveLength(attachment()?.size ?? -1);
      expect(createHash('sha1').update(bytes).digest('base64')).toBe(attachment()?.hash);
      expect(got.get('etag')).toBe(`"${Buffer.from(attachment()?.hash ?? '', 'base64').toString('hex')}"`);
      expect(got.get('cache-control')).toBe('no-store');
      expect(got.get('x-content-type-options')).toBe('nosniff');
      expect(got.get('content-disposition')).toBe('attachment');
    },
  );

  test.each([
    ['', 'application/fhir+json'],
    ['', 'application/json'],
    ['?_format=json', '*/*'],
  ])('come within a Binary to %s%s', async (query, accept) => {
    const raw = await door.get('dr-nguyen', attachment()?.url ?? '');
    const { status, json } = await door.get<Binary>('dr-nguyen', `${attachment()?.url}${query}`, {
      headers: { Accept: accept },
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({ resourceType: 'Binary', id: document.id, contentType: 'text/xml' });
    expect(json.securityContext?.reference).toBe(`${door.base}/DocumentReference/${document.id}`);
    expect(Buffer.from(json.data ?? '', 'base64').equals(raw.bytes)).toBe(true);
  });

  test('an Accept that cannot be met is refused', async () => {
    const { status, json } = await door.get('dr-nguyen', attachment()?.url ?? '', { headers: { Accept: 'image/png' } });
    expect(status).toBe(406);
    expect(json.issue[0]).toMatchObject({ code: 'not-supported', details: { text: 'notAcceptable' } });
  });

  test('HEAD tells type and size', async () => {
    const headers = { Authorization: `Bearer ${await door.token('dr-nguyen')}` };
    const { status, headers: got, bytes } = await door.ask(attachment()?.url ?? '', { method: 'HEAD', headers });
    expect([status, bytes.length]).toEqual([200, 0]);
    expect(got.get('content-length')).toBe(String(attachment()?.size));
  });

  describe('in part', () => {
    const size = () => attachment()?.size ?? 0;
    const ranged = async (range: string, more: Record<string, string> = {}) =>
      door.get('dr-nguyen', attachment()?.url ?? '', { headers: { Range: range, ...more } });
    const whole = async () => (await door.get('dr-nguyen', attachment()?.url ?? '')).bytes;

    test.each<[string, (size: number) => [from: number, to: number]]>([
      ['bytes=0-9', () => [0, 10]],
      ['bytes=10-', (end) => [10, end]],
      ['bytes=-7', (end) => [end - 7, end]],
      ['bytes=5-999999999', (end) => [5, end]],
      ['bytes=-999999999', (end) => [0, end]],
    ])('by %s', async (range, expected) => {
      const [from, to] = expected(size());
      const { status, headers, bytes } = await ranged(range);
      expect([status, headers.get('content-range'), headers.get('content-length')]).toEqual([
        206,
        `bytes ${from}-${to - 1}/${size()}`,
        String(to - from),
      ]);
      expect(bytes.equals((await whole()).subarray(from, to))).toBe(true);
    });

    test.each(['bytes=0-1,4-5', 'bytes=9-3', 'bytes=x-3', 'bytes=-', 'items=0-3'])(
      'all of them come for %s',
      async (range) => {
        const { status, headers, bytes } = await ranged(range);
        expect([status, headers.get('accept-ranges'), bytes.length]).toEqual([200, 'bytes', size()]);
      },
    );

    test.each([
      ['bytes=999999999-', {}],
      ['bytes=-0', {}],
    ])('none can come for %s', async (range, more) => {
      const { status, headers, json } = await ranged(range, more);
      expect([status, headers.get('content-range')]).toEqual([416, `bytes */${size()}`]);
      expect(json.issue[0]).toMatchObject({ code: 'value', details: { text: 'rangeNotSatisfiable' } });
    });

    test('only while it is the document that the caller began with', async () => {
      const etag = (await ranged('bytes=0-0')).headers.get('etag') ?? '';
      expect((await ranged('bytes=0-0', { 'If-Range': etag })).status).toBe(206);
      expect((await ranged('bytes=0-0', { 'If-Range': '"another"' })).status).toBe(200);
      expect((await ranged('bytes=0-0', { 'If-Range': 'Wed, 21 Oct 2026 07:28:00 GMT' })).status).toBe(200);
    });

    test('not to HEAD, and not of the resource around them', async () => {
      const headers = { Authorization: `Bearer ${await door.token('dr-nguyen')}`, Range: 'bytes=0-9' };
      const head = await door.ask(attachment()?.url ?? '', { method: 'HEAD', headers });
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(size())]);
      expect((await ranged('bytes=0-9', { Accept: 'application/fhir+json' })).status).toBe(200);
    });
  });

  test.each(['*/*', 'application/fhir+json'])('are not sent again to who has them: %s', async (accept) => {
    const url = attachment()?.url ?? '';
    const etag = (await door.get('dr-nguyen', url, { headers: { Accept: accept } })).headers.get('etag') ?? '';
    const again = async (tag: string) =>
      (await door.get('dr-nguyen', url, { headers: { Accept: accept, 'If-None-Match': tag } })).status;
    expect([await again(etag), await again(`"x", ${etag}`), await again('*'), await again('"x"')]).toEqual([
      304, 304, 304, 200,
    ]);
  });

  test('come within a Binary in XML', async () => {
    const headers = { Accept: 'application/fhir+xml' };
    const { headers: got, bytes } = await door.get('dr-nguyen', attachment()?.url ?? '', { headers });
    const data = (await door.get('dr-nguyen', attachment()?.url ?? '')).bytes.toString('base64');
    expect(got.get('content-type')).toBe('application/fhir+xml; charset=utf-8');
    expect(bytes.toString()).toBe(
      `<Binary xmlns="http://hl7.org/fhir"><id value="${document.id}"/><contentType value="text/xml"/>` +
        `<securityContext><reference value="${door.base}/DocumentReference/${document.id}"/></securityContext><data value="${data}"/></Binary>`,
    );
  });

  test('the address alone gives nothing: no token, no right, no such document', async () => {
    expect((await door.ask(attachment()?.url ?? '')).status).toBe(401);
    expect((await door.get('pharm-durand', attachment()?.url ?? '')).status).toBe(404);
    expect((await door.get('pharm-durand', attachment()?.url ?? '', { patient: 'laurent' })).status).toBe(403);
    expect((await door.get('dr-nguyen', 'Binary/00000000-0000-4000-8000-000000000000')).status).toBe(404);
    expect((await door.get('dr-nguyen', 'Binary/x')).status).toBe(404);
  });

  describe('of a long document, which is opened as a stream,', () => {
    const text = 'é'.repeat(50_000);
    const pieces = async function* (broken: boolean) {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += 4001) {
        if (broken && at > 40_000) throw new Error('segment damaged');
        yield await Promise.resolve(bytes.subarray(at, at + 4001));
      }
    };
    const opening = async <T>(broken: boolean, work: () => Promise<T>) => {
      const { blobs } = door.world.tools;
      const open = blobs.open.bind(blobs);
      Object.assign(blobs, { open: () => Promise.resolve(pieces(broken)) });
      try {
        return await work();
      } finally {
        Object.assign(blobs, { open });
        door.faults.length = 0;
      }
    };

    test('flow into a Binary, whatever the pieces', async () => {
      const headers = { Accept: 'application/fhir+json' };
      const { json } = await opening(false, () => door.get<Binary>('dr-nguyen', attachment()?.url ?? '', { headers }));
      expect(Buffer.from(json.data ?? '', 'base64').toString()).toBe(text);
    });

    test('a damaged one breaks the answer off, so that nobody takes it for whole', async () => {
      const headers = { Accept: 'application/fhir+json' };
      await expect(opening(true, () => door.get('dr-nguyen', attachment()?.url ?? '', { headers }))).rejects.toThrow();
      expect((await door.get('dr-nguyen', attachment()?.url ?? '')).status).toBe(200);
    });
  });

  test('the reading is traced before, with document and patient', async () => {
    const before = door.world.tools.store.events().length;
    await door.get('dr-nguyen', attachment()?.url ?? '');
    const events = door.world.tools.store.events().slice(before);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      action: 'retrieveDocuments',
      outcome: 'done',
      ground: 'authorisation',
      origin: { transaction: 'ITI-68' },
      documents: [{ entryUUID: `urn:uuid:${document.id}` }],
    });
  });
});

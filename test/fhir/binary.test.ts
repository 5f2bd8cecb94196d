import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Binary, Bundle, DocumentReference, OperationOutcome } from 'fhir/r4.js';
import { stagedFor } from '../../server/usecases/staging.ts';
import { bundleOf, post, resourceIn } from './deposits.ts';
import { type Door, type HttpAnswer, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor({ limits: { binaryBytes: 200_000, stagedBytes: 1_000_000 } });
});
afterAll(() => door.close());

async function send<T = Binary>(
  who: string,
  bytes: Buffer | string,
  type = 'text/xml',
  headers: Record<string, string> = {},
): Promise<HttpAnswer<T>> {
  return door.ask<T>('Binary', {
    method: 'POST',
    headers: { 'Content-Type': type, Authorization: `Bearer ${await door.token(who)}`, ...headers },
    body: typeof bytes === 'string' ? bytes : Uint8Array.from(bytes),
  });
}
const names = ({ issue }: OperationOutcome) => issue.map(({ details }) => details?.text);
const path = (location: string | null | undefined) => (location ?? '').slice(door.base.length + 1);

/** A sound Bundle whose document names bytes that were sent before, instead of a Binary. */
function naming(url: string, change: (document: DocumentReference) => void = () => {}): Bundle {
  const bundle = bundleOf(door);
  const document = resourceIn(bundle, 'DocumentReference');
  Object.assign(document.content[0]?.attachment ?? {}, { url });
  change(document);
  return { ...bundle, entry: (bundle.entry ?? []).filter(({ resource }) => resource?.resourceType !== 'Binary') };
}
const bytesOf = (bundle: Bundle) => Buffer.from(resourceIn(bundle as Bundle<never>, 'Binary').data ?? '', 'base64');

/** Bytes that wait, and a Bundle whose document they are. */
async function waiting(who = 'dr-martin') {
  const bundle = bundleOf(door);
  const bytes = bytesOf(bundle);
  const { headers } = await send(who, bytes);
  const url = headers.get('location') ?? '';
  Object.assign(resourceIn(bundle, 'DocumentReference').content[0]?.attachment ?? {}, { url });
  const entry = (bundle.entry ?? []).filter(({ resource }) => resource?.resourceType !== 'Binary');
  return { url, bytes, bundle: { ...bundle, entry } };
}

describe('a raw Binary', () => {
  test('is read by its sender, whatever its media type, and by nobody else', async () => {
    const bytes = randomBytes(150_000);
    const { status, headers, json } = await send('dr-martin', bytes, 'application/dicom');
    const url = headers.get('location') ?? '';
    expect([status, headers.get('etag'), json.contentType]).toEqual([201, 'W/"1"', 'application/dicom']);
    expect(url).toBe(`${door.base}/Binary/${json.id}`);
    const read = await door.get('dr-martin', url);
    expect([read.status, read.headers.get('content-type'), read.bytes.equals(bytes)]).toEqual([
      200,
      'application/dicom',
      true,
    ]);
    const other = await door.get('dr-nguyen', url);
    const none = await door.get('dr-nguyen', 'Binary/00000000-0000-4000-8000-000000000000');
    expect([other.status, names(other.json)]).toEqual([none.status, names(none.json)]);
    expect(other.status).toBe(404);
  });

  test('may come as the resource, and be read as one', async () => {
    const sent = { resourceType: 'Binary', contentType: 'text/plain', data: Buffer.from('Bonjour').toString('base64') };
    const { status, headers } = await send('dr-martin', JSON.stringify(sent), 'application/fhir+json');
    expect(status).toBe(201);
    const read = await door.get<Binary>('dr-martin', headers.get('location') ?? '', {
      headers: { Accept: 'application/fhir+json' },
    });
    expect(read.json).toMatchObject(sent);
    expect((await door.get('dr-martin', headers.get('location') ?? '')).bytes.toString()).toBe('Bonjour');
  });

  test('becomes the document of a deposit that names it, once', async () => {
    const { url, bytes, bundle } = await waiting();
    const { status, json } = await post<Bundle>(door, 'dr-martin', bundle);
    expect([status, json.type]).toEqual([200, 'transaction-response']);
    const document = await door.get<DocumentReference>('dr-martin', json.entry?.[1]?.response?.location ?? '');
    const { attachment } = document.json.content[0] ?? {};
    expect(attachment?.hash).toBe(createHash('sha1').update(bytes).digest('base64'));
    expect((await door.get('dr-martin', attachment?.url ?? '')).bytes.equals(bytes)).toBe(true);
    expect((await door.get('dr-martin', url)).status).toBe(404);
    const again = await post<OperationOutcome>(door, 'dr-martin', naming(url));
    expect([again.status, names(again.json)[0]]).toEqual([400, 'attachmentUnresolved']);
  });

  test('is named by its relative address too, in a Bundle and alone (ITI-105)', async () => {
    const { url, bundle } = await waiting();
    Object.assign(resourceIn(bundle as Bundle<never>, 'DocumentReference').content[0]?.attachment ?? {}, {
      url: path(url),
    });
    expect((await post(door, 'dr-martin', bundle)).status).toBe(200);
    const second = await waiting();
    const alone = resourceIn(second.bundle as Bundle<never>, 'DocumentReference');
    delete alone.meta;
    const { status, json } = await post<DocumentReference>(door, 'dr-martin', alone, 'DocumentReference');
    expect(status).toBe(201);
    expect((await door.get('dr-martin', json.content[0]?.attachment.url ?? '')).bytes.equals(second.bytes)).toBe(true);
  });

  test('is used by one of two deposits that name it at the same time', async () => {
    const { url, bytes } = await waiting();
    const hash = createHash('sha1').update(bytes).digest('base64');
    const bundles = [0, 1].map(() =>
      naming(url, ({ content: [first] }) => Object.assign(first?.attachment ?? {}, { hash, size: bytes.length })),
    );
    const answers = await Promise.all(bundles.map((bundle) => post<OperationOutcome>(door, 'dr-martin', bundle)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(answers.flatMap(({ status, json }) => (status === 400 ? names(json) : []))).toEqual([
      'attachmentUnresolved',
    ]);
  });

  test('waits on when the deposit that names it is refused', async () => {
    const { url, bundle } = await waiting();
    const wrong = structuredClone(bundle);
    Object.assign(resourceIn(wrong as Bundle<never>, 'DocumentReference').content[0]?.attachment ?? {}, { size: 3 });
    expect(names((await post<OperationOutcome>(door, 'dr-martin', wrong)).json)).toEqual(['sizeDiffers']);
    expect((await door.get('dr-martin', url)).status).toBe(200);
    expect((await post(door, 'dr-martin', bundle)).status).toBe(200);
  });

  test('of another sender is named in vain, in the words for one that does not exist', async () => {
    const { url } = await waiting('dr-nguyen');
    const unknown = `${door.base}/Binary/00000000-0000-4000-8000-000000000000`;
    const [theirs, none] = await Promise.all(
      [url, unknown].map((address) => post<OperationOutcome>(door, 'dr-martin', naming(address))),
    );

    const words = (answer?: HttpAnswer) =>
      answer?.json.issue[0]?.diagnostics?.replaceAll(/[0-9a-f]{8}-[0-9a-f-]+/g, '');
    expect([theirs?.status, theirs?.json.issue[0]?.details?.text]).toEqual([400, 'attachmentUnresolved']);
    expect(words(theirs)).toBe(words(none));
  });

  test('of another media type than the document says is refused', async () => {
    const bundle = bundleOf(door);
    const { headers } = await send('dr-martin', bytesOf(bundle), 'application/pdf');
    const { status, json } = await post<OperationOutcome>(door, 'dr-martin', naming(headers.get('location') ?? ''));
    expect(status).toBe(400);
    expect(names(json)).toContain('attachmentsDiffer');
  });

  test('is unknown after an hour', async () => {
    const { url, bundle } = await waiting();
    const begun = door.world.clock.now;
    door.world.clock.now = begun + stagedFor;
    try {
      expect((await door.get('dr-martin', url)).status).toBe(404);
      expect(names((await post<OperationOutcome>(door, 'dr-martin', bundle)).json)[0]).toBe('attachmentUnresolved');
    } finally {
      door.world.clock.now = begun;
    }
  });

  test.each<[string, () => Promise<HttpAnswer>, number, string]>([
    ['too many bytes', () => send('dr-martin', randomBytes(200_001)), 413, 'messageTooLarge'],
    [
      'too many bytes, unannounced',
      async () =>
        door.ask('Binary', {
          method: 'POST',
          headers: { 'Content-Type': 'text/plain', Authorization: `Bearer ${await door.token('dr-martin')}` },
          body: new Blob([randomBytes(200_001)]).stream(),
          duplex: 'half',
        }),
      413,
      'messageTooLarge',
    ],
    ['no media type', () => send('dr-martin', 'x', 'nonsense'), 415, 'mediaTypeUnsupported'],
    [
      'a coding',
      () => send('dr-martin', 'x', 'text/plain', { 'Content-Encoding': 'gzip' }),
      415,
      'contentCodingUnsupported',
    ],
    ['a condition', () => send('dr-martin', 'x', 'text/plain', { 'If-None-Exist': '_id=1' }), 400, 'parameterUnknown'],
    [
      'another resource',
      () => send('dr-martin', '{"resourceType":"Patient"}', 'application/fhir+json'),
      400,
      'elementMalformed',
    ],
    ['a caller without that right', () => send('regie', 'x', 'text/plain'), 403, 'accessDenied'],
  ])('is refused for %s', async (_, ask, status, name) => {
    const answer = await ask();
    expect([answer.status, names(answer.json)]).toEqual([status, [name]]);
  });

  test('finds no room when too many bytes of its sender wait', async () => {
    const answers = [];
    for (let i = 0; i < 6; i++) answers.push(await send<OperationOutcome>('inf-petit', randomBytes(190_000)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 429]);
    expect(names(answers[5]?.json as OperationOutcome)).toEqual(['tooMuchStaged']);
    expect((await send('dr-roux', randomBytes(1000))).status).not.toBe(429);
  });

  test('finds no more room by coming slowly in many requests at once', async () => {
    const token = await door.token('dr-leroy');
    const started: (() => void)[] = [];
    const early: number[] = [];
    const slowly = (size: number) =>
      new Promise<number>((resolve) => {
        let ended = false;
        const asked = request(`${door.base}/Binary`, {
          method: 'POST',
          headers: { 'Content-Type': 'text/plain', 'Content-Length': size, Authorization: `Bearer ${token}` },
        });
        // Who is refused while he sends may find the connection closed.
        asked.on('error', () => resolve(0));
        asked.on('response', (response) => {
          response.resume();
          if (!ended) early.push(response.statusCode ?? 0);
          resolve(response.statusCode ?? 0);
        });
        const finish = () => {
          ended = true;
          asked.end(randomBytes(size / 2));
        };
        asked.write(randomBytes(size / 2), () => started.push(finish));
      });
    const answers = Array.from({ length: 16 }, () => slowly(190_000));
    while (started.length < answers.length || early.length === 0) await setImmediate();
    // 16 times 95 kB flow: who goes beyond the megabyte is told so before he ends.
    expect(new Set(early)).toEqual(new Set([429]));
    for (const finish of started) finish();
    const statuses = await Promise.all(answers);
    const kept = statuses.filter((status) => status === 201).length;
    expect(kept).toBeLessThanOrEqual(5);
    expect(statuses.every((status) => [201, 429, 0].includes(status))).toBe(true);
    // What was refused waits no longer: the room that is left is found again.
    for (let i = kept; i < 5; i++) expect((await send('dr-leroy', randomBytes(190_000))).status).toBe(201);
    expect((await send('dr-leroy', randomBytes(190_000))).status).toBe(429);
  });
});

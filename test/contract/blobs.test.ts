import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { blockBytes, headerBytes, sealedBlockBytes } from '../../server/blobs/envelope.ts';
import type { Received } from '../../server/blobs/port.ts';
import { openBlobs } from '../../server/blobs/sealed.ts';
import {
  openSegmentReader,
  openSegmentWriter,
  type SegmentReader,
  type SegmentWriter,
} from '../../server/blobs/segments.ts';
import { makeKeyring, type RecordKey } from '../../server/crypto/keyring.ts';
import type { ContentPlace } from '../../server/store/port.ts';

const inlineLimit = 4 * blockBytes;
const keyring = makeKeyring(randomBytes(32));
const keyOf = (record: string): RecordKey => keyring.unwrap(record, keyring.newKey(record));
const key = keyOf('record-1');

let folder: string;
let writer: SegmentWriter;
let blobs: ReturnType<typeof openBlobs>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blobs-'));
  writer = openSegmentWriter(folder);
  blobs = openBlobs({ folder, inlineLimit });
});
afterEach(async () => {
  jest.restoreAllMocks();
  blobs.close();
  await writer.close();
  await rm(folder, { recursive: true });
});

async function* inChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

/** What a segment holds there, as text. */
function textAt(reader: SegmentReader, place: { segment: number; offset: number; length: number }): string | undefined {
  const bytes = Buffer.alloc(place.length);
  return reader.read(place.segment, place.offset, bytes) ? bytes.toString() : undefined;
}

/** What a use case and the store's writer do with a document that came in. */
async function store(received: Received, by: RecordKey = key): Promise<ContentPlace> {
  const content = await received.keep(by);
  if ('file' in content) return content;
  const [place] = writer.append([content.sealed]);
  await writer.sync();
  if (place === undefined) throw new Error('no place');
  return place;
}

async function read(place: ContentPlace, by: RecordKey = key): Promise<Buffer> {
  const opened = await blobs.open(by, place);
  if (opened instanceof Uint8Array) return Buffer.from(opened);
  const parts: Uint8Array[] = [];
  for await (const part of opened) parts.push(part);
  return Buffer.concat(parts);
}

async function receiveAll(bytes: Uint8Array, chunkBytes = 10_000): Promise<Received> {
  return blobs.receive(inChunks(bytes, chunkBytes), Number.MAX_SAFE_INTEGER);
}

const largeFiles = () => readdir(join(folder, 'large'));

/** The file in which a stored document lies, and where in it. */
function fileOf(place: ContentPlace): { path: string; offset: number } {
  return 'file' in place
    ? { path: join(folder, 'large', place.file), offset: 0 }
    : { path: join(folder, 'segments', `${String(place.segment).padStart(8, '0')}.seg`), offset: place.offset };
}

async function damage(place: ContentPlace, change: (document: Buffer) => void): Promise<void> {
  const { path, offset } = fileOf(place);
  const bytes = await readFile(path);
  change(bytes.subarray(offset, offset + place.length));
  await writeFile(path, bytes);
}

const sizes = [
  ['an empty document', 0],
  ['one byte', 1],
  ['20 kB', 20_000],
  ['exactly one block', blockBytes],
  ['one block and a byte', blockBytes + 1],
  ['three blocks', 3 * blockBytes],
  ['exactly the inline limit', inlineLimit],
  ['one byte beyond the inline limit', inlineLimit + 1],
  ['a file of exactly eight blocks', 8 * blockBytes],
  ['a file of nine blocks and a half', 9.5 * blockBytes],
] as const;

describe('a span of a document', () => {
  const bytes = randomBytes(5 * blockBytes + 1000);
  const part = async (place: ContentPlace, from: number, to: number) => {
    const opened = await blobs.open(key, place, { from, to });
    if (opened instanceof Uint8Array) return Buffer.from(opened);
    const parts: Uint8Array[] = [];
    for await (const piece of opened) parts.push(Uint8Array.from(piece));
    return Buffer.concat(parts);
  };

  test.each([
    ['in a file of its own', 5 * blockBytes + 1000],
    ['in a segment, of several blocks', 3 * blockBytes],
    ['in a segment, of one block', 1000],
  ])('is the same bytes that the whole has there: %s', async (_, size) => {
    const place = await store(await receiveAll(bytes.subarray(0, size)));
    await fc.assert(
      fc.asyncProperty(fc.nat(size), fc.nat(size + 10), async (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        expect((await part(place, from, to)).equals(bytes.subarray(from, Math.min(to, size)))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('needs no other block: one that is damaged does not spoil it, and spoils the span that holds it', async () => {
    const place = await store(await receiveAll(bytes));
    const { path, offset } = fileOf(place);
    const file = await open(path, 'r+');
    await file.write(Buffer.from('spoilt'), 0, 6, offset + headerBytes + sealedBlockBytes + 100);
    await file.close();
    const from = 2 * blockBytes + 5;
    expect((await part(place, from, from + 70_000)).equals(bytes.subarray(from, from + 70_000))).toBe(true);
    await expect(part(place, from - 10, from)).rejects.toThrow('block 1 is not authentic');
  });
});

describe('a document that is staged', () => {
  const bytes = randomBytes(blockBytes + 10);
  const stageAll = async (content: Uint8Array) => {
    const received = await blobs.receive(inChunks(content, 10_000), Number.MAX_SAFE_INTEGER, 'file');
    const staging = keyOf('staged');
    const { size, sha1, sha256 } = received;
    return { staging, staged: { size, sha1, sha256, content: await received.stage(staging) } };
  };

  test.each([
    ['large', bytes],
    ['small', bytes.subarray(0, 3)],
    ['empty', bytes.subarray(0, 0)],
  ])('becomes a document without being written again: %s', async (_, content) => {
    const { staging, staged } = await stageAll(content);
    const [name = ''] = await largeFiles();
    const before = await stat(join(folder, 'large', name));
    const place = await blobs.resume(staging, staged).keep(key);
    if (!('file' in place)) throw new Error('it has no file');
    const after = await stat(join(folder, 'large', name));
    expect([await largeFiles(), after.ino, after.size]).toEqual([[name], before.ino, before.size]);
    expect((await read(place)).equals(content)).toBe(true);
  });

  test('is kept as often as a commit is tried, and stays readable by its own key', async () => {
    const { staging, staged } = await stageAll(bytes);
    await blobs.resume(staging, staged).keep(keyOf('record-2'));
    const resumed = blobs.resume(staging, staged);
    const place = await resumed.keep(key);
    if (!('file' in place)) throw new Error('it has no file');
    expect((await read(place)).equals(bytes)).toBe(true);
    const opened = await blobs.resume(staging, staged).open({ from: 5, to: 9 });
    const [first] = opened instanceof Uint8Array ? [opened] : await Array.fromAsync(opened);
    expect(first && Buffer.from(first).equals(bytes.subarray(5, 9))).toBe(true);
  });

  test('opens neither by another key nor, before it is kept, by its place', async () => {
    const { staging, staged } = await stageAll(bytes);
    expect(() => blobs.resume(keyOf('staged'), staged)).toThrow('does not open');
    const { file, length } = staged.content;
    await expect(read({ file, length }, staging)).rejects.toThrow('does not open');
  });

  test('is not lost when a deposit that named it is refused', async () => {
    const { staging, staged } = await stageAll(bytes);
    await blobs.resume(staging, staged).discard();
    expect(await largeFiles()).toEqual([staged.content.file]);
  });
});

describe('what goes in comes out', () => {
  test.each(sizes)('%s', async (_name, size) => {
    const bytes = randomBytes(size);
    const received = await receiveAll(bytes);
    expect(received.size).toBe(size);
    expect(received.sha1).toBe(createHash('sha1').update(bytes).digest('hex'));
    expect(received.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    const place = await store(received);
    expect('file' in place).toBe(size > inlineLimit);
    expect((await read(place)).equals(bytes)).toBe(true);
  });

  test('in any size and any chunks, with the same hashes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 2 * inlineLimit }),
        fc.integer({ min: 700, max: 3 * blockBytes }),
        async (size, chunkBytes) => {
          const bytes = randomBytes(size);
          const received = await receiveAll(bytes, chunkBytes);
          const atOnce = blobs.receiveBytes(bytes);
          expect([received.size, received.sha1, received.sha256]).toEqual([atOnce.size, atOnce.sha1, atOnce.sha256]);
          expect((await read(await store(received))).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('up to one block it is an array, beyond it a stream', async () => {
    const small = await blobs.open(key, await store(blobs.receiveBytes(randomBytes(blockBytes))));
    const larger = await blobs.open(key, await store(blobs.receiveBytes(randomBytes(blockBytes + 1))));
    expect(small instanceof Uint8Array).toBe(true);
    expect(larger instanceof Uint8Array).toBe(false);
  });

  test('sealed bytes are an array of their own, which another thread can take over', async () => {
    const content = await blobs.receiveBytes(Buffer.from('a report')).keep(key);
    const sealed = 'sealed' in content ? content.sealed : undefined;
    expect(sealed?.buffer.byteLength).toBe(sealed?.byteLength);
  });

  test.each([
    [1000, 'sealed', false],
    [inlineLimit + 1, 'file', true],
  ])('keeping %i bytes again, for a change set made again: %s, the same: %s', async (size, kind, isSame) => {
    const bytes = randomBytes(size);
    const received = await receiveAll(bytes);
    const [first, second] = [await received.keep(key), await received.keep(key)];
    expect(first).toHaveProperty(kind);
    expect(isDeepStrictEqual(first, second)).toBe(isSame);
    expect((await read(await store(received))).equals(bytes)).toBe(true);
  });

  test.each([10, 200_000, 3_000_000])('before it is anybody’s it can be read again: %i bytes', async (size) => {
    const bytes = randomBytes(size);
    const received = await receiveAll(bytes);
    for (let times = 0; times < 2; times++) {
      const opened = await received.open();
      const again = opened instanceof Uint8Array ? opened : Buffer.concat(await Array.fromAsync(opened));
      expect(bytes.equals(again)).toBe(true);
    }
    expect((await read(await store(received))).equals(bytes)).toBe(true);
  });

  test('nothing of the document lies on the disk in clear', async () => {
    const bytes = Buffer.alloc(inlineLimit + 1, 'compte rendu ');
    for (const size of [200, bytes.length]) {
      const place = await store(await receiveAll(bytes.subarray(0, size)));
      expect((await readFile(fileOf(place).path)).includes('compte rendu')).toBe(false);
    }
  });
});

describe('a document that is not what was sealed is refused', () => {
  const kinds = [
    ['in a segment, one block', 1000],
    ['in a segment, several blocks', 3 * blockBytes],
    ['in a file', 9 * blockBytes],
  ] as const;

  describe.each(kinds)('%s', (_name, size) => {
    const damages: readonly (readonly [string, (document: Buffer) => void])[] = [
      ['a bit of the first block', (d) => d.writeUInt8(d.readUInt8(headerBytes) ^ 1, headerBytes)],
      ['a bit of the last tag', (d) => d.writeUInt8(d.readUInt8(d.length - 1) ^ 1, d.length - 1)],
      ['the magic', (d) => d.write('XXXX', 0)],
      ['the nonce prefix', (d) => d.writeUInt8(d.readUInt8(6) ^ 1, 6)],
      ['the content id', (d) => d.writeUInt8(d.readUInt8(20) ^ 1, 20)],
      ['the wrapped key', (d) => d.writeUInt8(d.readUInt8(50) ^ 1, 50)],
    ];
    test.each(damages)('altered: %s', async (_what, change) => {
      const place = await store(await receiveAll(randomBytes(size)));
      await damage(place, change);
      await expect(read(place)).rejects.toMatchObject({ name: 'ContentDamaged' });
    });

    test('the key of another record', async () => {
      const place = await store(await receiveAll(randomBytes(size)));
      await expect(blobs.open(keyOf('record-2'), place)).rejects.toMatchObject({ name: 'ContentDamaged' });
    });

    test("the record's key under another record's name", async () => {
      const place = await store(await receiveAll(randomBytes(size)));
      await expect(blobs.open({ ...key, record: 'record-2' }, place)).rejects.toMatchObject({ name: 'ContentDamaged' });
    });

    test.each([
      ['one byte short', (length: number) => length - 1],
      ['without its last block', (length: number) => length - (((length - headerBytes - 1) % sealedBlockBytes) + 1)],
      ['nothing but a header', () => headerBytes],
      ['one byte longer', (length: number) => length + 1],
    ])('a place %s', async (_what, lengthOf) => {
      const place = await store(await receiveAll(randomBytes(size)));
      await store(blobs.receiveBytes(randomBytes(50)));
      const wrong = { ...place, length: lengthOf(place.length) };
      await expect(read(wrong)).rejects.toMatchObject({ name: 'ContentDamaged' });
    });

    test('cut off on the disk', async () => {
      const place = await store(await receiveAll(randomBytes(size)));
      const { path, offset } = fileOf(place);
      const handle = await open(path, 'r+');
      await handle.truncate(offset + place.length - 1);
      await handle.close();
      await expect(read(place)).rejects.toMatchObject({ name: 'ContentDamaged' });
    });

    test('gone from the disk', async () => {
      const place = await store(await receiveAll(randomBytes(size)));
      await rm(fileOf(place).path);
      await expect(read(place)).rejects.toMatchObject({ name: 'ContentDamaged' });
    });
  });

  test.each([
    ['in a segment', 3 * blockBytes],
    ['in a file', 9 * blockBytes],
  ])('two blocks swapped, %s', async (_name, size) => {
    const place = await store(await receiveAll(randomBytes(size)));
    await damage(place, (d) => {
      const first = Buffer.from(d.subarray(headerBytes, headerBytes + sealedBlockBytes));
      d.copy(d, headerBytes, headerBytes + sealedBlockBytes, headerBytes + 2 * sealedBlockBytes);
      first.copy(d, headerBytes + sealedBlockBytes);
    });
    await expect(read(place)).rejects.toMatchObject({ name: 'ContentDamaged' });
  });

  test('the files of two documents of one record swapped', async () => {
    const one = await store(await receiveAll(randomBytes(inlineLimit + 1)));
    const two = await store(await receiveAll(randomBytes(inlineLimit + 1)));
    await writeFile(fileOf(one).path, await readFile(fileOf(two).path));
    await expect(blobs.open(key, one)).rejects.toMatchObject({ name: 'ContentDamaged' });
  });

  test('blocks before the damage are given out, the damaged one never', async () => {
    const bytes = randomBytes(6 * blockBytes);
    const place = await store(await receiveAll(bytes));
    await damage(place, (d) =>
      d.writeUInt8(d.readUInt8(headerBytes + 5 * sealedBlockBytes) ^ 1, headerBytes + 5 * sealedBlockBytes),
    );
    const opened = await blobs.open(key, place);
    if (opened instanceof Uint8Array) throw new Error('one block');
    const parts: Uint8Array[] = [];
    const reading = (async () => {
      for await (const part of opened) parts.push(part);
    })();
    await expect(reading).rejects.toMatchObject({ name: 'ContentDamaged' });
    expect(Buffer.concat(parts).equals(bytes.subarray(0, 5 * blockBytes))).toBe(true);
  });
});

describe('nothing half-stored stays', () => {
  test('a document at the limit passes, beyond it it is refused and the rest is not read', async () => {
    const bytes = randomBytes(inlineLimit + 20_000);
    await expect(blobs.receive(inChunks(bytes, 10_000), bytes.length)).resolves.toMatchObject({ size: bytes.length });
    let asked = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        asked++;
        yield bytes.subarray(0, 10_000);
      }
    }
    const files = await largeFiles();
    await expect(blobs.receive(endless(), inlineLimit + 5000)).rejects.toMatchObject({ name: 'ContentTooLarge' });
    expect(asked).toBe(Math.floor((inlineLimit + 5000) / 10_000) + 1);
    expect(await largeFiles()).toEqual(files);
  });

  test.each([
    ['before the inline limit', 1],
    ['after it', 40],
  ])('a source that breaks off %s', async (_name, chunks) => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < chunks; i++) yield randomBytes(10_000);
      throw new Error('client gone');
    }
    await expect(blobs.receive(broken(), 1e9)).rejects.toThrow('client gone');
    expect(await largeFiles()).toEqual([]);
  });

  test('a discarded document leaves no file', async () => {
    const received = await receiveAll(randomBytes(inlineLimit + 1));
    expect(await largeFiles()).toHaveLength(1);
    await received.discard();
    expect(await largeFiles()).toEqual([]);
    await blobs.receiveBytes(randomBytes(10)).discard();
  });

  test('the disk fills while a large document comes in: StoreFull, no file left, the next one passes', async () => {
    const probe = await open(join(folder, 'probe'), 'w');
    const write = jest.spyOn(Object.getPrototypeOf(probe), 'write');
    await probe.close();
    write.mockImplementationOnce(() => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })));
    await expect(receiveAll(randomBytes(inlineLimit + 1))).rejects.toMatchObject({ name: 'StoreFull' });
    expect(await largeFiles()).toEqual([]);
    const bytes = randomBytes(inlineLimit + 1);
    expect((await read(await store(await receiveAll(bytes)))).equals(bytes)).toBe(true);
  });

  test('the disk fills while a large document is kept: StoreFull', async () => {
    const received = await receiveAll(randomBytes(inlineLimit + 1));
    const probe = await open(join(folder, 'probe'), 'w');
    const sync = jest.spyOn(Object.getPrototypeOf(probe), 'sync');
    await probe.close();
    sync.mockImplementationOnce(() => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })));
    await expect(received.keep(key)).rejects.toMatchObject({ name: 'StoreFull' });
    await received.discard();
    expect(await largeFiles()).toEqual([]);
  });

  test('the sweep takes files that are old and unnamed, no others', async () => {
    const hour = 3_600_000;
    const now = 1_790_000_000_000;
    const ages = { old: now - 2 * hour, oldAndNamed: now - 2 * hour, young: now };
    const names = new Map<string, string>();
    for (const [name, at] of Object.entries(ages)) {
      const place = await store(await receiveAll(randomBytes(inlineLimit + 1)));
      await utimes(fileOf(place).path, at / 1000, at / 1000);
      names.set(name, 'file' in place ? place.file : '');
    }
    const swept = await blobs.sweep(now - hour, async (file) => file === names.get('oldAndNamed'));
    expect(swept).toBe(1);
    expect(new Set(await largeFiles())).toEqual(new Set([names.get('oldAndNamed'), names.get('young')]));
  });
});

test('a large document is never ahead of the disk by more than eight blocks', async () => {
  const block = randomBytes(blockBytes);
  const blocks = 512;
  let ahead = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < blocks; i++) {
      yield block;
      const [name] = await largeFiles();
      if (name === undefined) continue;
      const onDisk = (await stat(join(folder, 'large', name))).size;
      ahead = Math.max(ahead, (i + 1) * blockBytes - onDisk);
    }
  }
  const received = await blobs.receive(source(), 1e9);
  expect(received.size).toBe(blocks * blockBytes);
  expect(ahead).toBeGreaterThan(0);
  expect(ahead).toBeLessThanOrEqual(8 * blockBytes);
  await received.discard();
});

describe('segments', () => {
  const documents = (...texts: string[]) => texts.map((text) => Buffer.from(text));

  test('documents of one append lie behind each other and are read back', async () => {
    const places = writer.append(documents('first', 'the second', '3'));
    await writer.sync();
    const reader = openSegmentReader(folder);
    expect(places).toEqual([
      { segment: 1, offset: 0, length: 5 },
      { segment: 1, offset: 5, length: 10 },
      { segment: 1, offset: 15, length: 1 },
    ]);
    expect(places.map((place) => textAt(reader, place))).toEqual(['first', 'the second', '3']);
    expect(textAt(reader, { segment: 1, offset: 10, length: 7 })).toBeUndefined();
    expect(textAt(reader, { segment: 7, offset: 0, length: 1 })).toBeUndefined();
    reader.close();
  });

  test('each opening begins a new segment and leaves a torn tail alone', async () => {
    const [kept] = writer.append(documents('kept'));
    await writer.close();
    const first = join(folder, 'segments', '00000001.seg');
    await writeFile(first, 'torn', { flag: 'a' });
    const again = openSegmentWriter(folder);
    const [place] = again.append(documents('new'));
    await again.close();
    expect(kept).toEqual({ segment: 1, offset: 0, length: 4 });
    expect(place).toEqual({ segment: 2, offset: 0, length: 3 });
    expect(await readFile(first, 'utf8')).toBe('kepttorn');
  });

  test('opening without writing leaves no segment', async () => {
    expect(await readdir(join(folder, 'segments'))).toEqual([]);
  });

  test('a full segment is followed by the next, both safe after one sync', async () => {
    const small = openSegmentWriter(folder, { segmentBytes: 10 });
    const places = [
      ...small.append(documents('12345678')),
      ...small.append(documents('abc', 'd')),
      ...small.append(documents('a longer one')),
    ];
    await small.sync();
    await small.close();
    expect(places).toEqual([
      { segment: 1, offset: 0, length: 8 },
      { segment: 2, offset: 0, length: 3 },
      { segment: 2, offset: 3, length: 1 },
      { segment: 3, offset: 0, length: 12 },
    ]);
    expect(await readFile(join(folder, 'segments', '00000003.seg'), 'utf8')).toBe('a longer one');
  });

  test('a write that stops short is continued', async () => {
    const whole = fs.writevSync;
    jest
      .spyOn(fs, 'writevSync')
      .mockImplementationOnce((descriptor, parts, position) =>
        whole(descriptor, [Buffer.from(parts[0] as Uint8Array).subarray(0, 3)], position),
      );
    writer.append(documents('first', 'second'));
    await writer.sync();
    expect(await readFile(join(folder, 'segments', '00000001.seg'), 'utf8')).toBe('firstsecond');
  });

  test('a full disk is StoreFull, and what it left behind is overwritten', async () => {
    const whole = fs.writevSync;
    const spy = jest.spyOn(fs, 'writevSync').mockImplementationOnce((descriptor, _parts, position) => {
      whole(descriptor, [Buffer.from('torn torn torn')], position);
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    });
    expect(() => writer.append(documents('lost'))).toThrow(expect.objectContaining({ name: 'StoreFull' }));
    expect(spy).toHaveBeenCalledTimes(1);
    const [place] = writer.append(documents('kept'));
    await writer.sync();
    const reader = openSegmentReader(folder);
    expect(place).toEqual({ segment: 1, offset: 0, length: 4 });
    expect(textAt(reader, { segment: 1, offset: 0, length: 4 })).toBe('kept');
    reader.close();
  });

  test('a failed sync is never made good by a later one of the same segment', async () => {
    writer.append(documents('lost'));
    jest
      .spyOn(fs, 'fdatasync')
      .mockImplementationOnce((_descriptor, done) => done(Object.assign(new Error('disk error'), { code: 'EIO' })));
    const failing = writer.sync();
    writer.append(documents('lost too'));
    const covering = writer.sync();
    await expect(failing).rejects.toThrow('disk error');
    await expect(covering).rejects.toThrow('an earlier sync of this segment failed');
    const [place] = writer.append(documents('kept'));
    await expect(writer.sync()).rejects.toThrow('an earlier sync of this segment failed');
    await expect(writer.sync()).resolves.toBeUndefined();
    expect(place).toEqual({ segment: 2, offset: 0, length: 4 });
  });

  test('more segments than descriptors can be read in any order', async () => {
    const small = openSegmentWriter(folder, { segmentBytes: 1 });
    const places = ['a', 'b', 'c', 'd', 'e'].flatMap((text) => small.append(documents(text)));
    await small.close();
    const before = (await readdir('/proc/self/fd').catch(() => [])).length;
    const reader = openSegmentReader(folder, { descriptors: 2 });
    const order = [0, 4, 1, 3, 2, 0, 1, 4];
    expect(order.map((i) => textAt(reader, { segment: places[i]?.segment ?? 0, offset: 0, length: 1 })).join('')).toBe(
      'aebdcabe',
    );
    expect((await readdir('/proc/self/fd').catch(() => [])).length - before).toBeLessThanOrEqual(2);
    reader.close();
  });

  test('another thread reads what was written after it started', async () => {
    const thread = new Worker(new URL('./segment-reader-thread.mjs', import.meta.url), { workerData: { folder } });
    const answer = () => new Promise((resolve) => thread.once('message', resolve));
    expect(await answer()).toBe('ready');
    const [place] = writer.append(documents('for the other thread'));
    thread.postMessage(place);
    expect(await answer()).toBe('for the other thread');
    await thread.terminate();
  });
});

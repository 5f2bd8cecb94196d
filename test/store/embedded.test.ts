import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { verifyFiles } from '../../scripts/kill/verify.ts';
import { headerBytes } from '../../server/blobs/envelope.ts';
import { openBlobs } from '../../server/blobs/sealed.ts';
import type { SegmentWriter } from '../../server/blobs/segments.ts';
import { makeKeyring } from '../../server/crypto/keyring.ts';
import { connectWriter } from '../../server/store/embedded/client.ts';
import { openDatabase } from '../../server/store/embedded/driver.ts';
import { encodeChanges } from '../../server/store/embedded/encode.ts';
import { openKeys } from '../../server/store/embedded/keys.ts';
import { connectEmbedded, type EmbeddedOptions, openEmbedded } from '../../server/store/embedded/open.ts';
import { migrate } from '../../server/store/embedded/schema.ts';
import { serve } from '../../server/store/embedded/serve.ts';
import { openWriter } from '../../server/store/embedded/writer.ts';
import { type ContentPlace, type Row, type Store, StoreFull } from '../../server/store/port.ts';
import { documentRow, event, first, permitOn, put, seed } from '../contract/store.ts';
import { permitFor, recordOf } from '../support/permits.ts';
import { document, uuid } from '../support/registry.ts';

let folder: string;
let opened: Store[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'opendmp-embedded-'));
  opened = [];
});
afterEach(async () => {
  for (const store of opened.toReversed()) await store.close();
  rmSync(folder, { recursive: true });
});

async function open(options: Partial<EmbeddedOptions> = {}) {
  const store = await openEmbedded({ folder, threads: false, ...options });
  opened.push(store);
  return store;
}

const all = { limit: 1000 };

/** A writer of segments that puts nothing on the disk. */
const noSegments: SegmentWriter = {
  append: (sealed) => sealed.map(({ length }) => ({ segment: 1, offset: 0, length })),
  sync: () => Promise.resolve(),
  erase: () => Promise.resolve(),
  release: () => true,
  close: () => Promise.resolve(),
};

describe('what was acknowledged is there when the store is opened again', () => {
  test.each([false, true])(
    'documents, events and their chain, statuses, keys, spent credentials (threads: %s)',
    async (threads) => {
      const before = await open({ threads });
      await seed(before);
      const permit = await permitOn(before, 'ourselves');
      const spend = { key: 'assertion', until: 9000 };
      await before.write.commit(permit, {
        ...put(
          { ...documentRow(document(1)), content: { sealed: Buffer.from('sealed') } },
          { kind: 'status', document: uuid(1), status: 'archived' },
          { kind: 'key', record: first, wrapped: Buffer.from('wrapped') },
        ),
        events: [event({ record: first })],
        spend,
      });
      const documents = await before.read.documents(permit, {}, all);
      await before.close();

      const after = await open({ threads });
      expect(await after.read.documents(permit, {}, all)).toEqual(documents);
      expect(documents.items[0]?.entry.status).toBe('archived');
      expect(Buffer.from((await after.read.wrappedKey(permit)) ?? []).toString()).toBe('wrapped');
      expect(await after.write.note([event()], spend)).toMatchObject({ spent: true });
      await after.write.commit(permit, { ...put(documentRow(document(2))), events: [event({ record: first })] });
      const [second, one] = (await after.read.events(permit, {}, all)).items;
      expect([one?.sequence, second?.sequence]).toEqual([1, 2]);
      expect(second?.previous).toBe(one?.hash);
      const [newest] = (await after.read.documents(permit, {}, all)).items;
      expect(newest?.position).toBeGreaterThan(documents.items[0]?.position ?? 0);
    },
  );
});

describe('a folder has one owner and one format', () => {
  test('a second server on it is refused in clear words, and may start when the first has stopped', async () => {
    const running = await open();
    await expect(open()).rejects.toMatchObject({ name: 'StoreTaken', message: expect.stringContaining(folder) });
    await expect(open({ threads: true })).rejects.toMatchObject({ name: 'StoreTaken' });
    await running.close();
    await open({ threads: true });
  });

  test.each(['store.sqlite', 'keys.sqlite'])('%s of a newer server is refused, naming both formats', async (file) => {
    await (await open()).close();
    const database = new DatabaseSync(join(folder, file));
    database.exec('INSERT INTO migration (number) VALUES (99)');
    database.close();
    for (const threads of [false, true])
      await expect(open({ threads })).rejects.toMatchObject({
        name: 'StoreTooNew',
        message: expect.stringMatching(/has format 99; this server knows formats up to \d+\./),
      });
  });

  test('tables are made once, however often it is opened', async () => {
    for (let i = 0; i < 3; i++) await (await open()).close();
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    const numbers = database
      .prepare('SELECT number FROM migration')
      .all()
      .map((row) => row['number']);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThan(0);
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    database.close();
  });
});

test('a record is recalled by the name that it was asked for, not by one that reads like it', async () => {
  const store = await open();
  await seed(store);
  const { facts } = store;
  const oid = '1.2.250.1.213.1.4.10';
  const value = '279035121518989';
  for (let n = 0; n < 3; n++) expect((await facts.recordByIdentifier({ value, oid }))?.record.id).toBe(first);
  for (const like of [`${oid} ${value}`, `identifier ${oid} ${value}`])
    expect(await facts.recordById(like)).toBeUndefined();
});

describe('several threads, one writer', () => {
  test('a store on a port of the writer keeps names and credentials once with the others', async () => {
    const main = await open({ threads: true });
    await seed(main);
    const other = await connectEmbedded(folder, await main.newWay());
    opened.push(other);
    const permit = await permitOn(other, 'ourselves');
    const spend = { key: 'assertion', until: 9000 };
    const outcomes = await Promise.all(
      [main, other, main, other].map(async (store) =>
        store.write.commit(permit, { ...put(documentRow(document(1))), events: [event({ record: first })] }),
      ),
    );
    expect(outcomes.filter(({ done }) => done)).toHaveLength(1);
    const notes = await Promise.all([main, other].map(async (store) => store.write.note([event()], spend)));
    expect(notes.filter(({ done }) => done)).toHaveLength(1);
    expect((await other.read.documents(permit, {}, all)).items).toHaveLength(1);
  });

  test('a store on a port closes by itself, after what it sent is answered; the writer goes on', async () => {
    const main = await open({ threads: true });
    const other = await connectEmbedded(folder, await main.newWay());
    const sent = other.write.note([event()]);
    await other.close();
    expect(await sent).toMatchObject({ done: true });
    await expect(other.write.note([event()])).rejects.toMatchObject({ name: 'StoreStopped' });
    expect(await main.write.note([event()])).toEqual({ done: true, sequences: [2] });
  });

  test('closing answers what was sent before', async () => {
    const main = await open({ threads: true });
    const sent = Array.from({ length: 50 }, async () => main.write.note([event()]));
    await main.close();
    expect((await Promise.all(sent)).every(({ done }) => done)).toBe(true);
  });

  test('a store on the port of a closed writer refuses', async () => {
    const main = await open({ threads: true });
    const other = await connectEmbedded(folder, await main.newWay());
    opened.push(other);
    await other.write.note([event()]);
    await main.close();
    await expect(other.write.note([event()])).rejects.toMatchObject({ name: 'StoreStopped' });
  });
});

test('too many that wait are refused as busy, and nothing of them is written', async () => {
  const store = await open({ maxWaiting: 3 });
  const tried = await Promise.allSettled(Array.from({ length: 5 }, async () => store.write.note([event()])));
  expect(tried.map((t) => (t.status === 'fulfilled' ? 'done' : (t.reason as Error).name))).toEqual([
    'done',
    'done',
    'done',
    'StoreBusy',
    'StoreBusy',
  ]);
  expect(await store.write.note([event()])).toEqual({ done: true, sequences: [4] });
});

test('those of all threads together count as waiting', async () => {
  const main = await open({ maxWaiting: 3 });
  const other = await connectEmbedded(folder, await main.newWay());
  opened.push(other);
  await other.write.note([event()]);
  const tried = await Promise.allSettled([main, main, other, other].map(async (store) => store.write.note([event()])));
  expect(tried.filter((t) => t.status === 'rejected').map((t) => (t.reason as Error).name)).toEqual(['StoreBusy']);
});

describe('a full disk', () => {
  test('is told in clear words, leaves nothing half-stored, and the service goes on', async () => {
    const store = await open({ maxBytes: 400_000 });
    await seed(store);
    const permit = await permitOn(store, 'ourselves');
    const title = { value: 'x'.repeat(20_000) };
    const deposit = async (n: number) =>
      store.write.commit(permit, { ...put(documentRow(document(n, { title }))), events: [event({ record: first })] });
    let stored = 0;
    let full: unknown;
    while (full === undefined && stored < 100)
      await deposit(stored + 1).then(
        () => stored++,
        (error: unknown) => (full = error),
      );
    expect(full).toMatchObject({ name: 'StoreFull', message: 'The disk is full' });
    expect(stored).toBeGreaterThan(2);
    expect(await store.read.countDocuments(permit, {})).toBe(stored);
    expect(await store.read.taken(permit, [uuid(stored + 1)])).toEqual(new Set());
    expect((await store.read.events(permit, {}, all)).items).toHaveLength(stored);
    expect(await store.write.note([event({ record: first })])).toEqual({ done: true, sequences: [stored + 1] });
    const [latest, before] = (await store.read.events(permit, {}, all)).items;
    expect(latest?.previous).toBe(before?.hash);
    await store.close();
    const again = await open();
    expect(await again.write.commit(permit, put(documentRow(document(stored + 1))))).toMatchObject({ done: true });
  });

  function writerOn(segments: SegmentWriter) {
    mkdirSync(folder, { recursive: true });
    const database = openDatabase(join(folder, 'store.sqlite'));
    migrate(database, folder);
    const files = { erase: () => Promise.resolve() };
    return openWriter(database, openKeys(join(folder, 'keys.sqlite'), folder), segments, files);
  }
  const segments = noSegments;
  const withBytes = (n: number, sealed: Uint8Array = Buffer.from('x')) =>
    encodeChanges(
      first,
      put({ kind: 'record', record: recordOf(first) }, { ...documentRow(document(n)), content: { sealed } }),
    );
  const without = encodeChanges(undefined, { ...put(), events: [event()], spend: { key: 'a', until: 9000 } });
  const full = { refused: 'full', why: 'The disk is full' };

  test('while documents are appended: only what carries documents is refused', async () => {
    const writer = writerOn({
      ...segments,
      append: () => {
        throw new StoreFull('no room');
      },
    });
    expect(await writer.commit([withBytes(1), without])).toEqual([full, { done: true, sequences: [1] }]);
    await writer.close();
  });

  test('while documents are synced: nothing of the group is committed, and it may come again', async () => {
    let room = false;
    const writer = writerOn({
      ...segments,
      sync: () => (room ? Promise.resolve() : Promise.reject(new StoreFull('no room'))),
    });
    expect(await writer.commit([withBytes(1), without])).toEqual([full, full]);
    room = true;
    expect(await writer.commit([withBytes(1), without])).toEqual([
      { done: true, sequences: [] },
      { done: true, sequences: [1] },
    ]);
    await writer.close();
    expect(verifyFiles(folder).sequence).toBe(1);
  });

  test('no row is committed before the bytes that it names are on disk', async () => {
    const order: string[] = [];
    let synced: () => void = () => undefined;
    const begins = Promise.withResolvers<void>();
    const writer = writerOn({
      ...segments,
      append: (sealed) => {
        order.push('append');
        return segments.append(sealed);
      },
      sync: () =>
        new Promise((resolve) => {
          order.push('sync begins');
          begins.resolve();
          synced = resolve;
        }),
    });
    const done = writer.commit([withBytes(1)]).then(() => order.push('answered'));
    await begins.promise;
    const reader = new DatabaseSync(join(folder, 'store.sqlite'), { readOnly: true });
    expect(reader.prepare('SELECT count(*) AS n FROM document').get()).toEqual({ n: 0 });
    synced();
    await done;
    expect(reader.prepare('SELECT count(*) AS n FROM document').get()).toEqual({ n: 1 });
    reader.close();
    expect(order).toEqual(['append', 'sync begins', 'answered']);
    await writer.close();
  });

  test('any other failure of the disk stops the store: it promises nothing that it cannot keep', async () => {
    const { port1, port2 } = new MessageChannel();
    const writer = writerOn({ ...segments, sync: () => Promise.reject(new Error('EIO')) });
    serve(writer, port1, { maxWaiting: 10, held: false });
    const client = connectWriter(port2);
    const creation = permitFor(undefined, 'stranger', { action: 'createRecord' });
    const content = { sealed: Buffer.from('x') };
    const changes = put({ kind: 'record', record: recordOf(first) }, { ...documentRow(document(1)), content });
    const stopped = { name: 'StoreStopped', message: expect.stringContaining('EIO') };
    await expect(client.write.commit(creation, changes)).rejects.toMatchObject(stopped);
    await expect(client.write.note([event()])).rejects.toMatchObject(stopped);
    await client.close('writer');
  });
});

describe('the bytes of a removed document', () => {
  const keyring = makeKeyring(Buffer.alloc(32, 1));
  const wrapped = keyring.newKey(first);
  const key = keyring.unwrap(first, wrapped);
  const text = Buffer.alloc(150_000, 'compte rendu ');
  let blobs: ReturnType<typeof openBlobs>;
  beforeEach(() => {
    blobs = openBlobs({ folder: join(folder, 'documents'), inlineLimit: 200_000 });
  });
  afterEach(() => blobs.close());

  /** Documents 1 and 2 in a segment, 3 in a file of its own. */
  async function filled(store: Store) {
    await seed(store);
    const permit = await permitOn(store, 'ourselves');
    const contents = await Promise.all(
      [text, text, Buffer.concat([text, text])].map(async (bytes) =>
        (await blobs.receive(ReadableStream.from([bytes]), 1e6)).keep(key),
      ),
    );
    for (const [index, content] of contents.entries())
      await store.write.commit(permit, put({ ...documentRow(document(index + 1)), content }));
    const placeOf = async (n: number) => (await store.read.documentsByUuid(permit, [uuid(n)]))[0]?.content;
    const places = await Promise.all([placeOf(1), placeOf(2), placeOf(3)]);
    return { permit, places, remove: async (...rows: Row[]) => store.write.commit(permit, put(...rows)) };
  }
  /** What lies on the disk where a document lay. */
  function onDisk(place: ContentPlace | undefined): Buffer | undefined {
    if (place === undefined) throw new Error('no place');
    const [kind, name, at] =
      'file' in place
        ? ['large', place.file, 0]
        : ['segments', `${String(place.segment).padStart(8, '0')}.seg`, place.offset];
    const path = join(folder, 'documents', kind, name);
    return existsSync(path) ? readFileSync(path).subarray(at, at + place.length) : undefined;
  }
  const read = async (place: ContentPlace | undefined) => {
    const opened = place && (await blobs.open(key, place));
    return opened && Buffer.concat(opened instanceof Uint8Array ? [opened] : await Array.fromAsync(opened));
  };
  const damaged = { name: 'ContentDamaged' };
  const bytesOf = (n: number): Row => ({ kind: 'removeContent', document: uuid(n) });

  test('are unreadable when the removal is answered, with every key there is; all others stay', async () => {
    const store = await open();
    const { places, remove } = await filled(store);
    expect((await read(places[0]))?.equals(text)).toBe(true);
    await remove(bytesOf(1), bytesOf(3));
    expect(onDisk(places[0])?.subarray(0, headerBytes)).toEqual(Buffer.alloc(headerBytes));
    expect(onDisk(places[2])).toBeUndefined();
    await expect(read(places[0])).rejects.toMatchObject(damaged);
    await expect(read(places[2])).rejects.toMatchObject(damaged);
    expect((await read(places[1]))?.equals(text)).toBe(true);
  });

  test('become zeros, whose room the file system can have back', async () => {
    const store = await open({ threads: true });
    const { places, remove } = await filled(store);
    await remove(bytesOf(2));
    await store.close();
    expect(onDisk(places[1])?.every((byte) => byte === 0)).toBe(true);
    expect((await read(places[0]))?.equals(text)).toBe(true);
  });

  test('go with the last version of their entry, and not before', async () => {
    const store = await open();
    const { permit, places, remove } = await filled(store);
    const next = document(9, { logicalID: uuid(1), version: 2, uniqueId: '2.999.1.1' });
    await remove({ kind: 'version', entry: next, of: uuid(1), registeredAt: 2 });
    await remove({ kind: 'remove', object: 'document', name: uuid(9) });
    expect((await read(places[0]))?.equals(text)).toBe(true);
    await remove({ kind: 'remove', object: 'document', name: uuid(1) });
    await expect(read(places[0])).rejects.toMatchObject(damaged);
    expect((await read((await store.read.documentsByUuid(permit, [uuid(2)]))[0]?.content))?.equals(text)).toBe(true);
  });

  test('stay when the removal was not done', async () => {
    const store = await open();
    const { permit, places } = await filled(store);
    const refused = { ...put(bytesOf(1)), expect: [{ uniqueIdFree: '2.999.1.2' }] };
    expect(await store.write.commit(permit, refused)).toMatchObject({ done: false });
    expect((await read(places[0]))?.equals(text)).toBe(true);
  });

  test('are erased at the next start when the server died in between', async () => {
    const before = await open();
    const { places } = await filled(before);
    await before.close();
    const database = openDatabase(join(folder, 'store.sqlite'));
    const writer = openWriter(
      database,
      openKeys(join(folder, 'keys.sqlite'), folder),
      { ...noSegments, erase: () => Promise.reject(new Error('the power is cut')) },
      { erase: () => Promise.reject(new Error('the power is cut')) },
    );
    expect(await writer.commit([encodeChanges(first, put(bytesOf(1), bytesOf(3)))])).toMatchObject([{ done: true }]);
    await writer.close();
    expect((await read(places[0]))?.equals(text)).toBe(true);

    for (let starts = 0; starts < 2; starts++) await (await open()).close();
    await expect(read(places[0])).rejects.toMatchObject(damaged);
    expect(onDisk(places[2])).toBeUndefined();
    expect((await read(places[1]))?.equals(text)).toBe(true);
  });

  const segmentsLeft = () => readdirSync(join(folder, 'documents', 'segments'));

  test('take their segment along when nothing else lies in it: its room is free, for readers too that hold it open', async () => {
    const store = await open({ segmentBytes: 200_000 });
    const { places, remove } = await filled(store);
    const held = openSync(join(folder, 'documents', 'segments', '00000001.seg'), 'r');
    const next = document(9, { logicalID: uuid(1), version: 2, uniqueId: '2.999.1.1' });
    await remove({ kind: 'version', entry: next, of: uuid(1), registeredAt: 2 });
    await remove({ kind: 'remove', object: 'document', name: uuid(1) });
    expect(segmentsLeft()).toEqual(['00000001.seg', '00000002.seg']);
    await remove({ kind: 'remove', object: 'document', name: uuid(9) });
    expect(segmentsLeft()).toEqual(['00000002.seg']);
    expect(fstatSync(held).size).toBe(0);
    closeSync(held);
    expect((await read(places[1]))?.equals(text)).toBe(true);
  });

  test('take the segment that is written to at the next start, unless a document came into it since', async () => {
    const store = await open();
    const { permit, remove } = await filled(store);
    await remove(bytesOf(1), bytesOf(2));
    expect(segmentsLeft()).toEqual(['00000001.seg']);
    const content = await (await blobs.receive(ReadableStream.from([text]), 1e6)).keep(key);
    await store.write.commit(permit, put({ ...documentRow(document(4)), content }));
    await store.close();
    const again = await open();
    const [fourth] = await again.read.documentsByUuid(permit, [uuid(4)]);
    expect((await read(fourth?.content))?.equals(text)).toBe(true);
    await again.write.commit(permit, put(bytesOf(4)));
    expect(segmentsLeft()).toEqual([]);
  });

  test('take it at the next start when the server died before it was unlinked', async () => {
    const before = await open();
    await filled(before);
    await before.close();
    const writer = openWriter(
      openDatabase(join(folder, 'store.sqlite')),
      openKeys(join(folder, 'keys.sqlite'), folder),
      {
        ...noSegments,
        release: () => {
          throw new Error('the power is cut');
        },
      },
      { erase: () => Promise.resolve() },
    );
    await writer.commit([encodeChanges(first, put(bytesOf(1), bytesOf(2)))]);
    await writer.close();
    expect(segmentsLeft()).toEqual(['00000001.seg']);
    await (await open()).close();
    expect(segmentsLeft()).toEqual([]);
  });

  test('leave alone a segment that no removal emptied, whatever this store knows of it', async () => {
    const store = await open({ segmentBytes: 200_000 });
    const { remove } = await filled(store);
    writeFileSync(join(folder, 'documents', 'segments', '00000007.seg'), 'of another backup');
    await remove(bytesOf(1));
    await store.close();
    await (await open()).close();
    expect(segmentsLeft()).toEqual(['00000002.seg', '00000007.seg']);
  });
});

describe('a destroyed key', () => {
  const wrapped = Buffer.from('WRAPPED-KEY-THAT-MUST-NOT-REMAIN-ANYWHERE');
  const found = () =>
    readdirSync(folder, { withFileTypes: true })
      .filter((file) => file.isFile())
      .filter(({ name }) => readFileSync(join(folder, name)).includes(wrapped))
      .map(({ name }) => name);

  test('is in no file any more, log included', async () => {
    const store = await open();
    await seed(store);
    const permit = await permitOn(store, 'ourselves');
    await store.write.commit(permit, put({ kind: 'key', record: first, wrapped }));
    expect(found()).toEqual(['keys.sqlite-wal']);
    await store.write.commit(permit, put({ kind: 'destroyKey', record: first }));
    expect(found()).toEqual([]);
  });

  test('is destroyed at the next start when the server died in between', async () => {
    const store = await open();
    await seed(store);
    const permit = await permitOn(store, 'ourselves');
    await store.write.commit(permit, put({ kind: 'key', record: first, wrapped }));
    await store.close();
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    database.prepare('INSERT INTO shred (record) VALUES (?)').run(first);
    database.close();
    expect(found()).toEqual(['keys.sqlite']);
    const again = await open();
    expect(await again.read.wrappedKey(permit)).toBeUndefined();
    expect(found()).toEqual([]);
  });
});

test('an entry that is read again is kept, and is the same object until the store has another', async () => {
  const store = await open();
  await seed(store);
  const permit = await permitOn(store, 'ourselves');
  await store.write.commit(permit, put(documentRow(document(1))));
  const documents = async () => (await store.read.documents(permit, {}, all)).items;
  const read = async () => (await documents()).map(({ entry }) => entry);
  expect((await documents()).map(({ kept }) => kept)).toEqual([undefined]);
  expect((await documents()).map(({ kept }) => kept)).toEqual([true]);
  const [once] = await read();
  expect((await read())[0]).toBe(once);
  await store.write.commit(permit, put({ kind: 'status', document: uuid(1), status: 'archived' }));
  expect(once).toMatchObject({ status: 'approved' });
  expect(await read()).toEqual([{ ...once, status: 'archived' }]);
});

test('values of a change set that was taken back are no one else’s', async () => {
  const store = await open();
  await seed(store);
  const permit = await permitOn(store, 'ourselves');
  const institutions = [{ name: 'Cabinet', id: '499970000016001' }];
  const of = (n: number, code: string) => ({
    ...document(n),
    authors: [{ institutions, roles: [], specialties: [], telecommunications: [] }],
    typeCode: { code, system: '2.16.840.1.113883.6.1' },
  });
  const nowhere = { kind: 'status', document: uuid(99), status: 'archived' } as const;
  await expect(store.write.commit(permit, put(documentRow(of(1, 'taken-back')), nowhere))).rejects.toThrow(
    'names no document',
  );
  await store.write.commit(permit, put(documentRow(of(2, 'other'))));
  await store.write.commit(permit, put(documentRow(of(3, 'taken-back'))));
  const { items } = await store.read.documents(permit, {}, all);
  expect(items.map(({ entry }) => entry)).toEqual([of(3, 'taken-back'), of(2, 'other')]);
});

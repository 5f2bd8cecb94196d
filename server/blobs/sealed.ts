import { createHash, hash, randomUUID } from 'node:crypto';
import type { RecordKey } from '../crypto/keyring.ts';
import type { ContentPlace, StagedContent } from '../store/port.ts';
import {
  blockBytes,
  blocksOf,
  contentIdOf,
  type Envelope,
  headerBytes,
  headerFor,
  newEnvelope,
  openBlock,
  type Randomness,
  randomPool,
  readHeader,
  seal,
  sealedBlockBytes,
  sealedLength,
} from './envelope.ts';
import { type LargeFiles, type LargeFileWriter, openLargeFiles } from './files.ts';
import { dispose, markDisposable } from './pieces.ts';
import { type Blobs, ContentDamaged, ContentTooLarge, type Received, type Span } from './port.ts';
import { openSegmentReader, type SegmentReader } from './segments.ts';

const blocksPerRead = 4;

type Hashes = Pick<Received, 'size' | 'sha1' | 'sha256'>;
type Places = { readonly segments: SegmentReader; readonly files: LargeFiles };

/**
 * Documents under `folder`: ordinary ones in segments, those beyond `inlineLimit` bytes (1 MiB) in files of their own. `keep` may be called again
 * for the same document, as a change set that met a conflict is made again; a failed or refused one ends in `discard`.
 */
export function openBlobs({
  folder,
  inlineLimit = 2 ** 20,
}: {
  readonly folder: string;
  readonly inlineLimit?: number;
}): Blobs & { close(): void } {
  const places: Places = { segments: openSegmentReader(folder), files: openLargeFiles(folder) };
  const random = randomPool();
  return {
    receive: (source, limit, into) =>
      receive(source, { limit, inlineLimit: into === 'file' ? -1 : inlineLimit, places, random }),
    receiveBytes: (bytes) =>
      inMemory(
        bytes,
        { size: bytes.length, sha1: hash('sha1', bytes, 'hex'), sha256: hash('sha256', bytes, 'hex') },
        random,
      ),
    resume: (key, { content, ...hashes }) => resumed(key, content, hashes, places),
    open: (key, place, span) => openPlace(key, place, places, span),
    sweep: (olderThan, isNamed) => places.files.sweep(olderThan, isNamed),
    close: () => places.segments.close(),
  };
}

type Receiving = {
  readonly limit: number;
  readonly inlineLimit: number;
  readonly places: Places;
  readonly random: Randomness;
};
type OnDisk = { readonly name: string; readonly envelope: Envelope; readonly writer: LargeFileWriter };

async function receive(
  source: AsyncIterable<Uint8Array>,
  { limit, inlineLimit, places, random }: Receiving,
): Promise<Received> {
  const sha1 = createHash('sha1');
  const sha256 = createHash('sha256');
  let size = 0;
  let held: Buffer = Buffer.alloc(0);
  let disk: OnDisk | undefined;
  try {
    for await (const chunk of source) {
      const before = size;
      size += chunk.length;
      if (size > limit) throw new ContentTooLarge(`a document of more than ${limit} bytes`);
      sha1.update(chunk);
      sha256.update(chunk);
      if (disk === undefined && size > inlineLimit) {
        disk = await beginFile(places.files, random);
        await disk.writer.write(held.subarray(0, before));
        held = Buffer.alloc(0);
      }
      if (disk === undefined) {
        held = withRoom(held, before, size);
        held.set(chunk, before);
      } else await disk.writer.write(chunk);
      dispose(chunk);
    }
    if (disk === undefined && inlineLimit < 0) disk = await beginFile(places.files, random);
    await disk?.writer.end();
  } catch (error) {
    await disk?.writer.abandon();
    throw error;
  }
  const hashes = { size, sha1: sha1.digest('hex'), sha256: sha256.digest('hex') };
  return disk === undefined ? inMemory(held.subarray(0, size), hashes, random) : onDisk(disk, hashes, places);
}

/** Doubles, so that many small chunks cost neither an object each nor a copy of everything each. */
function withRoom(held: Buffer, used: number, needed: number): Buffer {
  if (needed <= held.length) return held;
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * held.length, 32_768));
  held.copy(larger, 0, 0, used);
  return larger;
}

async function beginFile(files: LargeFiles, random: Randomness): Promise<OnDisk> {
  const name = randomUUID();
  const envelope = newEnvelope(random, Buffer.from(name.replaceAll('-', ''), 'hex'));
  return { name, envelope, writer: await files.begin(name, envelope) };
}

function inMemory(bytes: Uint8Array, hashes: Hashes, random: Randomness): Received {
  return {
    ...hashes,
    open: async (span) => (span === undefined ? bytes : bytes.subarray(span.from, span.to)),
    keep: async (key) => ({ sealed: seal(bytes, key, random) }),
    stage: () => Promise.reject(new TypeError('What is staged is received into a file')),
    discard: async () => {},
  };
}

function onDisk(
  { name, envelope }: Omit<OnDisk, 'writer'>,
  hashes: Hashes,
  places: Places,
  length = sealedLength(hashes.size),
): Received {
  const { files } = places;
  return {
    ...hashes,
    open: async (span) => verifiedBlocks(envelope, { file: name, length }, places, span),
    keep: async (key) => {
      await files.finish(name, headerFor(envelope, key));
      return { file: name, length };
    },
    stage: async (key) => {
      await files.finish(name, Buffer.alloc(headerBytes));
      return { file: name, length, header: headerFor(envelope, key).toString('base64') };
    },
    discard: () => files.remove(name),
  };
}

/** The header lies beside the file, so that it can be written anew as often as a commit is tried; until then the file opens with no key. */
function resumed(
  key: RecordKey,
  { file: name, length, header }: StagedContent,
  hashes: Hashes,
  places: Places,
): Received {
  const envelope = readHeader(Buffer.from(header, 'base64'), key);
  if (contentIdOf(envelope.fixed) !== name.replaceAll('-', ''))
    throw new ContentDamaged('the header is of another file');
  return { ...onDisk({ name, envelope }, hashes, places, length), discard: async () => {} };
}

/** What holds a sealed document, opened for one reading. */
type Source = {
  /** Fills the target from `offset` of the document; false when it ends before. */
  read(offset: number, target: Buffer): boolean | Promise<boolean>;
  close(): Promise<void>;
};

async function sourceOf(place: ContentPlace, { segments, files }: Places): Promise<Source> {
  if ('segment' in place)
    return {
      read: (offset, target) => segments.read(place.segment, place.offset + offset, target),
      close: async () => {},
    };
  const file = await files.openForReading(place.file);
  if (file === undefined) throw new ContentDamaged('the file is gone');
  return file;
}

async function fill(source: Source, offset: number, target: Buffer): Promise<void> {
  if (!(await source.read(offset, target))) throw new ContentDamaged('the document is cut off');
}

async function openPlace(
  key: RecordKey,
  place: ContentPlace,
  places: Places,
  span?: Span,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  const { count } = blocksOf(place.length);
  const start = Buffer.allocUnsafeSlow(count === 1 ? place.length : headerBytes);
  const source = await sourceOf(place, places);
  try {
    await fill(source, 0, start);
  } finally {
    await source.close();
  }
  const envelope = readHeader(start, key);
  if ('file' in place && contentIdOf(envelope.fixed) !== place.file.replaceAll('-', ''))
    throw new ContentDamaged('the file holds another document');
  if (count > 1) return verifiedBlocks(envelope, place, places, span);
  const whole = openBlock(envelope, { index: 0, last: true, sealed: start.subarray(headerBytes) });
  return span === undefined ? whole : whole.subarray(span.from, span.to);
}

/** Reads and opens those blocks alone that hold some of the span. */
async function* verifiedBlocks(
  envelope: Envelope,
  place: ContentPlace,
  places: Places,
  { from: spanFrom, to: spanTo }: Span = { from: 0, to: Number.MAX_SAFE_INTEGER },
): AsyncGenerator<Uint8Array> {
  const { count, endOf } = blocksOf(place.length);
  const end = Math.min(count, Math.ceil(spanTo / blockBytes));
  const sealed = Buffer.allocUnsafeSlow(Math.min(count, blocksPerRead) * sealedBlockBytes);
  const source = await sourceOf(place, places);
  try {
    for (let first = Math.floor(spanFrom / blockBytes); first < end; first += blocksPerRead) {
      const next = Math.min(first + blocksPerRead, end);
      const start = headerBytes + first * sealedBlockBytes;
      const part = sealed.subarray(0, endOf(next - 1) - start);
      await fill(source, start, part);
      for (let index = first; index < next; index++) {
        const from = (index - first) * sealedBlockBytes;
        const block = part.subarray(from, from + sealedBlockBytes);
        const plain = openBlock(envelope, { index, last: index === count - 1, sealed: block });
        const begins = index * blockBytes;
        if (begins >= spanFrom && begins + plain.length <= spanTo) {
          markDisposable(plain);
          yield plain;
        } else yield plain.subarray(Math.max(0, spanFrom - begins), spanTo - begins);
      }
    }
  } finally {
    await source.close();
  }
}

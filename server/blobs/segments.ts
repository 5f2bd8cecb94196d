import fs from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ContentPlace, StoreFull } from '../store/port.ts';
import { headerBytes } from './envelope.ts';

type SegmentPlace = Extract<ContentPlace, { segment: number }>;

/** The append side: one writer per folder. */
export type SegmentWriter = {
  /**
   * Writes sealed documents behind each other and answers their places, in order. They are safe only after the next `sync()`, and no row
   * may name them before. What a failed append left behind is overwritten by the next one.
   * @throws StoreFull when the disk is full.
   */
  append(sealed: readonly Uint8Array[]): SegmentPlace[];
  /**
   * Resolves when everything appended before the call would survive a power cut. After a failure nothing appended since the last success
   * may be named; the next append begins a new segment, since a second sync of the same file proves nothing.
   * @throws StoreFull when the disk is full.
   */
  sync(): Promise<void>;
  /**
   * Makes sealed documents unreadable for ever: resolves when the wrapped key of each is overwritten and a power cut would not bring it back.
   * The rest of their bytes becomes zeros afterwards, a piece at a time beside other work. Doing it again does no harm; a segment that is
   * gone has nothing to erase.
   */
  erase(places: readonly SegmentPlace[]): Promise<void>;
  /**
   * Gives back the room of a segment that no row names and none will: it is cut to nothing, which frees it for readers too that hold it open, and
   * unlinked. False while something may still be appended to it or has to be synced. Doing it again does no harm.
   */
  release(segment: number): boolean;
  /** Closes the files; what was not synced may be lost. */
  close(): Promise<void>;
};

/** The read side; any number of them, in any thread. */
export type SegmentReader = {
  /** Fills the target from `offset`; false when the segment does not hold so much. Synchronous: for small reads only. */
  read(segment: number, offset: number, target: Buffer): boolean;
  close(): void;
};

/** `failed`: a sync of it failed, so that its unsynced part must never be named. */
type OpenSegment = { readonly number: number; readonly descriptor: number; end: number; failed: boolean };

/**
 * Appends to segment files under `<folder>/segments`, each at most `segmentBytes` long (1 GiB) unless a single group is longer.
 * Each opening begins a new segment, at its first append: a torn tail of an earlier run is never written to again.
 */
export function openSegmentWriter(folder: string, { segmentBytes = 2 ** 30 } = {}): SegmentWriter {
  const home = segmentsFolder(folder);
  fs.mkdirSync(home, { recursive: true });
  let next = highestSegment(home) + 1;
  let current: OpenSegment | undefined;
  let full: OpenSegment[] = [];
  let syncs: Promise<void> = Promise.resolve();
  let blanking: Promise<void> = Promise.resolve();

  function segmentFor(bytes: number): OpenSegment {
    if (current !== undefined && (current.failed || (current.end > 0 && current.end + bytes > segmentBytes))) {
      full.push(current);
      current = undefined;
    }
    if (current === undefined) {
      const descriptor = fs.openSync(segmentFile(home, next), 'wx');
      current = { number: next, descriptor, end: 0, failed: false };
      next++;
      syncFolder(home);
    }
    return current;
  }

  return {
    append(sealed) {
      try {
        const segment = segmentFor(sealed.reduce((sum, { length }) => sum + length, 0));
        writeFully(segment.descriptor, sealed, segment.end);
        return sealed.map(({ length }) => {
          const place = { segment: segment.number, offset: segment.end, length };
          segment.end += length;
          return place;
        });
      } catch (error) {
        throw asStoreFull(error);
      }
    },
    sync() {
      const ended = full;
      full = [];
      const covered = current === undefined ? ended : [...ended, current];
      const done = syncs.then(async () => {
        try {
          for (const segment of covered) await syncSegment(segment);
        } finally {
          for (const { descriptor } of ended) fs.closeSync(descriptor);
        }
      });
      syncs = done.catch(() => undefined);
      return done;
    },
    async erase(places) {
      const inSegments = Map.groupBy(places, ({ segment }) => segment);
      for (const [segment, of] of inSegments) await eraseKeys(segmentFile(home, segment), of);
      blanking = blanking.then(async () => {
        for (const [segment, of] of inSegments) await blank(segmentFile(home, segment), of).catch(() => undefined);
      });
    },
    release(number) {
      if (number === current?.number || full.some((segment) => segment.number === number)) return false;
      const path = segmentFile(home, number);
      if (!fs.existsSync(path)) return true;
      fs.truncateSync(path);
      fs.rmSync(path, { force: true });
      syncFolder(home);
      return true;
    },
    async close() {
      await Promise.all([syncs, blanking]);
      if (current !== undefined) full.push(current);
      current = undefined;
      for (const { descriptor } of full.splice(0)) fs.closeSync(descriptor);
    },
  };
}

/** The header of each holds its key. */
async function eraseKeys(path: string, places: readonly SegmentPlace[]): Promise<void> {
  await changing(path, async (file) => {
    const nothing = Buffer.alloc(headerBytes);
    for (const { offset, length } of places) await file.write(nothing, 0, Math.min(length, headerBytes), offset);
    await file.datasync();
  });
}

async function blank(path: string, places: readonly SegmentPlace[]): Promise<void> {
  const nothing = Buffer.alloc(64 * 1024);
  await changing(path, async (file) => {
    for (const { offset, length } of places)
      for (let done = 0; done < length; done += nothing.length)
        await file.write(nothing, 0, Math.min(length - done, nothing.length), offset + done);
  });
}

async function changing(path: string, change: (file: FileHandle) => Promise<void>): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, 'r+');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    await change(file);
  } finally {
    await file.close();
  }
}

async function syncSegment(segment: OpenSegment): Promise<void> {
  if (segment.failed) throw new Error('an earlier sync of this segment failed');
  try {
    await promisify(fs.fdatasync)(segment.descriptor);
  } catch (error) {
    segment.failed = true;
    throw asStoreFull(error);
  }
}

/** Opens segments when they are first read and keeps at most `descriptors` of them open. */
export function openSegmentReader(folder: string, { descriptors = 16 } = {}): SegmentReader {
  const home = segmentsFolder(folder);
  const descriptorsOpen = new Map<number, number>();

  function descriptorOf(segment: number): number {
    const known = descriptorsOpen.get(segment);
    if (known !== undefined) return known;
    const oldest = descriptorsOpen.size >= descriptors ? descriptorsOpen.entries().next().value : undefined;
    if (oldest !== undefined) {
      descriptorsOpen.delete(oldest[0]);
      fs.closeSync(oldest[1]);
    }
    const descriptor = fs.openSync(segmentFile(home, segment), 'r');
    descriptorsOpen.set(segment, descriptor);
    return descriptor;
  }

  return {
    read(segment, offset, target) {
      try {
        const descriptor = descriptorOf(segment);
        for (let done = 0; done < target.length; ) {
          const got = fs.readSync(descriptor, target, done, target.length - done, offset + done);
          if (got === 0) return false;
          done += got;
        }
        return true;
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return false;
        throw error;
      }
    },
    close() {
      for (const descriptor of descriptorsOpen.values()) fs.closeSync(descriptor);
      descriptorsOpen.clear();
    },
  };
}

/** Makes names in a folder durable: a file that was synced can still lose its name. */
export function syncFolder(folder: string): void {
  const descriptor = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** StoreFull for a full disk or quota, the error itself otherwise. */
export function asStoreFull(error: unknown): unknown {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? new StoreFull('the disk is full', { cause: error }) : error;
}

/** The code of an error of the operating system (ENOENT, ENOSPC …). */
export function codeOf(error: unknown): string | undefined {
  return Error.isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function segmentsFolder(folder: string): string {
  return join(folder, 'segments');
}

function segmentFile(home: string, number: number): string {
  return join(home, `${String(number).padStart(8, '0')}.seg`);
}

function highestSegment(home: string): number {
  return fs
    .readdirSync(home)
    .reduce((highest, name) => Math.max(highest, Number(/^(\d+)\.seg$/.exec(name)?.[1] ?? 0)), 0);
}

/** A vector write may stop short: the rest is written from where it stopped. */
function writeFully(descriptor: number, parts: readonly Uint8Array[], position: number): void {
  let rest = parts.filter(({ length }) => length > 0);
  for (let at = position; rest.length > 0; ) {
    const written = fs.writevSync(descriptor, rest, at);
    at += written;
    rest = without(rest, written);
  }
}

function without(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  return parts.flatMap((part) => {
    const gone = Math.min(left, part.length);
    left -= gone;
    return gone === part.length ? [] : [part.subarray(gone)];
  });
}

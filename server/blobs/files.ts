import { mkdirSync } from 'node:fs';
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { blockBytes, type Envelope, headerBytes, sealBlock, sealedBlockBytes, wrappedKeyOffset } from './envelope.ts';
import { asStoreFull, codeOf, syncFolder } from './segments.ts';

const blocksPerWrite = 4;

/** Large sealed documents, a file each, under names that no outsider chooses. */
export type LargeFiles = {
  /** Begins a file whose header still lacks the document's wrapped key. @throws StoreFull */
  begin(name: string, envelope: Envelope): Promise<LargeFileWriter>;
  /** Completes the header; resolves when file and name would survive a power cut. @throws StoreFull */
  finish(name: string, header: Buffer): Promise<void>;
  /** Undefined when there is no such file. */
  openForReading(name: string): Promise<LargeFileReader | undefined>;
  remove(name: string): Promise<void>;
  /** Overwrites the wrapped key of a document and unlinks its file; resolves when a power cut would bring neither back. */
  erase(name: string): Promise<void>;
  /** Unlinks what is older than the given time and not named; answers how many. */
  sweep(olderThan: number, isNamed: (name: string) => Promise<boolean>): Promise<number>;
};

export type LargeFileWriter = {
  /** Seals and writes; what is not yet a full block waits for more. Takes no more before the disk has taken the last. @throws StoreFull */
  write(bytes: Uint8Array): Promise<void>;
  /** Seals the last block and closes the file. @throws StoreFull */
  end(): Promise<void>;
  /** Closes and unlinks the file. */
  abandon(): Promise<void>;
};

export type LargeFileReader = {
  /** Fills the target from `offset`; false when the file does not hold so much. */
  read(offset: number, target: Buffer): Promise<boolean>;
  close(): Promise<void>;
};

/** Keeps files under `<folder>/large`. */
export function openLargeFiles(folder: string): LargeFiles {
  const home = join(folder, 'large');
  mkdirSync(home, { recursive: true });
  const pathOf = (name: string) => join(home, name);
  const remove = (name: string) => rm(pathOf(name), { force: true });

  return {
    async begin(name, envelope) {
      const handle = await full(open(pathOf(name), 'wx'));
      return writerOf(handle, envelope, () => remove(name));
    },
    async finish(name, header) {
      const handle = await full(open(pathOf(name), 'r+'));
      try {
        await full(writeAt(handle, header.subarray(wrappedKeyOffset), wrappedKeyOffset));
        await full(handle.sync());
      } finally {
        await handle.close();
      }
      syncFolder(home);
    },
    async openForReading(name) {
      const handle = await open(pathOf(name), 'r').catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      });
      return handle && { read: (offset, target) => readAt(handle, offset, target), close: () => handle.close() };
    },
    remove,
    async erase(name) {
      const handle = await open(pathOf(name), 'r+').catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      });
      if (handle === undefined) return;
      try {
        await writeAt(handle, Buffer.alloc(headerBytes), 0);
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await remove(name);
      syncFolder(home);
    },
    async sweep(olderThan, isNamed) {
      let swept = 0;
      for (const name of await readdir(home)) {
        const age = await stat(pathOf(name)).catch(() => undefined);
        if (age === undefined || age.mtimeMs >= olderThan || (await isNamed(name))) continue;
        await remove(name);
        swept++;
      }
      return swept;
    },
  };
}

async function writerOf(handle: FileHandle, envelope: Envelope, remove: () => Promise<void>): Promise<LargeFileWriter> {
  const plain = Buffer.allocUnsafe(blockBytes);
  const sealed = Buffer.allocUnsafe(blocksPerWrite * sealedBlockBytes);
  let filled = 0;
  let pending = 0;
  let index = 0;
  let position = 0;

  async function flush(): Promise<void> {
    await full(writeAt(handle, sealed.subarray(0, pending), position));
    position += pending;
    pending = 0;
  }

  async function sealFilled(last: boolean): Promise<void> {
    pending = sealBlock(envelope, { index, last, plain: plain.subarray(0, filled) }, sealed, pending);
    index++;
    filled = 0;
    if (last || pending === sealed.length) await flush();
  }

  async function abandon(): Promise<void> {
    await handle.close().catch(() => undefined);
    await remove();
  }

  async function begin(): Promise<void> {
    const header = Buffer.alloc(headerBytes);
    header.set(envelope.fixed);
    await full(writeAt(handle, header, 0));
    position = headerBytes;
  }

  await begin().catch(async (error: unknown) => {
    await abandon();
    throw error;
  });
  return {
    async write(bytes) {
      for (let taken = 0; taken < bytes.length; ) {
        if (filled === blockBytes) await sealFilled(false);
        const part = bytes.subarray(taken, taken + blockBytes - filled);
        plain.set(part, filled);
        filled += part.length;
        taken += part.length;
      }
    },
    async end() {
      await sealFilled(true);
      await handle.close();
    },
    abandon,
  };
}

async function writeAt(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}

async function readAt(handle: FileHandle, offset: number, target: Buffer): Promise<boolean> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await handle.read(target, done, target.length - done, offset + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

async function full<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw asStoreFull(error);
  }
}

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isLocked } from './driver.ts';

/** Another process has the data folder. */
export class StoreTaken extends Error {
  override readonly name = 'StoreTaken';
}

/**
 * Takes the folder for this process until released; the kernel lets go of it when the process dies, however it dies.
 * @throws StoreTaken
 */
export function lockFolder(folder: string): () => void {
  const connection = new DatabaseSync(join(folder, 'lock.sqlite'), { timeout: 0 });
  try {
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection.close();
    if (isLocked(error))
      throw new StoreTaken(`Another server runs on ${folder}: stop it first, or give this one a folder of its own.`);
    throw error;
  }
  return () => connection.close();
}

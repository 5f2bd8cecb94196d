import { createSecretKey, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from './config.ts';
import { SettingsWrong } from './settings-wrong.ts';

/**
 * A key of 32 bytes from a file of 64 hexadecimal digits; where no file is given, one made in the data folder at the first start.
 * @throws SettingsWrong when the file is missing or malformed
 */
function readKey(given: string | undefined, made: string): Buffer {
  const file = given ?? made;
  if (given === undefined && !existsSync(made)) {
    mkdirSync(dirname(made), { recursive: true, mode: 0o700 });
    writeFileSync(made, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  }
  if (!existsSync(file)) throw new SettingsWrong(`The key file ${file} does not exist`);
  const text = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-fA-F]{64}$/.test(text))
    throw new SettingsWrong(`The key file ${file} does not hold 64 hexadecimal digits`);
  return Buffer.from(text, 'hex');
}

/** The key that signs page links. */
export function linkKeyOf(config: Config) {
  return createSecretKey(readKey(config.env.DMP_LINK_KEY_FILE, join(config.data, 'keys', 'links.key')));
}

/** The key that seals codes of the sandbox's authorisation server. */
export function codeKeyOf(config: Config) {
  return createSecretKey(readKey(undefined, join(config.data, 'sandbox', 'codes.key')));
}

/** The master key that wraps records' keys. */
export function masterKeyOf(config: Config): Buffer {
  return readKey(config.env.DMP_MASTER_KEY_FILE, join(config.data, config.sandbox ? 'sandbox' : 'keys', 'master.key'));
}

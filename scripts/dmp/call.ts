import { resolve } from 'node:path';
import { isIns } from '../../server/domain/ins.ts';
import { patientOf, personOf, type SandboxPerson, testInsOid } from '../../server/sandbox/people.ts';

/** Values of the command line by the names of the options. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** The command was misused: exit code 2. The text tells how it is used. */
export class Misused extends Error {
  override readonly name = 'Misused';
}

/** The server said no, or nothing: exit code 1. */
export class RefusedByServer extends Error {
  override readonly name = 'RefusedByServer';
}

export const modes = ['normal', 'bris_de_glace', 'centre_15'] as const;

/** Who acts, in which mode, for which patient. `patient` is an INS of the sandbox or of nobody there. */
export type Acting = {
  readonly person: SandboxPerson;
  readonly mode: (typeof modes)[number];
  readonly reason?: string;
  readonly patient?: string;
};

/** @throws Misused */
export function actingOf(options: Options): Acting {
  const person = personOf(required(options, 'as'));
  if (person === undefined) throw new Misused(`Nobody in the sandbox is called "${text(options, 'as')}": see "people"`);
  const mode = oneOf(options, 'mode', modes) ?? 'normal';
  const reason = text(options, 'reason');
  const patient = text(options, 'patient');
  return {
    person,
    mode,
    ...(reason !== undefined && { reason }),
    ...(patient !== undefined && { patient: insOf(patient) }),
  };
}

/** The patient whom a command is about: named, or the holder or minor who acts or is represented. @throws Misused */
export function subjectOf({ person, patient }: Acting): string {
  if (patient !== undefined) return patient;
  if (person.kind === 'patient') return person.ins;
  if (person.kind === 'representative') return insOf(person.of);
  throw new Misused('--patient is missing: a slug of the sandbox, or an INS of 15 characters');
}

export function cxOf(ins: string): string {
  return `${ins}^^^&${testInsOid}&ISO^NH`;
}

function insOf(slugOrIns: string): string {
  const ins = patientOf(slugOrIns)?.ins ?? slugOrIns;
  if (!isIns(ins)) throw new Misused(`"${slugOrIns}" is no patient of the sandbox and no INS with a right key`);
  return ins;
}

export function text(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws Misused */
export function required(options: Options, name: string): string {
  const value = text(options, name);
  if (value === undefined || value === '') throw new Misused(`--${name} is missing`);
  return value;
}

/** @throws Misused */
export function oneOf<const T extends string>(options: Options, name: string, allowed: readonly T[]): T | undefined {
  const value = text(options, name);
  const found = allowed.find((one) => one === value);
  if (value !== undefined && found === undefined)
    throw new Misused(`--${name} is one of ${allowed.join(', ')}, not "${value}"`);
  return found;
}

/** The data folder that holds the sandbox's keys. */
export function dataFolder(): string {
  return process.env['DMP_DATA'] ?? './data';
}

/** Base address of the server, without a slash at its end. */
export function serverAddress(): string {
  return (process.env['DMP_URL'] ?? 'http://127.0.0.1:8080').replace(/\/+$/, '');
}

/** Base address under which the server knows itself: issuer and audience of its tokens. */
export function publicAddress(): string {
  return (process.env['DMP_PUBLIC_URL'] ?? serverAddress()).replace(/\/+$/, '');
}

/** A file as the caller named it: npm runs scripts in the project's folder. */
export function pathOf(file: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), file);
}

/** What commands show of a document. */
export type Listed = {
  readonly uniqueId: string;
  readonly entryUUID: string;
  readonly title: string;
  readonly type: string;
  readonly status: string;
};

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function lineOf({ uniqueId, title, type, status }: Listed): string {
  return `${type.padEnd(12)} ${status.padEnd(10)} ${title}  (${uniqueId})`;
}

/** Asks the server. @throws RefusedByServer when there is no answer */
export async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    const cause = Error.isError(error) && Error.isError(error.cause) ? error.cause.message : String(error);
    throw new RefusedByServer(
      `No answer from ${url} (${cause}). Is the server running? "npm start" starts the sandbox.`,
    );
  }
}

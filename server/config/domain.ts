import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { type AffinityDomain, codedAttributes, optionalRules, type ValueSet } from '../domain/affinity-domain.ts';
import { isOid } from '../domain/identifier.ts';
import { SettingsWrong } from './settings-wrong.ts';

const profiles = resolve(import.meta.dirname, '../../profiles');

const listName = z.string().regex(/^[a-z0-9-]+$/);
const oid = z.string().refine(isOid, { error: 'no OID' });

/** A file of profiles/domains. docs/domains.md explains each key. */
const domainFile = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  title: z.string().min(1),
  identity: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('ins') }),
    z.strictObject({ kind: z.literal('authorities'), listed: z.array(oid), fed: z.boolean() }),
  ]),
  cx: z.enum(['strict', 'lenient']),
  credentials: z.enum(['required', 'none']),
  valueSets: z.partialRecord(z.enum(codedAttributes), listName),
  classOfType: listName.optional(),
  mimeTypes: z.union([z.literal('any'), z.array(z.string().regex(/^[\w.+-]+\/[\w.+-]+$/)).min(1)]),
  leavesOut: z.array(z.enum(optionalRules)),
  foreignRepositories: z.array(z.enum(['ITI-42', 'ITI-61'])),
  sameBytesAgain: z.enum(['refused', 'accepted']),
  unknownPatientInQueries: z.enum(['error', 'empty']),
});

/** A value set of profiles/codes. */
const codeList = z
  .strictObject({
    name: z.string(),
    oid: oid.optional(),
    codes: z.array(z.strictObject({ code: z.string(), display: z.string(), system: z.string() })).default([]),
    systems: z.array(z.strictObject({ system: z.string(), display: z.string() })).default([]),
  })
  .refine(({ codes, systems }) => codes.length + systems.length > 0, { error: 'neither codes nor systems' });
const classList = z.strictObject({ name: z.string(), oid: oid.optional(), classes: z.record(z.string(), z.string()) });

/**
 * Reads a domain with its code lists: one of profiles/domains by name, or any file whose name ends in `.json`. Code lists are looked for
 * beside that file, in `../codes`, then among ours.
 * @throws SettingsWrong when it is not there or malformed
 */
export function readDomain(name: string): AffinityDomain {
  const ours = join(profiles, 'domains');
  const file = name.endsWith('.json') ? resolve(name) : join(ours, `${name}.json`);
  const { title: _title, valueSets, classOfType, ...domain } = readFile(file, domainFile, knownDomains(ours));
  const folders = [join(dirname(file), '..', 'codes'), join(profiles, 'codes')];
  return {
    ...domain,
    valueSets: Object.fromEntries(
      Object.entries(valueSets).map(([attribute, list]) => [attribute, readValueSet(list, folders)]),
    ),
    classOfType: classOfType === undefined ? {} : readList(classOfType, folders, classList).classes,
  };
}

function knownDomains(folder: string): string {
  return `known are ${readdirSync(folder)
    .map((file) => file.replace('.json', ''))
    .join(', ')}`;
}

function readValueSet(list: string, folders: readonly string[]): ValueSet {
  const { name, codes, systems } = readList(list, folders, codeList);
  return { name, codes, systems: systems.map(({ system }) => system) };
}

function readList<T>(list: string, folders: readonly string[], shape: z.ZodType<T>): T {
  const files = folders.map((folder) => join(folder, `${list}.json`));
  return readFile(files.find((file) => existsSync(file)) ?? files[0] ?? list, shape, 'a code list of the domain');
}

function readFile<T>(file: string, shape: z.ZodType<T>, hint: string): T {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SettingsWrong(
      `${file} cannot be read (${hint}): ${Error.isError(error) ? error.message : String(error)}`,
    );
  }
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new SettingsWrong(`${file} is malformed:\n${z.prettifyError(parsed.error)}`);
}

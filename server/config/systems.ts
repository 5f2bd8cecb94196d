import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { readName, sameName, valuesOf } from '../crypto/distinguished-name.ts';
import { systemRights } from '../domain/actor.ts';
import { clientOf, type System } from '../domain/system.ts';

/** What the file says, or all that is wrong with it. */
export type ReadSystems = { readonly systems: readonly System[]; readonly mistakes: readonly string[] };

const text = z.string().trim().min(1);

/** One system of the file of DMP_SYSTEMS; docs/systems.md explains each key. */
const systemFile = z.array(
  z.strictObject({
    id: text,
    name: text,
    structure: z
      .string()
      .regex(/^\d[\dA-Z]{8,}$/, { error: 'no Struct_IdNat' })
      .optional(),
    subject: text.refine((name) => readName(name) !== undefined, { error: 'no distinguished name' }).optional(),
    client: text.optional(),
    rights: z.array(z.enum(systemRights)).refine((rights) => new Set(rights).size === rights.length, {
      error: 'a right is listed twice',
    }),
  }),
);

/** Reads the partners' systems. Besides what cannot be read, a credential that could be of two of them is a mistake. */
export function readSystems(file: string): ReadSystems {
  const wrong = (mistakes: readonly string[]): ReadSystems => ({
    systems: [],
    mistakes: mistakes.map((mistake) => `DMP_SYSTEMS ${mistake}`),
  });
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(resolve(file), 'utf8'));
  } catch (error) {
    const why = Error.isError(error) ? error.message : String(error);
    return wrong([`names a file that cannot be read: ${file}: ${why}`]);
  }
  const parsed = systemFile.safeParse(json);
  if (!parsed.success)
    return wrong(parsed.error.issues.map(({ path, message }) => `${file} [${path.join('.')}] ${message}`));
  const systems = parsed.data.map(({ structure, subject, client, ...rest }) => ({
    ...rest,
    ...(structure !== undefined && { structure }),
    ...(subject !== undefined && { subject }),
    ...(client !== undefined && { client }),
  }));
  const mistakes = systems.flatMap((system, index) => [
    ...contradiction(system),
    ...systems.slice(0, index).flatMap((other) => conflict(other, system)),
  ]);
  return mistakes.length === 0 ? { systems, mistakes } : wrong(mistakes);
}

function contradiction(system: System): string[] {
  const { id, structure } = system;
  if (structure === undefined || structuresOf(system).includes(structure)) return [];
  return [`names a subject of ${id} that is not of its structure ${structure}`];
}

function conflict(a: System, b: System): string[] {
  if (a.id === b.id) return [`lists ${a.id} twice`];
  const between = `${a.id} and ${b.id}`;
  return [
    ...(clientOf(a) === clientOf(b) ? [`gives the same tokens to ${between}`] : []),
    ...(shareCertificate(a, b) ? [`gives the same certificates to ${between}`] : []),
  ];
}

function shareCertificate(a: System, b: System): boolean {
  const structures = structuresOf(a);
  if (!structuresOf(b).some((structure) => structures.includes(structure))) return false;
  const [one, other] = [a, b].map(nameOf);
  return one === undefined || other === undefined || sameName(one, other);
}

const organisationalUnit = '2.5.4.11';

/** The structures of its certificates: those that the subject names, or the one listed. */
function structuresOf(system: System): readonly string[] {
  const name = nameOf(system);
  if (name !== undefined) return valuesOf(name, organisationalUnit);
  return system.structure === undefined ? [] : [system.structure];
}

function nameOf({ subject }: System) {
  return subject === undefined ? undefined : readName(subject);
}

import { z } from 'zod';
import { readName, sameName, valuesOf } from '../crypto/distinguished-name.ts';
import { systemRights } from '../domain/actor.ts';
import { clientOf, type System } from '../domain/system.ts';
import { type Listed, readListed } from './listed-file.ts';

const text = z.string().trim().min(1);

/** One system of the file of DMP_SYSTEMS; docs/systems.md explains each key. */
const systemFile = z.array(
  z
    .strictObject({
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
    })
    .transform(
      ({ structure, subject, client, ...rest }): System => ({
        ...rest,
        ...(structure !== undefined && { structure }),
        ...(subject !== undefined && { subject }),
        ...(client !== undefined && { client }),
      }),
    ),
);

/** Reads the partners' systems. Besides what cannot be read, a credential that could be of two of them is a mistake. */
export function readSystems(file: string): Listed<System> {
  return readListed('DMP_SYSTEMS', file, systemFile, (systems) =>
    systems.flatMap((system, index) => [
      ...contradiction(system),
      ...systems.slice(0, index).flatMap((other) => conflict(other, system)),
    ]),
  );
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

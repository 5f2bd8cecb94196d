import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { readName, sameName } from '../crypto/distinguished-name.ts';
import { systemRights } from '../domain/actor.ts';
import { clientOf, type System } from '../domain/system.ts';

/** What the file says, or what is wrong with it. */
export type ReadSystems = { readonly systems: readonly System[]; readonly mistakes: readonly string[] };

/** One system of the file of DMP_SYSTEMS; docs/systems.md explains each key. */
const systemFile = z.array(
  z.strictObject({
    id: z.string().min(1),
    name: z.string().min(1),
    structure: z.string().min(1).optional(),
    subject: z
      .string()
      .refine((text) => readName(text) !== undefined, { error: 'no distinguished name' })
      .optional(),
    client: z.string().min(1).optional(),
    rights: z.array(z.enum(systemRights)),
  }),
);

/** Reads the partners' systems. A file that is not there or malformed, and one credential for two systems, are mistakes. */
export function readSystems(file: string): ReadSystems {
  const wrong = (text: string): ReadSystems => ({ systems: [], mistakes: [`DMP_SYSTEMS: ${file} ${text}`] });
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(resolve(file), 'utf8'));
  } catch (error) {
    return wrong(`cannot be read: ${Error.isError(error) ? error.message : String(error)}`);
  }
  const parsed = systemFile.safeParse(json);
  if (!parsed.success) return wrong(`is malformed:\n${z.prettifyError(parsed.error)}`);
  const systems = parsed.data.map(({ structure, subject, client, ...rest }) => ({
    ...rest,
    ...(structure !== undefined && { structure }),
    ...(subject !== undefined && { subject }),
    ...(client !== undefined && { client }),
  }));
  const twice = systems.find((one, index) => systems.slice(0, index).some((other) => isSame(one, other)));
  return twice === undefined ? { systems, mistakes: [] } : wrong(`has two systems with the credentials of ${twice.id}`);
}

/** Whether one credential could be of both. */
function isSame(a: System, b: System): boolean {
  if (a.id === b.id || clientOf(a) === clientOf(b)) return true;
  const [one, other] = [a.subject, b.subject].map((text) => (text === undefined ? undefined : readName(text)));
  if (one !== undefined && other !== undefined && !sameName(one, other)) return false;
  if (a.structure !== undefined && b.structure !== undefined) return a.structure === b.structure;
  return one !== undefined && other !== undefined;
}

import { z } from 'zod';
import { type Listed, listedTwice, readListed } from './listed-file.ts';

/** In which structures a professional works, by PS_IdNat and Struct_IdNat. */
export type Activity = { readonly professional: string; readonly structures: readonly string[] };

/** One professional of the file of DMP_ACTIVITIES; docs/systems.md explains each key. */
const activityFile = z.array(
  z.strictObject({
    professional: z.string().regex(/^(8\d{11}|0\d{9})$/, { error: 'no PS_IdNat' }),
    structures: z.array(z.string().regex(/^\d[\dA-Z]{8,}$/, { error: 'no Struct_IdNat' })),
  }),
);

/** Reads in which structures professionals work. */
export function readActivities(file: string): Listed<Activity> {
  return readListed('DMP_ACTIVITIES', file, activityFile, (listed) =>
    listedTwice(listed.map(({ professional }) => professional)),
  );
}

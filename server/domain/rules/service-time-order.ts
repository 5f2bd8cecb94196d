import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { earliest } from '../time.ts';

/** A service does not stop before it starts; times of different precision are compared as far as both say. IHE ITI TF-3 4.2.3.2.20. */
export function serviceTimeOrder({ entries }: Submission): Problem[] {
  return entries.flatMap(({ id, serviceStartTime: start, serviceStopTime: stop }) => {
    if (start === undefined || stop === undefined) return [];
    const precision = Math.min(start.length, stop.length);
    if (earliest(start.slice(0, precision)) <= earliest(stop.slice(0, precision))) return [];
    const about = { attribute: 'serviceStopTime', object: id, value: stop, detail: `serviceStartTime is ${start}` };
    return [problem('attributesContradict', about)];
  });
}

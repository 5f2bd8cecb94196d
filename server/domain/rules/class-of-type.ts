import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { MessageFacts } from './facts.ts';

/** classCode follows from typeCode, where the domain says so. CI-SIS, association X04 (1.2.250.1.213.1.1.4.249). */
export function classOfType({ entries }: Submission, { domain }: MessageFacts): Problem[] {
  return entries.flatMap(({ id, typeCode, classCode }) => {
    if (typeCode === undefined || classCode === undefined) return [];
    const asked = Object.hasOwn(domain.classOfType, typeCode.code) ? domain.classOfType[typeCode.code] : undefined;
    if (asked === undefined || asked === classCode.code) return [];
    const detail = `typeCode ${typeCode.code} goes with classCode ${asked}`;
    return [problem('attributesContradict', { attribute: 'classCode', object: id, value: classCode.code, detail })];
  });
}

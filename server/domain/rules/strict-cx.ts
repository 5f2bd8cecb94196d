import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { writeCx } from '../hl7v2.ts';
import { type Cx, isOid } from '../identifier.ts';
import type { MessageFacts } from './facts.ts';

/** In a strict domain a patientId is `id^^^&OID&ISO` and has no further component. IHE ITI TF-3 table 4.2.3.1.7-2 (CX). */
export function strictCx({ sets, entries, folders }: Submission, { domain }: MessageFacts): Problem[] {
  if (domain.cx === 'lenient') return [];
  return [...sets, ...entries, ...folders].flatMap(({ id, patientId }) =>
    patientId === undefined || isPlain(patientId)
      ? []
      : [
          problem('attributeMalformed', {
            attribute: 'patientId',
            object: id,
            value: writeCx(patientId),
            detail: 'id^^^&OID&ISO and nothing else',
          }),
        ],
  );
}

function isPlain({ id, authority, type, rest }: Cx): boolean {
  return (
    id !== '' &&
    authority.oid !== undefined &&
    isOid(authority.oid) &&
    authority.namespace === undefined &&
    type === undefined &&
    (rest === undefined || Object.keys(rest).length === 0)
  );
}

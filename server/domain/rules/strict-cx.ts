import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { writeCx } from '../hl7v2.ts';
import { type Cx, isOid } from '../identifier.ts';
import type { MessageFacts } from './facts.ts';

/** In a strict domain a patientId is `id^^^&OID&ISO` and has no further component. IHE ITI TF-3 table 4.2.3.1.7-2 (CX). */
export function strictCx({ sets, entries, folders }: Submission, { domain }: MessageFacts): Problem[] {
  if (domain.cx === 'lenient') return [];
  return [...sets, ...entries, ...folders].flatMap(({ id, patientId }) => checked('patientId', id, patientId));
}

/** So is a sourcePatientId that is sent as CX; FHIR says the identifier in parts, its type among them. */
export function strictSourceCx({ entries }: Submission, { domain }: MessageFacts): Problem[] {
  if (domain.cx === 'lenient') return [];
  return entries.flatMap(({ id, sourcePatientId }) => checked('sourcePatientId', id, sourcePatientId));
}

function checked(attribute: string, object: string, cx: Cx | undefined): Problem[] {
  return cx === undefined || isPlain(cx)
    ? []
    : [
        problem('attributeMalformed', {
          attribute,
          object,
          value: writeCx(cx),
          detail: 'id^^^&OID&ISO and nothing else',
        }),
      ];
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

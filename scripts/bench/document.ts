import { documentType } from '../../server/cda/document-types.ts';
import { type CdaFacts, readCda } from '../../server/cda/header.ts';
import type { Identifier } from '../../server/domain/identifier.ts';
import { writeCda } from '../../server/sandbox/cda.ts';
import { personOf, type SandboxPatient } from '../../server/sandbox/people.ts';
import { uniqueId } from './unique-id.ts';

/** Types that the bench spreads its documents over. */
const types = ['11488-4', '11502-2', '18748-4', '57833-6', '34112-3'];

export type BenchDocument = { readonly bytes: Uint8Array; readonly facts: CdaFacts };

/** A CDA of about that many bytes by `dr-martin`, written on the n-th day before today's year began. */
export function benchDocument(patient: Identifier, size: number, n: number): BenchDocument {
  const author = personOf('dr-martin');
  if (author?.kind !== 'professional') throw new Error('the sandbox has no dr-martin');
  const type = documentType(types[n % types.length] ?? '11488-4');
  if (type === undefined) throw new Error('a type of the bench is unknown');
  const writtenAt = Date.UTC(2026, 0, 1) - n * 86_400_000;
  const bytes = writeCda({
    id: uniqueId(),
    typeCode: type.typeCode,
    title: `Essai ${n}`,
    writtenAt,
    serviceAt: writtenAt,
    patient: benchHolder(patient),
    author,
    content: { kind: 'nonXml', mediaType: 'text/plain', bytes: Buffer.alloc(size, 'Lorem ipsum. ') },
  });
  const facts = readCda(bytes);
  if (facts === undefined) throw new Error('the document of the bench is no CDA');
  return { bytes, facts };
}

/** The holder of a bench record, as the sandbox describes people. */
export function benchHolder(patient: Identifier): SandboxPatient {
  const like = personOf('laurent');
  if (like?.kind !== 'patient') throw new Error('the sandbox has no laurent');
  return { ...like, ins: patient.value, insOid: patient.oid };
}

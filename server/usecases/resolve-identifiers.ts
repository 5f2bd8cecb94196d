import { refuse } from '../domain/error.ts';
import { type Identifier, sameIdentifier } from '../domain/identifier.ts';
import { currentIdentifiers, type PatientIdentifier, type RecordId } from '../domain/record.ts';
import { isPatientDomain } from './find-patients.ts';
import { perform, type Request, shortened, type Tools } from './perform.ts';

export type CrossReference = {
  /** How the patient is named. */
  readonly source: Identifier | { readonly record: RecordId };
  /** Domains whose identifiers are asked for, by OID; absent: all. */
  readonly targets?: readonly string[];
  /** The question as it was asked, for the trace. */
  readonly query: string;
};

/** The other identifiers of one patient. */
export type CrossReferenced = { readonly record: RecordId; readonly identifiers: readonly PatientIdentifier[] };

/**
 * The identifiers that one patient has besides the one named; those that a merge took away are none. IHE PIXm, ITI-83.
 * @throws Refused `sourceAuthorityUnknown`, `targetSystemUnknown`, `unknownPatient`, and what the decision refuses
 */
export async function resolveIdentifiers(
  tools: Tools,
  request: Request,
  { source, targets, query }: CrossReference,
): Promise<CrossReferenced> {
  if ('oid' in source && !(await isPatientDomain(tools, source.oid)))
    refuse('sourceAuthorityUnknown', { attribute: 'sourceIdentifier', value: `urn:oid:${source.oid}` });
  const subject = 'oid' in source ? { identifier: source } : source;
  return perform(tools, request, 'resolveIdentifiers', subject, async (_permit, facts) => {
    if (facts === undefined) refuse('unknownPatient');
    for (const oid of targets ?? [])
      if (!(await isPatientDomain(tools, oid))) refuse('targetSystemUnknown', { value: `urn:oid:${oid}` });
    const isSource = (held: Identifier) => 'oid' in source && sameIdentifier(held, source);
    const identifiers = currentIdentifiers(facts.record).filter(
      (held) => !isSource(held) && (targets === undefined || targets.includes(held.oid)),
    );
    return { answer: { record: facts.record.id, identifiers }, trace: { query: shortened(query) } };
  });
}

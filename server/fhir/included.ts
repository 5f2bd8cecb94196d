import { Refused } from '../domain/error.ts';
import type { RecordId } from '../domain/record.ts';
import { readPatient } from '../usecases/patient.ts';
import type { Exchange } from './exchange.ts';
import { patientOf } from './map/patient.ts';
import type { Hit } from './paged-search.ts';

/** The holders of these objects' records, as far as the caller may read them: each read is judged and traced as one. */
export async function holdersOf(
  { tools, request, base }: Exchange,
  found: readonly { readonly record: RecordId }[],
): Promise<Hit[]> {
  const hits: Hit[] = [];
  for (const id of new Set(found.map(({ record }) => record)))
    try {
      const { record, treatingDoctors } = await readPatient(tools, request, id);
      hits.push({ fullUrl: `${base}/Patient/${id}`, resource: JSON.stringify(patientOf(record, treatingDoctors)) });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  return hits;
}

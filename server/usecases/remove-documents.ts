import { type Problem, problem, Refused } from '../domain/error.ts';
import type { Row } from '../store/port.ts';
import { type Plan, perform, type Request, type Subject, type Tools } from './perform.ts';

export type Removed = {
  /** uniqueIds of the documents whose bytes are here no more. */
  readonly removed: readonly string[];
  /** `documentUnknown`, `documentNotRemovable`, or what the decision refuses, for the others. */
  readonly problems: readonly Problem[];
};

/**
 * Removes the bytes of documents; what the registry knows of them stays. Each record concerned is changed on its own; where the credential
 * names a patient, that record alone.
 * IHE RMD 3.86.4.1.3.
 * @throws Refused when nothing was removed and one record alone is concerned
 */
export async function removeDocuments(tools: Tools, request: Request, uniqueIds: readonly string[]): Promise<Removed> {
  const names = [...new Set(uniqueIds)];
  const { patient } = request.caller;
  if (patient !== undefined) return removeFrom(tools, request, { identifier: patient }, names);
  const records = await tools.store.facts.recordsOfObjects(names);
  const [only] = records;
  if (only === undefined) return removeFrom(tools, request, 'none', names);
  if (records.length < 2) return removeFrom(tools, request, { record: only }, names);
  const removed = new Set<string>();
  const refusals: Problem[] = [];
  for (const [index, record] of records.entries())
    try {
      const done = await removeFrom(tools, index === 0 ? request : { ...request, spent: true }, { record }, names);
      for (const name of done.removed) removed.add(name);
      refusals.push(...done.problems);
    } catch (error) {
      if (!(error instanceof Refused) || error.problems.some(({ name }) => name === 'notIdentified')) throw error;
      refusals.push(...error.problems);
    }
  const problems = new Map(
    refusals
      .filter(({ about: { value } }) => value === undefined || !removed.has(value))
      .map((found) => [`${found.name} ${found.about.value}`, found]),
  );
  return { removed: [...removed], problems: [...problems.values()] };
}

async function removeFrom(
  tools: Tools,
  request: Request,
  subject: Subject,
  names: readonly string[],
): Promise<Removed> {
  return perform(tools, request, 'removeDocuments', subject, async (permit): Promise<Plan<Removed>> => {
    const found = permit.record === undefined ? [] : await tools.store.read.documentsByUniqueId(permit, names);
    const held = found.filter(({ content }) => content !== undefined);
    const removed = names.filter((name) => held.some(({ entry }) => entry.uniqueId === name));
    const problems = names
      .filter((name) => !removed.includes(name))
      .map((value) => {
        const onDemand = found.some(({ entry }) => entry.uniqueId === value && entry.objectType === 'onDemand');
        return onDemand
          ? problem('documentNotRemovable', { value })
          : problem('documentUnknown', { value, rule: 'IHE RMD 3.86.4.1.3 (XDSDocumentUniqueIdError)' });
      });
    if (removed.length === 0) throw new Refused(problems);
    return {
      answer: { removed, problems },
      put: held.map(({ entry: { entryUUID } }): Row => ({ kind: 'removeContent', document: entryUUID })),
      trace: { documents: held.map(({ entry: { entryUUID, uniqueId } }) => ({ entryUUID, uniqueId })) },
    };
  });
}

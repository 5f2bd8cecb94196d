import { configOf } from '../../server/config/config.ts';
import { readEnv } from '../../server/config/env.ts';
import { openContext } from '../../server/context.ts';
import type { EntryDraft, Submission } from '../../server/domain/document.ts';
import type { Identifier } from '../../server/domain/identifier.ts';
import { insKey } from '../../server/domain/ins.ts';
import { callerOf } from '../../server/sandbox/caller.ts';
import { makeCards } from '../../server/sandbox/cards.ts';
import { describe } from '../../server/sandbox/metadata.ts';
import { personOf, sandboxCentres, testInsOid } from '../../server/sandbox/people.ts';
import { seed } from '../../server/sandbox/seed.ts';
import type { Request } from '../../server/usecases/perform.ts';
import { createRecord } from '../../server/usecases/record.ts';
import { submit } from '../../server/usecases/submit.ts';
import { benchDocument, benchHolder } from './document.ts';
import { uniqueId } from './unique-id.ts';

/** Documents of one patient, and of one submission. */
const perPatient = 100;
const perSubmission = 20;
const together = 16;

/** The matricule of the n-th invented patient of the bench. */
export function benchPatient(n: number): Identifier {
  const day = `1${String(30 + (n % 70)).padStart(2, '0')}${String(1 + (n % 12)).padStart(2, '0')}`;
  const body = `${day}75${String(n).padStart(6, '0')}`;
  return { value: `${body}${insKey(body)}`, oid: testInsOid };
}

/**
 * Fills a data folder with `entries` documents, a hundred a patient, through the use cases; what is there is kept. Run in a process of its
 * own, with DMP_DATA set, while no server has the folder.
 */
export async function fill(entries: number, progress: (line: string) => void): Promise<void> {
  const config = configOf(readEnv(), sandboxCentres);
  await makeCards(config.data, progress);
  const context = await openContext(config);
  const { tools } = context;
  await seed(tools, progress);
  const martin = personOf('dr-martin');
  if (martin?.kind !== 'professional') throw new Error('the sandbox has no dr-martin');
  const request: Request = {
    caller: callerOf(martin),
    origin: { transaction: 'internal', requestId: 'bench', endpoint: 'bench' },
  };
  const patients = Math.ceil(entries / perPatient);
  let next = 0;
  let done = 0;
  const begun = performance.now();
  const one = async () => {
    for (let n = next++; n < patients; n = next++) {
      const patient = benchPatient(n);
      if ((await tools.store.facts.recordByIdentifier(patient)) === undefined) {
        await createRecord(tools, request, {
          ins: patient,
          traits: {
            family: `BANC${n}`,
            given: 'ESSAI',
            gender: 'male',
            birthDate: `19${patient.value.slice(1, 3)}-${patient.value.slice(3, 5)}-01`,
          },
        });
        for (let from = 0; from < perPatient; from += perSubmission) await file(from, patient);
      }
      done += perPatient;
      if (done % 10_000 === 0 || done >= entries)
        progress(
          `filled ${Math.min(done, entries)} of ${entries} entries, ${Math.round(performance.now() - begun) / 1000} s`,
        );
    }
  };
  const file = async (from: number, patient: Identifier) => {
    const documents = Array.from({ length: perSubmission }, (_, i) => {
      const facts = benchDocument(patient, 400, from + i);
      const filed = describe({
        ...facts,
        depositor: martin,
        patient: benchHolder(patient),
        entryUuid: tools.newId(),
        setUuid: tools.newId(),
        setUniqueId: uniqueId(),
        at: tools.now(),
      });
      return { filed, bytes: facts.bytes };
    });
    const [first] = documents;
    if (first === undefined) return;
    const { entryUUID: setId, ...set } = first.filed.set;
    const submission: Submission = {
      sets: [{ ...set, id: setId }],
      entries: documents.map(({ filed }): EntryDraft => {
        const { entryUUID, repositoryUniqueId: _place, ...entry } = filed.entry;
        return { ...entry, id: entryUUID };
      }),
      folders: [],
      associations: documents.map(({ filed }) => ({
        id: `urn:uuid:${tools.newId()}`,
        type: 'HasMember',
        source: setId,
        target: filed.entry.entryUUID,
        submissionSetStatus: 'Original',
        extra: [],
      })),
    };
    await submit(tools, request, {
      submission,
      documents: documents.map(({ filed, bytes }) => ({
        id: filed.entry.entryUUID,
        received: tools.blobs.receiveBytes(bytes),
      })),
    });
  };
  await Promise.all(Array.from({ length: together }, one));
  await context.close();
}

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bundle, DocumentReference, OperationOutcome } from 'fhir/r4.js';
import { type Mode, modes } from '../../server/domain/actor.ts';
import { Refused } from '../../server/domain/error.ts';
import { people } from '../../server/sandbox/people.ts';
import { findDocuments } from '../../server/usecases/query.ts';
import { type Door, openDoor } from '../fhir/door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(async () => door.close());

const holders = people.filter(({ kind }) => kind === 'patient').map(({ slug }) => slug);
const purposes = { normal: 'normal', breakGlass: 'bris_de_glace', emergencyCentre: 'centre_15' } as const;
const ways = modes.flatMap((mode): { mode: Mode; reason?: string }[] =>
  mode === 'breakGlass' ? [{ mode }, { mode, reason: ' ' }, { mode, reason: 'urgence' }] : [{ mode }],
);

/** What the query of ITI-18 finds: ids, or why not. */
async function byQuery(who: string, holder: string, { mode, reason }: (typeof ways)[number]): Promise<string> {
  const { tools, as, ins } = door.world;
  const request = as(who, { mode, ...(reason !== undefined && { reason }) });
  try {
    const found = await findDocuments(tools, request, { patient: ins(holder), filter: {}, query: 'all' });
    return found
      .map(({ entry }) => entry.logicalID.slice('urn:uuid:'.length))
      .sort()
      .join(' ');
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const [{ name = '' } = {}] = error.problems;
    // FHIR answers a search of an unknown patient with nothing.
    return name === 'unknownPatient' ? '' : name;
  }
}

async function byFhir(who: string, holder: string, { mode, reason }: (typeof ways)[number]): Promise<string> {
  const all = 'status=current,superseded,entered-in-error&_count=500';
  const { status, json } = await door.get<Bundle<DocumentReference> | OperationOutcome>(
    who,
    `DocumentReference?patient.identifier=${encodeURIComponent(door.of(holder))}&${all}`,
    { mode: purposes[mode], ...(reason !== undefined && { reason }) },
  );
  if (json.resourceType === 'OperationOutcome') return json.issue[0]?.details?.text ?? String(status);
  const ids = (json.entry ?? []).map(({ resource }) => resource?.id ?? '');
  expect(json.total).toBe(ids.length);
  return ids.sort().join(' ');
}

test.each(people.map(({ slug }) => [slug]))(
  '%s finds the same by FHIR as by ITI-18, of everybody and in every mode',
  async (who) => {
    const asked = holders.flatMap((holder) => ways.map((way) => ({ holder, way })));
    const answers = async (ask: typeof byFhir) => {
      const all: string[] = [];
      for (const { holder, way } of asked) all.push(`${holder} ${JSON.stringify(way)}: ${await ask(who, holder, way)}`);
      return all;
    };
    expect(await answers(byFhir)).toEqual(await answers(byQuery));
  },
);

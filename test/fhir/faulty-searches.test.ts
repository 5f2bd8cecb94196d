import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bundle, OperationOutcome } from 'fhir/r4.js';
import { personOf } from '../../server/sandbox/people.ts';
import { type Door, openDoor } from './door.ts';

/** What is added to a sound search, and what is answered: status, problem and place, or that it is ignored with a warning. */
type Told = readonly [status: number, problem: string, expression: string | null] | 'ignored';
type Row = {
  readonly fault: string;
  readonly more: string;
  readonly times?: number;
  readonly prefer?: string;
  readonly told: Told;
  readonly otherwise?: Readonly<Record<string, Told>>;
  /** Searches that have no such thing. */
  readonly leftOut?: readonly string[];
};
const rows = JSON.parse(
  readFileSync(new URL('../cases/faults/fhir-searches.json', import.meta.url), 'utf8'),
) as readonly Row[];

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(async () => {
  expect(door.faults).toEqual([]);
  await door.close();
});

/** A sound search of every type: who asks, and what. */
function searches(): readonly (readonly [type: string, who: string, query: string])[] {
  const patient = door.of('laurent');
  const doctor = personOf('dr-martin');
  if (doctor?.kind !== 'professional') throw new Error('dr-martin');
  return [
    ['DocumentReference', 'dr-martin', `patient.identifier=${patient}`],
    ['List', 'dr-martin', `patient.identifier=${patient}&code=submissionset`],
    ['Patient', 'dr-martin', `identifier=${patient}`],
    ['AuditEvent', 'laurent', `patient.identifier=${patient}&date=ge2026-01-01`],
    ['Consent', 'laurent', `patient.identifier=${patient}`],
    ['Subscription', 'dr-martin', 'status=active'],
    ['Basic', 'dr-martin', 'code=SubscriptionTopic'],
    ['Practitioner', 'dr-martin', `identifier=urn:oid:1.2.250.1.71.4.2.1|${doctor.idNat}`],
    ['Organization', 'dr-martin', `identifier=urn:oid:1.2.250.1.71.4.2.2|${doctor.structIdNat}`],
    ['PractitionerRole', 'dr-martin', `practitioner=Practitioner/${doctor.idNat}`],
  ];
}

const warningsIn = ({ entry = [] }: Pick<Bundle<OperationOutcome>, 'entry'>) =>
  entry
    .filter(({ search }) => search?.mode === 'outcome')
    .flatMap(({ resource }) => resource?.issue ?? [])
    .map(({ severity, details }) => [severity, details?.text]);

test.each(rows)('$fault', async (row) => {
  for (const [type, who, query] of searches()) {
    if (row.leftOut?.includes(type) === true) continue;
    const first = /^\w+/.exec(query)?.[0] ?? '';
    const named = (text: string) => text.replace('<first>', first);
    const told = row.otherwise?.[type] ?? row.told;
    const headers: Record<string, string> = row.prefer === undefined ? {} : { Prefer: row.prefer };
    const path = `${type}?${query}${named(row.more).repeat(row.times ?? 1)}`;
    const { status, json } = await door.get<
      Pick<Bundle<OperationOutcome>, 'entry' | 'link'> & Pick<OperationOutcome, 'issue'>
    >(who, path, { headers });
    if (told === 'ignored') {
      expect([type, status, warningsIn(json)]).toEqual([type, 200, [['warning', 'parameterUnknown']]]);
      expect(json.link?.find(({ relation }) => relation === 'self')?.url).not.toContain(
        row.more.split('=')[0]?.slice(1),
      );
      continue;
    }
    const [expected, problem, expression] = told;
    const issues = json.issue.map((issue) => [issue.details?.text, issue.expression?.[0] ?? null]);
    expect([type, status, issues[0]]).toEqual([
      type,
      expected,
      [problem, expression === null ? null : named(expression)],
    ]);
  }
});

test('the searches that are spoilt are sound ones', async () => {
  for (const [type, who, query] of searches()) {
    const { status, json } = await door.get<Bundle<OperationOutcome>>(who, `${type}?${query}`);
    expect([type, status, warningsIn(json)]).toEqual([type, 200, []]);
  }
});

test('a condition that the state does not meet changes nothing', async () => {
  const token = async (who: string) => ({ Authorization: `Bearer ${await door.token(who)}` });
  const found = await door.get<Bundle>('laurent', `Consent?patient.identifier=${door.of('laurent')}&_count=1`);
  const id = found.json.entry?.[0]?.resource?.id ?? '';
  const documents = await door.get<Bundle>('dr-martin', `DocumentReference?patient.identifier=${door.of('laurent')}`);
  const document = documents.json.entry?.[0]?.resource?.id ?? '';
  for (const [who, path] of [
    ['laurent', `Consent/${id}`],
    ['dr-martin', `DocumentReference/${document}`],
  ] as const)
    for (const tag of ['W/"99"', '"x"', 'nonsense']) {
      const { status, json } = await door.ask(path, {
        method: 'DELETE',
        headers: { ...(await token(who)), 'If-Match': tag },
      });
      expect([path, tag, status, json.issue[0]?.details?.text]).toEqual([path, tag, 412, 'versionDiffers']);
      expect((await door.get(who, path)).status).toBe(200);
    }
});

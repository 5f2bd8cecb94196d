import { beforeAll, describe, expect, test } from '@jest/globals';
import { problem } from '../../server/domain/error.ts';
import { traceFailure } from '../../server/usecases/perform.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import { openWorld, type World } from '../support/world.ts';

let world: World<MemoryStore>;
let laurent: string | undefined;
beforeAll(async () => {
  world = await openWorld();
  laurent = (await world.tools.store.facts.recordByIdentifier(world.ins('laurent')))?.record.id;
});

const trace = async (names: boolean, ...problems: Parameters<typeof traceFailure>[3]) => {
  const request = world.as('dr-martin', names ? { patient: world.ins('laurent') } : {});
  await traceFailure(world.tools, request, 'searchDocuments', problems);
  return world.tools.store.events().at(-1);
};

describe('a message that failed before it was judged', () => {
  test('is in the history of the patient whom the credential names', async () => {
    expect(await trace(true, problem('queryUnknown', { value: 'x' }))).toMatchObject({
      outcome: 'failed',
      ground: 'queryUnknown',
      record: laurent,
      patient: world.ins('laurent'),
    });
  });

  test('of a credential that names nobody is in nobody’s', async () => {
    const event = await trace(false, problem('queryUnknown'));
    expect(event).toMatchObject({ outcome: 'failed', ground: 'queryUnknown', actor: { kind: 'professional' } });
    expect(event).not.toHaveProperty('record');
  });

  test.each([
    ['two patients in a submission', problem('patientIdsDiffer', { object: 'doc1' })],
    ['two patients in a query', problem('queryParameterRepeated', { attribute: '$XDSDocumentEntryPatientId' })],
    ['two patients in a search', problem('parameterMalformed', { attribute: 'patient.identifier' })],
  ])('is in nobody’s when it names %s', async (_, problems) => {
    const event = await trace(true, problem('attributeMissing', { attribute: 'title' }), problems);
    expect(event).toMatchObject({ outcome: 'failed', actor: { kind: 'professional' } });
    expect(event).not.toHaveProperty('record');
    expect(event).not.toHaveProperty('patient');
  });
});

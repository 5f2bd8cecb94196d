import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cda, type Door, message, openDoor } from '../hl7/door.ts';

const run = promisify(execFile);
const python = ['python3', '/usr/bin/python3'].find((command) => spawnSync(command, ['-c', 'import hl7']).status === 0);
if (python === undefined) process.stderr.write('A foreign MLLP sender is left out, as there is no python3-hl7.\n');

(python === undefined ? describe.skip : describe)('messages sent over MLLP by python3-hl7', () => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor();
  });
  afterAll(() => door.close());

  /** What the other side reads in the acknowledgements; it runs beside this process, which answers it. */
  async function send(messages: readonly string[]): Promise<unknown> {
    const script = new URL('mllp_client.py', import.meta.url).pathname;
    const running = run(python ?? '', [script, String(door.port)], { timeout: 30_000 });
    running.child.stdin?.end(JSON.stringify(messages));
    return JSON.parse((await running).stdout) as unknown;
  }

  test('feeds, reports and documents are acknowledged, each with what there is to mend', async () => {
    const told = await send([
      message('adt-a01-add.hl7'),
      message('adt-a08-revise.hl7'),
      message('oru-r01.hl7', { cda: cda('2.999.9.41') }),
      message('oru-r01.hl7', { cda: 'Docu*ment', hidden: 'oui' }),
      message('mdm.hl7', { document: '2.999.9.42', cda: cda('2.999.9.42', { by: 'radio-ouest', type: '18748-4' }) }),
      message('adt-a01-add.hl7').replace('ADT^A01^ADT_A01', 'ADT^A03'),
    ]);
    expect(told).toEqual([
      { type: 'ACK^A01^ACK', code: 'AA', id: 'A01-1', errors: [] },
      { type: 'ACK^A08^ACK', code: 'AA', id: 'A08-1', errors: [] },
      { type: 'ACK^R01^ACK', code: 'AA', id: 'ORU-1', errors: [] },
      {
        type: 'ACK^R01^ACK',
        code: 'AE',
        id: 'ORU-1',
        errors: [
          ['OBX^3^5^1', '103', 'E'],
          ['OBX^1^5^1^5', '102', 'E'],
        ],
      },
      { type: 'ACK^T02^ACK', code: 'AA', id: 'MDM-1', errors: [] },
      { type: 'ACK^A03^ACK', code: 'AR', id: 'A01-1', errors: [['MSH^1^9^1', '201', 'E']] },
    ]);
    const { store } = door.world.tools;
    const deposits = store.events().filter(({ action, outcome }) => action === 'submitDocuments' && outcome === 'done');
    expect(deposits.flatMap(({ documents }) => documents?.map(({ uniqueId }) => uniqueId))).toEqual(
      expect.arrayContaining(['2.999.9.41', '2.999.9.42']),
    );
  });
});

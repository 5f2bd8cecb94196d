import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cda, type Door, message, openDoor } from './door.ts';

/**
 * Reads each message of standard input (JSON) with hl7apy, which knows the segments of each version, and answers what it found:
 * acknowledgement code, control id and the conditions of the ERR segments.
 */
const reader = `
import json, sys
from hl7apy.parser import parse_message
out = []
for text in json.load(sys.stdin):
    m = parse_message(text, find_groups=False)
    errs = [s for s in m.children if s.name == 'ERR']
    out.append({
        'code': m.msa.msa_1.value, 'id': m.msa.msa_2.value, 'type': m.msh.msh_9.value,
        'errors': [[e.err_2.value, e.err_3.err_3_1.value, e.err_4.value] for e in errs],
    })
print(json.dumps(out))
`;
const found = spawnSync('python3', ['-c', 'import hl7apy'], { timeout: 20_000 }).status === 0;
if (!found)
  process.stdout.write('hl7apy for python3 is not installed: acknowledgements are not read by another reader\n');

(found ? describe : describe.skip)('acknowledgements, read by hl7apy', () => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor();
  });
  afterAll(() => door.close());

  test('say what became of each message', async () => {
    const line = await door.dial();
    const sent = [
      message('adt-a01-add.hl7'),
      message('oru-r01.hl7', { cda: cda('2.999.9.1') }),
      message('oru-r01.hl7', { cda: 'Docu*ment', hidden: 'oui' }),
      message('mdm.hl7', { document: '2.999.9.2', cda: cda('2.999.9.2', { by: 'radio-ouest', type: '18748-4' }) }),
      message('adt-a01-add.hl7').replace('ADT^A01^ADT_A01', 'ADT^A03'),
    ];
    const acks: string[] = [];
    for (const text of sent) acks.push((await line.ask(text)).text);
    const read = spawnSync('python3', ['-c', reader], {
      input: JSON.stringify(acks),
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(read.stderr).toBe('');
    expect(JSON.parse(read.stdout)).toEqual([
      { code: 'AA', id: 'A01-1', type: 'ACK^A01^ACK', errors: [] },
      { code: 'AA', id: 'ORU-1', type: 'ACK^R01^ACK', errors: [] },
      {
        code: 'AE',
        id: 'ORU-1',
        type: 'ACK^R01^ACK',
        errors: [
          ['OBX^3^5^1', '103', 'E'],
          ['OBX^1^5^1^5', '102', 'E'],
        ],
      },
      { code: 'AA', id: 'MDM-1', type: 'ACK^T02^ACK', errors: [] },
      { code: 'AR', id: 'A01-1', type: 'ACK^A03^ACK', errors: [['MSH^1^9^1', '201', 'E']] },
    ]);
  });
});

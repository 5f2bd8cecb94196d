import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { makeDeframer } from '../../server/hl7/mllp.ts';
import { frame } from '../support/mllp.ts';
import { type Door, message, openDoor } from './door.ts';

let door: Door | undefined;
afterEach(async () => {
  await door?.close();
  expect(door?.logged ?? []).toEqual([]);
  door = undefined;
});
const open = async (...options: Parameters<typeof openDoor>) => {
  door = await openDoor(...options);
  return { door, line: await door.dial() };
};
const add = message('adt-a01-add.hl7');

describe('blocks of MLLP', () => {
  const body = fc
    .uint8Array({ maxLength: 60 })
    .map((bytes) => Buffer.from(bytes.filter((b) => b !== 0x0b && b !== 0x1c)));

  test('are found whatever the pieces in which they come', () => {
    fc.assert(
      fc.property(fc.array(body, { maxLength: 5 }), fc.array(fc.nat(20), { maxLength: 60 }), (bodies, cuts) => {
        const stream = Buffer.concat(bodies.map((each) => frame(each)));
        const deframer = makeDeframer(1000);
        const found: Buffer[] = [];
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          for (const got of deframer.take(stream.subarray(at, at + cut))) if ('message' in got) found.push(got.message);
          at += cut;
        }
        expect(found).toEqual(bodies);
        expect(deframer.underWay()).toBeUndefined();
      }),
    );
  });

  test('end with <FS><CR> alone, and bytes between two are skipped', () => {
    const deframer = makeDeframer(100);
    const frames = deframer.take(Buffer.from('noise\x0bone\x1cmore\x1c\rnoise\x0btwo\x1c\r'));
    expect(frames).toEqual([{ message: Buffer.from('one\x1cmore') }, { message: Buffer.from('two') }]);
  });

  test('in which another begins were broken off: half a message is no beginning of the next', () => {
    fc.assert(
      fc.property(body, fc.integer({ min: 1, max: 40 }), (half, size) => {
        const deframer = makeDeframer(1000);
        const stream = Buffer.concat([
          Buffer.from([0x0b]),
          half,
          frame(Buffer.from('whole')),
          frame(Buffer.from('next')),
        ]);
        const found: string[] = [];
        for (let at = 0; at < stream.length; at += size)
          for (const got of deframer.take(stream.subarray(at, at + size)))
            found.push('message' in got ? got.message.toString() : 'too large');
        expect(found).toEqual(['whole', 'next']);
      }),
    );
    const deframer = makeDeframer(100);
    expect(deframer.take(Buffer.from('\x0bhalf\x1c'))).toEqual([]);
    expect(deframer.take(Buffer.from('\x0bone\x1c\r'))).toEqual([{ message: Buffer.from('one') }]);
  });

  test('that grow beyond the limit end the reading', () => {
    const deframer = makeDeframer(8);
    expect(deframer.take(Buffer.from('\x0b12345678'))).toEqual([]);
    expect(deframer.take(Buffer.from('9'))).toEqual([{ tooLarge: Buffer.from('123456789') }]);
    expect(deframer.take(Buffer.from('\x1c\r\x0bx\x1c\r'))).toEqual([]);
  });
});

describe('a connection', () => {
  test('brings a message byte by byte', async () => {
    const { line } = await open();
    for (const byte of frame(add)) line.write(Buffer.from([byte]));
    expect(await line.next()).toMatchObject({ code: 'AA', controlId: 'A01-1' });
  });

  test('brings several messages at once, which are answered in their order', async () => {
    const { line } = await open();
    const ids = ['1', '2', '3', '4'];
    line.write(Buffer.concat(ids.map((id) => frame(add.replace('A01-1', id)))));
    const acks = [];
    for (const _ of ids) acks.push(await line.next());
    expect(acks.map((ack) => ack?.controlId)).toEqual(ids);
  });

  test('that its sender closed half is answered', async () => {
    const { line } = await open();
    line.socket.end(frame(add));
    expect(await line.next()).toMatchObject({ code: 'AA' });
  });

  test('with a message that is too large is answered AR and closed', async () => {
    const { line } = await open({}, { messageBytes: 5000 });
    line.write(frame(`${add.trimEnd()}\nNTE|1||${'x'.repeat(6000)}`));
    const ack = await line.next();
    expect([ack?.code, ack?.controlId, ack?.errors[0]?.name]).toEqual(['AR', 'A01-1', 'messageTooLarge']);
    expect(await line.next()).toBeUndefined();
  });

  test('that is silent in the middle of a message, or between two, is closed', async () => {
    const { line } = await open({}, { pause: 30, idle: 60 });
    line.write('\x0bMSH|');
    expect(await line.next()).toBeUndefined();
    expect(await (await door?.dial())?.next()).toBeUndefined();
  });

  test('whose message comes too slowly is closed', async () => {
    const { line } = await open({}, { pause: 40, slowest: 1_000_000 });
    line.write('\x0bMSH|');
    const timer = setInterval(() => line.write('x'), 5);
    expect(await line.next()).toBeUndefined();
    clearInterval(timer);
  });

  test('beyond the number of connections, or of bytes under way in all, is closed', async () => {
    const { line } = await open({}, { connections: 1, totalBytes: 2000, pause: 60_000 });
    await line.ask(add);
    expect(await (await door?.dial())?.next()).toBeUndefined();
    line.write(`\x0b${'x'.repeat(3000)}`);
    expect(await line.next()).toBeUndefined();
  });

  test('that breaks off in the middle leaves nothing', async () => {
    const { line } = await open();
    const before = door?.world.tools.store.events().length;
    line.socket.end(frame(add).subarray(0, 300));
    expect(await line.next()).toBeUndefined();
    expect(door?.world.tools.store.events().length).toBe(before);
  });
});

test('a message after half of another is answered as itself', async () => {
  const { line } = await open();
  line.write(Buffer.concat([frame(add.replace('|A01-1|', '|HALF|')).subarray(0, 130), frame(add)]));
  expect(await line.next()).toMatchObject({ code: 'AA', controlId: 'A01-1' });
});

describe('a message', () => {
  const names = async (text: string | Buffer) => {
    const { line } = await open();
    const ack = await line.ask(text);
    return [ack.code, ...ack.errors.map(({ name, condition }) => `${name} ${condition}`)];
  };

  test.each([
    ['of an unknown application', add.replace('|regie|', '|pirate|'), 'senderUnknown 207'],
    ['of an unknown facility', add.replace('|1.2.250.1.999.1.1|', '|1.2.3|'), 'senderUnknown 207'],
    ['that is none', 'GET / HTTP/1.1', 'hl7Malformed 100'],
    ['without delimiters', 'MSH', 'hl7Malformed 100'],
    ['with doubled delimiters', add.replace('|^~\\&|', '|^^\\&|'), 'hl7Malformed 100'],
    ['with a line that is no segment', `${add}nonsense\n`, 'hl7Malformed 100'],
    ['of another type', add.replace('ADT^A01^ADT_A01', 'SIU^S12'), 'hl7TypeUnsupported 200'],
    ['of another event', add.replace('ADT^A01^ADT_A01', 'ADT^A03'), 'hl7EventUnsupported 201'],
    ['for training in production', add.replace('|P|2.5|', '|D|2.5|'), 'hl7ProcessingUnsupported 202'],
    ['of version 3', add.replace('|P|2.5|', '|P|3.0|'), 'hl7VersionUnsupported 203'],
    ['in an unknown character set', add.replace('UNICODE UTF-8', 'KOI8-R'), 'hl7CharsetUnsupported 102'],
    [
      'that is not of its character set',
      Buffer.from(add.replaceAll('\n', '\r').replace('Michel', 'Mich\xe8l'), 'latin1'),
      'hl7CharsetUnsupported 102',
    ],
    [
      'with characters of no named set',
      Buffer.from(add.replaceAll('\n', '\r').replace('UNICODE UTF-8', '').replace('Michel', 'Mich\xe8l'), 'latin1'),
      'hl7CharsetUnsupported 102',
    ],
  ])('%s is refused AR', async (_, text, told) => {
    expect(await names(text)).toEqual(['AR', told]);
  });

  test('without control id, processing id and version is refused with all that is missing', async () => {
    const text = add.replace('|A01-1|P|2.5|', '||||');
    const { line } = await open();
    const ack = await line.ask(text);
    expect(ack.errors.map(({ place, condition }) => `${place} ${condition}`)).toEqual([
      'MSH^1^10^1 101',
      'MSH^1^11^1 101',
      'MSH^1^12^1 101',
    ]);
  });

  test('of an unknown sender goes to the security audit and to no record', async () => {
    const { line } = await open();
    await line.ask(add.replace('|regie|', '|pirate|'));
    const event = door?.world.tools.store.events().at(-1);
    expect(event).toMatchObject({ action: 'identify', outcome: 'refused', ground: 'senderUnknown' });
    expect([event?.actor, event?.record, event?.patient]).toEqual([undefined, undefined, undefined]);
  });

  test('with delimiters of its own is read by them', async () => {
    const { line } = await open();
    const own = add.replace(/[|^~\\&]/g, (c) => ({ '|': '*', '^': '!', '~': '%', '\\': '?', '&': '@' })[c] ?? c);
    expect(await line.ask(own)).toMatchObject({ code: 'AA', controlId: 'A01-1' });
  });

  test('with escapes is read as what they mean', async () => {
    const { line } = await open();
    await line.ask(add.replace('LAURENT-DUBOIS', 'L\\T\\M\\X20\\\\H\\FRÈRES\\N\\'));
    const found = await door?.world.tools.store.facts.recordByIdentifier(door.world.ins('laurent'));
    expect(found?.record.traits.usedFamily).toBe('L&M FRERES');
  });

  test('changed at random is answered, never crashes, and stores no half', async () => {
    const { line } = await open();
    const base = Buffer.from(add.trimEnd().replaceAll('\n', '\r'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(base.length - 1), fc.integer({ min: 0x20, max: 0xff })), {
          minLength: 1,
          maxLength: 8,
        }),
        async (changes) => {
          const bytes = Buffer.from(base);
          for (const [at, byte] of changes) bytes[at] = byte;
          expect((await line.ask(bytes)).code).toMatch(/^A[AER]$/);
        },
      ),
      { numRuns: 150 },
    );
  });
});

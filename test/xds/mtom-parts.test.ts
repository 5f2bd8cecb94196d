import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Refused } from '../../server/domain/error.ts';
import { packMtom } from '../../server/xds/answer.ts';
import { readMediaType } from '../../server/xds/media-type.ts';
import { isBoundary, MultipartReader } from '../../server/xds/multipart.ts';

const limits = { headerBytes: 16 * 1024, parts: 1000 };

type ReadPart = { readonly id: string | undefined; readonly type: string | undefined; readonly text: string };

/** Reads a package that comes in pieces of `size` bytes. */
async function readAll(bytes: Buffer, size = bytes.length, boundary = 'B1', most = limits): Promise<ReadPart[]> {
  let at = 0;
  const pull = async () => {
    const chunk = bytes.subarray(at, at + size);
    at += size;
    return chunk.length === 0 ? undefined : chunk;
  };
  const reader = new MultipartReader(pull, boundary, most);
  const parts: ReadPart[] = [];
  for (let part = await reader.next(); part !== undefined; part = await reader.next()) {
    const pieces: Buffer[] = [];
    for await (const piece of part.body) pieces.push(Buffer.from(piece));
    parts.push({ id: part.contentId, type: part.contentType, text: Buffer.concat(pieces).toString('latin1') });
  }
  expect(await reader.next()).toBeUndefined();
  return parts;
}

async function problemOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    if (error instanceof Refused) return `${error.problems[0]?.name}: ${error.problems[0]?.about.detail ?? ''}`;
    throw error;
  }
  return 'none';
}

const crlf = (text: string) => Buffer.from(text.replace(/\n/g, '\r\n'), 'latin1');

describe('legal packages, whole and byte by byte', () => {
  const cases: Record<string, { readonly source: Buffer; readonly texts: readonly string[] }> = {
    'one part': { source: crlf('--B1\nContent-ID: <a>\n\nx\n--B1--\n'), texts: ['x'] },
    'preamble and epilogue': { source: crlf('This is\nMIME --B1\n--B1\n\nx\n--B1--\nepilogue --B1\n'), texts: ['x'] },
    'a line end in front of the first boundary': { source: crlf('\n--B1\n\nx\n--B1--'), texts: ['x'] },
    'no header, body ending in CRLF': { source: crlf('--B1\n\nx\n\n--B1--'), texts: ['x\r\n'] },
    'empty bodies': { source: crlf('--B1\nA: b\n\n\n--B1\n\n\n--B1--'), texts: ['', ''] },
    'empty body without its own line end': { source: crlf('--B1\nA: b\n\n--B1\n\n--B1--'), texts: ['', ''] },
    'no part at all': { source: crlf('--B1--\n'), texts: [] },
    'white space behind a boundary': { source: crlf('--B1 \t\n\nx\n--B1  \n\ny\n--B1-- \n'), texts: ['x', 'y'] },
    'what looks like the beginning of a boundary': {
      source: crlf('--B1\n\n\n--B\n-\n--\n--B1--'),
      texts: ['\r\n--B\r\n-\r\n--'],
    },
    'a lone CR in front of the boundary': { source: Buffer.from('--B1\r\n\r\nx\r\r\n--B1--'), texts: ['x\r'] },
    'folded header': { source: crlf('--B1\nContent-ID:\n <a>\n\nx\n--B1--'), texts: ['x'] },
    base64: { source: crlf('--B1\nContent-Transfer-Encoding: Base64\n\nQm9u\nam91cg==\n\n--B1--'), texts: ['Bonjour'] },
    'quoted-printable': {
      source: crlf('--B1\nContent-Transfer-Encoding: Quoted-Printable\n\nE=CC=81t=E9 =3D \nlong=\n line=09\n=\n--B1--'),
      texts: ['E\xcc\x81t\xe9 =\r\nlong line\t\r\n'],
    },
    '7bit and 8bit': {
      source: crlf('--B1\nContent-Transfer-Encoding: 7bit\n\nx\n--B1\ncontent-transfer-encoding: 8BIT\n\né\n--B1--'),
      texts: ['x', 'é'],
    },
  };
  test.each(Object.keys(cases))('%s', async (name) => {
    const { source, texts } = cases[name] ?? { source: Buffer.alloc(0), texts: ['?'] };
    for (const size of [source.length, 1, 2, 3, 7]) {
      expect((await readAll(source, size)).map(({ text }) => text)).toEqual(texts);
    }
  });

  test('headers are given without their form', async () => {
    const [part] = await readAll(
      crlf('--B1\nCONTENT-id:<a@b>\nContent-Type: text/plain;\n\tcharset=x\nX: y\n\n\n--B1--'),
    );
    expect(part).toEqual({ id: 'a@b', type: 'text/plain; charset=x', text: '' });
  });

  test('a part that nobody read is skipped', async () => {
    const chunks = [crlf('--B1\n\nx'), crlf('y\n--B1\nContent-ID: <b>\n\nz\n--B1--')];
    const reader = new MultipartReader(async () => chunks.shift(), 'B1', limits);
    await reader.next();
    expect((await reader.next())?.contentId).toBe('b');
  });
});

describe('refusals by name, whole and byte by byte', () => {
  const cases: Record<string, [string | Buffer, string]> = {
    nothing: ['', 'bodyTruncated'],
    'no closing delimiter': ['--B1\n\nx\n', 'bodyTruncated'],
    'end inside a delimiter': ['--B1\n\nx\n--B1', 'bodyTruncated'],
    'end inside headers': ['--B1\nContent-ID: <a', 'bodyTruncated'],
    'no boundary': ['x'.repeat(70_000), 'multipartBroken: the boundary is not found in the first 65536 bytes'],
    'characters behind a boundary': [
      '--B1\n\nx\n--B1X\n\ny\n--B1--',
      'multipartBroken: a boundary that is not followed by CRLF',
    ],
    'characters behind the closing boundary': ['--B1\n\nx\n--B1--X', 'multipartBroken: characters behind a boundary'],
    'line ends of LF': [Buffer.from('--B1\n\nx\n--B1--\n'), 'multipartBroken: a boundary that is not followed by CRLF'],
    'header without colon': ['--B1\nContent\n\nx\n--B1--', 'multipartBroken: a part header without a name and a colon'],
    'header that begins with a blank': [
      '--B1\n A: b\n\nx\n--B1--',
      'multipartBroken: a part header that begins with white space',
    ],
    'large header': [
      `--B1\nA: ${'b'.repeat(16_384)}\n\nx\n--B1--`,
      'multipartBroken: more than 16384 bytes of headers in a part',
    ],
    'doubled Content-ID in one part': [
      '--B1\nContent-ID: <a>\nContent-ID: <b>\n\n\n--B1--',
      'multipartBroken: content-id twice in one part',
    ],
    uuencode: [
      '--B1\nContent-Transfer-Encoding: x-uuencode\n\nx\n--B1--',
      'multipartBroken: a Content-Transfer-Encoding that is not binary, 8bit, 7bit, base64 or quoted-printable',
    ],
    'broken quoted-printable': [
      '--B1\nContent-Transfer-Encoding: quoted-printable\n\nx=3\n--B1--',
      'multipartBroken: a part that is not quoted-printable as it says',
    ],
    'broken base64': [
      '--B1\nContent-Transfer-Encoding: base64\n\nQm9*\n--B1--',
      'multipartBroken: a part that is not base64 as it says',
    ],
    'base64 cut short': [
      '--B1\nContent-Transfer-Encoding: base64\n\nQm9uag\n--B1--',
      'multipartBroken: a part that is not base64 as it says',
    ],
    'base64 behind its end': [
      '--B1\nContent-Transfer-Encoding: base64\n\nQg==Qg==\n--B1--',
      'multipartBroken: a part that is not base64 as it says',
    ],
  };
  test.each(Object.keys(cases))('%s', async (name) => {
    const [source = '', expected = ''] = cases[name] ?? [];
    const bytes = typeof source === 'string' ? crlf(source) : source;
    for (const size of [Math.max(1, bytes.length), 1]) expect(await problemOf(readAll(bytes, size))).toMatch(expected);
  });

  test('more parts than allowed', async () => {
    const parts = (count: number) => crlf(`${'--B1\n\nx\n'.repeat(count)}--B1--`);
    expect(await readAll(parts(3), 100, 'B1', { ...limits, parts: 3 })).toHaveLength(3);
    expect(await problemOf(readAll(parts(4), 100, 'B1', { ...limits, parts: 3 }))).toBe(
      'messageTooLarge: more than 3 parts',
    );
  });
});

describe('what we write is read as it was, however it comes in', () => {
  const text = fc.string({
    unit: fc.constantFrom('\r', '\n', '-', '--', '\r\n', '\r\n--', 'x', '\0', 'MIME-b-1', '\r\n--MIME-b-'),
    maxLength: 20,
  });
  test('property', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { maxLength: 4 }),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        async (texts, size, streamed) => {
          fc.pre(texts.every((t) => !`\r\n${t}`.includes('\r\n--MIME-b-1')));
          const bodies = texts.map((t) => Buffer.from(t, 'latin1'));
          const parts = bodies.map((bytes, index) => ({
            contentId: `p${index}@x`,
            mediaType: 'text/plain',
            size: bytes.length,
            bytes: streamed ? pieces(bytes) : bytes,
          }));
          const packed = packMtom('urn:a', '<a/>', parts, 'b-1');
          const media = readMediaType(packed.contentType);
          const all: Uint8Array[] = [];
          for await (const piece of Buffer.isBuffer(packed.bytes) ? [packed.bytes] : packed.bytes) all.push(piece);
          const bytes = Buffer.concat(all);
          expect(bytes.length).toBe(packed.length);
          const [root, ...rest] = await readAll(bytes, size, media?.parameters.get('boundary'));
          expect(root).toMatchObject({ text: '<a/>', id: media?.parameters.get('start')?.slice(1, -1) });
          expect(rest.map((part) => [part.id, part.text])).toEqual(texts.map((t, index) => [`p${index}@x`, t]));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a part that has not the size it promised ends the answer', async () => {
    const { bytes } = packMtom(
      'urn:a',
      '<a/>',
      [{ contentId: 'p', mediaType: 'a/b', size: 3, bytes: pieces(Buffer.from('xy')) }],
      'b',
    );
    const drain = async () => {
      for await (const _piece of Buffer.isBuffer(bytes) ? [bytes] : bytes);
    };
    await expect(drain()).rejects.toThrow('2 bytes instead of 3');
  });
});

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (const byte of bytes) yield Buffer.of(byte);
}

describe('media types', () => {
  test.each([
    ['multipart/related; boundary=B1', 'multipart/related', { boundary: 'B1' }],
    [
      'Multipart/Related ;BOUNDARY="a b;c" ; start=<r@x>; type=application/xop+xml;',
      'multipart/related',
      { boundary: 'a b;c', start: '<r@x>', type: 'application/xop+xml' },
    ],
    ['a/b; c="d\\"e"', 'a/b', { c: 'd"e' }],
  ])('%s', (header, type, parameters) => {
    const media = readMediaType(header);
    expect([media?.type, Object.fromEntries(media?.parameters ?? [])]).toEqual([type, parameters]);
  });
  test.each(['', 'a', 'a/b c', 'a/b; c="d', 'a/b; c=1; C=2', 'a/b; c="d" e'])('%s is none', (header) => {
    expect(readMediaType(header)).toBeUndefined();
  });
  test.each(['', 'a '.repeat(36), 'a\n', 'é', 'a '])('%j is no boundary', (text) =>
    expect(isBoundary(text)).toBe(false),
  );
  test.each(["B1'()+_,-./:=?", 'a b', 'x'.repeat(70)])('%s is a boundary', (text) =>
    expect(isBoundary(text)).toBe(true),
  );
});

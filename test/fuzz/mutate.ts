import type { Chance } from './random.ts';

/** A message as it travels. */
export type Wire = { readonly contentType: string; readonly body: Buffer };

/** One way to spoil a message; what does not fit is given back as it is. */
type Mutation = (wire: Wire, chance: Chance, words: readonly string[]) => Wire;

/** Spoils a message a few times over; `words` are values that occur in messages. Answers what was done, too. */
export function mutated(wire: Wire, chance: Chance, words: readonly string[]): { wire: Wire; done: string[] } {
  const done: string[] = [];
  let times = chance.happens(0.08) ? 0 : 1;
  while (times > 0 && times < 6 && chance.happens(0.4)) times++;
  let current = wire;
  for (let n = 0; n < times; n++) {
    const name = chance.pick(names);
    current = mutations[name](current, chance, words);
    done.push(name);
    if (current.body.length > 512 * 1024) break;
  }
  return { wire: current, done };
}

/** Text that readers have stumbled over. */
const awkward = [
  '',
  ' ',
  '\0',
  '\ufeff',
  '\ufffe',
  '\u2028',
  '&#0;',
  '&#xD800;',
  '&#x10FFFF;',
  '&amp;amp;',
  '&lol;',
  '<!DOCTYPE a [<!ENTITY lol "lol">]>',
  '<?xml version="1.1"?>',
  '<?php ?>',
  '<!-- -->',
  '<![CDATA[ ]]>',
  ']]>',
  "'",
  '"',
  '%',
  '_',
  '%%%%%%%%_',
  '(',
  ')',
  "('",
  "('')",
  "('a','b'",
  '^^^^^^^^^^^^',
  '^^^&&ISO',
  '\\F\\\\S\\\\E\\',
  '~~',
  '|',
  'PID-3|',
  '-1',
  '0',
  '1e9',
  '99999999999999999999999',
  '00000000000000',
  '20250230',
  'urn:uuid:',
  'urn:uuid:ffffffff-ffff-ffff-ffff-ffffffffffff',
  'urn:oid:1.2.3',
  '1.2.3',
  '__proto__',
  'constructor',
  'toString',
  '\u{1f4a9}'.repeat(70),
  'x'.repeat(257),
  'x'.repeat(5000),
  '\r\n\r\n',
  'cid:',
  'cid:%',
  'http://127.0.0.1/',
  'file:///etc/passwd',
] as const;

const mutations = {
  bit: bytes((b, chance) => {
    const at = chance.below(b.length);
    b[at] = (b[at] ?? 0) ^ (1 << chance.below(8));
    return b;
  }),
  byte: bytes((b, chance) => {
    b[chance.below(b.length)] = chance.pick([0, 9, 10, 13, 34, 38, 39, 45, 60, 62, 0x80, 0xc0, 0xed, 0xff]);
    return b;
  }),
  cut: bytes((b, chance) => {
    const at = chance.below(b.length);
    return Buffer.concat([b.subarray(0, at), b.subarray(at + 1 + chance.below(chance.happens(0.7) ? 16 : 4000))]);
  }),
  truncate: bytes((b, chance) => b.subarray(0, chance.below(b.length))),
  insert: bytes((b, chance) => {
    const at = chance.below(b.length);
    return Buffer.concat([b.subarray(0, at), Buffer.from(chance.pick(awkward)), b.subarray(at)]);
  }),
  repeat: bytes((b, chance) => {
    const at = chance.below(b.length);
    const piece = b.subarray(at, at + 1 + chance.below(300));
    return Buffer.concat([b.subarray(0, at), ...Array<Buffer>(1 + chance.below(20)).fill(piece), b.subarray(at)]);
  }),

  dropElement: element((xml, [start, end]) => xml.slice(0, start) + xml.slice(end)),
  doubleElement: element((xml, [start, end], chance) => {
    const times = chance.happens(0.05) ? 200 : 1;
    return xml.slice(0, end) + xml.slice(start, end).repeat(times) + xml.slice(end);
  }),
  swapElements: xml((source, chance) => {
    const [first, second] = [spanIn(source, chance), spanIn(source, chance)].sort((a, b) => a[0] - b[0]);
    if (first === undefined || second === undefined || first[1] > second[0]) return source;
    return (
      source.slice(0, first[0]) +
      source.slice(...second) +
      source.slice(first[1], second[0]) +
      source.slice(...first) +
      source.slice(second[1])
    );
  }),
  moveElement: xml((source, chance) => {
    const span = spanIn(source, chance);
    const rest = source.slice(0, span[0]) + source.slice(span[1]);
    const [at] = spanIn(rest, chance);
    return rest.slice(0, at) + source.slice(...span) + rest.slice(at);
  }),
  nestElement: element((xml, [start, end], chance) => {
    const name = /^<([\w:.-]+)/.exec(xml.slice(start, start + 60))?.[1] ?? 'a';
    const times = 1 + chance.below(chance.happens(0.1) ? 100 : 4);
    return `${xml.slice(0, start)}${`<${name}>`.repeat(times)}${xml.slice(start, end)}${`</${name}>`.repeat(times)}${xml.slice(end)}`;
  }),
  emptyElement: element((xml, [start, end]) => {
    const tag = /^<[^>]*>/.exec(xml.slice(start, end))?.[0] ?? '';
    return xml.slice(0, start) + tag.replace(/\/?>$/, '/>') + xml.slice(end);
  }),
  renameElement: element((xml, [start, end], chance) => {
    const inside = xml.slice(start, end);
    const name = /^<([\w:.-]+)/.exec(inside)?.[1] ?? 'a';
    const other = chance.pick([...xml.matchAll(/<([\w:.-]+)/g)].map((m) => m[1] ?? 'a'));
    return (
      xml.slice(0, start) +
      inside.replaceAll(`<${name}`, `<${other}`).replaceAll(`</${name}`, `</${other}`) +
      xml.slice(end)
    );
  }),
  dropAttribute: match(/ [\w:.-]+="[^"]*"/g, () => ''),
  doubleAttribute: match(
    / [\w:.-]+="[^"]*"/g,
    (found, chance) => found + (chance.happens(0.5) ? found : `${found.replace('=', '2=')}`),
  ),
  setAttribute: match(/="[^"]*"/g, (_, chance, words) => `="${someValue(chance, words)}"`),
  setText: match(/>[^<>]*</g, (_, chance, words) => `>${someValue(chance, words)}<`),
  extendText: match(/>[^<>]+</g, (found, chance) => `${found.slice(0, -1)}${chance.pick(awkward)}<`),
  number: match(/\d+/g, (found, chance) =>
    chance.pick([`${found}0`, '0', '-1', '', `${Number(found) + 1}`, '9'.repeat(30)]),
  ),
  letterCase: match(/[A-Za-z]{2,}/g, (found) =>
    found === found.toUpperCase() ? found.toLowerCase() : found.toUpperCase(),
  ),
  blanks: match(/></g, (_, chance) => `>${chance.pick(['\n', ' '.repeat(2000), '\t\r\n', '\u00a0', '<!---->'])}<`),

  boundary: head((type, chance) =>
    type.replace(
      /boundary="[^"]*"/,
      chance.pick([
        'boundary=""',
        'boundary=MIMEB1',
        'boundary="MIME B1"',
        `boundary="${'b'.repeat(71)}"`,
        'boundary="--"',
        '',
      ]),
    ),
  ),
  start: head((type, chance) =>
    type.replace(
      / start="[^"]*";?/,
      chance.pick([' start="x";', ' start="";', '', ' start="<>";', ' start="<doc1@example.org>";']),
    ),
  ),
  mediaType: head((type, chance) =>
    chance.pick([
      '',
      'text/plain',
      'application/soap+xml; charset=UTF-16',
      'application/soap+xml',
      'multipart/related',
      'application/soap+xml; charset="',
      ';;;',
      type.toUpperCase(),
      `${type}; ${'a="b"; '.repeat(300)}`,
    ]),
  ),
  partHeader: part((lines, chance) => {
    const at = chance.below(lines.length);
    const line = lines[at] ?? '';
    const other = chance.pick([
      [],
      [line, line],
      [line.toLowerCase()],
      [`${line};${'x'.repeat(20_000)}`],
      ['Content-Transfer-Encoding: base64'],
      ['Content-Transfer-Encoding: quoted-printable'],
      ['Content-Transfer-Encoding: x-unknown'],
      ['Content-ID: <doc1@example.org>'],
      ['Content-ID: <root@example.org>'],
      ['Content-ID: '],
      [line.replace(':', '')],
      [`${line}\r\n folded`],
      ['Content-Type: multipart/mixed; boundary="MIMEB1"'],
      ['Content-Length: 3'],
    ]);
    return [...lines.slice(0, at), ...other, ...lines.slice(at + 1)];
  }),
  partOrder: bytes((b, chance) => {
    const parts = b.toString('latin1').split('--MIMEB1\r\n');
    const [first, second] = [chance.below(parts.length), chance.below(parts.length)];
    const [a = '', c = ''] = [parts[first], parts[second]];
    const way = chance.pick(['swap', 'drop', 'double'] as const);
    if (way === 'swap') [parts[first], parts[second]] = [c, a];
    else parts.splice(first, way === 'drop' ? 1 : 0, ...(way === 'drop' ? [] : [c]));
    return Buffer.from(parts.join('--MIMEB1\r\n'), 'latin1');
  }),
  delimiter: bytes((b, chance) => {
    const text = b.toString('latin1');
    const places = [...text.matchAll(/\r\n--MIMEB1(--)?\r?\n?/g)];
    if (places.length === 0) return b;
    const { 0: found, index } = chance.pick(places);
    const other = chance.pick([
      '',
      '\n--MIMEB1\n',
      '\r\n--MIMEB1',
      '\r\n--MIMEB1--',
      '\r\n--MIMEB1  \t\r\n',
      '\r\n--MIMEB12\r\n',
      '--MIMEB1\r\n',
      `${found}${found}`,
    ]);
    return Buffer.from(text.slice(0, index) + other + text.slice(index + found.length), 'latin1');
  }),
} satisfies Record<string, Mutation>;

const names = Object.keys(mutations) as (keyof typeof mutations)[];

function someValue(chance: Chance, words: readonly string[]): string {
  return chance.pick(chance.happens(0.3) ? awkward : words);
}

function bytes(change: (body: Buffer, chance: Chance) => Buffer): Mutation {
  return (wire, chance) => (wire.body.length === 0 ? wire : { ...wire, body: change(Buffer.from(wire.body), chance) });
}

function head(change: (contentType: string, chance: Chance) => string): Mutation {
  return (wire, chance) => ({ ...wire, contentType: change(wire.contentType, chance) });
}

/** Changes what lies from the beginning of the envelope to its end. */
function xml(change: (source: string, chance: Chance, words: readonly string[]) => string): Mutation {
  return (wire, chance, words) => {
    const start = wire.body.indexOf('<');
    const end = wire.body.lastIndexOf('Envelope>') + 'Envelope>'.length;
    if (start < 0 || end < start + 20) return wire;
    const source = wire.body.toString('utf8', start, end);
    const changed = Buffer.from(change(source, chance, words));
    return { ...wire, body: Buffer.concat([wire.body.subarray(0, start), changed, wire.body.subarray(end)]) };
  };
}

function element(change: (source: string, span: Span, chance: Chance) => string): Mutation {
  return xml((source, chance) => change(source, spanIn(source, chance), chance));
}

function match(pattern: RegExp, change: (found: string, chance: Chance, words: readonly string[]) => string): Mutation {
  return xml((source, chance, words) => {
    const places = [...source.matchAll(pattern)];
    if (places.length === 0) return source;
    const { 0: found, index } = chance.pick(places);
    return source.slice(0, index) + change(found, chance, words) + source.slice(index + found.length);
  });
}

/** Changes the header lines of one part of a package. */
function part(change: (lines: readonly string[], chance: Chance) => readonly string[]): Mutation {
  return bytes((b, chance) => {
    const text = b.toString('latin1');
    const places = [...text.matchAll(/--MIMEB1\r\n([\s\S]*?)\r\n\r\n/g)];
    if (places.length === 0) return b;
    const { 0: found, 1: lines = '', index } = chance.pick(places);
    const other = `--MIMEB1\r\n${change(lines.split('\r\n'), chance).join('\r\n')}\r\n\r\n`;
    return Buffer.from(text.slice(0, index) + other + text.slice(index + found.length), 'latin1');
  });
}

type Span = readonly [start: number, end: number];

/** Where an element begins and ends; the whole where no element is well-formed. */
function spanIn(source: string, chance: Chance): Span {
  const open: { name: string; at: number }[] = [];
  const spans: Span[] = [];
  for (const { 0: tag, 1: end, 2: name = '', 3: empty, index } of source.matchAll(/<(\/?)([\w:.-]+)[^<>]*?(\/?)>/g)) {
    if (empty === '/') spans.push([index, index + tag.length]);
    else if (end === '') open.push({ name, at: index });
    else {
      const begun = open.pop();
      if (begun?.name === name) spans.push([begun.at, index + tag.length]);
    }
  }
  return spans.length === 0 ? [0, source.length] : chance.pick(spans);
}

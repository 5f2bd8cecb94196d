import { isUtf8 } from 'node:buffer';
import { refuse } from '../domain/error.ts';

/** The characters that part a message, as MSH-1 and MSH-2 give them. HL7 v2.5 chapter 2.5.4. */
export type Delimiters = {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escapeCharacter: string;
  readonly subcomponent: string;
};

/** A segment: `fields[n]` is field n as written; `fields[0]` is the name. Of MSH, field 1 is the separator itself. */
export type Segment = { readonly name: string; readonly fields: readonly string[]; readonly place: Place };

/** Which segment of its name in the message it is, from 1. */
export type Place = { readonly name: string; readonly occurrence: number };

export type Message = { readonly delimiters: Delimiters; readonly segments: readonly Segment[] };

/** Where a value is, by numbers from 1. HL7 v2.5 chapter 2.A.28 (ERL). */
export type Path = {
  readonly field: number;
  readonly repetition?: number;
  readonly component?: number;
  readonly subcomponent?: number;
};

const mostSegments = 10_000;
const mostFields = 500;

/**
 * Takes a message apart, whatever its type. Segments end with a carriage return; a message that has none may use line feeds instead. What is
 * no segment is refused, since half a message is none.
 * @throws Refused hl7Malformed
 */
export function readMessage(text: string): Message {
  const delimiters = delimitersOf(text);
  const lines = text.split(text.includes('\r') ? /\r\n?/ : '\n', mostSegments + 1);
  if (lines.length > mostSegments) refuse('hl7Malformed', { detail: `more than ${mostSegments} segments` });
  const seen = new Map<string, number>();
  const segments = lines
    .map((line) => (line.startsWith('\n') ? line.slice(1) : line))
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      const segment = segmentOf(line, delimiters, index + 1);
      const occurrence = (seen.get(segment.name) ?? 0) + 1;
      seen.set(segment.name, occurrence);
      return { ...segment, place: { name: segment.name, occurrence } };
    });
  return { delimiters, segments };
}

/** All segments of a name, in order. */
export function segmentsOf({ segments }: Message, name: string): Segment[] {
  return segments.filter((segment) => segment.name === name);
}

/** The repetitions of a field as written; none where it is empty. */
export function repetitionsOf({ delimiters }: Message, segment: Segment | undefined, field: number): string[] {
  const written = segment?.fields[field] ?? '';
  return isEmpty(written) ? [] : written.split(delimiters.repetition);
}

/** A value with its escapes read; '' where it is absent, or deleted by `""`. */
export function valueAt(message: Message, segment: Segment | undefined, path: Path): string {
  const repetition = (segment?.fields[path.field] ?? '').split(message.delimiters.repetition)[
    (path.repetition ?? 1) - 1
  ];
  return valueIn(message, repetition ?? '', path.component, path.subcomponent);
}

/** A value of one repetition. */
export function valueIn({ delimiters }: Message, repetition: string, component = 1, subcomponent = 1): string {
  const written = repetition.split(delimiters.component)[component - 1]?.split(delimiters.subcomponent)[
    subcomponent - 1
  ];
  return written === undefined || isEmpty(written) ? '' : unescaped(written, delimiters).trim();
}

/** Text as a value of a message with the usual delimiters. */
export function escapedText(text: string): string {
  return text.replace(/[|^~&\\\r\n]/g, (character) => written[character] ?? '');
}

const written: Readonly<Record<string, string>> = {
  '|': '\\F\\',
  '^': '\\S\\',
  '~': '\\R\\',
  '&': '\\T\\',
  '\\': '\\E\\',
  '\r': '\\.br\\',
  '\n': '\\.br\\',
};

function isEmpty(text: string): boolean {
  return text === '' || text === '""';
}

function delimitersOf(text: string): Delimiters {
  if (!text.startsWith('MSH')) refuse('hl7Malformed', { detail: 'it does not begin with MSH' });
  const field = text.slice(3, 4);
  const end = text.indexOf(field, 4);
  const encoding = end < 0 ? '' : text.slice(4, end);
  const all = field + encoding;
  const [component = '', repetition = '', escapeCharacter = '', subcomponent = ''] = encoding;
  const isSound = /^[!-/:-@[-`{-~]{5,6}$/.test(all) && new Set(all).size === all.length;
  if (!isSound) refuse('hl7Malformed', { detail: 'MSH-1 and MSH-2 do not hold five different delimiters' });
  return { field, component, repetition, escapeCharacter, subcomponent };
}

function segmentOf(line: string, { field }: Delimiters, number: number): Omit<Segment, 'place'> {
  const name = line.slice(0, 3);
  if (!/^[A-Z][A-Z0-9]{2}$/.test(name) || (line.length > 3 && line[3] !== field))
    refuse('hl7Malformed', { detail: `line ${number} is no segment` });
  const fields = line.split(field, mostFields + 1);
  if (fields.length > mostFields) refuse('hl7Malformed', { detail: `${name} has more than ${mostFields} fields` });
  return { name, fields: name === 'MSH' ? [name, field, ...fields.slice(1)] : fields };
}

/** Escapes of HL7 v2.5 chapter 2.7: delimiters, line breaks, hexadecimal data; highlighting is dropped, anything else is kept as written. */
function unescaped(text: string, delimiters: Delimiters): string {
  const { escapeCharacter: mark, field, component, repetition, subcomponent } = delimiters;
  if (!text.includes(mark)) return text;
  const pieces = text.split(mark);
  const characters = new Map([
    ['F', field],
    ['S', component],
    ['R', repetition],
    ['T', subcomponent],
    ['E', mark],
    ['H', ''],
    ['N', ''],
    ['.br', '\n'],
    ['.sp', '\n'],
  ]);
  const [first = '', ...rest] = pieces;
  return rest.reduce((read, piece, index) => {
    if (index % 2 === 1) return read + piece;
    const isClosed = index + 1 < rest.length;
    if (!isClosed) return read + mark + piece;
    return read + (characters.get(piece) ?? hexadecimal(piece) ?? mark + piece + mark);
  }, first);
}

/** Bytes of the message's character set: UTF-8 where they are that, else ISO 8859-1. */
function hexadecimal(sequence: string): string | undefined {
  if (!/^X(?:[0-9A-Fa-f]{2})+$/.test(sequence)) return undefined;
  const bytes = Buffer.from(sequence.slice(1), 'hex');
  return isUtf8(bytes) ? bytes.toString() : bytes.toString('latin1');
}

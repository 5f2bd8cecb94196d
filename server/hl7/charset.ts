import { refuse } from '../domain/error.ts';

/** A character set of a message: how its bytes are read, and how an answer is written. */
export type Charset = {
  readonly name: string;
  readonly decode: (bytes: Buffer) => string;
  readonly encode: (text: string) => Buffer;
};

/**
 * The character set that MSH-18 names; without one, ASCII, and UTF-8 where the bytes are that. The header itself is ASCII in all of them.
 * HL7 v2.5 table 0211.
 * @throws Refused hl7CharsetUnsupported
 */
export function charsetOf(named: string): Charset {
  const key = named
    .trim()
    .toUpperCase()
    .replace(/^ISO[ -]?/, '')
    .replace('UNICODE ', '');
  const charset = Object.hasOwn(charsets, key) ? charsets[key] : undefined;
  return charset ?? refuse('hl7CharsetUnsupported', { attribute: 'MSH-18', value: named });
}

/** The text of a message. @throws Refused hl7CharsetUnsupported where a byte is none of its character set */
export function decoded(bytes: Buffer, charset: Charset): string {
  try {
    return charset.decode(bytes);
  } catch {
    const detail =
      charset.name === '' ? 'there are characters besides ASCII and no character set is named' : 'a byte is none of it';
    return refuse('hl7CharsetUnsupported', { attribute: 'MSH-18', value: charset.name, detail });
  }
}

const utf8 = (bytes: Buffer) => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
/** What the set does not hold becomes a question mark. */
const narrow = (text: string, most: number) =>
  text.replace(/[^\0-\xff]/gu, '?').replace(most < 0xff ? /[^\0-\x7f]/g : /$^/, '?');

const utf: Charset = { name: 'UNICODE UTF-8', decode: utf8, encode: (text) => Buffer.from(text) };
const latin1: Charset = {
  name: '8859/1',
  decode: (bytes) => bytes.toString('latin1'),
  encode: (text) => Buffer.from(narrow(text, 0xff), 'latin1'),
};
const latin9: Charset = {
  name: '8859/15',
  decode: (bytes) => new TextDecoder('iso-8859-15').decode(bytes),
  encode: (text) => Buffer.from(narrow(text, 0x7f), 'latin1'),
};
const ascii: Charset = { name: '', decode: utf8, encode: (text) => Buffer.from(narrow(text, 0x7f), 'latin1') };

const charsets: Readonly<Record<string, Charset>> = {
  '': ascii,
  ASCII: { ...ascii, name: 'ASCII' },
  '8859/1': latin1,
  '8859-1': latin1,
  '8859/15': latin9,
  '8859-15': latin9,
  'UTF-8': utf,
  UTF8: utf,
};

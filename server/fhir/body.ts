import type { IncomingMessage } from 'node:http';
import { refuse } from '../domain/error.ts';
import { refuseCoding } from './content-coding.ts';
import { type Json, JsonRejected, parseJson, withoutValueless } from './json.ts';
import { type Alone, type FhirLimits, longestAlone } from './limits.ts';
import { formatSent } from './media-type.ts';
import { readXml } from './xml/read.ts';

/** Bytes of a body: of attachments, decoded, all together; and of everything else. */
export type BodyLimits = Pick<FhirLimits, 'attachmentBytes' | 'textBytes'>;

/**
 * Reads a body in JSON or XML into the JSON form. Nothing is read on once a limit is passed. Who pauses for longer than `patience`
 * milliseconds loses the connection.
 * @param alone what it brings, where that has a limit of its own
 * @throws Refused contentCodingUnsupported, mediaTypeUnsupported, messageTooLarge, bodyTruncated, notUtf8, notJson, and as `readXml`
 */
export async function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  alone?: Alone,
  patience = 10_000,
): Promise<Json> {
  refuseCoding(request);
  const type = request.headers['content-type'] ?? '';
  const format = formatSent(type) ?? refuse('mediaTypeUnsupported', { value: type });
  const most =
    alone === undefined ? limits.textBytes + Math.ceil((limits.attachmentBytes * 4) / 3) : longestAlone[alone];
  if (Number(request.headers['content-length'] ?? 0) > most) tooLarge(limits, alone);
  const isWithin = alone !== undefined ? counter(most) : format === 'json' ? meter(limits) : xmlMeter(limits);
  const chunks: Buffer[] = [];
  const late = setTimeout(() => request.destroy(), patience);
  let passed = false;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      late.refresh();
      passed = !isWithin(chunk);
      if (passed) break;
      chunks.push(chunk);
    }
  } catch {
    refuse('bodyTruncated');
  } finally {
    clearTimeout(late);
  }
  if (passed) tooLarge(limits, alone);
  const bytes = Buffer.concat(chunks);
  if (format === 'xml') return withoutValueless(await readXml(bytes));
  const sent = jsonOf(bytes);
  return bytes.includes('null') ? withoutValueless(sent) : sent;
}

function counter(most: number): (chunk: Buffer) => boolean {
  let size = 0;
  return ({ length }) => {
    size += length;
    return size <= most;
  };
}

/** @throws Refused messageTooLarge */
export function tooLargeAlone(alone: Alone): never {
  refuse('messageTooLarge', { detail: `${alone} alone may have ${longestAlone[alone]} bytes` });
}

function tooLarge({ attachmentBytes, textBytes }: BodyLimits, alone: Alone | undefined): never {
  if (alone !== undefined) tooLargeAlone(alone);
  refuse('messageTooLarge', {
    detail: `more than ${attachmentBytes} bytes of attachments, or ${textBytes} besides`,
  });
}

/** The JSON of a whole body. RFC 8259 §8.1. @throws Refused notUtf8, notJson */
export function jsonOf(bytes: Buffer): Json {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    refuse('notUtf8');
  }
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonRejected) refuse('notJson', { detail: error.message });
    throw error;
  }
}

/** Strings longer than this are attachments. */
const longText = 16 * 1024;

/** Whether the bytes seen so far keep the limits: strings are told from the rest as they come. */
export function meter({ attachmentBytes, textBytes }: BodyLimits): (chunk: Buffer) => boolean {
  let inString = false;
  let escaped = false;
  let length = 0;
  let attachments = 0;
  let rest = 0;
  const ended = () => {
    if (length > longText) attachments += length;
    else rest += length;
    length = 0;
    inString = false;
  };
  return (chunk) => {
    let at = 0;
    // The next quotation mark, looked for once; -1 where there is none.
    let quote = Number.NEGATIVE_INFINITY;
    if (escaped && chunk.length > 0) {
      escaped = false;
      length++;
      at = 1;
    }
    while (at < chunk.length) {
      if (quote !== -1 && quote < at) quote = chunk.indexOf(0x22, at);
      const end = quote < 0 ? chunk.length : quote;
      if (!inString) {
        rest += end - at + 1;
        inString = quote >= 0;
        at = end + 1;
        continue;
      }
      const backslash = chunk.subarray(at, end).indexOf(0x5c);
      if (backslash >= 0) {
        length += backslash + 2;
        at += backslash + 2;
        escaped = at > chunk.length;
        continue;
      }
      length += end - at;
      at = end + 1;
      if (quote >= 0) ended();
    }
    const open = length > longText ? length : 0;
    return rest <= textBytes && ((attachments + open) * 3) / 4 <= attachmentBytes;
  };
}

/** The same for XML: a long run that a quotation mark begins, without markup in it, is an attachment. */
export function xmlMeter({ attachmentBytes, textBytes }: BodyLimits): (chunk: Buffer) => boolean {
  let run = 0;
  let isQuoted = false;
  let attachments = 0;
  let rest = 0;
  return (chunk) => {
    // An iterator over the bytes takes ten times as long.
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      run++;
      if (byte !== QUOTE && byte !== APOSTROPHE && byte !== LESS && byte !== GREATER) continue;
      if (isQuoted && run > longText) attachments += run;
      else rest += run;
      run = 0;
      isQuoted = byte === QUOTE || byte === APOSTROPHE;
    }
    const isOpen = isQuoted && run > longText;
    const [open, text] = isOpen ? [run, 0] : [0, run];
    return rest + text <= textBytes && ((attachments + open) * 3) / 4 <= attachmentBytes;
  };
}

const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const LESS = 0x3c;
const GREATER = 0x3e;

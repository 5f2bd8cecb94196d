import type { Problem } from '../domain/error.ts';
import { dtmOf } from '../domain/time.ts';
import { ackCodeOf, conditionOf, type Location, locationOf, textOf } from './errors.ts';
import type { Header } from './header.ts';
import { escapedText } from './message.ts';

/** What became of a message. `notes` tell of an accepted one what it did not do. */
export type Result = { readonly problems: readonly Problem[] } | { readonly notes: readonly string[] };

export type AckFacts = {
  /** Of the message that is answered; absent when it could not be read. */
  readonly header: Header | undefined;
  readonly controlId: string;
  readonly at: number;
};

/**
 * Writes the acknowledgement of a message in original mode: MSH with sender and receiver exchanged, MSA, and an ERR for each problem with
 * place, condition, severity and what to mend. ERR-1 is written for receivers before version 2.5. HL7 v2.5 chapters 2.9.2, 2.15.5, 2.15.8.
 */
export function writeAcknowledgement(result: Result, { header, controlId, at }: AckFacts): string {
  const version = header === undefined || header.version === '' ? '2.5' : header.version;
  const code = 'problems' in result ? ackCodeOf(result.problems) : 'AA';
  const entries: Entry[] =
    'problems' in result
      ? result.problems.map((problem) => ({
          ...conditionOf(problem.name),
          severity: 'E',
          place: locationOf(problem),
          name: problem.name,
          words: textOf(problem),
        }))
      : result.notes.map((words) => ({ code: '0', text: 'Message accepted', severity: 'W', words }));
  const first = entries[0]?.words ?? '';
  return [
    segment('MSH', [
      '^~\\&',
      escapedText(header?.receivingApplication ?? ''),
      escapedText(header?.receivingFacility ?? ''),
      escapedText(header?.application[0] ?? ''),
      escapedText(header?.facility[0] ?? ''),
      `${dtmOf(at)}+0000`,
      '',
      ['ACK', header?.event ?? '', 'ACK'].map(escapedText).join('^'),
      controlId,
      escapedText(header?.processing ?? 'P'),
      escapedText(version),
      '',
      '',
      '',
      '',
      '',
      escapedText(header?.charset ?? ''),
    ]),
    segment('MSA', [code, escapedText(header?.controlId ?? ''), escapedText(first.slice(0, 200))]),
    ...entries.map((entry) => writeEntry(entry, version)),
    '',
  ].join('\r');
}

type Entry = {
  readonly code: string;
  readonly text: string;
  readonly severity: 'E' | 'W';
  readonly words: string;
  readonly place?: Location | undefined;
  readonly name?: string;
};

function writeEntry({ code, text, severity, words, place, name }: Entry, version: string): string {
  const at = place && [place.segment, place.occurrence, place.field ?? ''].join('^');
  const condition = `${code}^${text}^HL70357`;
  const old = /^2\.[1-4]/.test(version) ? `${at ?? '^^'}^${condition.replaceAll('^', '&')}` : '';
  const exact =
    place === undefined
      ? ''
      : trimmed(
          [
            place.segment,
            place.occurrence,
            place.field ?? '',
            place.field === undefined ? '' : 1,
            place.component ?? '',
          ].join('^'),
          '^',
        );
  const application = name === undefined ? '' : `${name}^^L`;
  return segment('ERR', [old, exact, condition, severity, application, '', '', escapedText(words)]);
}

function segment(name: string, fields: readonly string[]): string {
  return trimmed([name, ...fields].join('|'), '|');
}

function trimmed(text: string, delimiter: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === delimiter) end--;
  return text.slice(0, end);
}

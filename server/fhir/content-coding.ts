import type { IncomingMessage } from 'node:http';
import { refuse } from '../domain/error.ts';

/** Bodies come as they are. RFC 9110 §8.4, §15.5.16. @throws Refused contentCodingUnsupported */
export function refuseCoding({ headers }: Pick<IncomingMessage, 'headers'>): void {
  const coding = headers['content-encoding']?.trim() ?? '';
  if (coding !== '' && coding.toLowerCase() !== 'identity') refuse('contentCodingUnsupported', { value: coding });
}

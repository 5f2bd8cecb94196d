import type { Span } from '../blobs/port.ts';

/**
 * The one span of bytes that a Range header asks for, out of `size`. Undefined where the whole is answered: no header, another unit, several
 * ranges, or one that is malformed. RFC 9110 §14.1.2, §14.2.
 */
export function rangeOf(header: string, size: number): Span | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] =
    /^bytes\s{0,8}=\s{0,8}(\d{0,15})\s{0,8}-\s{0,8}(\d{0,15})$/i.exec(header.trim()) ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { from: size - length, to: size };
  }
  const from = Number(first);
  if (last !== '' && Number(last) < from) return undefined;
  if (from >= size) return 'unsatisfiable';
  return { from, to: last === '' ? size : Math.min(Number(last) + 1, size) };
}

/** Whether a list of entity tags names this one; weakly, as for reads. RFC 9110 §13.1.2. */
export function namesTag(header: string, etag: string): boolean {
  const bare = (tag: string) => tag.trim().replace(/^W\//, '');
  return header === '*' || header.split(',').some((tag) => bare(tag) === bare(etag) && bare(tag) !== '');
}

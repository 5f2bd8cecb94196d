import { randomFillSync } from 'node:crypto';

/**
 * Makes UUIDs of version 7: lower case, without prefix, each greater than the one before from the same maker. Random bits come from a pool
 * that is used once. RFC 9562 §5.7.
 */
export function uuidMaker(now: () => number): () => string {
  const pool = Buffer.alloc(4096);
  let used = pool.length;
  let last = 0;
  let counter = 0;
  return () => {
    if (used + 10 > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const time = Math.max(now(), last);
    counter = time === last ? counter + 1 : pool.readUInt16BE(used) & 0x3ff;
    last = counter > 0xfff ? time + 1 : time;
    if (counter > 0xfff) counter = 0;
    const stamp = last.toString(16).padStart(12, '0');
    const variant = (0x80 | (pool.readUInt8(used + 2) & 0x3f)).toString(16);
    const node = variant + pool.toString('hex', used + 3, used + 10);
    used += 10;
    return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${node.slice(0, 4)}-${node.slice(4)}`;
  };
}

import { expect, test } from '@jest/globals';
import { receiveAll } from '../../server/fhir/provide.ts';
import { openWorld } from '../support/world.ts';

test('of documents that cannot all be taken in none stays', async () => {
  const { tools } = await openWorld();
  let discarded = 0;
  const blobs: typeof tools.blobs = {
    ...tools.blobs,
    receiveBytes: (bytes) => ({
      ...tools.blobs.receiveBytes(bytes),
      discard: async () => {
        discarded += 1;
      },
    }),
    receive: async () => Promise.reject(new Error('no room')),
  };
  const large = Buffer.alloc(100_000).toString('base64');
  const sent = [
    { id: 'a', text: '<a/>' },
    { id: 'b', base64: 'PGIvPg==' },
    { id: 'c', base64: large },
  ];
  await expect(receiveAll({ ...tools, blobs }, sent)).rejects.toThrow('no room');
  expect(discarded).toBe(2);
});

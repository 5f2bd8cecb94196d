import { once } from 'node:events';
import type { Bundle } from 'fhir/r4.js';
import { WebSocket } from 'ws';
import { saidBy } from '../fhir/subscription-door.ts';

/** A client's end: its messages one after the other, and how it was closed. */
export async function openSocket(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/fhir/ws`);
  const got: Bundle[] = [];
  const waiting: ((bundle: Bundle) => void)[] = [];
  socket.on('message', (data) => {
    const bundle = JSON.parse((data as Buffer).toString()) as Bundle;
    const waiter = waiting.shift();
    if (waiter === undefined) got.push(bundle);
    else waiter(bundle);
  });
  const closed = once(socket, 'close') as Promise<[number, Buffer]>;
  await once(socket, 'open');
  return {
    socket,
    closed,
    bind: (token: string) => socket.send(`bind-with-token ${token}`),
    next: async () => {
      const one = got.shift();
      return saidBy({ bundle: one ?? (await new Promise<Bundle>((resolve) => waiting.push(resolve))) });
    },
    left: () => got.length,
  };
}

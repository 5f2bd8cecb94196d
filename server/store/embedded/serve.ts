import { performance } from 'node:perf_hooks';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { PlainSet } from './encode.ts';
import type { Answer, GroupWriter } from './writer.ts';

/** What a web thread asks of the writer. Only the port that opened the writer closes it. */
export type ToWriter =
  | { readonly ask: 'commit'; readonly sets: readonly { readonly id: number; readonly set: PlainSet }[] }
  | { readonly ask: 'port'; readonly port: MessagePort }
  | { readonly ask: 'close' };

export type FromWriter =
  | { readonly tell: 'answers'; readonly answers: readonly { readonly id: number; readonly answer: Reply }[] }
  | { readonly tell: 'closed' };

/** `busy`: too many waited, nothing was tried. `stopped`: the writer closed or failed; nothing of the set is promised. */
export type Reply = Answer | { readonly refused: 'busy' | 'stopped'; readonly why: string };

type Waiting = { readonly id: number; readonly set: PlainSet; readonly port: MessagePort };

/** Under load groups begin at most this often, in milliseconds: it is wake-ups that cost. After a lone change set nothing waits, */
const pace = 5;
/** nor do so many change sets. */
const enough = 12;

/** Serves ports until told to close: a group is whatever arrived while the group before it was written. `held` keeps the process alive. */
export function serve(
  writer: GroupWriter,
  first: MessagePort,
  { maxWaiting, held }: { readonly maxWaiting: number; readonly held: boolean },
): void {
  const ports = new Set<MessagePort>();
  let queue: Waiting[] = [];
  let running = false;
  let timer: NodeJS.Timeout | undefined;
  let begun = -pace;
  let lone = true;
  let closing = false;
  let failure: string | undefined;

  function listen(port: MessagePort): void {
    ports.add(port);
    port.on('message', (message: ToWriter) => {
      receive(port, message);
      drain();
      schedule();
    });
    port.on('close', () => ports.delete(port));
    if (!held) port.unref();
  }

  function drain(): void {
    for (const port of ports)
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
        receive(port, next.message as ToWriter);
  }

  function receive(port: MessagePort, message: ToWriter): void {
    if (message.ask === 'port') listen(message.port);
    else if (message.ask === 'close') closing = true;
    else {
      const stopped = failure ?? (closing ? 'The store is closed' : undefined);
      const refused = message.sets.slice(stopped === undefined ? Math.max(0, maxWaiting - queue.length) : 0);
      for (const { id, set } of message.sets.slice(0, message.sets.length - refused.length))
        queue.push({ id, set, port });
      const reply: Reply =
        stopped === undefined
          ? { refused: 'busy', why: 'Too many change sets wait' }
          : { refused: 'stopped', why: stopped };
      answer(
        port,
        refused.map(({ id }) => ({ id, answer: reply })),
      );
    }
  }

  function schedule(): void {
    if (running) return;
    if (queue.length === 0) {
      if (closing && timer === undefined) void close();
      return;
    }
    const wait = closing || lone || queue.length >= enough ? 0 : begun + pace - performance.now();
    if (wait <= 0) {
      clearTimeout(timer);
      timer = undefined;
      void run();
    } else
      timer ??= setTimeout(() => {
        timer = undefined;
        drain();
        void run();
      }, wait);
  }

  async function run(): Promise<void> {
    running = true;
    begun = performance.now();
    const group = queue;
    queue = [];
    lone = group.length === 1;
    const answers = await answersOf(group);
    for (const port of ports)
      answer(
        port,
        group.flatMap((w, i) => (w.port === port ? [{ id: w.id, answer: answers[i] ?? lost }] : [])),
      );
    running = false;
    drain();
    schedule();
  }

  async function answersOf(group: readonly Waiting[]): Promise<readonly Reply[]> {
    if (failure === undefined)
      try {
        return await writer.commit(group.map(({ set }) => set));
      } catch (error) {
        failure = `The writer failed: ${String(error)}`;
      }
    const why = failure;
    return group.map(() => ({ refused: 'stopped', why }));
  }

  async function close(): Promise<void> {
    running = true;
    await writer.close().catch((error: unknown) => (failure = String(error)));
    first.postMessage({ tell: 'closed' } satisfies FromWriter);
    for (const port of ports) port.close();
  }

  function answer(port: MessagePort, answers: Extract<FromWriter, { tell: 'answers' }>['answers']): void {
    if (answers.length > 0) port.postMessage({ tell: 'answers', answers } satisfies FromWriter);
  }

  listen(first);
}

const lost: Reply = { refused: 'stopped', why: 'The writer gave no answer' };

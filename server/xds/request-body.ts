import type { IncomingMessage } from 'node:http';
import { refuse } from '../domain/error.ts';

/** Bytes of one message; how long a sender may pause and how slow it may be. Times in milliseconds. */
export type BodyLimits = {
  readonly messageBytes: number;
  readonly pause: number;
  /** Bytes per second, of which the first `grace` may be short. */
  readonly slowest: number;
  readonly grace: number;
};

/** The body of a request, taken piece by piece: nothing is read that nobody asked for. */
export class RequestBody {
  readonly #request: IncomingMessage;
  readonly #limits: BodyLimits;
  readonly #started = performance.now();
  readonly #arrived: Buffer[] = [];
  #received = 0;
  /** Whether the sender waits to be told to go on, which the first read does. RFC 9110 §10.1.1. */
  #held: boolean;
  #ended = false;
  #gone = false;
  #wake: ((late?: 'late') => void) | undefined;

  constructor(request: IncomingMessage, limits: BodyLimits) {
    this.#request = request;
    this.#limits = limits;
    this.#held = request.headers.expect !== undefined;
    request.pause();
    request.on('data', (chunk: Buffer) => {
      this.#arrived.push(chunk);
      request.pause();
      this.#wake?.();
    });
    request.on('end', () => {
      this.#ended = true;
      this.#wake?.();
    });
    const gone = () => {
      this.#gone = true;
      this.#wake?.();
    };
    request.on('error', gone);
    request.on('close', gone);
  }

  /** Whether everything was taken. */
  get ended(): boolean {
    return this.#ended && this.#arrived.length === 0;
  }

  /**
   * The next piece; undefined behind the last.
   * @throws Refused bodyTruncated when the sender is gone, pauses for too long or is too slow; messageTooLarge
   */
  readonly pull = async (): Promise<Buffer | undefined> => {
    this.#held = false;
    const chunk = await this.#next();
    if (chunk === undefined) return undefined;
    this.#received += chunk.length;
    const { messageBytes } = this.#limits;
    if (this.#received > messageBytes) refuse('messageTooLarge', { detail: `more than ${messageBytes} bytes` });
    return chunk;
  };

  /**
   * Looks at the length that the request promises, before anything is read.
   * @throws Refused messageTooLarge
   */
  checkPromised(): void {
    const promised = Number(this.#request.headers['content-length'] ?? 0);
    const { messageBytes } = this.#limits;
    if (promised > messageBytes) refuse('messageTooLarge', { detail: `more than ${messageBytes} bytes` });
  }

  /**
   * Takes and forgets the rest, `bytes` at most and for `time` milliseconds at most. Answers whether the end was reached. A body that
   * nobody asked for yet stays where it is.
   */
  async skip(bytes: number, time: number): Promise<boolean> {
    if (this.#held) return false;
    const until = performance.now() + time;
    let left = bytes;
    while (left > 0 && !this.ended && !this.#gone && performance.now() < until) {
      const chunk = await this.#next(until - performance.now()).catch(() => undefined);
      if (chunk === undefined) break;
      left -= chunk.length;
    }
    return this.ended;
  }

  /** Until when what was received is enough, in milliseconds from now. */
  #enough(): number {
    const { slowest, grace } = this.#limits;
    return this.#started + Math.max(grace, (this.#received / slowest) * 1000) - performance.now();
  }

  /** The next piece, waited for as long as the limits allow, or for `most` milliseconds. */
  async #next(most?: number): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#arrived.shift();
      if (chunk !== undefined) return chunk;
      if (this.#ended) return undefined;
      if (this.#gone) refuse('bodyTruncated', {}, 'the connection was closed');
      const { pause } = this.#limits;
      const patience = most ?? Math.min(pause, this.#enough());
      if (patience <= 0 || (await this.#something(patience)) === 'late')
        refuse('bodyTruncated', {}, patience < pause ? 'sent too slowly' : 'the sender paused for too long');
    }
  }

  async #something(patience: number): Promise<'late' | undefined> {
    const arrival = new Promise<'late' | undefined>((resolve) => {
      this.#wake = resolve;
    });
    const timer = setTimeout(() => this.#wake?.('late'), patience);
    this.#request.resume();
    const late = await arrival;
    clearTimeout(timer);
    this.#wake = undefined;
    return late;
  }
}

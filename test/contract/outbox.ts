import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Job, Outbox } from '../../server/store/port.ts';
import type { Subject } from './store.ts';

const answer = (to: string): Job => ({
  kind: 'deliverAnswer',
  to,
  contentType: 'application/soap+xml',
  size: 3,
  content: { file: `file-${to}`, length: 90 },
  key: { name: 'answer', wrapped: 'AAAA' },
});

/** What every store promises of the jobs that wait. */
export function outboxContract(name: string, open: () => Promise<Subject>): void {
  describe(`the outbox of ${name}`, () => {
    let subject: Subject;
    let outbox: Outbox;
    beforeAll(async () => {
      subject = await open();
      ({ outbox } = subject.store);
    });
    afterAll(() => subject.dispose());
    const due = async (now: number, limit = 10) =>
      (await outbox.due(['deliverAnswer'], now, limit)).map(({ job }) => 'to' in job && job.to);

    test('gives what is due, oldest first and as it was put, and no more than asked for', async () => {
      for (const [to, at] of [
        ['a', 10],
        ['b', 5],
        ['c', 20],
      ] as const)
        await outbox.add(answer(to), at);
      expect(await outbox.due(['deliverAnswer'], 15, 1)).toEqual([
        { number: expect.any(Number), job: answer('a'), queuedAt: 10, attempts: 0 },
      ]);
      expect(await due(15)).toEqual(['a', 'b']);
      expect(await outbox.nextDue(['deliverAnswer'], 15)).toBe(20);
      expect(await outbox.nextDue(['deliverAnswer'], 20)).toBeUndefined();
      expect(await outbox.waiting('deliverAnswer')).toBe(3);
    });

    test('leaves kinds alone that nobody asks for', async () => {
      expect(await outbox.due(['notifyPatient'], 100, 10)).toEqual([]);
      expect(await outbox.waiting('notifyPatient')).toBe(0);
    });

    test('what is put off waits and counts its attempts', async () => {
      const [first] = await outbox.due(['deliverAnswer'], 15, 1);
      await outbox.putOff(first?.number ?? 0, 50);
      expect(await due(30)).toEqual(['b', 'c']);
      expect(await outbox.due(['deliverAnswer'], 50, 1)).toEqual([{ ...first, attempts: 1 }]);
    });

    test('what is removed is gone, its file is no longer named and its number is not given again', async () => {
      expect(await outbox.isNamed('file-c')).toBe(true);
      const last = (await outbox.due(['deliverAnswer'], 100, 10)).at(-1);
      await outbox.remove(last?.number ?? 0);
      expect(await due(100)).toEqual(['a', 'b']);
      expect(await outbox.isNamed('file-c')).toBe(false);
      await outbox.add(answer('d'), 60);
      expect((await outbox.due(['deliverAnswer'], 100, 10)).at(-1)?.number).toBeGreaterThan(last?.number ?? 0);
    });
  });
}

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Consent, ConsentStatement } from '../../server/domain/consent.ts';
import type { Permit } from '../../server/domain/decision.ts';
import type { Row, Store } from '../../server/store/port.ts';
import { consentOf } from '../support/permits.ts';
import { event, first, permitOn, put, type Subject, second, seed } from './store.ts';

const block = (id: string): ConsentStatement => ({ kind: 'block', actor: { kind: 'professional', id } });
const one = consentOf(first, 'one', { kind: 'maskedInEmergency' });
const form: Consent[] = [
  { ...consentOf(first, 'root', { kind: 'opening' }), group: 'form' },
  { ...consentOf(first, 'nested', block('899970000009')), group: 'form' },
];
const ended = (consent: Consent): Consent => ({ ...consent, status: 'inactive', version: consent.version + 1 });

/** What the port promises of consents and their versions. */
export function consentContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name} keeps consents with their versions`, () => {
    let subject: Subject;
    let store: Store;
    let holder: Permit;
    const commit = async (at: number, ...rows: readonly Row[]) =>
      store.write.commit(await permitOn(store, 'holder', { action: 'changeConsent' }), {
        ...put(...rows),
        events: [event({ at, record: first })],
      });
    const row = (consent: Consent, text?: string): Row => ({
      kind: 'consent',
      consent,
      ...(text !== undefined && { form: text }),
    });
    const named = async (id: string) => (await store.read.consents(holder)).find((found) => found.id === id);

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      await seed(store);
      holder = await permitOn(store, 'holder', { action: 'readConsents' });
    });
    afterEach(() => subject.dispose());

    test('every change is a version, and the older ones stay', async () => {
      await commit(10, row(one));
      await commit(20, row(ended(one)));
      const versions = await store.read.consentVersions(holder, 'one');
      expect(versions).toMatchObject([
        { id: 'one', record: first, version: 2, at: 20, consents: [ended(one)] },
        { id: 'one', record: first, version: 1, at: 10, consents: [one] },
      ]);
      expect(await named('one')).toEqual(versions[0]);
    });

    test('what is stated in one form is one, and its text stays until another is given', async () => {
      const [root, nested] = form as [Consent, Consent];
      await commit(10, row(root, 'first text'), row(nested));
      await commit(20, row(ended(nested)));
      await commit(30, row(root), row(nested, 'second text'));
      expect(await store.read.consentVersions(holder, 'form')).toMatchObject([
        { version: 3, form: 'second text', consents: [root, nested] },
        { version: 2, form: 'first text', consents: [root, ended(nested)] },
        { version: 1, form: 'first text', consents: [root, nested] },
      ]);
      expect(await store.read.consentVersions(holder, 'nested')).toEqual([]);
      expect(await named('one')).toBeUndefined();
    });

    test('the one changed last comes first, with a higher position', async () => {
      await commit(10, row(one));
      await commit(20, ...form.map((consent) => row(consent)));
      await commit(30, row(ended(one)));
      const [last, before] = await store.read.consents(holder);
      expect([last?.id, before?.id]).toEqual(['one', 'form']);
      expect(last?.position).toBeGreaterThan(before?.position ?? 0);
    });

    test('the record of a group is found, and no other permit reads it', async () => {
      await commit(10, ...form.map((consent) => row(consent)));
      expect((await store.facts.recordOfConsent('form'))?.record.id).toBe(first);
      expect(await store.facts.recordOfConsent('nested')).toBeUndefined();
      const other = await permitOn(store, 'ourselves', { record: second });
      expect(await store.read.consentVersions(other, 'form')).toEqual([]);
      expect((await store.read.consents(other)).map(({ record }) => record)).not.toContain(first);
    });

    test('a group is of one record', async () => {
      await commit(10, ...form.map((consent) => row(consent)));
      const foreign: Consent = { ...consentOf(second, 'foreign', { kind: 'maskedInEmergency' }), group: 'form' };
      const theirs = await permitOn(store, 'ourselves', { record: second });
      await expect(store.write.commit(theirs, put(row(foreign)))).rejects.toThrow("not of the permit's record");
    });
  });
}

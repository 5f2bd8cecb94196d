import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { HolderFilter } from '../../server/domain/demographics.ts';
import type { PatientRecord, Traits } from '../../server/domain/record.ts';
import type { Row, Store } from '../../server/store/port.ts';
import { consentOf, permitFor, permitToSearch, recordOf } from '../support/permits.ts';
import { document, submissionSet } from '../support/registry.ts';
import { documentRow, event, nobody, permitOn, put, type Subject } from './store.ts';

const ids = {
  anne: '0192aaaa-0000-7000-8000-0000000000a1',
  eloise: '0192aaaa-0000-7000-8000-0000000000a2',
  jean: '0192aaaa-0000-7000-8000-0000000000a3',
  old: '0192aaaa-0000-7000-8000-0000000000a4',
} as const;

const traits: Record<keyof typeof ids, Traits> = {
  anne: { family: 'LAURENT', given: 'ANNE', gender: 'female', birthDate: '1979-03-03', usedFamily: 'DE LA-TOUR' },
  eloise: { family: 'LAURENTIÉ', given: 'ELOISE', givenNames: 'ELOISE MARIE', gender: 'female', birthDate: '1979-11' },
  jean: { family: "L'HERMITE", given: 'JEAN-PIERRE', gender: 'male', birthDate: '1950-12-31' },
  old: { family: 'NON RENSEIGNE', given: 'NON RENSEIGNE', gender: 'unknown', birthDate: '' },
};

/** What the port promises of holders found by their traits, and of records that hold nothing. */
export function holderContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name} finds holders`, () => {
    let subject: Subject;
    let store: Store;
    const recordNamed = (who: keyof typeof ids): PatientRecord => ({
      ...recordOf(ids[who], `${who}-1`),
      traits: traits[who],
    });
    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      for (const who of ['anne', 'eloise', 'jean', 'old'] as const)
        await store.write.commit(
          permitFor(undefined, 'stranger', { action: 'createRecord' }),
          put({ kind: 'record', record: recordNamed(who) }),
        );
    });
    afterEach(() => subject.dispose());

    const find = async (filter: HolderFilter, limit = 10) => {
      const found = await store.read.recordsOfHolders(permitToSearch(), filter, limit);
      return found.map(({ record }) => Object.entries(ids).find(([, id]) => id === record)?.[0]).sort();
    };

    test.each<[string, HolderFilter, string[]]>([
      ['the beginning of a family', { families: ['LAURENT'] }, ['anne', 'eloise']],
      ['another one', { families: ['LAURENTI'] }, ['eloise']],
      ['one of several', { families: ['LAURENTI', 'L HER'] }, ['eloise', 'jean']],
      ['the family in use', { families: ['DE LA T'] }, ['anne']],
      ['not what stands within', { families: ['TOUR'] }, []],
      ['a given name', { families: ['L'], givens: ['JEAN P'] }, ['jean']],
      ['a further given name', { families: ['L'], givens: ['MAR'] }, ['eloise']],
      ['not what stands within one', { families: ['L'], givens: ['PIERRE'] }, []],
      ['a day of birth', { born: { from: '1979-03-03', to: '1979-03-04' } }, ['anne']],
      ['a year of birth', { born: { from: '1979-01-01', to: '1980-01-01' } }, ['anne', 'eloise']],
      ['before a day, without those of no date', { born: { to: '1951-01-01' } }, ['jean']],
      ['the last day alone', { born: { from: '1950-12-31', to: '1951-01-01' } }, ['jean']],
      ['not on the day before', { born: { from: '1950-12-30', to: '1950-12-31' } }, []],
      ['since a day', { born: { from: '1979-03-04' } }, ['eloise']],
      ['family and day', { families: ['LAURENT'], born: { from: '1979-03-03', to: '1979-03-04' } }, ['anne']],
      [
        'family and years',
        { families: ['LAURENT'], born: { from: '1900-01-01', to: '1979-11-02' } },
        ['anne', 'eloise'],
      ],
      ['a gender', { families: ['LAURENT', 'L HER'], genders: ['male', 'unknown'] }, ['jean']],
      ['everyone', {}, ['anne', 'eloise', 'jean', 'old']],
    ])('by %s', async (_, filter, who) => {
      expect(await find(filter)).toEqual(who);
    });

    test('so many at most, each once, in the order of their positions', async () => {
      expect(await find({ families: ['L'] }, 2)).toHaveLength(2);
      const found = await store.read.recordsOfHolders(permitToSearch(), {}, 10);
      expect(found.toSorted((a, b) => a.position - b.position).map(({ record }) => record)).toEqual(Object.values(ids));
    });

    test('as they are now: renamed, merged, destroyed', async () => {
      const change = async (who: keyof typeof ids, changes: Partial<PatientRecord>) => {
        const facts = await store.facts.recordById(ids[who]);
        const record = { ...recordNamed(who), ...changes, version: (facts?.record.version ?? 1) + 1 };
        const permit = permitFor(facts, 'feeder', { action: 'feedIdentities' });
        expect(await store.write.commit(permit, put({ kind: 'record', record }))).toMatchObject({ done: true });
      };
      await change('anne', { traits: { ...traits.anne, family: 'MARTIN' } });
      expect(await find({ families: ['LAURENT'] })).toEqual(['eloise']);
      expect(await find({ families: ['MARTIN'] })).toEqual(['anne']);
      await change('eloise', { state: 'destroyed' });
      expect(await find({ families: ['LAURENT'] })).toEqual([]);
      const survivor = permitFor(await store.facts.recordById(ids.anne), 'feeder', { action: 'feedIdentities' });
      const subsumed = {
        ...recordNamed('jean'),
        version: 2,
        state: 'merged' as const,
        mergedInto: ids.anne,
        identifiers: [],
      };
      const patientId = { id: 'anne-1', authority: { oid: '1.2.250.1.213.1.4.10' } };
      await store.write.commit(survivor, put({ kind: 'merge', subsumed, patientId }));
      expect(await find({ families: ['L'] })).toEqual([]);
    });

    test('with no other permit', async () => {
      const other = await permitOn(store, 'holder', { record: ids.anne }).catch(() => undefined);
      const feeding = permitFor(undefined, 'feeder', { action: 'feedIdentities' });
      for (const permit of [other, feeding].filter((p) => p !== undefined))
        await expect(store.read.recordsOfHolders(permit, {}, 10)).rejects.toThrow('permit to search patients');
    });

    test('a record tells when it or its consents changed last', async () => {
      const permit = async () =>
        permitFor(await store.facts.recordById(ids.anne), 'feeder', { action: 'feedIdentities' });
      const changedAt = async () => (await store.facts.recordById(ids.anne))?.record.changedAt;
      const record = { ...recordNamed('anne'), version: 2 };
      await store.write.commit(await permit(), { ...put({ kind: 'record', record }), events: [event({ at: 5000 })] });
      expect(await changedAt()).toBe(5000);
      const consent = consentOf(ids.anne, 'c-1', { kind: 'opening' });
      await store.write.commit(await permit(), { ...put({ kind: 'consent', consent }), events: [event({ at: 6000 })] });
      expect(await changedAt()).toBe(6000);
      await store.write.commit(await permit(), { ...put(documentRow(document(1))), events: [event({ at: 7000 })] });
      expect(await changedAt()).toBe(6000);
    });

    test('an authority is known once it named somebody', async () => {
      expect(await store.facts.isAuthority('1.2.250.1.213.1.4.10')).toBe(true);
      expect(await store.facts.isAuthority('1.2.3')).toBe(false);
    });

    test.each<[string, Row | undefined]>([
      ['nothing', undefined],
      ['a document', documentRow(document(1))],
      ['a consent', { kind: 'consent', consent: consentOf(ids.anne, 'c-1', { kind: 'opening' }) }],
      ['a submission set', { kind: 'submissionSet', set: submissionSet(2), owners: nobody }],
    ])('a record that holds %s is empty or not', async (_, row) => {
      const permit = permitFor(await store.facts.recordById(ids.anne), 'feeder', { action: 'feedIdentities' });
      if (row !== undefined) await store.write.commit(permit, put(row));
      expect(await store.read.isEmpty(permit)).toBe(row === undefined);
      const outcome = await store.write.commit(permit, { ...put(), expect: [{ empty: ids.anne }] });
      expect(outcome).toMatchObject(
        row === undefined ? { done: true } : { done: false, conflicts: [{ empty: ids.anne }] },
      );
    });
  });
}

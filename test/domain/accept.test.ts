import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AcceptFacts, accept } from '../../server/domain/accept.ts';
import type { Association, AvailabilityStatus } from '../../server/domain/document.ts';
import { document } from '../support/registry.ts';
import { type Changes, factsWith, submissionWith } from '../support/submission.ts';

const old = 'urn:uuid:11111111-1111-4111-8111-111111111111';
const addendum = 'urn:uuid:22222222-2222-4222-8222-222222222222';
const folder = 'urn:uuid:33333333-3333-4333-8333-333333333333';
const given = 'urn:uuid:44444444-4444-4444-8444-4444444444aa';
const now = Date.parse('2026-11-24T11:20:46.789Z');

function factsFor(changes: Changes = {}, others: Readonly<Record<string, AvailabilityStatus>> = {}): AcceptFacts {
  let ids = 0;
  const { associations, ...facts } = factsWith(changes);
  const known = Object.entries(others).map(
    ([entryUUID, status]) =>
      [entryUUID, { entry: document(1, { entryUUID, status }), own: false, latest: true }] as const,
  );
  return {
    ...facts,
    around: {
      associations,
      folders: facts.folders,
      documents: new Map([...known, ...[...facts.targets].map(([id, t]) => [id, { ...t, latest: true }] as const)]),
    },
    repositoryUniqueId: '1.2.250.1.213.4.1.1.1.2',
    now,
    newId: () => `id-${++ids}`,
  };
}

const registered = (type: Association['type'], source: string, target: string): Association => ({
  entryUUID: `urn:uuid:${type}`,
  type,
  source,
  target,
  status: 'approved',
  extra: [],
});

const related = (type: string, target: string) => ({
  'associations/1': { id: 'a2', type, source: 'doc1', target, extra: [] },
});

describe('names', () => {
  test('a symbolic id becomes the same new UUID wherever it stands', () => {
    const { set, entries, associations } = accept(submissionWith(), factsFor());
    expect(set.entryUUID).toBe('urn:uuid:id-1');
    expect(entries.map((e) => e.entryUUID)).toEqual(['urn:uuid:id-2']);
    expect(associations).toEqual([
      expect.objectContaining({ entryUUID: 'urn:uuid:id-3', source: set.entryUUID, target: 'urn:uuid:id-2' }),
    ]);
  });

  test('a given UUID stays, in lower case, in every reference', () => {
    const upper = given.toUpperCase().replace('URN:UUID', 'urn:uuid');
    const submission = submissionWith({ 'entries/0/id': upper, 'associations/0/target': given });
    const { entries, associations } = accept(submission, factsFor({ 'documents/0/id': upper }));
    expect(entries[0]).toMatchObject({ entryUUID: given, logicalID: given });
    expect(associations[0]?.target).toBe(given);
  });

  test.each([
    ['absent', {}, 'urn:uuid:id-2'],
    ['the entry itself', { 'entries/0/logicalID': 'doc1' }, 'urn:uuid:id-2'],
    ['a UUID', { 'entries/0/logicalID': given }, given],
  ])('logicalID %s', (_, changes, logicalID) => {
    expect(accept(submissionWith(changes), factsFor()).entries[0]?.logicalID).toBe(logicalID);
  });

  test('two objects never share a name, and every reference names an object', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 8 }), (ids) => {
        const [first = '', ...more] = ids;
        const base = submissionWith();
        const [entry] = base.entries;
        const submission = {
          ...base,
          sets: base.sets.map((set) => ({ ...set, id: first })),
          entries: more.map((id) => ({ ...entry, id })),
          associations: more.map((id, i) => ({
            id: `${first}${ids.join('')}${i}`,
            type: 'HasMember' as const,
            source: first,
            target: id,
          })),
        };
        const documents = more.map((id) => ({ id, sha1: 'a'.repeat(40), size: 1 }));
        const { set, entries, associations } = accept(submission, { ...factsFor(), documents });
        expect(new Set([set, ...entries].map((o) => o.entryUUID)).size).toBe(ids.length);
        expect(associations.map((a) => [a.source, a.target])).toEqual(entries.map((e) => [set.entryUUID, e.entryUUID]));
      }),
    );
  });
});

describe('what the registry sets', () => {
  test('first version, approved, hash and size of the bytes, our repository', () => {
    const sent = {
      'entries/0/version': 7,
      'entries/0/status': 'deprecated',
      'entries/0/hash': 'F30ECBF5B1CB85C631FDEC0B39678550973CFCBC',
      'entries/0/repositoryUniqueId': '2.999.7.1',
    };
    expect(accept(submissionWith(sent), factsFor()).entries[0]).toMatchObject({
      version: 1,
      status: 'approved',
      hash: 'f30ecbf5b1cb85c631fdec0b39678550973cfcbc',
      size: 7,
      repositoryUniqueId: '1.2.250.1.213.4.1.1.1.2',
    });
  });

  test('everything else stays as it was sent', () => {
    const submission = submissionWith({ 'entries/0/extra': [{ name: 'urn:x', values: [' a '] }] });
    const { id: _, ...draft } = submission.entries[0] ?? { id: '' };
    expect(accept(submission, factsFor()).entries[0]).toMatchObject(draft);
  });

  test('lastUpdateTime of a folder is now, whatever was sent', () => {
    const created = {
      'folders/0': {
        id: 'fol1',
        uniqueId: '2.999.52.1',
        patientId: submissionWith().sets[0]?.patientId,
        title: { value: 'Grossesse' },
        codes: [{ code: 'F1', system: '2.999.45' }],
        lastUpdateTime: '19990101000000',
      },
    };
    expect(accept(submissionWith(created), factsFor()).folders).toEqual([
      expect.objectContaining({ lastUpdateTime: '20261124112046', status: 'approved', version: 1 }),
    ]);
  });

  test('a submission that the rules refuse is never registered', () => {
    expect(() => accept(submissionWith({ 'entries/0/classCode': null }), factsFor())).toThrow(TypeError);
    expect(() => accept(submissionWith({ 'sets/0': null }), factsFor())).toThrow(TypeError);
    expect(() => accept(submissionWith(), factsFor({ documents: [] }))).toThrow(TypeError);
  });
});

describe('what happens to registered documents', () => {
  const target = { [`targets/${old}`]: { own: true, entry: {} } };

  test.each([
    ['RPLC', [old], [old]],
    ['XFRM_RPLC', [old], [old]],
    ['XFRM', [], [old]],
    ['APND', [], [old]],
    ['IsSnapshotOf', [], [old]],
    ['signs', [], [old]],
  ])('%s', (type, deprecated, approved) => {
    const accepted = accept(submissionWith(related(type, old)), factsFor(target));
    expect(accepted.deprecated).toEqual(deprecated);
    expect(accepted.approved).toEqual(approved);
  });

  test('a document by reference must be approved still', () => {
    const byReference = {
      'associations/1': { id: 'a2', type: 'HasMember', source: 'ss1', target: old, submissionSetStatus: 'Reference' },
    };
    expect(accept(submissionWith(byReference), factsFor(target)).approved).toEqual([old]);
  });

  test('a document put into a folder must be approved still', () => {
    const intoFolder = { 'associations/1': { id: 'a2', type: 'HasMember', source: folder, target: old } };
    expect(accept(submissionWith(intoFolder), factsFor(target)).approved).toEqual([old]);
  });

  test.each([
    ['XFRM', 'approved', [old, addendum]],
    ['APND', 'approved', [old, addendum]],
    ['APND', 'archived', [old]],
    ['signs', 'approved', [old]],
  ] as const)('a replacement and the registered %s, %s, of its target', (type, status, deprecated) => {
    const facts = factsFor({ ...target, associations: [registered(type, addendum, old)] }, { [addendum]: status });
    const accepted = accept(submissionWith(related('RPLC', old)), facts);
    expect(accepted.deprecated).toEqual(deprecated);
    expect(accepted.approved).toEqual(deprecated);
  });

  test('a replacement and what completes the addendum of its target, over any number of steps', () => {
    const third = 'urn:uuid:55555555-5555-4555-8555-555555555555';
    const apart = 'urn:uuid:66666666-6666-4666-8666-666666666666';
    const associations = [
      registered('APND', third, addendum),
      registered('XFRM', addendum, old),
      { ...registered('APND', apart, old), entryUUID: 'urn:uuid:withdrawn', status: 'deprecated' as const },
    ];
    const facts = factsFor(
      { ...target, associations },
      { [addendum]: 'approved', [third]: 'approved', [apart]: 'approved' },
    );
    expect(accept(submissionWith(related('RPLC', old)), facts).deprecated).toEqual([old, addendum, third]);
  });

  test('an addendum leaves other addenda alone', () => {
    const facts = factsFor(
      { ...target, associations: [registered('APND', addendum, old)] },
      { [addendum]: 'approved' },
    );
    expect(accept(submissionWith(related('APND', old)), facts).deprecated).toEqual([]);
  });

  describe('a replacement takes its place in folders', () => {
    const inFolder = { ...target, associations: [registered('HasMember', folder, old)] };

    test('that are current, and the set records it', () => {
      const facts = factsFor({ ...inFolder, [`folders/${folder}`]: {} });
      const { set, entries, associations } = accept(submissionWith(related('RPLC', old)), facts);
      const [membership, recorded] = associations.slice(2);
      expect(membership).toMatchObject({ type: 'HasMember', source: folder, target: entries[0]?.entryUUID });
      expect(recorded).toMatchObject({ type: 'HasMember', source: set.entryUUID, target: membership?.entryUUID });
      expect(associations).toHaveLength(4);
    });

    test('whose lastUpdateTime is now, as is that of a folder that the message fills', () => {
      const facts = factsFor({ ...inFolder, [`folders/${folder}`]: {} });
      expect(accept(submissionWith(related('RPLC', old)), facts).touched).toEqual([folder]);
      const filled = { 'associations/1': { id: 'a2', type: 'HasMember', source: folder, target: 'doc1' } };
      expect(accept(submissionWith(filled), factsFor({ [`folders/${folder}`]: {} })).touched).toEqual([folder]);
      expect(accept(submissionWith(related('APND', old)), facts).touched).toEqual([]);
    });

    test.each([
      ['a deprecated folder', { [`folders/${folder}`]: { status: 'deprecated' } }, {}],
      ['the submission set, which is no folder', {}, {}],
      [
        'a folder that the message fills itself',
        { [`folders/${folder}`]: {} },
        { 'associations/2': { id: 'a3', type: 'HasMember', source: folder, target: 'doc1' } },
      ],
    ])('but not in %s', (_, folders, more) => {
      const submission = submissionWith({ ...related('RPLC', old), ...more });
      const { associations } = accept(submission, factsFor({ ...inFolder, ...folders }));
      expect(associations).toHaveLength(submission.associations.length);
    });

    test('an addendum does not', () => {
      const facts = factsFor({ ...inFolder, [`folders/${folder}`]: {} });
      expect(accept(submissionWith(related('APND', old)), facts).associations).toHaveLength(2);
    });
  });
});

import fc from 'fast-check';
import type { Association, DocumentEntry, Folder, SubmissionSet } from '../../server/domain/document.ts';
import { association, documentEntry, folder, submissionSet, uuidUrn } from './arbitraries.ts';

/** A submission as it could be sent by ITI-41: every object in the set, every folder membership too. */
export type Generated = {
  readonly set: SubmissionSet;
  readonly entries: readonly DocumentEntry[];
  readonly folders: readonly Folder[];
  readonly associations: readonly Association[];
};

const relations = ['RPLC', 'XFRM', 'APND', 'XFRM_RPLC', 'IsSnapshotOf', 'signs'] as const;

/** The next of what never ends. */
function following<T>(stream: fc.Stream<T>): T {
  for (const value of stream.take(1)) return value;
  throw new Error('the stream ended');
}

/** Any submission that is sound by itself. */
export const submission: fc.Arbitrary<Generated> = fc
  .tuple(
    submissionSet,
    fc.uniqueArray(documentEntry, { minLength: 1, maxLength: 3, selector: ({ entryUUID }) => entryUUID }),
    fc.uniqueArray(folder, { maxLength: 2, selector: ({ entryUUID }) => entryUUID }),
    fc.infiniteStream(association),
    fc.uniqueArray(uuidUrn, { minLength: 2, maxLength: 2 }),
    fc.infiniteStream(fc.constantFrom(...relations)),
    fc.boolean(),
  )
  .map(([set, entries, folders, stream, [known = '', other = ''], kinds, refers]) => {
    const next = (type: Association['type'], source: string, target: string): Association => {
      const {
        originalStatus: _o,
        newStatus: _n,
        previousVersion: _p,
        associationPropagation: _a,
        submissionSetStatus: _s,
        ...rest
      } = following(stream);
      return { ...rest, type, source, target, status: 'approved' };
    };
    const ofSet = [
      ...entries.map(
        (entry): Association => ({
          ...next('HasMember', set.entryUUID, entry.entryUUID),
          submissionSetStatus: 'Original',
        }),
      ),
      ...folders.map((one) => next('HasMember', set.entryUUID, one.entryUUID)),
      ...(refers ? [{ ...next('HasMember', set.entryUUID, known), submissionSetStatus: 'Reference' as const }] : []),
    ];
    const inFolders = folders.flatMap((one) =>
      entries.flatMap((entry) => {
        const member = next('HasMember', one.entryUUID, entry.entryUUID);
        return [member, next('HasMember', set.entryUUID, member.entryUUID)];
      }),
    );
    const related = entries.map((entry) => {
      const kind = following(kinds);
      return next(kind, entry.entryUUID, kind === 'signs' ? set.entryUUID : other);
    });
    return { set, entries, folders, associations: [...ofSet, ...related, ...inFolders] };
  })
  .filter(({ set, entries, folders, associations }) => {
    const objects = [set, ...entries, ...folders, ...associations];
    return new Set(objects.map(({ entryUUID }) => entryUUID)).size === objects.length;
  });

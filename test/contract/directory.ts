import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type DirectoryEntry, directoryId, roleId } from '../../server/domain/directory.ts';
import type { DocumentEntry } from '../../server/domain/document.ts';
import type { Author } from '../../server/domain/people.ts';
import { type DirectoryQuestion, directoryRows, type Store } from '../../server/store/port.ts';
import { permitFor, permitToReadDirectory, permitToSearch } from '../support/permits.ts';
import { authorOf, confidential, document, uuid } from '../support/registry.ts';
import { documentRow, event, first, permitOn, put, type Subject, seed } from './store.ts';

const doctor = '899970000077';
const clinic = '1750000077';
const insOid = '1.2.250.1.213.1.4.10';

/** What the port promises of what documents say of professionals, structures and systems. */
export function directoryContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name} tells what documents say of professionals`, () => {
    let subject: Subject;
    let store: Store;
    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      await seed(store);
    });
    afterEach(() => subject.dispose());

    let last = 100;
    const next = () => {
      last += 1;
      return last;
    };
    const deposit = async (changes: Partial<DocumentEntry>) => {
      const permit = await permitOn(store, 'treatingDoctor', { record: first });
      const done = await store.write.commit(permit, put(documentRow(document(next(), changes))));
      expect(done).toMatchObject({ done: true });
    };
    const read = (asked: DirectoryQuestion) => store.read.directory(permitToReadDirectory(), asked);
    const ofDoctor = () => read({ kind: 'professional', ids: [doctor] });
    const named = (changes: Partial<Author['person']>): Author => {
      const author = authorOf(doctor, clinic);
      return { ...author, person: { ...author.person, ...changes } };
    };
    const idsIn = (entries: readonly DirectoryEntry[]) => entries.map(({ id }) => id);

    test('an author, the institution, and the one at the other', async () => {
      const role = 'PCP^Médecin traitant^2.16.840.1.113883.5.88';
      const specialty = 'SM26^Médecine générale^1.2.250.1.71.4.2.5';
      await deposit({
        authors: [{ ...authorOf(doctor, clinic), roles: [role], specialties: [specialty, 'médecin de M. X'] }],
      });
      const [person] = await ofDoctor();
      expect(person).toEqual({ kind: 'professional', id: doctor, person: authorOf(doctor).person });
      const [structure] = await read({ kind: 'structure', ids: [clinic] });
      expect(structure).toEqual({
        kind: 'structure',
        id: clinic,
        organisation: authorOf(doctor, clinic).institutions[0],
      });
      const held = {
        kind: 'role',
        id: roleId(doctor, clinic),
        professional: doctor,
        structure: clinic,
        specialties: [{ code: 'SM26', display: 'Médecine générale', system: '1.2.250.1.71.4.2.5' }],
      };
      expect(await read({ rolesOf: [doctor] })).toEqual([held]);
      expect(await read({ kind: 'role', ids: [held.id] })).toEqual([held]);
    });

    test('a legal authenticator', async () => {
      const { person } = authorOf(doctor);
      await deposit({ authors: [authorOf('899970000099', clinic)], ...(person && { legalAuthenticator: person }) });
      expect(idsIn(await ofDoctor())).toEqual([doctor]);
    });

    test('a system, by a digest of its identifier', async () => {
      const oid = '1.2.250.1.999.5';
      const person = { id: 'PACS-1', family: 'PACS', authority: { oid }, nameType: 'U', idType: 'RI' };
      await deposit({ authors: [{ ...authorOf(doctor, clinic), person }] });
      const id = directoryId('system', { value: 'PACS-1', oid });
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      expect(await read({ kind: 'system', ids: [id] })).toEqual([{ kind: 'system', id, person }]);
      expect(await read({ kind: 'professional', ids: [id] })).toEqual([]);
    });

    test('different names, the newest first, each once, whatever else was sent with them', async () => {
      for (const family of ['DUPONT', 'DUPOND', 'DUPONT'])
        await deposit({ authors: [named({ family, degree: 'secret', rest: { '20': 'secret' } })] });
      const found = await ofDoctor();
      expect(found.map((one) => one.kind === 'professional' && one.person.family)).toEqual(['DUPOND', 'DUPONT']);
      expect(JSON.stringify(found)).not.toContain('secret');
    });

    test('of each as many as are read at most', async () => {
      for (let i = 0; i <= directoryRows; i++) await deposit({ authors: [named({ family: `N${i}` })] });
      await deposit({ authors: [authorOf('899970000088', clinic)] });
      const found = await read({ kind: 'professional', ids: [doctor, '899970000088'] });
      expect(found).toHaveLength(directoryRows + 1);
      expect(found[0]).toMatchObject({ person: { family: `N${directoryRows}` } });
    });

    test('of hidden documents too, and of a new version', async () => {
      await deposit({ authors: [authorOf(doctor, clinic)], confidentialityCodes: confidential('INVISIBLE_PATIENT') });
      expect(idsIn(await ofDoctor())).toEqual([doctor]);
      const other = '899970000066';
      const entry = document(901, { logicalID: uuid(last), version: 2, authors: [authorOf(other, clinic)] });
      const permit = await permitOn(store, 'treatingDoctor', { record: first });
      const row = { kind: 'version' as const, entry, of: uuid(last), registeredAt: 2 };
      expect(await store.write.commit(permit, put(row))).toMatchObject({ done: true });
      expect(idsIn(await read({ kind: 'professional', ids: [other] }))).toEqual([other]);
    });

    test.each<[string, Author[]]>([
      ['who stands with no institution', [authorOf(doctor)]],
      ['beside one who stands with none', [authorOf(doctor, clinic), { ...authorOf(doctor), person: { id: '1' } }]],
      ['whose number is that of an employee', [named({ id: '699970000016/0101' })]],
      ['whose number is a patient’s', [named({ id: '279035121518989' })]],
      ['whom the type of the number says to be a patient', [named({ idType: 'NH' })]],
      ['of another authority', [named({ authority: { oid: '1.2.3' } })]],
      ['of no authority', [{ ...authorOf('1', clinic), person: { id: doctor, family: 'X' } }]],
    ])('nothing of an author %s', async (_, authors) => {
      await deposit({ authors });
      const values = [doctor, '699970000016/0101', '279035121518989'];
      const oids = ['1.2.250.1.71.4.2.1', '1.2.3', insOid, ''];
      const ids = values.flatMap((value) => oids.map((oid) => directoryId('professional', { value, oid })));
      expect(await read({ kind: 'professional', ids })).toEqual([]);
      expect(await read({ rolesOf: ids })).toEqual([]);
    });

    test('nothing of a patient who is said to be a system or a structure', async () => {
      const person = {
        id: '279035121518989',
        family: 'LAURENT',
        authority: { oid: insOid },
        nameType: 'U',
        idType: 'RI',
      };
      const institution = { name: 'LAURENT', id: '279035121518989', authority: { oid: insOid } };
      await deposit({ authors: [{ ...authorOf(doctor, clinic), person, institutions: [institution] }] });
      const identifier = { value: '279035121518989', oid: insOid };
      for (const kind of ['system', 'structure', 'professional'] as const)
        expect(await read({ kind, ids: [directoryId(kind, identifier)] })).toEqual([]);
    });

    test('nothing of whom the authority names that names the patient of the document', async () => {
      const oid = '1.2.250.1.999.8';
      const device = { id: 'IPP-1', family: 'LAURENT', authority: { oid }, nameType: 'U', idType: 'RI' };
      const authors = [{ ...authorOf(doctor, clinic), person: device }];
      const ids = [directoryId('system', { value: 'IPP-1', oid })];
      await deposit({ authors, sourcePatientId: { id: 'IPP-1', authority: { oid } } });
      expect(await read({ kind: 'system', ids })).toEqual([]);
      await deposit({ authors, legalAuthenticator: device, patientId: { id: 'IPP-1', authority: { oid } } });
      expect(await read({ kind: 'system', ids })).toEqual([]);
      expect(await read({ kind: 'structure', ids: [clinic] })).toEqual([]);
      await deposit({ authors });
      expect(idsIn(await read({ kind: 'system', ids }))).toEqual(ids);
    });

    test('a change that was not made says nothing', async () => {
      const permit = await permitOn(store, 'treatingDoctor', { record: first });
      const row = documentRow(document(950, { authors: [authorOf(doctor, clinic)] }));
      const changes = { ...put(row), expect: [{ latest: { kind: 'document', entryUUID: uuid(949) } as const }] };
      expect(await store.write.commit(permit, { ...changes, events: [event()] })).toMatchObject({ done: false });
      expect(await ofDoctor()).toEqual([]);
    });

    test('with no other permit', async () => {
      const others = [
        permitToSearch(),
        await permitOn(store, 'holder', { record: first }),
        permitFor(undefined, 'feeder', { action: 'feedIdentities' }),
      ];
      for (const permit of others)
        await expect(store.read.directory(permit, { rolesOf: [doctor] })).rejects.toThrow(
          'permit to read the directory',
        );
    });
  });
}

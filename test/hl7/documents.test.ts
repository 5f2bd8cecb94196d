import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findDocuments } from '../../server/usecases/query.ts';
import { retrieve } from '../../server/usecases/retrieve.ts';
import type { Line } from '../support/mllp.ts';
import { cda, type Door, message, openDoor } from './door.ts';

let door: Door;
let line: Line;
beforeEach(async () => {
  door = await openDoor();
  line = await door.dial();
});
afterEach(async () => {
  await door.close();
  expect(door.logged).toEqual([]);
});

const find = async (uniqueId: string, who = 'dr-martin', slug = 'laurent') => {
  const { world } = door;
  const ask = { patient: world.ins(slug), filter: {}, query: 'all' };
  const found = await findDocuments(world.tools, world.as(who), ask);
  return found.find(({ entry }) => entry.uniqueId === uniqueId);
};
/** What was kept, in base64. */
const bytesOf = async (uniqueId: string) => {
  const { tools, as, ins } = door.world;
  const ask = { by: 'uniqueId', values: [uniqueId], patient: ins('laurent') } as const;
  const { documents } = await retrieve(tools, as('dr-martin'), ask);
  const bytes = await documents[0]?.open();
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('base64') : bytes;
};
const problems = (ack: Awaited<ReturnType<Line['ask']>>) =>
  ack.errors.map(({ place, condition, name }) => [place, condition, name]);

describe('a laboratory report in an ORU^R01', () => {
  test('is deposited by the structure of the sender, its metadata from the header of the CDA', async () => {
    const ack = await line.ask(message('oru-r01.hl7', { cda: cda('2.999.1.1') }));
    expect([ack.code, ack.controlId, ack.errors]).toEqual(['AA', 'ORU-1', []]);
    const found = await find('2.999.1.1');
    expect(found?.entry).toMatchObject({
      status: 'approved',
      patientId: { id: door.world.ins('laurent').value },
      sourcePatientId: { id: '4711', authority: { oid: '1.2.250.1.999.7' }, type: 'PI' },
      sourcePatientInfo: [{ field: 5, value: 'LAURENT^Michel^Michel^^^^L' }, { field: 7 }, { field: 8, value: 'M' }],
      typeCode: { code: '11502-2' },
      classCode: { code: '10', system: '1.2.250.1.213.1.1.4.1' },
      formatCode: { code: 'urn:ihe:iti:xds-sd:text:2008' },
      mimeType: 'text/xml',
      title: { value: 'Compte rendu 2.999.1.1' },
      confidentialityCodes: [{ code: 'N' }],
    });
    expect(found?.entry.authors[0]?.institutions[0]?.id).toBe('1990000028');
    const event = door.world.tools.store.events().at(-2);
    expect(event).toMatchObject({ action: 'submitDocuments', origin: { transaction: 'ORU' }, outcome: 'done' });
  });

  test('comes out byte for byte', async () => {
    const sent = cda('2.999.1.2');
    await line.ask(message('oru-r01.hl7', { cda: sent }));
    expect(await bytesOf('2.999.1.2')).toBe(sent);
  });

  test('base64 may be broken into lines, plain or escaped', async () => {
    const sent = cda('2.999.1.3');
    const lines = `${sent.slice(0, 76)}\\.br\\${sent.slice(76, 152)}\\X0D0A\\${sent.slice(152)}`;
    expect(await line.ask(message('oru-r01.hl7', { cda: lines }))).toMatchObject({ code: 'AA' });
    expect(await bytesOf('2.999.1.3')).toBe(sent);
  });

  test('two documents of one message are one submission', async () => {
    const text = message('oru-r01.hl7', { cda: cda('2.999.1.4') });
    const second = `OBX|9|ED|11502-2^CR^LN||^TEXT^XML^Base64^${cda('2.999.1.5')}||||||F`;
    expect(await line.ask(`${text}${second}\n`)).toMatchObject({ code: 'AA' });
    expect([await find('2.999.1.4'), await find('2.999.1.5')]).not.toContain(undefined);
  });

  test('beside a pointer to another is kept, and the sender told that nothing was kept of that one', async () => {
    const pointer = 'OBX|9|RP|11502-2^CR^LN||https://labo.example/1^^TEXT^XML||||||F\n';
    const ack = await line.ask(`${message('oru-r01.hl7', { cda: cda('2.999.1.12') })}${pointer}`);
    expect([ack.code, ack.errors.map(({ severity, words }) => [severity, words])]).toEqual([
      'AA',
      [['W', 'OBX[9] points to a document of elsewhere (RP): nothing was kept of it.']],
    ]);
    expect(await find('2.999.1.12')).toMatchObject({ entry: { status: 'approved', typeCode: { code: '11502-2' } } });
  });

  test.each([
    ['MASQUE_PS', 'masked', 'MASQUE_PS'],
    ['INVISIBLE_PATIENT', 'hidden', 'INVISIBLE_PATIENT'],
    ['INVISIBLE_REP_LEGAUX', 'minor', 'INVISIBLE_REPRESENTANTS_LEGAUX'],
  ])('the flag %s hides it', async (_, blank, code) => {
    await line.ask(message('oru-r01.hl7', { cda: cda('2.999.1.6'), [blank]: 'Y' }));
    const found = await find('2.999.1.6');
    expect(found?.entry.confidentialityCodes.map((c) => c.code)).toEqual(['N', code]);
  });

  test('in a secret session only what is hidden from representatives is taken', async () => {
    const sent = cda('2.999.1.7');
    const refused = await line.ask(message('oru-r01.hl7', { cda: sent, secret: 'Y' }));
    expect([refused.code, problems(refused)]).toEqual(['AE', [['OBX^1^5^1', '207', 'visibilityNotAllowed']]]);
    expect(await line.ask(message('oru-r01.hl7', { cda: sent, secret: 'Y', minor: 'Y' }))).toMatchObject({
      code: 'AA',
    });
  });

  test.each([
    ['a flag of no table', { masked: 'N', hidden: 'oui' }, [['OBX^3^5^1', '103', 'tableValueUnknown']]],
    ['masked and hidden at once', { masked: 'Y', hidden: 'Y' }, [['OBX^1^5^1', '207', 'visibilityNotAllowed']]],
    ['no base64', { cda: 'Docu*ment' }, [['OBX^1^5^1^5', '102', 'fieldMalformed']]],
    ['no document', { cda: '' }, [['OBX^1^5^1^5', '101', 'fieldMissing']]],
    ['no CDA', { cda: Buffer.from('bonjour').toString('base64') }, [['OBX^1^5^1', '102', 'fieldMalformed']]],
    [
      'another patient in the CDA',
      { cda: cda('2.999.1.8', { slug: 'blanc' }) },
      [['OBX^1^5', '207', 'patientIdsDiffer']],
    ],
    ['a wrong key of the INS', { ins: '161025439501299' }, [['PID^1^3^1', '102', 'insMalformed']]],
    [
      'a type that the DMP does not know',
      { cda: cda('2.999.1.9', { type: '99999-9' }) },
      [
        ['OBX^1^5', '101', 'attributeMissing'],
        ['OBX^1^5', '103', 'codeNotAllowed'],
      ],
    ],
  ])('%s is refused AE, with the place and what to mend', async (_, blanks, told) => {
    const ack = await line.ask(message('oru-r01.hl7', { cda: cda('2.999.1.10'), ...blanks }));
    expect(ack.code).toBe('AE');
    expect(
      problems(ack).map(([place, ...rest]) => [
        place?.startsWith('OBX^1^5') === true && told[0]?.[0] === 'OBX^1^5' ? 'OBX^1^5' : place,
        ...rest,
      ]),
    ).toEqual(told);
    for (const { severity, words } of ack.errors) expect([severity, words.length > 40]).toEqual(['E', true]);
    expect(await find('2.999.1.10')).toBeUndefined();
  });

  test.each([
    [
      'a misspelt flag',
      (t: string) => t.replace('|MASQUE_PS^', '|MASQUE_P^'),
      ['OBX^2^3^1', '103', 'tableValueUnknown'],
    ],
    [
      'a flag by a name that every object has',
      (t: string) => t.replace('|MASQUE_PS^', '|toString^'),
      ['OBX^2^3^1', '103', 'tableValueUnknown'],
    ],
    [
      'a name that no entry can hold',
      (t: string) => t.replace('LAURENT^Michel', `${'L'.repeat(300)}^Michel`),
      ['PID^1^5^1', '102', 'attributeMalformed'],
    ],
    [
      'a flag of no table',
      (t: string) => t.replace(/\|MASQUE_PS\^[^|]*/, '|MASQUE_PS'),
      ['OBX^2^3^1^3', '103', 'tableValueUnknown'],
    ],
    [
      'a flag of another table',
      (t: string) => t.replace(/(\|INVISIBLE_PATIENT\^.*?)MetaDMPMSS/, '$1LOCAL'),
      ['OBX^3^3^1^3', '103', 'tableValueUnknown'],
    ],
    [
      'a flag of two values',
      (t: string) => t.replace(/(\|MASQUE_PS\^.*?\|\|)/, '$1N~Y'),
      ['OBX^2^5^1', '102', 'partRepeated'],
    ],
    [
      'two documents in one OBX',
      (t: string) => t.replace(/(\^TEXT\^XML\^Base64\^[^|]*)/, '$1~$1'),
      ['OBX^1^5^1', '102', 'partRepeated'],
    ],
    [
      'a flag told twice and otherwise',
      (t: string) => `${t}OBX|9|CE|MASQUE_PS^^MetaDMPMSS||Y||||||F\n`,
      ['OBX^9^5^1', '102', 'fieldMalformed'],
    ],
    [
      'a document that is not final',
      (t: string) => t.replace(/\|F\nPRT/, '|P\nPRT'),
      ['OBX^1^11^1', '103', 'tableValueUnknown'],
    ],
    [
      'a document that is not for the DMP',
      (t: string) => t.replace(/(DESTDMP.*\|\|)Y/, '$1N'),
      ['OBX^1^5^1', '103', 'tableValueUnknown'],
    ],
    [
      'a structure that is not the sender’s',
      (t: string) => t.replace('^^^990000028', '^^^990000036'),
      ['PRT^1^8^1^10', '207', 'authorNotCaller'],
    ],
    ['no patient', (t: string) => t.replace(/^PID.*\n/m, ''), ['PID^1', '100', 'segmentMissing']],
    ['no order', (t: string) => t.replace(/^OBR.*\n/m, ''), ['OBR^1', '100', 'segmentMissing']],
    ['two patients', (t: string) => t.replace(/^PID.*\n/m, (pid) => pid + pid), ['PID^1', '102', 'partRepeated']],
    [
      'an identifier of the laboratory alone',
      (t: string) => t.replace('1.2.250.1.213.1.4.10', '1.2.250.1.999.8'),
      ['PID^1^3^1', '101', 'fieldMissing'],
    ],
  ])('%s is refused', async (_, change, told) => {
    const ack = await line.ask(change(message('oru-r01.hl7', { cda: cda('2.999.1.11') })));
    expect(ack.code).toMatch(/AE|AR/);
    expect(problems(ack)[0]).toEqual(told);
    expect(await find('2.999.1.11')).toBeUndefined();
    expect(door.world.tools.store.events().filter(({ outcome }) => outcome !== 'done')).toHaveLength(1);
  });

  test('of a patient without record, or who did not authorise the structure, is refused', async () => {
    const garnier = message('oru-r01.hl7', {
      ins: door.world.ins('garnier').value,
      cda: cda('2.999.1.12', { slug: 'garnier' }),
    });
    expect(problems(await line.ask(garnier))).toEqual([['PID^1^3^1', '204', 'unknownPatient']]);
    const blanc = message('oru-r01.hl7', {
      ins: door.world.ins('blanc').value,
      cda: cda('2.999.1.13', { slug: 'blanc' }),
    });
    expect(problems(await line.ask(blanc))).toEqual([['', '207', 'accessDenied']]);
  });

  test('sent again is refused as registered already', async () => {
    const text = message('oru-r01.hl7', { cda: cda('2.999.1.14') });
    await line.ask(text);
    const ack = await line.ask(text);
    expect([ack.code, problems(ack)]).toEqual(['AE', [['OBX^1^5^1', '205', 'uniqueIdInUse']]]);
  });

  test('all problems are told at once', async () => {
    const text = message('oru-r01.hl7', { cda: 'Docu*ment', hidden: 'oui', ins: '161025439501299' });
    expect((await line.ask(text)).errors.map(({ name }) => name)).toEqual([
      'insMalformed',
      'tableValueUnknown',
      'fieldMalformed',
    ]);
  });
});

describe('a radiology report in an MDM', () => {
  const report = (id: string, more = {}) => ({
    document: id,
    cda: cda(id, { by: 'radio-ouest', type: '18748-4', ...more }),
  });

  test('T02 deposits it', async () => {
    const ack = await line.ask(message('mdm.hl7', report('2.999.2.1')));
    expect([ack.code, ack.controlId]).toEqual(['AA', 'MDM-1']);
    expect((await find('2.999.2.1'))?.entry.classCode.code).toBe('31');
    expect(ack.text.split('\r')[0]).toContain('ACK^T02^ACK');
  });

  test.each(['T04', 'T10'])('%s with status C replaces what its header names', async (event) => {
    await line.ask(message('mdm.hl7', { ...report('2.999.2.2'), hidden: 'Y' }));
    const changed = { ...report('2.999.2.3', { replaces: '2.999.2.2' }), event, status: 'C', changes: 'Y' };
    expect(await line.ask(message('mdm.hl7', changed))).toMatchObject({ code: 'AA' });
    expect((await find('2.999.2.2'))?.entry.status).toBe('deprecated');
    expect((await find('2.999.2.3', 'laurent'))?.entry.status).toBe('approved');
  });

  test.each([
    ['names nothing that it replaces', {}, 'fieldMissing'],
    ['replaces what is not registered', { replaces: '2.999.2.404' }, 'referenceUnresolved'],
  ])('a replacement that %s is refused', async (_, more, name) => {
    const ack = await line.ask(message('mdm.hl7', { ...report('2.999.2.4', more), status: 'C', event: 'T10' }));
    expect([ack.code, ack.errors.map((error) => error.name)]).toEqual(['AE', [name]]);
  });

  test('a change of codes without replacement is refused', async () => {
    const ack = await line.ask(message('mdm.hl7', { ...report('2.999.2.5'), changes: 'Y' }));
    expect(problems(ack)).toEqual([['OBX^1^11^1', '102', 'fieldMalformed']]);
  });

  test('a document of another structure is not replaced', async () => {
    await line.ask(message('oru-r01.hl7', { cda: cda('2.999.2.6') }));
    const theft = { ...report('2.999.2.7', { replaces: '2.999.2.6' }), status: 'C', event: 'T10' };
    expect((await line.ask(message('mdm.hl7', theft))).errors.map(({ name }) => name)).toEqual(['referenceUnresolved']);
    expect((await find('2.999.2.6'))?.entry.status).toBe('approved');
  });

  test('T04 with status D deletes the sender’s own document, and no other', async () => {
    await line.ask(message('mdm.hl7', report('2.999.2.8')));
    const deletion = { ...report('2.999.2.8'), event: 'T04', status: 'D' };
    expect(await line.ask(message('mdm.hl7', deletion))).toMatchObject({ code: 'AA', errors: [] });
    expect((await find('2.999.2.8'))?.entry.status).toBe('deleted');
    const again = await line.ask(message('mdm.hl7', deletion));
    expect(again.code).toBe('AE');
    await line.ask(message('oru-r01.hl7', { cda: cda('2.999.2.9') }));
    const theft = await line.ask(message('mdm.hl7', { ...report('2.999.2.9'), event: 'T04', status: 'D' }));
    expect(theft.errors.map(({ name }) => name)).toEqual(['referenceUnresolved']);
    expect((await find('2.999.2.9'))?.entry.status).toBe('approved');
  });
});

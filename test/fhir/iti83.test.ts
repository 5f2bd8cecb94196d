import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OperationOutcome, Parameters } from 'fhir/r4.js';
import { type IdentityDoor, localOid, openIdentityDoor, patientFor, problemsOf } from './identity-door.ts';

let door: IdentityDoor;
beforeAll(async () => {
  door = await openIdentityDoor();
});
afterAll(() => door.close());

const insC = 'urn:oid:1.2.250.1.213.1.4.2';
const pix = async (who: string, source: string, more = '', changes = {}) =>
  door.get<Parameters>(who, `Patient/$ihe-pix?sourceIdentifier=${encodeURIComponent(source)}${more}`, changes);
const found = ({ json }: { json: Parameters }) =>
  (json.parameter ?? []).map(({ name, valueIdentifier, valueReference }) =>
    valueReference
      ? `${name} ${valueReference.reference}`
      : `${name} ${valueIdentifier?.system}|${valueIdentifier?.value}`,
  );

describe('the cross-references of a patient', () => {
  test('are the other identifiers, and the id here', async () => {
    const id = await door.idOf('laurent');
    const answer = await pix('regie', door.of('laurent'));
    expect([answer.status, answer.json.resourceType]).toEqual([200, 'Parameters']);
    expect(found(answer)).toEqual([
      `targetIdentifier ${insC}|0123609568591758810929`,
      `targetId ${door.base}/Patient/${id}`,
    ]);
  });

  test('lead back, from any of them', async () => {
    const answer = await pix('regie', `${insC}|0123609568591758810929`);
    expect(found(answer)[0]).toBe(`targetIdentifier ${door.of('laurent')}`);
    const byId = await pix('regie', `${door.base}|Patient/${await door.idOf('laurent')}`);
    expect(found(byId)).toHaveLength(3);
  });

  test('of the domains that are asked for alone', async () => {
    expect(found(await pix('regie', door.of('laurent'), `&targetSystem=${insC}`))).toEqual([
      `targetIdentifier ${insC}|0123609568591758810929`,
    ]);
    const ins = '&targetSystem=urn:oid:1.2.250.1.213.1.4.10';
    const none = await pix('regie', door.of('laurent'), ins);
    expect([none.status, none.json.parameter]).toEqual([200, undefined]);
    expect(found(await pix('regie', door.of('laurent'), `&targetSystem=${door.base}`))).toEqual([
      `targetId ${door.base}/Patient/${await door.idOf('laurent')}`,
    ]);
    expect(found(await pix('regie', `${insC}|0123609568591758810929`, `${ins}&targetSystem=${insC}`))).toHaveLength(1);
  });

  test('by POST too', async () => {
    const answer = await door.send<Parameters>('regie', 'POST', 'Patient/$ihe-pix', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'sourceIdentifier', valueString: door.of('laurent') },
        { name: 'targetSystem', valueUri: insC },
      ],
    });
    expect([answer.status, found(answer)]).toEqual([200, [`targetIdentifier ${insC}|0123609568591758810929`]]);
  });

  test('without those that a merge took away', async () => {
    const open = await openIdentityDoor('open');
    for (const value of ['1', '2']) await open.send('regie', 'POST', 'Patient', patientFor(value));
    const other = { identifier: { system: `urn:oid:${localOid}`, value: '2' } };
    const merged = patientFor('1', { active: false, link: [{ type: 'replaced-by', other }] });
    expect((await open.send('regie', 'PUT', `Patient?identifier=urn:oid:${localOid}|1`, merged)).status).toBe(200);
    const ask = async (value: string) =>
      open.get<Parameters>('regie', `Patient/$ihe-pix?sourceIdentifier=urn:oid:${localOid}|${value}`);
    expect((await ask('2')).json.parameter?.map(({ name }) => name)).toEqual(['targetId']);
    expect(problemsOf(await ask('1'))).toEqual(['sourceIdentifierUnknown not-found']);
    await open.close();
  });
});

describe('who may ask for them', () => {
  test.each([
    ['regie', 200],
    ['dr-martin', 200],
    ['hopital-nord', 200],
    ['laurent', 200],
    ['pharm-durand', 403],
    ['casanova', 403],
  ])('%s of laurent: %i', async (who, status) => {
    expect((await pix(who, door.of('laurent'))).status).toBe(status);
  });

  test('by id, who has no right on the record is told what one is told who asks for nobody', async () => {
    const hidden = await pix('pharm-durand', `${door.base}|Patient/${await door.idOf('laurent')}`);
    const nobody = await pix('pharm-durand', `${door.base}|Patient/nobody`);
    expect([hidden.status, problemsOf(hidden)]).toEqual([404, ['sourceIdentifierUnknown not-found']]);
    expect([nobody.status, problemsOf(nobody)]).toEqual([404, ['sourceIdentifierUnknown not-found']]);
  });

  test('a closed record gives none', async () => {
    const answer = await pix('regie', door.of('faure'));
    expect([answer.status, problemsOf(answer)]).toEqual([403, ['recordClosed forbidden']]);
  });

  test('each question leaves one event', async () => {
    const before = door.eventCount();
    await pix('regie', door.of('laurent'));
    await pix('pharm-durand', door.of('laurent'));
    await pix('regie', 'urn:oid:1.2.3.4|1');
    expect(door.eventsSince(before)).toEqual([
      'ITI-83 resolveIdentifiers done',
      'ITI-83 resolveIdentifiers refused',
      'ITI-83 resolveIdentifiers failed',
    ]);
  });
});

describe('faults of the question', () => {
  test.each<[string, string, string, number, string, string]>([
    [
      'nobody has the identifier',
      'urn:oid:1.2.250.1.213.1.4.10|100000000000000',
      '',
      404,
      'sourceIdentifierUnknown not-found',
      'sourceIdentifier Patient Identifier not found',
    ],
    [
      'no such authority',
      'urn:oid:1.2.3.4|1',
      '',
      400,
      'sourceAuthorityUnknown code-invalid',
      'sourceIdentifier Assigning Authority not found',
    ],
    [
      'no such authority, by address',
      'https://example.org/ids|1',
      '',
      400,
      'sourceAuthorityUnknown code-invalid',
      'sourceIdentifier Assigning Authority not found',
    ],
    [
      'no such target',
      'LAURENT',
      '&targetSystem=urn:oid:1.2.3.4',
      403,
      'targetSystemUnknown code-invalid',
      'targetSystem not found',
    ],
    ['no value', 'urn:oid:1.2.3.4|', '', 400, 'parameterMalformed value', 'sourceIdentifier'],
    ['no system', '161053523812385', '', 400, 'parameterMalformed value', 'sourceIdentifier'],
    [
      'two sources',
      'LAURENT',
      '&sourceIdentifier=urn:oid:1.2.3|4',
      400,
      'parameterMalformed value',
      'sourceIdentifier',
    ],
  ])('%s', async (_, source, more, status, name, words) => {
    const answer = await pix('regie', source === 'LAURENT' ? door.of('laurent') : source, more);
    expect([answer.status, problemsOf(answer)]).toEqual([status, [name]]);
    expect(JSON.stringify(answer.json)).toContain(words);
  });

  test('no source', async () => {
    const answer = await door.get('regie', 'Patient/$ihe-pix?targetSystem=urn:oid:1.2.3');
    expect([answer.status, problemsOf(answer)]).toEqual([400, ['parameterMissing required']]);
  });

  test('an unknown parameter, in strict handling', async () => {
    const headers = { Prefer: 'handling=strict' };
    const answer = await pix('regie', door.of('laurent'), '&colour=red', { headers });
    expect([answer.status, problemsOf(answer)]).toEqual([400, ['parameterUnknown not-supported']]);
  });

  test('nothing for one in lenient handling: the answer tells that it was ignored', async () => {
    const told = ({ json }: { json: Parameters }) =>
      json.parameter?.flatMap(({ name, resource }) =>
        resource?.resourceType === 'OperationOutcome'
          ? (resource as OperationOutcome).issue.map(({ severity, details, expression }) => [
              name,
              severity,
              details?.text,
              expression?.[0],
            ])
          : [],
      );
    const expected = [['outcome', 'warning', 'parameterUnknown', 'http.colour']];
    const answer = await pix('regie', door.of('laurent'), '&colour=red&colour=blue&_format=json');
    expect([answer.status, told(answer)]).toEqual([200, expected]);
    const plain = await pix('regie', door.of('laurent'));
    expect([found(answer).slice(0, -1), told(plain)]).toEqual([found(plain), []]);
    const posted = await door.send<Parameters>('regie', 'POST', 'Patient/$ihe-pix', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'sourceIdentifier', valueString: door.of('laurent') },
        { name: 'colour', valueBoolean: true },
      ],
    });
    expect([posted.status, told(posted)]).toEqual([200, expected]);
  });

  test.each([
    ['a member that FHIR does not have', { colour: 'red' }, 'elementUnknown'],
    ['a modifier extension', { modifierExtension: [{ url: 'urn:a', valueBoolean: true }] }, 'elementUnknown'],
  ])('%s within a parameter', async (_, member, name) => {
    const posted = await door.send('regie', 'POST', 'Patient/$ihe-pix', {
      resourceType: 'Parameters',
      parameter: [{ name: 'sourceIdentifier', valueString: door.of('laurent'), ...member }],
    });
    expect([posted.status, problemsOf(posted).map((one) => one.split(' ')[0])]).toEqual([400, [name]]);
  });
});

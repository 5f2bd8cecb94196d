import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parseStringPromise, processors } from 'xml2js';
import { patientOf } from '../../../server/sandbox/people.ts';
import { findDocuments } from '../../../server/usecases/query.ts';
import { iti44 } from '../../../server/xds/iti44.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { schemaProblems } from '../../support/schemas.ts';
import { openServer, type TestServer } from '../../support/server.ts';
import { plain, post } from '../../support/wire.ts';
import { openWorld, type World } from '../../support/world.ts';
import { all, handled, textOf } from '../handled.ts';

type Name = 'add' | 'revise' | 'merge';
const actions = { add: 'PRPA_IN201301UV02', revise: 'PRPA_IN201302UV02', merge: 'PRPA_IN201304UV02' } as const;

/** A message of the folder, its blanks filled; by default it is about laurent. */
function message(name: Name, blanks: Readonly<Record<string, string>> = {}): string {
  const { ins = '', birthDate = '' } = patientOf('laurent') ?? {};
  const given: Record<string, string> = { ins, birth: birthDate.replaceAll('-', ''), ...blanks };
  const text = readFileSync(new URL(`./${name}.xml`, import.meta.url), 'utf8');
  return text.replace(/\{(\w+)\}/g, (_, blank: string) => given[blank] ?? '');
}

/** What an acknowledgement says, read with another reader than ours. */
async function told(xml: string) {
  const parsed = (await parseStringPromise(xml, { tagNameProcessors: [processors.stripPrefix] })) as Record<
    string,
    unknown
  >;
  const root = parsed['MCCI_IN000002UV01'] as Parameters<typeof all>[0];
  const ack = all(root, 'acknowledgement')[0];
  return {
    code: all(ack, 'typeCode')[0]?.$?.['code'],
    target: all(all(ack, 'targetMessage')[0], 'id')[0]?.$?.['root'],
    details: all(ack, 'acknowledgementDetail').map((detail) => ({
      type: detail.$?.['typeCode'],
      code: all(detail, 'code')[0]?.$?.['code'],
      text: textOf(detail, 'text') ?? '',
      location: textOf(detail, 'location'),
    })),
    receiver: all(all(all(root, 'receiver')[0], 'device')[0], 'id')[0]?.$?.['root'],
  };
}

describe('ITI-44 in the domain dmp', () => {
  let world: World<MemoryStore>;
  beforeEach(async () => {
    world = await openWorld();
  });
  const send = async (name: Name, xml: string, who = 'regie') => {
    const transaction = iti44.find(({ requestRoot }) => requestRoot.local === actions[name]);
    if (transaction === undefined) throw new Error(name);
    const { body } = await handled(transaction, world, world.as(who), xml);
    return { body, ...(await told(body)) };
  };
  const traits = async (slug: string) =>
    (await world.tools.store.facts.recordByIdentifier(world.ins(slug)))?.record.traits;

  test.each([
    ['add', 'LAURENT-NOEL'],
    ['revise', 'LAURENT-DUPRE'],
  ] as const)('%s updates the traits and is acknowledged CA', async (name, usedFamily) => {
    const ack = await send(name, message(name));
    expect(ack).toMatchObject({
      code: 'CA',
      target: '22a0f9e0-4454-11dc-a6be-3603d6866807',
      details: [],
      receiver: '1.2.250.1.999.1.1',
    });
    expect(await traits('laurent')).toMatchObject({ family: 'LAURENT', given: 'MICHEL', usedFamily });
    expect(world.tools.store.events().at(-1)).toMatchObject({ action: 'feedIdentities', outcome: 'done' });
  });

  test('an add tells where the patient is reached', async () => {
    const reached =
      '<telecom use="MC" value="tel:+33611223344"/><telecom use="WP" value="mailto:michel@example.org"/><telecom value=""/>' +
      '<addr use="HP"><houseNumber>12</houseNumber><streetName>rue des Tilleuls</streetName><postalCode>54000</postalCode>' +
      '<city>Nancy</city><country>FRA</country></addr><addr use="TMP"/>';
    const ack = await send('add', message('add').replace('</patientPerson>', `${reached}</patientPerson>`));
    expect(ack.code).toBe('CA');
    expect(await traits('laurent')).toMatchObject({
      telecoms: [
        { system: 'phone', use: 'mobile', value: '+33611223344' },
        { system: 'email', use: 'work', value: 'michel@example.org' },
      ],
      addresses: [{ use: 'home', lines: ['12 rue des Tilleuls'], city: 'Nancy', postalCode: '54000', country: 'FRA' }],
    });
  });

  // Found by fuzzing: a name that every object has is no code of a table.
  test('a gender of no table says nothing', async () => {
    const before = await traits('laurent');
    const ack = await send('revise', message('revise').replace('GenderCode code="M"', 'GenderCode code="toString"'));
    expect(ack.code).toBe('CA');
    expect((await traits('laurent'))?.gender).toBe(before?.gender);
  });

  test('an add of a person without record keeps nothing and says so', async () => {
    const ack = await send('add', message('add', { ins: world.ins('garnier').value }));
    expect([ack.code, ack.details.map(({ type }) => type)]).toEqual(['CA', ['W']]);
    expect(await traits('garnier')).toBeUndefined();
  });

  test('a merge makes the documents the survivor’s; sent again it is ignored', async () => {
    const xml = message('merge', { old: world.ins('henry').value });
    expect(await send('merge', xml)).toMatchObject({ code: 'CA', details: [] });
    const find = { patient: world.ins('henry'), filter: {}, query: '' };
    await expect(findDocuments(world.tools, world.as('dr-martin'), find)).rejects.toMatchObject({
      problems: [{ name: 'unknownPatient' }],
    });
    const again = await send('merge', xml);
    expect([again.code, again.details[0]?.type, again.details[0]?.text]).toEqual([
      'CA',
      'W',
      expect.stringContaining('subsumed before'),
    ]);
  });

  test.each([
    ['a wrong key', 'add', { ins: '161025439501299' }, (x: string) => x, 'SYN102'],
    ['no patient', 'add', {}, (x: string) => x.replace(/<patient .*<\/patient>/s, ''), 'SYN101'],
    [
      'no id of the patient',
      'revise',
      {},
      (x: string) => x.replace(/<id root="[^"]*" extension="[^"]*"\/>/g, ''),
      'SYN101',
    ],
    ['a birth date that is none', 'revise', { birth: '19610231' }, (x: string) => x, 'SYN102'],
    ['no id to be replaced', 'merge', {}, (x: string) => x.replace(/<replacementOf.*<\/replacementOf>/s, ''), 'SYN101'],
  ] as const)('%s in %s is refused CE, with what to mend', async (_, name, blanks, change, code) => {
    const ack = await send(name, change(message(name, blanks)));
    expect([ack.code, ack.details.map((d) => d.code)]).toEqual(['CE', [code]]);
    expect(ack.details[0]?.text).toMatch(/Rule: /);
  });

  const twice = (part: RegExp) => (xml: string) => xml.replace(part, (found) => found + found);
  test.each([
    ['two subjects', 'add', twice(/<subject .*<\/subject>/s), 'subject'],
    ['two patients', 'revise', twice(/<patient .*<\/patient>/s), 'patient'],
    ['two events', 'merge', twice(/<registrationEvent .*<\/registrationEvent>/s), 'registrationEvent'],
    ['two to be replaced', 'merge', twice(/<replacementOf .*<\/replacementOf>/s), 'replacementOf'],
  ] as const)('%s in one %s are refused: none is left out without a word', async (_, name, change, location) => {
    const xml = change(message(name, { old: world.ins('henry').value }));
    const before = await traits('henry');
    const ack = await send(name, xml);
    expect([ack.code, ack.details.map((d) => [d.code, d.location])]).toEqual(['CE', [['SYN110', location]]]);
    expect(before).toMatchObject({ family: 'HENRY' });
    expect(await traits('henry')).toEqual(before);
  });

  test('a merge says which of its ids is at fault', async () => {
    const ack = await send('merge', message('merge', { old: '161025439501299' }));
    expect(ack.details.map((d) => [d.code, d.location])).toEqual([['SYN102', 'priorRegisteredRole/id']]);
  });

  test.each(['dr-martin', 'labo-centre', 'laurent'])('by %s, who has no right to feed, is refused', async (who) => {
    const ack = await send('add', message('add'), who);
    expect([ack.code, ack.details.map((d) => d.text.includes('right'))]).toEqual(['CE', [true]]);
    const known = await traits('laurent');
    expect(known).toMatchObject({ family: 'LAURENT' });
    expect(known).not.toHaveProperty('usedFamily');
  });
});

describe('ITI-44 through the door of an open domain', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await openServer({ DMP_DOMAIN: 'open' });
  });
  afterAll(() => server.close());
  const authority = '1.2.250.1.999.77';
  const send = async (name: Name, body: string) => {
    const action = `urn:hl7-org:v3:${actions[name]}`;
    const answer = await post(server.port, '/xds/registry', plain, [
      '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>' +
        `<a:Action s:mustUnderstand="1">${action}</a:Action><a:MessageID>urn:uuid:00000000-0000-4000-8000-000000000001</a:MessageID>` +
        `</s:Header><s:Body>${body.replaceAll('1.2.250.1.213.1.4.10', authority)}</s:Body></s:Envelope>`,
    ]);
    const text = answer.bytes.toString();
    expect(schemaProblems(text)).toEqual([]);
    expect(text).toContain('urn:hl7-org:v3:MCCI_IN000002UV01</');
    return told(/<MCCI_IN.*<\/MCCI_IN000002UV01>/s.exec(text)?.[0] ?? '');
  };

  test('a patient becomes known, is revised, and merged into another that was not known', async () => {
    expect(await send('add', message('add', { ins: 'P-1' }))).toMatchObject({ code: 'CA', details: [] });
    expect(await send('revise', message('revise', { ins: 'P-1' }))).toMatchObject({ code: 'CA', details: [] });
    expect(await send('merge', message('merge', { ins: 'P-2', old: 'P-1' }))).toMatchObject({
      code: 'CA',
      details: [],
    });
    const again = await send('merge', message('merge', { ins: 'P-2', old: 'P-1' }));
    expect(again.details[0]?.text).toContain('subsumed before');
    const unknown = await send('merge', message('merge', { ins: 'P-2', old: 'P-9' }));
    expect(unknown.details[0]?.text).toContain('not known');
  });

  test('an authority becomes known by an add, not by a merge into one of its identifiers', async () => {
    await send('add', message('add', { ins: 'P-3' }));
    const [into] = message('merge', { ins: 'P-4', old: 'P-3' }).split('<priorRegistration');
    const foreign = message('merge', { ins: 'P-4', old: 'P-3' }).replace(into ?? '', (part) =>
      part.replaceAll('1.2.250.1.213.1.4.10', '1.2.250.1.999.78'),
    );
    const { code, details } = await send('merge', foreign);
    expect([code, details[0]?.code, details[0]?.text]).toEqual(['CA', 'ignored', expect.stringContaining('authority')]);
    await send('add', message('add', { ins: 'P-5' }).replaceAll('1.2.250.1.213.1.4.10', '1.2.250.1.999.78'));
    expect(await send('merge', foreign)).toMatchObject({ code: 'CA', details: [] });
  });

  test('the description of the registry names the three messages', async () => {
    const wsdl = await (await fetch(`http://127.0.0.1:${server.port}/xds/registry?wsdl`)).text();
    for (const name of Object.values(actions)) expect(wsdl).toContain(`wsaw:Action="urn:hl7-org:v3:${name}"`);
  });
});

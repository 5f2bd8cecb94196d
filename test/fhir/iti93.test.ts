import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Bundle, BundleEntry, FhirResource, MessageHeader, Patient } from 'fhir/r4.js';
import { pmir } from '../../server/fhir/vocabulary.ts';
import { type IdentityDoor, localOid, named, openIdentityDoor, patientFor, problemsOf } from './identity-door.ts';

let door: IdentityDoor;
let last = 0;
let [one, two] = ['', ''];
beforeAll(async () => {
  door = await openIdentityDoor('open');
});
beforeEach(() => {
  [one, two] = [`m${++last}`, `m${++last}`];
});
afterAll(() => door.close());

const header: MessageHeader = {
  resourceType: 'MessageHeader',
  id: 'header-1',
  eventUri: pmir.feed,
  source: { endpoint: 'http://example.com/patientSource' },
  focus: [{ reference: 'Bundle/history-1' }],
  destination: [{ endpoint: 'http://example.com/patientEndpoint' }],
};
const messageOf = (...entry: BundleEntry[]): Bundle<FhirResource> => ({
  resourceType: 'Bundle',
  type: 'message',
  entry: [
    { fullUrl: 'http://example.com/MessageHeader/header-1', resource: header },
    {
      fullUrl: 'http://example.com/Bundle/history-1',
      resource: { resourceType: 'Bundle', id: 'history-1', type: 'history', entry },
    },
  ],
});
const add = (value: string, changes: Partial<Patient> = {}): BundleEntry => ({
  fullUrl: 'urn:uuid:14298d90-b285-4c4c-8252-5d4e7bb5fdb6',
  request: { method: 'POST', url: 'Patient' },
  resource: patientFor(value, changes),
  response: { status: '201' },
});
const revise = (value: string, changes: Partial<Patient> = {}, url = named(value)): BundleEntry => ({
  request: { method: 'PUT', url },
  resource: patientFor(value, changes),
  response: { status: '200' },
});
const remove = (url: string): BundleEntry => ({ request: { method: 'DELETE', url }, response: { status: '202' } });
const replacedBy = (value: string): Partial<Patient> => ({
  active: false,
  link: [{ type: 'replaced-by', other: { identifier: { system: `urn:oid:${localOid}`, value } } }],
});

const send = async (message: unknown, who = 'regie') =>
  door.send<Bundle<FhirResource>>(who, 'POST', '$process-message', message);
const answerIn = ({ json }: { json: Bundle<FhirResource> }) => json.entry?.[0]?.resource as MessageHeader;
const resultsIn = ({ json }: { json: Bundle<FhirResource> }) =>
  ((json.entry?.[1]?.resource as Bundle | undefined)?.entry ?? []).map(({ response }) => response);
const familyOf = async (value: string) =>
  (await door.get<Bundle<Patient>>('regie', named(value))).json.entry?.[0]?.resource?.name?.[0]?.family;

describe('a message of patients', () => {
  test('tells of new ones, and is answered by a message', async () => {
    const answer = await send(messageOf(add(one), add(two, { name: [{ family: 'Roe', given: ['Al'] }] })));
    expect([answer.status, answer.json.type]).toEqual([200, 'message']);
    expect(answerIn(answer)).toMatchObject({
      resourceType: 'MessageHeader',
      eventUri: pmir.answer,
      response: { identifier: 'header-1', code: 'ok' },
      source: { endpoint: `${door.base}/$process-message` },
    });
    expect(answerIn(answer).focus?.[0]?.reference).toBe(answer.json.entry?.[1]?.fullUrl);
    expect(resultsIn(answer).map((result) => result?.status)).toEqual(['201', '201']);
    const [first] = resultsIn(answer);
    const id = /Patient\/([^/]+)\/_history\/1$/.exec(first?.location ?? '')?.[1];
    expect((await door.get('regie', `Patient/${id}`)).status).toBe(200);
    expect([await familyOf(one), await familyOf(two)]).toEqual(['DOE', 'ROE']);
  });

  test('changes them, by identifier even where the address names an id of the sender', async () => {
    await send(messageOf(add(one)));
    const family = (name: string) => ({ name: [{ family: name, given: ['Al'] }] });
    await send(messageOf(revise(one, family('Poe'))));
    expect(await familyOf(one)).toBe('POE');
    const answer = await send(messageOf(revise(one, family('Coe'), 'Patient/senders-own-id')));
    expect(resultsIn(answer)).toMatchObject([{ status: '200' }]);
    expect(await familyOf(one)).toBe('COE');
  });

  test('merges them, and a merge is not undone: 405', async () => {
    await send(messageOf(add(one), add(two)));
    const merged = await send(messageOf(revise(one, replacedBy(two))));
    expect(resultsIn(merged)).toMatchObject([{ status: '200' }]);
    expect(await familyOf(one)).toBeUndefined();
    const undone = await send(messageOf(revise(one, { active: true })));
    expect(answerIn(undone).response?.code).toBe('fatal-error');
    expect(resultsIn(undone)).toMatchObject([
      { status: '405', outcome: { issue: [{ details: { text: 'interactionUnsupported' } }] } },
    ]);
  });

  test('merges by the ids that they have here', async () => {
    await send(messageOf(add(one), add(two)));
    const [old, survivor] = await Promise.all(
      [one, two].map(async (v) => (await door.get<Bundle<Patient>>('regie', named(v))).json.entry?.[0]?.resource?.id),
    );
    const resource: Patient = {
      resourceType: 'Patient',
      id: old ?? '',
      active: false,
      link: [{ type: 'replaced-by', other: { reference: `Patient/${survivor}` } }],
    };
    const entry: BundleEntry = { request: { method: 'PUT', url: `Patient/${old}` }, resource };
    expect(resultsIn(await send(messageOf(entry)))).toMatchObject([{ status: '200' }]);
    expect([await familyOf(one), await familyOf(two)]).toEqual([undefined, 'DOE']);
  });

  test('removes them, by identifier and by id', async () => {
    const added = await send(messageOf(add(one), add(two)));
    const id = /Patient\/([^/]+)/.exec(resultsIn(added)[1]?.location ?? '')?.[1];
    const answer = await send(messageOf(remove(named(one)), remove(`Patient/${id}`)));
    expect(resultsIn(answer).map((result) => result?.status)).toEqual(['204', '204']);
    expect([await familyOf(one), await familyOf(two)]).toEqual([undefined, undefined]);
  });

  test('does what it can: each entry by itself', async () => {
    await send(messageOf(add(one)));
    const answer = await send(messageOf(add(one), add(two)));
    expect(answer.status).toBe(200);
    expect(answerIn(answer).response?.code).toBe('fatal-error');
    expect(resultsIn(answer)).toMatchObject([
      { status: '409', outcome: { issue: [{ details: { text: 'identityHeld' } }] } },
      { status: '201' },
    ]);
    expect(await familyOf(two)).toBe('DOE');
  });

  test('on condition leaves who is known as he is', async () => {
    await send(messageOf(add(one)));
    const entry = add(one, { gender: 'male' });
    const ifNoneExist = `identifier=urn:oid:${localOid}|${one}`;
    const answer = await send(messageOf({ ...entry, request: { method: 'POST', url: 'Patient', ifNoneExist } }));
    expect(resultsIn(answer)).toMatchObject([{ status: '200' }]);
  });

  test('is answered in XML to who wants it, refused entries with their outcome', async () => {
    await send(messageOf(add(one)));
    const headers = { Accept: 'application/fhir+xml' };
    const answer = await door.send('regie', 'POST', '$process-message', messageOf(add(one)), { headers });
    expect(answer.status).toBe(200);
    expect(answer.bytes.toString()).toContain('<status value="409"/><outcome><OperationOutcome>');
  });

  test('is read in XML', async () => {
    const answer = await door.ask<Bundle<FhirResource>>('$process-message', {
      method: 'POST',
      headers: { Authorization: `Bearer ${await door.token('regie')}`, 'Content-Type': 'application/fhir+xml' },
      body:
        '<Bundle xmlns="http://hl7.org/fhir"><type value="message"/><entry><resource><MessageHeader>' +
        `<eventUri value="${pmir.feed}"/><source><endpoint value="http://example.com/source"/></source></MessageHeader></resource></entry>` +
        '<entry><resource><Bundle><type value="history"/><entry><resource><Patient>' +
        `<identifier><system value="urn:oid:${localOid}"/><value value="${one}"/></identifier><name><family value="Doe"/></name>` +
        '</Patient></resource><request><method value="POST"/><url value="Patient"/></request></entry></Bundle></resource></entry></Bundle>',
    });
    expect(resultsIn(answer)).toMatchObject([{ status: '201' }]);
    expect(await familyOf(one)).toBe('DOE');
  });

  test('leaves an event for each entry', async () => {
    const before = door.eventCount();
    await send(messageOf(add(one), add(one), revise(two, {}, 'Patient?family=x')));
    expect(door.eventsSince(before)).toEqual([
      'ITI-93 feedIdentities done',
      'ITI-93 feedIdentities failed',
      'ITI-93 feedIdentities failed',
    ]);
  });

  test.each(['dr-martin', 'hopital-nord', 'laurent'])('is not for %s', async (who) => {
    const answer = await send(messageOf(add(one)), who);
    expect([answer.status, problemsOf(answer)]).toEqual([403, ['accessDenied forbidden']]);
    expect(await familyOf(one)).toBeUndefined();
  });
});

describe('a message is refused', () => {
  const expressionsIn = ({ json }: { json: unknown }) =>
    (json as { issue: { expression?: string[] }[] }).issue.map(({ expression }) => expression?.[0]);

  test('of another event', async () => {
    const message = messageOf(add(one));
    const other = { ...header, eventUri: 'urn:example:other' };
    const answer = await send({ ...message, entry: [{ resource: other }, message.entry?.[1]] });
    expect([answer.status, problemsOf(answer)]).toEqual([400, ['messageEventUnknown not-supported']]);
  });

  test.each<[string, object, string[]]>([
    ['that is no Bundle', patientFor('x'), ['Bundle.resourceType', 'Bundle.type', 'Bundle.entry']],
    ['of another type', { ...messageOf(), type: 'collection' }, ['Bundle.type']],
    [
      'without a header',
      { ...messageOf(), entry: [messageOf().entry?.[1]] },
      ['Bundle.entry', 'Bundle.entry[0].resource.resourceType'],
    ],
    ['of nobody', messageOf(), ['Bundle.entry[1].resource.entry']],
  ])('%s', async (_, message, expressions) => {
    const answer = await send(message);
    expect(answer.status).toBe(400);
    expect(expressionsIn(answer)).toEqual(expect.arrayContaining(expressions));
  });

  test('with all that is wrong at once, and does nothing then', async () => {
    const broken = { ...patientFor(one), birthDate: '1980/02/29', colour: 'red' };
    const answer = await send(
      messageOf(
        add(one),
        { request: { method: 'PUT', url: named(one) }, resource: broken },
        { request: { method: 'GET', url: 'Patient/1' } },
        { request: { method: 'POST', url: 'Observation' }, resource: patientFor(two) },
        'entry' as unknown as BundleEntry,
      ),
    );
    expect(answer.status).toBe(400);
    const place = 'Bundle.entry[1].resource.entry';
    expect(expressionsIn(answer)).toEqual(
      expect.arrayContaining([
        `${place}[1].resource.birthDate`,
        `${place}[1].resource.colour`,
        `${place}[2].request.method`,
        `${place}[3].request.url`,
        `${place}[4]`,
      ]),
    );
    expect(await familyOf(one)).toBeUndefined();
  });
});

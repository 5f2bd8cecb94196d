import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CapabilityStatement } from 'fhir/r4.js';
import { StoreBusy, StoreFull } from '../../server/store/port.ts';
import { type Door, openDoor, type TokenChanges } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

const query = () => `DocumentReference?patient.identifier=${door.of('laurent')}&status=current`;
const traced = async <T>(work: () => Promise<T>) => {
  const before = door.world.tools.store.events().length;
  const answer = await work();
  return { answer, events: door.world.tools.store.events().slice(before) };
};

describe('a caller who is not identified', () => {
  test('without a token is asked for one', async () => {
    const { answer, events } = await traced(() => door.ask(query()));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(answer.json.issue[0]).toMatchObject({
      severity: 'error',
      code: 'login',
      details: { text: 'notIdentified' },
    });
    expect(events).toMatchObject([{ action: 'identify', outcome: 'refused' }]);
    expect(events[0]).not.toHaveProperty('patient');
  });

  const unsigned = () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'none', typ: 'JWT' })}.${part({ iss: 'https://issuer.example.org', sub: 'x' })}.`;
  };
  const bad: [string, () => Promise<string> | string][] = [
    ['expired', () => door.token('dr-nguyen', { lifetime: -60 })],
    ['for another audience', () => door.token('dr-nguyen', { audience: 'https://other.example.org/fhir' })],
    ['of another issuer', () => door.token('dr-nguyen', { issuer: 'https://other.example.org' })],
    ['unsigned (alg none)', unsigned],
    ['altered', async () => `${(await door.token('dr-nguyen')).slice(0, -6)}AAAAAA`],
    ['no token at all', () => 'x'],
  ];
  test.each(bad)('with a token %s is refused, and not told why', async (_case, token) => {
    const authorization = `Bearer ${await token()}`;
    const { answer, events } = await traced(() => door.ask(query(), { headers: { Authorization: authorization } }));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(answer.json.issue).toMatchObject([{ code: 'login', details: { text: 'notIdentified' } }]);
    expect(JSON.stringify(answer.json)).not.toMatch(/expired|audience|issuer|signature|alg/i);
    expect(events).toMatchObject([{ action: 'identify', outcome: 'refused' }]);
  });
});

describe('every answer', () => {
  test('echoes a request id, or makes one; an error carries it as id and nowhere else', async () => {
    const given = await door.ask(query(), { headers: { 'X-Request-Id': 'abc-123' } });
    expect(given.headers.get('x-request-id')).toBe('abc-123');
    expect(given.json.id).toBe('abc-123');
    expect(given.json.issue[0]?.diagnostics).not.toContain('abc-123');
    const made = await door.ask('metadata');
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  const wrong: [string, string, number, string][] = [
    ['GET', 'Observation/1', 404, 'resourceTypeUnknown'],
    ['GET', 'Observation?code=1', 404, 'resourceTypeUnknown'],
    ['PUT', 'DocumentReference', 405, 'interactionUnsupported'],
    ['PUT', 'List/1', 405, 'interactionUnsupported'],
    ['DELETE', 'AuditEvent/1', 405, 'interactionUnsupported'],
    ['GET', 'Patient/1/_history', 405, 'interactionUnsupported'],
    ['PUT', '', 405, 'interactionUnsupported'],
    ['GET', 'DocumentReference/x', 404, 'resourceUnknown'],
    ['GET', 'AuditEvent/0', 404, 'resourceUnknown'],
  ];
  test.each(wrong)('%s /fhir/%s is %i %s, with one event', async (method, path, status, name) => {
    const headers = { Authorization: `Bearer ${await door.token('dr-nguyen')}` };
    const { answer, events } = await traced(() => door.ask(path, { method, headers }));
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ details: { text: name } }] });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ outcome: 'failed', ground: name });
  });

  test('405 names the methods that are served', async () => {
    const headers = { Authorization: `Bearer ${await door.token('dr-nguyen')}` };
    const { headers: got } = await door.ask('List/1', { method: 'PUT', headers });
    expect(got.get('allow')).toBe('GET, HEAD');
  });

  test.each([
    [{ Accept: 'application/fhir+xml' }, '', 200, 'xml'],
    [{ Accept: 'text/turtle' }, '', 406, 'json'],
    [{ Accept: 'application/fhir+json;fhirVersion=5.0' }, '', 406, 'json'],
    [{ Accept: 'application/fhir+json;fhirVersion=4.0' }, '', 200, 'json'],
    [{ Accept: 'application/fhir+xml' }, '&_format=json', 200, 'json'],
    [{ Accept: 'application/fhir+json' }, '&_format=ttl', 406, 'json'],
  ])('%j%s is answered %i, in %s', async (headers, more, status, form) => {
    const answer = await door.get('dr-nguyen', query() + more, { headers });
    expect([answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([
      status,
      `application/fhir+${form}`,
    ]);
  });

  test('a refused parameter leaves one event', async () => {
    const { events } = await traced(() => door.get('dr-nguyen', `${query()}&creation=x`));
    expect(events).toMatchObject([{ action: 'searchDocuments', outcome: 'failed', ground: 'parameterMalformed' }]);
  });

  test('a refused right leaves one event with its reason, which the caller does not learn', async () => {
    const { answer, events } = await traced(() => door.get('pharm-durand', query()));
    expect(events).toMatchObject([{ action: 'searchDocuments', outcome: 'refused', ground: 'notAuthorised' }]);
    expect(JSON.stringify(answer.json)).not.toContain('notAuthorised');
  });

  const claims: [string, TokenChanges, number][] = [['another patient than the token’s', { patient: 'casanova' }, 403]];
  test.each(claims)('%s is refused', async (_case, changes, status) => {
    const { answer } = await traced(() => door.get('dr-martin', query(), changes));
    expect(answer.status).toBe(status);
    expect(answer.json.issue[0]?.details?.text).toBe('patientDiffersFromCredential');
  });
});

describe('the server’s own trouble', () => {
  test.each([
    [new StoreBusy(), 503, 'transient', 'busy'],
    [new StoreFull(), 507, 'transient', 'outOfResources'],
    [new TypeError('secret detail'), 500, 'exception', 'internal'],
  ])('%s is %i %s %s, without detail', async (fault, status, code, name) => {
    const { store } = door.world.tools;
    const commit = store.write.commit.bind(store.write);
    Object.assign(store.write, { commit: () => Promise.reject(fault) });
    try {
      const { status: got, json } = await door.get('dr-nguyen', query());
      expect(got).toBe(status);
      expect(json.issue[0]).toMatchObject({ severity: 'fatal', code, details: { text: name } });
      expect(JSON.stringify(json)).not.toContain('secret');
    } finally {
      Object.assign(store.write, { commit });
      door.faults.length = 0;
    }
  });
});

describe('the CapabilityStatement', () => {
  test('needs no token and says what is served, each true', async () => {
    const { status, json } = await door.ask<CapabilityStatement>('metadata');
    expect(status).toBe(200);
    expect(json).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1', kind: 'instance' });
    const resources = json.rest?.[0]?.resource ?? [];
    expect(resources.map(({ type }) => type)).toEqual([
      'DocumentReference',
      'Binary',
      'List',
      'Patient',
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Device',
      'AuditEvent',
      'Consent',
      'Subscription',
      'Basic',
      'Bundle',
    ]);
    for (const { type, interaction, searchParam } of resources) {
      const codes = interaction?.map(({ code }) => code);
      // Of a Bundle there are operations alone.
      if (type === 'Bundle') continue;
      expect(codes).toContain('read');
      if (codes?.includes('search-type') === true) expect(searchParam?.length).toBeGreaterThan(0);
      expect((await door.get('dr-nguyen', `${type}/none`)).status).toBe(404);
    }
  });

  test('every search parameter it names is known in strict handling', async () => {
    const { json } = await door.ask<CapabilityStatement>('metadata');
    for (const { type, searchParam = [] } of json.rest?.[0]?.resource ?? [])
      for (const { name } of searchParam) {
        const { json: outcome } = await door.get('dr-nguyen', `${type}?${name}=x`, {
          headers: { Prefer: 'handling=strict' },
        });
        expect(JSON.stringify(outcome)).not.toContain('parameterUnknown');
      }
  });
});

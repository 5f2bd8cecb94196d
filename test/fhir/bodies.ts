import { createHash } from 'node:crypto';
import { pmir } from '../../server/fhir/vocabulary.ts';
import { consentFor } from './consent-samples.ts';
import { bundleOf, resourceIn } from './deposits.ts';
import type { Door } from './door.ts';

/** A request that brings a body: who sends it, where, and what is sound; and the status of a sound one. */
export type Bringing = {
  readonly name: string;
  readonly who: string;
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly body: object;
  readonly mediaType: string;
  readonly status: number;
};

const json = 'application/fhir+json';
const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter });
const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';

/** Every interaction that takes a resource or a patch, with a body that it takes. */
export async function bringing(door: Door): Promise<readonly Bringing[]> {
  const { oid, value } = door.world.ins('laurent');
  const identifier = { system: `urn:oid:${oid}`, value };
  const bundle = bundleOf(door);
  const { data = '' } = resourceIn(bundle, 'Binary');
  const { data: another = '' } = resourceIn(bundleOf(door), 'Binary');
  const alone = resourceIn(bundleOf(door), 'DocumentReference');
  const { url: _inBundle, ...attachment } = alone.content[0]?.attachment ?? {};
  const { identifier: _entry, meta: _profile, ...rest } = alone;
  const hash = createHash('sha1').update(Buffer.from(data, 'base64')).digest('base64');
  const published = {
    ...rest,
    content: [
      { ...alone.content[0], attachment: { ...attachment, data, hash, size: Buffer.from(data, 'base64').length } },
    ],
  };
  const consent = consentFor({ identifier }, { type: 'deny', purpose: [{ system: purposes, code: 'BTG' }] });
  const stated = await door.ask<{ id: string }>('Consent', {
    method: 'POST',
    headers: { Authorization: `Bearer ${await door.token('laurent')}`, 'Content-Type': json },
    body: JSON.stringify(consent),
  });
  const found = await door.get<{ entry: { resource: { id: string } }[] }>(
    'dr-martin',
    `DocumentReference?patient.identifier=${door.of('laurent')}&status=current&_count=1`,
  );
  const patient = {
    resourceType: 'Patient',
    identifier: [identifier],
    name: [{ family: 'Laurent', given: ['Michel'] }],
  };
  const row = (
    who: string,
    method: Bringing['method'],
    path: string,
    body: object,
    status = 200,
    mediaType = json,
  ) => ({
    name: `${method} ${path.replace(/[0-9a-f-]{36}/, '<id>')}`.trim(),
    who,
    method,
    path,
    body,
    mediaType,
    status,
  });
  return [
    { ...row('dr-martin', 'POST', '', bundle), name: 'POST a transaction' },
    {
      ...row('dr-martin', 'POST', '', {
        resourceType: 'Bundle',
        type: 'batch',
        entry: [{ request: { method: 'GET', url: `DocumentReference?patient.identifier=${door.of('laurent')}` } }],
      }),
      name: 'POST a batch',
    },
    row('dr-martin', 'POST', 'DocumentReference', published, 201),
    row(
      'dr-martin',
      'POST',
      'DocumentReference/$generate-metadata',
      parameters({ name: 'document', resource: { resourceType: 'Binary', contentType: 'text/xml', data: another } }),
    ),
    row(
      'dr-martin',
      'PATCH',
      `DocumentReference/${found.json.entry[0]?.resource.id}`,
      [{ op: 'test', path: '/status', value: 'current' }],
      200,
      'application/json-patch+json',
    ),
    row(
      'dr-martin',
      'POST',
      'Binary',
      { resourceType: 'Binary', contentType: 'text/plain', data: 'Qm9uam91cg==' },
      201,
    ),
    row('laurent', 'POST', 'Consent', consent, 201),
    row('laurent', 'PUT', `Consent/${stated.json.id}`, { ...consent, id: stated.json.id }),
    row('regie', 'POST', 'Patient', patient, 409),
    row('regie', 'PUT', `Patient?identifier=urn:oid:${oid}|${value}`, patient),
    row('regie', 'POST', '$process-message', {
      resourceType: 'Bundle',
      type: 'message',
      entry: [
        {
          fullUrl: 'http://example.com/MessageHeader/1',
          resource: {
            resourceType: 'MessageHeader',
            id: '1',
            eventUri: pmir.feed,
            source: { endpoint: 'http://example.com/source' },
            focus: [{ reference: 'Bundle/2' }],
          },
        },
        {
          fullUrl: 'http://example.com/Bundle/2',
          resource: {
            resourceType: 'Bundle',
            id: '2',
            type: 'history',
            entry: [
              {
                request: { method: 'PUT', url: `Patient?identifier=urn:oid:${oid}|${value}` },
                resource: patient,
                response: { status: '200' },
              },
            ],
          },
        },
      ],
    }),
    row('dr-martin', 'POST', 'Patient/$match', parameters({ name: 'resource', resource: patient })),
    row(
      'dr-nguyen',
      'POST',
      'Subscription',
      {
        resourceType: 'Subscription',
        status: 'requested',
        reason: 'a test',
        criteria:
          'https://profiles.ihe.net/ITI/DSUBm/SubscriptionTopic/DSUBm-SubscriptionTopic-DocumentReference-PatientDependent',
        _criteria: {
          extension: [
            {
              url: `${backport}/backport-filter-criteria`,
              valueString: `DocumentReference?patient.identifier=${door.of('laurent')}`,
            },
          ],
        },
        channel: {
          type: 'websocket',
          payload: json,
          _payload: { extension: [{ url: `${backport}/backport-payload-content`, valueCode: 'id-only' }] },
        },
      },
      201,
    ),
    row(
      'regie',
      'POST',
      'AuditEvent',
      {
        resourceType: 'AuditEvent',
        type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' },
        recorded: new Date(door.world.clock.now - 60_000).toISOString(),
        outcome: '0',
        agent: [{ who: { display: 'dpi' }, requestor: true }],
        source: { observer: { display: 'dpi' } },
      },
      201,
    ),
    row('dr-martin', 'POST', 'Consent/$validate', consent),
  ];
}

const purposes = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';

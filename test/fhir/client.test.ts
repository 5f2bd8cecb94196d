import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { AuditEvent, Bundle, Consent, DocumentReference, Patient } from 'fhir/r4.js';
import { Client } from 'fhir-kit-client';
import { consentFor, deny } from './consent-samples.ts';
import { openDoor } from './door.ts';

/** What the client's types leave open. */
const as = <T>(found: unknown) => found as T;

test('an independent client finds the patient, the documents, the bytes and the history', async () => {
  const door = await openDoor();
  try {
    const client = new Client({ baseUrl: door.base, bearerToken: await door.token('dr-nguyen') });
    const capability = await client.capabilityStatement();
    expect(capability).toMatchObject({ resourceType: 'CapabilityStatement' });

    const patients = as<Bundle<Patient>>(
      await client.search({
        resourceType: 'Patient',
        searchParams: { identifier: door.of('laurent') },
      }),
    );
    const patient = patients.entry?.[0]?.resource;
    expect(patient?.active).toBe(true);

    const page = await client.search({
      resourceType: 'DocumentReference',
      searchParams: { patient: `Patient/${patient?.id}`, status: 'current', _count: 4 },
    });
    const documents = as<Bundle<DocumentReference>>(page);
    expect(documents.entry).toHaveLength(4);
    const second = as<Bundle<DocumentReference>>(await client.nextPage({ bundle: as(page) }));
    expect(second.entry).toHaveLength(4);
    expect(second.total).toBe(documents.total);

    const document = as<DocumentReference>(
      await client.read({
        resourceType: 'DocumentReference',
        id: documents.entry?.[0]?.resource?.id ?? '',
      }),
    );
    const { url = '', hash } = document.content[0]?.attachment ?? {};
    const binary = (await client.request(url)) as { data?: string };
    const bytes = Buffer.from(binary.data ?? '', 'base64');
    expect(createHash('sha1').update(bytes).digest('base64')).toBe(hash);

    const own = new Client({ baseUrl: door.base, bearerToken: await door.token('laurent') });
    const history = as<Bundle<AuditEvent>>(
      await own.search({
        resourceType: 'AuditEvent',
        searchParams: { 'patient.identifier': door.of('laurent'), date: 'ge2026-01-01' },
      }),
    );
    expect(history.entry?.map(({ resource }) => resource?.subtype?.at(-1)?.code).slice(0, 5)).toEqual([
      'ITI-68',
      'read',
      'ITI-67',
      'ITI-67',
      'ITI-78',
    ]);

    await expect(client.read({ resourceType: 'Patient', id: 'nobody' })).rejects.toMatchObject({
      response: { status: 404 },
    });
  } finally {
    await door.close();
  }
});

test('an independent client states a consent, finds it, withdraws it and reads its history', async () => {
  const door = await openDoor();
  try {
    const own = new Client({ baseUrl: door.base, bearerToken: await door.token('laurent') });
    const [system = '', value = ''] = door.of('laurent').split('|');
    const patient = { identifier: { system, value } };
    const body = consentFor(patient, deny('dr-nguyen'));
    const stated = as<Consent>(await own.create({ resourceType: 'Consent', body: as(body) }));
    const searches = async () =>
      (await door.get('dr-nguyen', `DocumentReference?patient.identifier=${door.of('laurent')}&status=current`)).status;
    expect(await searches()).toBe(403);

    const found = as<Bundle<Consent>>(
      await own.search({
        resourceType: 'Consent',
        searchParams: { 'patient.identifier': door.of('laurent'), status: 'active', _id: stated.id ?? '' },
      }),
    );
    expect(found.entry?.map(({ resource }) => resource)).toEqual([stated]);
    const id = stated.id ?? '';
    await own.update({ resourceType: 'Consent', id, body: as({ ...stated, status: 'inactive' }) });
    const history = as<Bundle<Consent>>(await own.history({ resourceType: 'Consent', id }));
    expect(history.entry?.map(({ resource }) => resource?.status)).toEqual(['inactive', 'active']);
    expect(as<Consent>(await own.vread({ resourceType: 'Consent', id, version: '1' }))).toEqual(stated);
  } finally {
    await door.close();
  }
});

import { createRequire } from 'node:module';
import { MedplumClient, OperationOutcomeError } from '@medplum/core';
import type { Bundle, Consent, DocumentReference, FhirResource } from 'fhir/r4.js';
import { Client } from 'fhir-kit-client';
import { resourceIn } from '../fhir/deposits.ts';

/** What an app does by a FHIR client that is not ours; every answer as the client reads it. */
export type App = {
  /** Deposits what a Bundle of ITI-65 holds, by that transaction or by ITI-105. */
  readonly deposit: (bundle: Bundle<FhirResource>) => Promise<Bundle | DocumentReference>;
  readonly find: <T extends FhirResource>(type: string, query: Readonly<Record<string, string>>) => Promise<Bundle<T>>;
  readonly read: <T extends FhirResource>(type: string, id: string) => Promise<T>;
  /** What an attachment's url brings, as this client reads it. */
  readonly bytes: (url: string) => Promise<Buffer>;
  readonly state: (consent: Consent) => Promise<Consent>;
  readonly change: (consent: Consent) => Promise<Consent>;
  readonly withdraw: (id: string) => Promise<unknown>;
  /** What a rejected promise says of the refusal: its HTTP status, or the code of its first issue. */
  readonly refusal: (error: unknown) => unknown;
};

/** Opens a client for a server and a bearer token. */
export type OpenApp = (base: string, token: string) => App;

// Each client has types of its own for the same resources: what it reads is taken as what the test says, which looks at it.
const as = <T>(found: unknown) => found as T;

/** fhir-kit-client: transactions, resources in JSON, errors with the answer in them. */
export const fhirKit: OpenApp = (base, token) => {
  const client = new Client({ baseUrl: base, bearerToken: token });
  return {
    deposit: async (bundle) => as(await client.transaction({ body: as(bundle) })),
    find: async (resourceType, searchParams) => as(await client.search({ resourceType, searchParams })),
    read: async (resourceType, id) => as(await client.read({ resourceType, id })),
    bytes: async (url) => Buffer.from(as<{ data: string }>(await client.request(url)).data, 'base64'),
    state: async (body) => as(await client.create({ resourceType: 'Consent', body: as(body) })),
    change: async (body) => as(await client.update({ resourceType: 'Consent', id: body.id ?? '', body: as(body) })),
    withdraw: (id) => client.delete({ resourceType: 'Consent', id }),
    refusal: (error) => as<{ response?: { status: number } }>(error).response?.status,
  };
};

/** The client of @medplum/core: batches, blobs, errors as OperationOutcome. */
export const medplum: OpenApp = (base, token) => {
  const client = new MedplumClient({ baseUrl: base, fhirUrlPath: '', accessToken: token, fetch });
  return {
    deposit: async (bundle) => as(await client.executeBatch(as(bundle))),
    find: async (type, query) => as(await client.search(as<'Consent'>(type), query)),
    read: async (type, id) => as(await client.readResource(as<'Consent'>(type), id)),
    bytes: async (url) => Buffer.from(await (await client.download(url)).arrayBuffer()),
    state: async (consent) => as(await client.createResource(as<{ resourceType: 'Consent' }>(consent) as never)),
    change: async (consent) => as(await client.updateResource(as<{ resourceType: 'Consent' }>(consent) as never)),
    withdraw: (id) => client.deleteResource('Consent', id),
    refusal: (error) => (error instanceof OperationOutcomeError ? error.outcome.issue[0]?.code : undefined),
  };
};

type SmartClient = {
  request(
    request: string | { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  ): Promise<unknown>;
  create(resource: object): Promise<unknown>;
  update(resource: object): Promise<unknown>;
  delete(url: string): Promise<unknown>;
};
type Smart = (request: object, response: object, storage: object) => { client(state: object): SmartClient };

/** fhirclient, that of SMART on FHIR: resources one by one, texts as texts. Its types would bring those of browsers. */
export const smart: OpenApp = (base, token) => {
  const open = createRequire(import.meta.url)('fhirclient') as Smart;
  const client = open({}, {}, {}).client({ serverUrl: base, tokenResponse: { access_token: token } });
  return {
    async deposit(bundle) {
      const document = resourceIn(bundle, 'DocumentReference');
      const { data } = resourceIn(bundle, 'Binary');
      const {
        identifier: _entry,
        meta: _profile,
        content: [first],
        ...rest
      } = document;
      const { url: _inBundle, ...attachment } = first?.attachment ?? {};
      const content = [{ ...first, attachment: { ...attachment, data } }];
      return as(await client.create({ ...rest, content }));
    },
    find: async (type, query) => as(await client.request(`${type}?${new URLSearchParams(query).toString()}`)),
    read: async (type, id) => as(await client.request(`${type}/${id}`)),
    bytes: async (url) => Buffer.from(as<string>(await client.request({ url, headers: { accept: 'text/xml' } }))),
    state: async (consent) => as(await client.create(consent)),
    change: async (consent) => as(await client.update(consent)),
    withdraw: (id) => client.delete(`Consent/${id}`),
    refusal: (error) => as<{ status?: number }>(error).status,
  };
};

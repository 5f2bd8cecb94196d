import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { NotIdentified } from '../../server/auth/credentials.ts';
import type { XdsTransaction } from '../../server/xds/exchange.ts';
import { xdsRouter } from '../../server/xds/routes.ts';
import { namespace } from '../../server/xds/vocabulary.ts';
import { child } from '../../server/xml/element.ts';
import { usualLimits } from '../support/limits.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import type { World } from '../support/world.ts';

/** A server with transactions of the XDS face over a world. wsse:Security holds the caller and the patient, people of the sandbox by name. */
export async function openFace(world: World<MemoryStore>, transactions: readonly XdsTransaction[]) {
  const identify = {
    assertion: async ({ root }: { readonly root: Parameters<typeof child>[0] }) => {
      const named = child(child(root, namespace.soap12, 'Header'), namespace.wsse, 'Security')?.text.split(' ');
      const [slug, patient] = named ?? [];
      if (slug === undefined || patient === undefined) throw new NotIdentified('nothing in wsse:Security', true);
      return Promise.resolve(world.as(slug, { patient: world.ins(patient) }).caller);
    },
    bearer: () => Promise.reject(new NotIdentified('not here')),
  };
  const app = new Koa();
  const options = {
    log: { info: () => {}, error: () => {} },
    publicUrl: 'http://dmp.example.org',
    limits: usualLimits,
  };
  app.use(xdsRouter(world.tools, identify, transactions, options).routes());
  const answer = app.callback();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A message of the transaction by somebody of the sandbox about a patient. */
export function envelope({ requestAction }: XdsTransaction, who: string, patient: string, body: string): string {
  return (
    `<s:Envelope xmlns:s="${namespace.soap12}" xmlns:a="${namespace.wsa}"><s:Header>` +
    `<a:Action s:mustUnderstand="1">${requestAction}</a:Action><a:MessageID>urn:uuid:5b7b3a5e-0a1d-4c43-9a0c-0d3c3a6f9d11</a:MessageID>` +
    `<w:Security xmlns:w="${namespace.wsse}">${who} ${patient}</w:Security></s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}

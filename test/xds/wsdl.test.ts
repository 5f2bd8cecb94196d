import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { personOf } from '../../server/sandbox/people.ts';
import { cxOf, publicUrl } from '../support/clients.ts';
import {
  envelope,
  type Filer,
  findDocuments,
  retrieveDocuments,
  submission,
  type XdsVerb,
} from '../support/messages.ts';
import { compile, importing, schemaProblems } from '../support/schemas.ts';
import { openServer, type TestServer } from '../support/server.ts';
import { partsOf, plain, post } from '../support/wire.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server.close());

const get = async (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = '']) => found);

describe('the description of an address', () => {
  const registry = [
    'urn:ihe:iti:2007:RegistryStoredQuery',
    'urn:ihe:iti:2007:RegisterDocumentSet-b',
    'urn:hl7-org:v3:PRPA_IN201301UV02 MCCI_IN000002UV01',
    'urn:hl7-org:v3:PRPA_IN201302UV02 MCCI_IN000002UV01',
    'urn:hl7-org:v3:PRPA_IN201304UV02 MCCI_IN000002UV01',
    'urn:ihe:iti:2009:MultiPatientStoredQuery',
    'urn:ihe:iti:2010:UpdateDocumentSet',
    'urn:ihe:iti:2010:RegisterOnDemandDocumentEntry RegisterOnDemandDocumentResponse',
    'urn:ihe:iti:2010:DeleteDocumentSet',
    'urn:ihe:iti:2018:RestrictedUpdateDocumentSet',
  ];
  const repository = [
    'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b',
    'urn:ihe:iti:2007:RetrieveDocumentSet',
    'urn:ihe:iti:2017:RemoveDocuments',
  ];

  test.each([
    ['/xds/registry', 'DocumentRegistry', registry],
    ['/si-dmp-server/v2/services/registry', 'DocumentRegistry', registry],
    ['/xds/repository', 'DocumentRepository', repository],
    ['/si-dmp-server/v2/services/repository', 'DocumentRepository', repository],
  ])('%s names it, its actions and their messages', async (path, actor, actions) => {
    const response = await get(`${path}?wsdl`);
    expect(response.headers.get('content-type')).toMatch(/^text\/xml/);
    const wsdl = await response.text();
    expect(all(wsdl, /<soap12:address location="([^"]+)"/g)).toEqual([`${publicUrl}${path}`]);
    const described = [
      ...wsdl.matchAll(
        /<wsdl:operation name="(\w+?)_([^"]+)"><wsdl:input [^>]*wsaw:Action="([^"]+)"\/><wsdl:output [^>]*wsaw:Action="([^"]+)"/g,
      ),
    ].map(([, ...found]) => found);
    expect(described.toSorted()).toEqual(
      actions
        .map((text) => {
          const [action = '', answer] = text.split(' ');
          const [, base = '', name = ''] = /^(.*:)([^:]+)$/.exec(action) ?? [];
          return [actor, name, action, `${base}${answer ?? `${name}Response`}`];
        })
        .toSorted(),
    );
  });

  test('answers ?WSDL of toolkits that shout', async () => {
    const [shouted, said] = await Promise.all(['?WSDL', '?wsdl'].map(async (query) => get(`/xds/registry${query}`)));
    expect([shouted?.status, await shouted?.text()]).toEqual([200, await said?.text()]);
  });

  test.each([
    ['/xds/registry', 405],
    ['/xds/registry?xsd=nothing', 404],
    ['/xds/registry?xsd=../habilitations', 404],
    ['/xds/registry?xsd=rim&xsd=rs', 404],
  ])('is all there is to get: %s gives %i', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });

  test.each(['/xds/registry', '/xds/repository'])(
    '%s imports schemas that are there, and can be compiled',
    async (path) => {
      const schemas = new Map<string, string>();
      const fetchAll = async (text: string): Promise<void> => {
        for (const location of all(text, /schemaLocation="([^"]+)"/g)) {
          expect(location.startsWith(`${publicUrl}${path}?xsd=`)).toBe(true);
          if (schemas.has(location)) continue;
          const response = await get(location.slice(publicUrl.length));
          expect(response.status).toBe(200);
          schemas.set(location, await response.text());
          await fetchAll(schemas.get(location) ?? '');
        }
      };
      const wsdl = await (await get(`${path}?wsdl`)).text();
      await fetchAll(wsdl);
      const imports = [...wsdl.matchAll(/<xs:import namespace="([^"]+)" schemaLocation="([^"]+)"/g)].map(
        ([, uri = '', location = '']) => [uri, location] as const,
      );
      expect(imports.length).toBeGreaterThan(1);
      compile(new Map([['all.xsd', importing(imports)], ...schemas])).dispose();
    },
  );
});

describe('our schemas', () => {
  const martin = personOf('dr-martin') as Filer;
  const filed = { cx: cxOf('laurent'), filer: martin, bytes: Buffer.from('<a/>') };
  const security = (patient: string) => server.credentials.vihf('dr-martin', { patient });
  const answerTo = async (verb: XdsVerb, body: string): Promise<string> => {
    const path = verb === 'find' ? '/xds/registry' : '/xds/repository';
    const { bytes, headers } = await post(server.port, path, plain, [envelope(verb, security('laurent'), body)]);
    return (partsOf(bytes, String(headers['content-type']))[0]?.body ?? bytes).toString();
  };

  test.each([
    'iti18/find-documents',
    'iti18/get-documents',
    'iti41/submission',
    'iti43/retrieve',
    'iti44/add',
    'iti44/revise',
    'iti44/merge',
  ])('know the request %s', (name) => {
    const text = readFileSync(new URL(`${name}.xml`, import.meta.url), 'utf8');
    expect(schemaProblems(envelope('find', undefined, text.replace(/^<\?xml.*?\?>/, '')))).toEqual([]);
  });

  test('know every answer that we give', async () => {
    const uniqueId = '1.2.250.1.213.99.50.77';
    const body = submission({ ...filed, uniqueId });
    const said = {
      deposited: await answerTo('deposit', body),
      refused: await answerTo('deposit', body.replaceAll('"11488-4"', '""')),
      found: await answerTo('find', findDocuments(cxOf('laurent'))),
      named: await answerTo('find', findDocuments(cxOf('laurent'), 'ObjectRef')),
      unanswerable: await answerTo('find', findDocuments(cxOf('laurent')).replaceAll('Status', 'Nothing')),
      retrieved: await answerTo('retrieve', retrieveDocuments([uniqueId])),
      unknown: await answerTo('retrieve', retrieveDocuments(['1.2.3'])),
      partly: await answerTo('retrieve', retrieveDocuments([uniqueId, '1.2.3'])),
    };
    expect(said.refused).toContain('<rs:RegistryError ');
    expect(said.found).toContain('<rim:ExtrinsicObject ');
    expect(said.partly).toContain('PartialSuccess');
    expect(Object.fromEntries(Object.entries(said).map(([what, text]) => [what, schemaProblems(text)]))).toEqual(
      Object.fromEntries(Object.keys(said).map((what) => [what, []])),
    );
  });

  test.each([
    ['an attribute too few', ' objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"', ' objekt="x"', /objekt/],
    [
      'children in another order',
      /(<rim:Name>.*?<\/rim:Name>)\s*(<rim:Description>.*?<\/rim:Description>)/,
      '$2$1',
      /Name/,
    ],
    ['an element of another world', '<rim:RegistryObjectList>', '<rim:RegistryObjectList><rim:Unknown/>', /Unknown/],
  ])('find %s', (_what, before, after, problem) => {
    const broken = submission({ ...filed, uniqueId: '1.2.3' }).replace(before, after);
    expect(schemaProblems(envelope('deposit', undefined, broken)).join('\n')).toMatch(problem);
  });
});

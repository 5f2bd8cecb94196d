import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { personOf } from '../../server/sandbox/people.ts';
import { cxOf } from '../support/clients.ts';
import { openServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server.close());

/** A deposit of dr-martin for laurent, changed before it is sent. */
async function deposit(change: (message: string) => string) {
  const filer = personOf('dr-martin');
  if (filer?.kind !== 'professional') throw new Error('dr-martin');
  const uniqueId = `2.999.90.${randomInt(2 ** 40)}`;
  const filed = { cx: cxOf('laurent'), filer, uniqueId, bytes: Buffer.from(uniqueId) };
  return server.xds.deposit(server.credentials.vihf('dr-martin', { patient: 'laurent' }), filed, change);
}

test.each(['L', 'M', 'U', 'MASQUE_PS', 'x'])('confidentiality %s of HL7 is not in JDV_J58', async (code) => {
  const { status, errors } = await deposit((message) =>
    message.replace('nodeRepresentation="N"', `nodeRepresentation="${code}"`),
  );
  expect({ status, errors }).toMatchObject({
    status: 'Failure',
    errors: [
      { code: 'XDSRepositoryMetadataError', context: expect.stringContaining(`"${code}^^2.16.840.1.113883.5.25"`) },
    ],
  });
});

test.each([
  ['1.2.250.1.213.1.4.10', 'Success'],
  ['1.2.250.1.213.1.4.8', 'Failure'],
])('a source names the patient by a matricule under %s: %s', async (oid, expected) => {
  const source = cxOf('laurent').replace('1.2.250.1.213.1.4.10', oid).replaceAll('&', '&amp;');
  const { status, errors } = await deposit((message) =>
    message.replace('IPP42^^^&amp;1.2.250.1.213.99.20&amp;ISO^PI', source),
  );
  expect(status).toBe(expected);
  expect(errors.map(({ code, context }) => [code, context.split(' ')[0]])).toEqual(
    expected === 'Success' ? [] : [['XDSRepositoryMetadataError', 'sourcePatientId']],
  );
});

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writePdf } from '../../server/sandbox/pdf.ts';

const folder = mkdtempSync(join(tmpdir(), 'door-'));
const root = resolve(import.meta.dirname, '../..');
const env: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  INIT_CWD: folder,
  DMP_DATA: join(folder, 'data'),
  DMP_PUBLIC_URL: 'http://sandbox.example',
};
let server: ChildProcess;

beforeAll(async () => {
  server = spawn(process.execPath, ['server/start.mjs'], {
    cwd: root,
    env: { ...env, DMP_PORT: '0', DMP_LOG_LEVEL: 'silent' },
  });
  let printed = '';
  for await (const chunk of server.stdout ?? []) {
    printed += String(chunk);
    if (printed.includes('npm run -s dmp')) break;
  }
  env['DMP_URL'] = /http:\/\/127\.0\.0\.1:\d+(?=\/fhir)/.exec(printed)?.[0] ?? printed;
}, 60_000);
afterAll(async () => {
  server.kill('SIGKILL');
  await once(server, 'exit');
  rmSync(folder, { recursive: true });
});

const run = promisify(execFile);
async function dmp(line: string): Promise<{ status: number; stdout: string; stderr: string }> {
  const args = [join(root, 'scripts/dmp.ts'), ...line.split(' ')];
  try {
    return { status: 0, ...(await run(process.execPath, args, { env, encoding: 'utf8' })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}
type Listed = { uniqueId: string; entryUUID: string; title: string; type: string; status: string };
const listed = async (line: string) => JSON.parse((await dmp(`${line} --json`)).stdout) as Listed[];
const submitted = async (line: string) => JSON.parse((await dmp(`submit ${line} --json`)).stdout) as Listed;

describe('the client at the doors of the server', () => {
  test('deposits a PDF, and everyone who may finds the same by XDS and by FHIR', async () => {
    writeFileSync(join(folder, 'courrier.pdf'), writePdf('Courrier', ['Cher confrère']));
    const filed = await submitted('courrier.pdf --as dr-martin --patient laurent');
    expect(filed).toMatchObject({ title: 'courrier', type: '11488-4', status: 'approved' });
    const found = await listed('find --as dr-nguyen --patient laurent');
    expect(found).toHaveLength(14);
    expect(found[0]).toEqual(filed);
    expect(await listed('find --as dr-nguyen --patient laurent --via fhir')).toEqual(found);
    expect(await listed('find --as laurent')).toEqual(found);
  });

  test('retrieves the same bytes by XDS and by FHIR, by uniqueId and by entryUUID, and what is inside', async () => {
    const filed = await submitted('courrier.pdf --as dr-martin --patient casanova --title Lettre');
    await dmp(`get ${filed.uniqueId} --as dr-martin --patient casanova --out xds.xml`);
    await dmp(`get ${filed.entryUUID} --as dr-martin --patient casanova --via fhir --out fhir.xml`);
    await dmp(`get ${filed.entryUUID} --as dr-martin --patient casanova --unwrap --out inside.pdf`);
    const read = (name: string) => readFileSync(join(folder, name));
    expect(read('xds.xml')).toEqual(read('fhir.xml'));
    expect(read('inside.pdf')).toEqual(read('courrier.pdf'));
  });

  test('deposits by FHIR what XDS finds and retrieves', async () => {
    const filed = await submitted('courrier.pdf --as dr-martin --patient casanova --title Avis --via fhir');
    const found = await listed('find --as dr-martin --patient casanova');
    expect(found.find(({ entryUUID }) => entryUUID === filed.entryUUID)).toEqual(filed);
    await dmp(`get ${filed.uniqueId} --as dr-martin --patient casanova --unwrap --out by-fhir.pdf`);
    expect(readFileSync(join(folder, 'by-fhir.pdf'))).toEqual(readFileSync(join(folder, 'courrier.pdf')));
    const refused = await dmp('submit courrier.pdf --as pharm-durand --patient blanc --via fhir');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
  });

  test('deposits a CDA as it is, once', async () => {
    await dmp('get 1.2.250.1.999.1.3.101 --as dr-martin --patient laurent --out copy.xml');
    const text = readFileSync(join(folder, 'copy.xml'), 'utf8').replaceAll('1.2.250.1.999.1.3.101', '2.25.4711');
    writeFileSync(join(folder, 'own.xml'), text);
    const filed = await submitted('own.xml --as dr-martin --patient laurent');
    expect(filed).toMatchObject({ uniqueId: '2.25.4711', title: 'Consultation du 12 janvier 2026', type: '11488-4' });
    const { stdout } = await dmp('get 2.25.4711 --as dr-martin --patient laurent');
    expect(stdout).toBe(text);
    const again = await dmp('submit own.xml --as dr-martin --patient laurent');
    expect(again.status).toBe(1);
    expect(again.stderr).toContain('XDSDuplicateUniqueIdInRegistry');
  });

  test('hides from the patient what is to be announced', async () => {
    const filed = await submitted('courrier.pdf --as labo-centre --patient masson --type 11502-2 --hide patient');
    const ids = async (line: string) => (await listed(line)).map((d) => d.uniqueId);
    expect(await ids('find --as dr-martin --patient masson')).toContain(filed.uniqueId);
    expect(await ids('find --as masson')).not.toContain(filed.uniqueId);
    expect((await dmp(`get ${filed.uniqueId} --as masson`)).stderr).toContain('There is no document');
  });

  test.each([
    ['find --as dr-nguyen --patient blanc', 'XDSRegistryError: DMPAccessDeniedByRightsService'],
    ['find --as dr-nguyen --patient blanc --via fhir', 'forbidden'],
    ['find --as dr-martin --patient garnier', 'XDSUnknownPatientId'],
    ['find --as dr-bernard --patient girard --mode bris_de_glace --reason coma', 'DMPAccessDeniedByRightsService'],
    ['submit courrier.pdf --as pharm-durand --patient laurent', 'XDSRepositoryError: DMPAccessDeniedByRightsService'],
    ['get 1.2.250.1.999.1.3.501 --as dr-nguyen --patient henry', 'There is no document'],
    ['get 1.2.250.1.999.1.3.103 --as dr-martin --patient laurent --unwrap', 'holds no other inside'],
  ])('%s ends with 1 and says why', async (line, words) => {
    const { status, stdout, stderr } = await dmp(line);
    expect(stderr).toContain(words);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  });

  test('a doctor breaks the glass of a record that does not authorise him', async () => {
    expect((await dmp('find --as dr-roux --patient laurent')).status).toBe(1);
    const found = await listed('find --as dr-bernard --patient laurent --mode bris_de_glace --reason inconscient');
    expect(found.length).toBeGreaterThan(12);
  });

  test('the mother sees the record of her daughter, save what the daughter keeps', async () => {
    expect((await listed('find --as sophie-morel --patient lea-morel')).map((d) => d.uniqueId)).toEqual([
      '1.2.250.1.999.1.3.702',
      '1.2.250.1.999.1.3.701',
    ]);
    expect(await listed('find --as lea-morel')).toHaveLength(3);
  });

  test('the sample message of the documentation is accepted with a fresh assertion', async () => {
    const assertion = (await dmp('vihf --as dr-martin --patient laurent')).stdout;
    const sample = readFileSync(join(root, 'docs/samples/iti41-laboratory-report.mtom'), 'utf8');
    const response = await fetch(`${env['DMP_URL']}/xds/repository`, {
      method: 'POST',
      headers: {
        'Content-Type':
          'multipart/related; type="application/xop+xml"; start="<root@sample>"; start-info="application/soap+xml"; boundary=sample',
      },
      body: sample.replace('@ASSERTION@\r\n', assertion).replaceAll('@UNIQUE@', '4712'),
    });
    expect(await response.text()).toContain('ResponseStatusType:Success');
    expect((await listed('find --as dr-nguyen --patient laurent'))[0]?.uniqueId).toBe('1.2.250.1.999.1.5.14712');
  });
});

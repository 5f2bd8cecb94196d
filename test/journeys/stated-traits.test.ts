import { hash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, OperationOutcome } from 'fhir/r4.js';
import { oidOfUuid } from '../../server/domain/identifier.ts';
import { writeCda } from '../../server/sandbox/cda.ts';
import { patientOf, personOf, type SandboxPatient } from '../../server/sandbox/people.ts';
import { bundleAt, resourceIn } from '../fhir/deposits.ts';
import { cda as hl7Cda, message, openDoor as openHl7 } from '../hl7/door.ts';
import { cxOf } from '../support/clients.ts';
import { openServer, type TestServer } from '../support/server.ts';

const servers: Partial<Record<'off' | 'warn' | 'refuse', TestServer>> = {};
beforeAll(async () => {
  for (const setting of ['off', 'warn', 'refuse'] as const)
    servers[setting] = await openServer(setting === 'off' ? {} : { DMP_TRAITS: setting });
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server.close();
});

/** What a deposit for laurent says of him. */
const said = {
  'nothing but the truth': {},
  'his names and date in PID lines': { lines: ['PID-5|Laurent^Michel^^^^^L', 'PID-7|19610514', 'PID-8|M'] },
  'another family name in PID-5': { lines: ['PID-5|DUPONT^Michel^^^^^L'] },
  'another date in PID-7': { lines: ['PID-7|19610515'] },
  'another sex in PID-8': { lines: ['PID-8|F'] },
  'another name in the CDA': { patient: { family: 'DUPONT' } },
  'another date in the CDA': { patient: { birthDate: '1961-05-15' } },
  'another sex in the CDA': { patient: { gender: 'female' } },
} as const;
type Kind = keyof typeof said;
const kinds = Object.keys(said) as Kind[];
const isTrue = (kind: Kind) => kind === kinds[0] || kind === kinds[1];

function depositor() {
  const [filer, patient] = [personOf('dr-martin'), patientOf('laurent')];
  if (filer?.kind !== 'professional' || patient === undefined) throw new Error('nobody');
  return { filer, patient };
}

/** By ITI-41. */
async function deposit(setting: 'off' | 'warn' | 'refuse', kind: Kind) {
  const server = servers[setting];
  if (server === undefined) throw new Error('no server');
  const { filer, patient } = depositor();
  const { lines = [], patient: changed = {} } = said[kind] as {
    lines?: readonly string[];
    patient?: Partial<SandboxPatient>;
  };
  const uniqueId = oidOfUuid(randomUUID());
  const bytes = writeCda({
    id: uniqueId,
    typeCode: { code: '11488-4', system: '2.16.840.1.113883.6.1', display: 'CR' },
    title: 'Compte rendu',
    writtenAt: Date.now(),
    serviceAt: Date.now(),
    patient: { ...patient, ...changed },
    author: filer,
    content: { kind: 'nonXml', mediaType: 'text/plain', bytes: Buffer.from('Bonjour') },
  });
  const values = lines.map((line) => `<rim:Value>${line}</rim:Value>`).join('');
  const slot =
    lines.length === 0 ? '' : `<rim:Slot name="sourcePatientInfo"><rim:ValueList>${values}</rim:ValueList></rim:Slot>`;
  return server.xds.deposit(
    server.credentials.vihf('dr-martin', { patient: 'laurent' }),
    { cx: cxOf('laurent'), filer, uniqueId, bytes },
    (request) => request.replace(/<rim:Slot name="sourcePatientInfo">[\s\S]*?<\/rim:Slot>/, slot),
  );
}

describe.each(kinds)('a deposit that says of its patient %s', (kind) => {
  const differs = isTrue(kind) ? [] : [expect.stringMatching(/^(recordTarget|sourcePatientInfo) of .* another person/)];

  test('is stored without a word by default', async () => {
    expect(await deposit('off', kind)).toMatchObject({ status: 'Success', errors: [] });
  });

  test('is stored, and the depositor warned of another person', async () => {
    const { status, errors, text } = await deposit('warn', kind);
    expect([status, errors.map(({ context }) => context)]).toEqual(['Success', differs]);
    expect(text.includes('ErrorSeverityType:Warning')).toBe(!isTrue(kind));
    expect(text).not.toContain('ErrorSeverityType:Error');
  });

  test('is refused where it is another person, and learns nothing of the holder', async () => {
    const { status, errors, text } = await deposit('refuse', kind);
    expect([status, errors.map(({ context }) => context)]).toEqual([isTrue(kind) ? 'Success' : 'Failure', differs]);
    expect(text).not.toMatch(/LAURENT|1961/i);
  });
});

describe('by FHIR', () => {
  const post = async (setting: 'warn' | 'refuse', family: string) => {
    const server = servers[setting];
    if (server === undefined) throw new Error('no server');
    const bundle = bundleAt(Date.now());
    const binary = resourceIn(bundle, 'Binary');
    const bytes = Buffer.from(
      Buffer.from(binary.data ?? '', 'base64')
        .toString()
        .replaceAll('LAURENT', family),
    );
    binary.data = bytes.toString('base64');
    const { attachment } = resourceIn(bundle, 'DocumentReference').content[0] ?? {};
    Object.assign(attachment ?? {}, { size: bytes.length, hash: hash('sha1', bytes, 'base64') });
    const answer = await fetch(server.fhir.base, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await server.credentials.token('dr-martin', { patient: 'laurent' })}`,
        'content-type': 'application/fhir+json',
      },
      body: JSON.stringify(bundle),
    });
    return {
      status: answer.status,
      json: (await answer.json()) as Pick<Bundle, 'entry'> & Pick<OperationOutcome, 'issue'>,
    };
  };
  const warnings = ({ entry = [] }: Pick<Bundle, 'entry'>) =>
    entry.flatMap(({ response }) => (response?.outcome as OperationOutcome | undefined)?.issue ?? []);

  test('a warning comes with the answer to the Bundle', async () => {
    const { status, json } = await post('warn', 'DUPONT');
    expect([status, warnings(json).map(({ severity, details }) => [severity, details?.text])]).toEqual([
      200,
      [['warning', 'traitsDiffer']],
    ]);
    expect(warnings((await post('warn', 'LAURENT')).json)).toEqual([]);
  });

  test('a refusal names the problem', async () => {
    const { status, json } = await post('refuse', 'DUPONT');
    expect([status, json.issue.map(({ details }) => details?.text)]).toEqual([400, ['traitsDiffer']]);
  });
});

describe('by HL7 v2', () => {
  test.each([
    ['warn', 'AA', 'W'],
    ['refuse', 'AE', 'E'],
  ] as const)('%s: acknowledged %s with an ERR of severity %s', async (traitsCompared, code, severity) => {
    const door = await openHl7({ switches: { traitsCompared } });
    const line = await door.dial();
    const cda = Buffer.from(Buffer.from(hl7Cda('2.999.91.1'), 'base64').toString().replaceAll('LAURENT', 'DUPONT'));
    const ack = await line.ask(message('oru-r01.hl7', { cda: cda.toString('base64') }));
    expect([ack.code, ack.errors.map((error) => error.severity)]).toEqual([code, [severity]]);
    await door.close();
  });
});

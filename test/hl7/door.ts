import { readFileSync } from 'node:fs';
import { documentType } from '../../server/cda/document-types.ts';
import { listenMllp, type MllpLimits } from '../../server/hl7/server.ts';
import { type ClinicalDocument, writeCda } from '../../server/sandbox/cda.ts';
import { patientOf, personOf } from '../../server/sandbox/people.ts';
import { sandboxSenders } from '../../server/sandbox/senders.ts';
import { dial, type Line } from '../support/mllp.ts';
import { openWorld, type World, type WorldOptions, worldBegins } from '../support/world.ts';

/** A world with an HL7 listener before it. */
export type Door = {
  readonly world: World<import('../support/memory-store.ts').MemoryStore>;
  readonly port: number;
  readonly dial: () => Promise<Line>;
  readonly logged: string[];
  readonly close: () => Promise<void>;
};

export const usualLimits: MllpLimits = {
  messageBytes: 4 * 1024 * 1024,
  totalBytes: 16 * 1024 * 1024,
  connections: 8,
  idle: 60_000,
  pause: 8_000,
  slowest: 1024,
};

export async function openDoor(options: WorldOptions = {}, limits: Partial<MllpLimits> = {}): Promise<Door> {
  const world = await openWorld(options);
  const logged: string[] = [];
  const log = {
    info: () => {},
    warn: () => {},
    error: (_fields: unknown, message: string, cause?: unknown) => logged.push(`${message}: ${String(cause)}`),
  };
  const face = { tools: world.tools, senders: sandboxSenders(), processing: ['P', 'T'], log, isReady: () => true };
  const server = await listenMllp(face, { host: '127.0.0.1', port: 0, limits: { ...usualLimits, ...limits } });
  const lines: Line[] = [];
  return {
    world,
    port: server.port,
    logged,
    async dial() {
      const line = await dial(server.port);
      lines.push(line);
      return line;
    },
    async close() {
      for (const line of lines) line.close();
      await server.close();
    },
  };
}

/** A message of the folder beside, its blanks filled. */
export function message(name: string, blanks: Readonly<Record<string, string>> = {}): string {
  const { ins = '', birthDate = '', birthPlace = '' } = patientOf('laurent') ?? {};
  const all: Record<string, string> = {
    ins,
    birth: birthDate.replaceAll('-', ''),
    place: birthPlace,
    masked: 'N',
    hidden: 'N',
    minor: 'N',
    secret: 'N',
    changes: 'N',
    event: 'T02',
    status: 'F',
    ...blanks,
  };
  const text = readFileSync(new URL(`./messages/${name}`, import.meta.url), 'utf8');
  return text.replace(/\{(\w+)\}/g, (whole, blank: string) => all[blank] ?? whole);
}

/** A laboratory report about a patient, or of another type as a page of text; with what it replaces. */
export function cda(
  id: string,
  { slug = 'laurent', by = 'labo-centre', type = '11502-2', replaces = '' } = {},
): string {
  const patient = patientOf(slug);
  const author = personOf(by);
  if (patient === undefined || author === undefined || author.kind === 'representative' || author.kind === 'system')
    throw new Error(`${slug} or ${by} is nobody of the sandbox`);
  const content: ClinicalDocument['content'] = {
    kind: 'nonXml',
    mediaType: 'text/plain',
    bytes: Buffer.from('Glycémie 5,1 mmol/L'),
  };
  const document = {
    id,
    typeCode: documentType(type)?.typeCode ?? { code: type, system: '2.16.840.1.113883.6.1' },
    title: `Compte rendu ${id}`,
    writtenAt: worldBegins,
    serviceAt: worldBegins,
    patient,
    author,
    content,
  };
  const related = `<relatedDocument typeCode="RPLC"><parentDocument><id root="${replaces}"/></parentDocument></relatedDocument>`;
  const text = Buffer.from(writeCda(document)).toString();
  const whole = replaces === '' ? text : text.replace('<componentOf>', `${related}<componentOf>`);
  return Buffer.from(whole).toString('base64');
}

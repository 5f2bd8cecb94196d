import Router from '@koa/router';
import type { Code } from '../domain/code.ts';
import type { Submission } from '../domain/document.ts';
import { cxOf } from '../domain/identifier.ts';
import { dtmOf } from '../domain/time.ts';
import type { Order } from '../sources/port.ts';
import type { Request, Tools } from '../usecases/perform.ts';
import { registerOnDemand } from '../usecases/submit.ts';
import { callerOf, identifierOf } from './caller.ts';
import { personOf } from './people.ts';
import { writeSummary } from './summary.ts';
import { unfitFor } from './unfit.ts';

/** repositoryUniqueId of the documents that the sandbox assembles itself. */
const repository = '1.2.250.1.999.1.5';
const path = '/sandbox/on-demand';

/** The sandbox as a source of on-demand documents, when it listens at this port; nothing is there to call at a port that is not known yet. */
export function sandboxSources(
  host: string,
  port: number,
): { readonly repository: string; readonly address: string }[] {
  if (port === 0) return [];
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return [{ repository, address: `http://${name.includes(':') ? `[${name}]` : name}:${port}${path}` }];
}

/** The largest order, in bytes: some thousands of entries. */
const largestOrder = 16 * 2 ** 20;

/** Answers orders with a summary of the record. It writes what it is given, and knows nothing else. */
export function onDemandRouter(now: () => number): Router {
  const router = new Router();
  router.post(path, async (ctx) => {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of ctx.req) {
      size += (chunk as Buffer).length;
      if (size > largestOrder) {
        ctx.status = 413;
        return;
      }
      chunks.push(chunk as Buffer);
    }
    const summary = summaryOf(Buffer.concat(chunks).toString(), now());
    ctx.status = summary === 'unchanged' ? 304 : 400;
    if (summary === undefined || summary === 'unchanged') return;
    ctx.type = 'text/xml; charset=utf-8';
    ctx.body = summary;
    ctx.status = 200;
  });
  return router;
}

/** Whatever is no order fails while it is written. Nothing but the documents goes into a summary: of the same ones it is the same. */
function summaryOf(json: string, now: number): Buffer | 'unchanged' | undefined {
  try {
    const order = JSON.parse(json) as Order;
    return order.former === undefined ? writeSummary(order, dtmOf(now)) : 'unchanged';
  } catch {
    return undefined;
  }
}

const summaryType: Code = {
  code: '60591-5',
  system: '2.16.840.1.113883.6.1',
  display: 'Synthèse médicale',
};
const uniqueId = '1.2.250.1.999.1.6.1';

/**
 * Registers the summary of one of the sandbox's patients, in the name of `regie`, where its source can be called and the domain
 * takes it. What is there already stays.
 */
export async function registerSummary(tools: Tools, slug: string): Promise<boolean> {
  const [patient, system] = [personOf(slug), personOf('regie')];
  if (patient?.kind !== 'patient' || system?.kind !== 'system') throw new Error(`${slug} has no summary`);
  if (!tools.sources.repositories.includes(repository)) return false;
  if ((await tools.store.facts.recordsOfObjects([uniqueId])).length > 0) return false;
  const { value, oid } = identifierOf(patient);
  const patientId = cxOf({ value, oid });
  const authors = [
    {
      person: {
        id: system.id,
        family: 'OpenDMP',
        authority: { oid: '1.2.250.1.71.4.2.1' },
        nameType: 'U',
        idType: 'RI',
      },
      institutions: [],
      roles: [],
      specialties: [],
      telecommunications: [],
    },
  ];
  const submission: Submission = {
    sets: [
      {
        id: 'set',
        uniqueId: `${uniqueId}.1`,
        sourceId: repository,
        patientId,
        submissionTime: dtmOf(tools.now()),
        contentTypeCode: { code: '07', system: '1.2.250.1.213.2.2', display: 'Consultations, soins externes' },
        authors,
      },
    ],
    entries: [
      {
        id: 'entry',
        objectType: 'onDemand',
        uniqueId,
        repositoryUniqueId: repository,
        patientId,
        sourcePatientId: patientId,
        mimeType: 'text/xml',
        title: { value: 'Synthèse du dossier', language: 'fr-FR' },
        languageCode: 'fr-FR',
        classCode: { code: '11', system: '1.2.250.1.213.1.1.4.1', display: 'Synthèse' },
        typeCode: summaryType,
        formatCode: {
          code: 'urn:asipSante:modelesHorsProfils:2011',
          system: '1.2.250.1.213.1.1.4.2.282',
          display: 'Document non référencé IHE ou CI-SIS',
        },
        healthcareFacilityTypeCode: { code: 'SA43', system: '1.2.250.1.71.4.2.4' },
        practiceSettingCode: { code: 'AMBULATOIRE', system: '1.2.250.1.213.1.1.4.9', display: 'Ambulatoire' },
        confidentialityCodes: [{ code: 'N', system: '2.16.840.1.113883.5.25', display: 'Normal' }],
        authors,
      },
    ],
    folders: [],
    associations: [
      { id: 'member', type: 'HasMember', source: 'set', target: 'entry', submissionSetStatus: 'Original' },
    ],
  };
  const request: Request = {
    caller: callerOf(system),
    origin: { transaction: 'ITI-61', requestId: 'sandbox', endpoint: 'sandbox' },
  };
  if (unfitFor(tools, request, { submission, documents: [] }).length > 0) return false;
  await registerOnDemand(tools, request, { submission });
  return true;
}

import { type CdaFacts, readCda } from '../cda/header.ts';
import { entryOf, sourcePatientOf } from '../cda/metadata.ts';
import type { EntryDraft } from '../domain/document.ts';
import { type Problem, problem, Refused } from '../domain/error.ts';
import { cxOf } from '../domain/identifier.ts';
import { requiredAttributes } from '../domain/rules/required-attributes.ts';
import type { Deposited } from '../usecases/deposit.ts';
import { withoutSpace } from './base64.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { filed } from './filing.ts';
import { isObject, isSaidToBe, type Json, type JsonObject } from './json.ts';
import { idOf } from './map/document-reference.ts';
import { located, provide } from './provide.ts';
import { unknownAround } from './read/around.ts';
import { shapeOf, shapeProblems } from './read/shape.ts';
import { fhirJson, generateMetadata } from './vocabulary.ts';

const type = 'DocumentReference';
const paths = new Map([[type, type]]);

/**
 * Generate Metadata: a CDA R2 is stored with what its header says of it; the submission set is made here. From any other document nothing is
 * made: the answer lists what has to be given. IHE MHD 2:3.106.4.1.3; CI-SIS volet Partage de documents de santé, correspondance entre les
 * métadonnées XDS et l'en-tête CDA.
 * @throws Refused with every problem of structure, and metadataNotDerivable
 */
async function handle(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const { contentType, data } = documentIn(await exchange.json());
  const bytes = Buffer.from(withoutSpace(data), 'base64');
  const facts = readCda(bytes);
  if (facts === undefined) throw new Refused(notDerivable(contentType));
  const received = tools.blobs.receiveBytes(bytes);
  const entry = describedBy(facts, { contentType, size: received.size, sha1: received.sha1 }, exchange);
  const submission = filed(entry, [], exchange, tools.now());
  const deposit = { submission, documents: [{ id: type, received }] };
  return provide(tools, request, deposit, paths, (done) => generated(done, base), 422);
}

function describedBy(
  facts: CdaFacts,
  { contentType, ...bytes }: { contentType: string; size: number; sha1: string },
  { tools }: Exchange,
): EntryDraft {
  const { id } = facts.patient;
  const patientId = id && cxOf(id);
  const described = {
    id: type,
    facts,
    ...bytes,
    ...(patientId && { patientId }),
    hidden: [],
    ...sourcePatientOf(facts),
  };
  const entry = entryOf(described, tools.settings.domain);
  return contentType === selfPresenting ? { ...entry, mimeType: selfPresenting } : entry;
}

/** A CDA that brings its style sheet. CI-SIS, mimeType. */
const selfPresenting = 'application/xslt+xml';

/** The one parameter `document`. IHE MHD, OperationDefinition generate-metadata. */
function documentIn(sent: Json): { readonly contentType: string; readonly data: string } {
  if (!isSaidToBe('Parameters', sent)) throw new Refused([malformed('Parameters', 'Parameters is expected')]);
  const unknown = unknownAround(sent, 'Parameters', 'parameter');
  if (unknown.length > 0) throw new Refused(unknown);
  const { parameter } = sent;
  const [only, ...more] = Array.isArray(parameter) ? (parameter as readonly Json[]) : [];
  if (!isObject(only ?? null) || more.length > 0 || !isDocument(only))
    throw new Refused([
      malformed('Parameters.parameter', 'one parameter named document, with a resource, is expected'),
    ]);
  const around = problemsAround(only);
  if (around.length > 0) throw new Refused(around);
  const { resource } = only;
  if (isSaidToBe('Bundle', resource)) throw new Refused(notDerivable(fhirJson));
  const { resource: binary, problems } = shapeOf(resource, 'Binary');
  if (binary === undefined) throw new Refused(problems.map(below));
  return { contentType: binary.contentType, data: binary.data ?? '' };
}

function isDocument(one: Json | undefined): one is { readonly [key: string]: Json; readonly resource: Json } {
  return one !== undefined && isObject(one) && one['name'] === 'document' && one['resource'] !== undefined;
}

/** What stands beside the resource: nothing that FHIR does not have there, and no other value. FHIR R4 parameters.html, inv-1. */
function problemsAround({ resource: _resource, ...others }: JsonObject): Problem[] {
  const place = 'Parameters.parameter[0]';
  const unknown = shapeProblems({ resourceType: 'Parameters', parameter: [others] }, 'Parameters');
  const second = Object.keys(others).filter((name) => name === 'part' || name.startsWith('value'));
  if (unknown.length > 0 || second.length === 0) return unknown;
  return second.map((name) => malformed(`${place}.${name}`, 'a resource alone is expected'));
}

function malformed(expression: string, detail: string): Problem {
  return problem('elementMalformed', { expression, detail });
}

/** Where it stands in what was sent. */
function below(one: Problem): Problem {
  const { expression = '' } = one.about;
  return {
    ...one,
    about: { ...one.about, expression: expression.replace(/^Binary/, 'Parameters.parameter[0].resource') },
  };
}

/** Every attribute that has to be given with a document of this media type. */
function notDerivable(mimeType: string): Problem[] {
  const nothing: EntryDraft = { id: type, objectType: 'stable', mimeType };
  const missing = requiredAttributes({ sets: [], entries: [nothing], folders: [], associations: [] });
  const names = missing.map(({ about }) => about.attribute).join(', ');
  return [
    problem('metadataNotDerivable', { value: mimeType, detail: `it is no CDA R2; to be given: ${names}` }),
    ...missing.map((one) => located(one, paths)),
  ];
}

function generated({ entries: [entry] }: Deposited, base: string): Answer {
  if (entry === undefined) throw new TypeError('nothing was deposited');
  const reference = `${type}/${idOf(entry.logicalID)}`;
  const parameter = [{ name: type, valueReference: { reference } }];
  return {
    body: JSON.stringify({ resourceType: 'Parameters', parameter }),
    headers: { Location: `${base}/${reference}` },
  };
}

/** Generate Metadata. IHE MHD 2:3.106. */
export const generateInteractions: readonly Interaction[] = [
  {
    method: 'POST',
    path: `/${type}/$generate-metadata`,
    resource: type,
    interaction: 'operation',
    operation: { name: 'generate-metadata', definition: generateMetadata },
    transaction: 'ITI-106',
    action: 'submitDocuments',
    what: 'Deposit a CDA with the metadata that its header says',
    handle,
  },
];

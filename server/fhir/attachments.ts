import type { DocumentReference } from 'fhir/r4.js';
import type { Caller } from '../domain/actor.ts';
import { type Problem, problem } from '../domain/error.ts';
import type { Tools } from '../usecases/perform.ts';
import { findStaged } from '../usecases/staging.ts';
import { documentText } from './json.ts';
import type { Attached } from './provide.ts';
import type { Part } from './read/provide-bundle.ts';
import { localId } from './read/references.ts';
import { fhirJson } from './vocabulary.ts';

export type Attachments = { readonly attached: readonly Attached[]; readonly problems: readonly Problem[] };

/** A document whose bytes are looked for. */
type Sought = { readonly object: string; readonly path: string; readonly resource: DocumentReference };

/**
 * The bytes of every document of a Bundle: in a Binary or a FHIR document of the same Bundle, or sent before as a raw Binary by the same
 * caller, and each used once. Nothing is fetched from anywhere. IHE MHD 2:3.65.4.1.2.
 */
export async function attachmentsIn(
  tools: Tools,
  caller: Caller,
  { parts, base }: { readonly parts: readonly Part[]; readonly base: string },
): Promise<Attachments> {
  const given = parts.filter((part) => part.kind === 'binary' || part.kind === 'fhirDocument');
  const attached: Attached[] = given.map((part) =>
    part.kind === 'binary'
      ? { id: part.object, base64: part.resource.data ?? '' }
      : { id: part.object, text: documentText(part.resource) },
  );
  const problems: Problem[] = [];
  const used = new Set<string>();
  for (const [i, part] of parts.entries()) {
    if (part.kind !== 'document') continue;
    const sought: Sought = { ...part, path: `Bundle.entry[${i}].resource` };
    problems.push(...dataProblems(sought));
    const { url } = attachmentOf(part.resource);
    if (url === undefined) continue;
    if (used.has(url)) {
      problems.push(unresolved(sought, url, 'another document names it too'));
      continue;
    }
    used.add(url);
    const inside = given.find(({ object }) => object === part.object);
    if (inside !== undefined)
      problems.push(
        ...typeProblems(sought, inside.kind === 'binary' ? inside.resource.contentType : fhirJson, 'the entry'),
      );
    else {
      const waiting = await waitingAt(tools, caller, sought, base);
      attached.push(...waiting.attached);
      problems.push(...waiting.problems);
    }
  }
  return { attached, problems };
}

/** The bytes of a document that comes alone: inside, or sent before as a raw Binary by the same caller. */
export async function attachmentAlone(
  tools: Tools,
  caller: Caller,
  sought: Sought,
  base: string,
): Promise<Attachments> {
  const { data, url } = attachmentOf(sought.resource);
  const inside = data === undefined ? [] : [{ id: sought.object, base64: data }];
  if (url === undefined) return { attached: inside, problems: [] };
  if (data === undefined) return waitingAt(tools, caller, sought, base);
  const about = { object: sought.object, attribute: 'attachment.url', value: url };
  const expression = `${sought.path}.content[0].attachment.url`;
  const both = problem('attributeForbidden', { ...about, expression, detail: 'the bytes stand in attachment.data' });
  return { attached: inside, problems: [both] };
}

async function waitingAt(tools: Tools, caller: Caller, sought: Sought, base: string): Promise<Attachments> {
  const { url = '' } = attachmentOf(sought.resource);
  const id = localId(url, 'Binary', base);
  if (id === undefined)
    return {
      attached: [],
      problems: [unresolved(sought, url, 'there is no such Binary in the Bundle, and other addresses are not fetched')],
    };
  const staged = await findStaged(tools, caller, id);
  if (staged === undefined)
    return { attached: [], problems: [unresolved(sought, url, 'nothing of yours waits there')] };
  return {
    attached: [{ id: sought.object, staged }],
    problems: typeProblems(sought, staged.contentType, 'the Binary'),
  };
}

/** In a Bundle the bytes stand in an entry of their own. */
function dataProblems({ object, path, resource }: Sought): Problem[] {
  if (attachmentOf(resource).data === undefined) return [];
  const expression = `${path}.content[0].attachment.data`;
  const about = { object, attribute: 'attachment.data', expression, detail: 'the bytes stand in a Binary' };
  return [problem('attributeForbidden', about)];
}

/** The media type is said twice; bytes of no particular type may be of any. */
function typeProblems({ object, path, resource }: Sought, type: string, where: string): Problem[] {
  const { contentType } = attachmentOf(resource);
  const bare = (text: string) => text.split(';')[0]?.trim().toLowerCase();
  if (contentType === undefined || bare(type) === bare(contentType) || bare(type) === 'application/octet-stream')
    return [];
  const expression = `${path}.content[0].attachment.contentType`;
  const detail = `the document is ${contentType}, ${where} ${type}`;
  return [problem('attachmentsDiffer', { object, value: contentType, expression, detail })];
}

function unresolved({ object, path }: Sought, value: string, detail: string): Problem {
  return problem('attachmentUnresolved', { object, value, detail, expression: `${path}.content[0].attachment.url` });
}

function attachmentOf({ content: [first] }: DocumentReference) {
  return first?.attachment ?? {};
}

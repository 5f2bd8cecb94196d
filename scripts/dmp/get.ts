import { writeFileSync } from 'node:fs';
import { unwrapCda } from '../../server/cda/header.ts';
import { isOid, isUuid } from '../../server/domain/identifier.ts';
import { testInsOid } from '../../server/sandbox/people.ts';
import { action, namespace } from '../../server/xds/vocabulary.ts';
import { child } from '../../server/xml/element.ts';
import { escapeText } from '../../server/xml/write.ts';
import {
  type Acting,
  actingOf,
  Misused,
  type Options,
  pathOf,
  print,
  RefusedByServer,
  subjectOf,
  text,
} from './call.ts';
import { vihfOf } from './credential.ts';
import { openSession } from './fhir.ts';
import { carrierOf } from './find.ts';
import { listed, query } from './registry.ts';
import { send } from './soap.ts';

/** Retrieves one document, to standard output or to a file. */
export async function getDocument(options: Options, [id = '']: readonly string[]): Promise<void> {
  const out = text(options, 'out');
  if (options['json'] === true && out === undefined)
    throw new Misused('--json needs --out FILE: standard output holds the bytes');
  const acting = actingOf(options);
  const named = { ...acting, patient: subjectOf(acting) };
  const whole = carrierOf(options, acting) === 'fhir' ? await byFhir(named, id) : await byXds(named, id);
  const bytes = options['unwrap'] === true ? unwrapCda(whole) : whole;
  if (bytes === undefined) throw new RefusedByServer('This document holds no other inside: leave --unwrap out');
  if (out === undefined) process.stdout.write(bytes);
  else {
    writeFileSync(pathOf(out), bytes);
    if (options['json'] === true) print(JSON.stringify({ id, file: pathOf(out), size: bytes.length }));
    else process.stderr.write(`${bytes.length} bytes written to ${out}\n`);
  }
}

/** The registry says which repository holds the document, which is then asked. IHE ITI TF-2 3.43. */
async function byXds(acting: Acting, id: string): Promise<Buffer> {
  const by = isUuid(id) ? '$XDSDocumentEntryEntryUUID' : '$XDSDocumentEntryUniqueId';
  const [entry] = await query(acting, 'GetDocuments', { [by]: listed(id) });
  const { uniqueId, repositoryUniqueId } = entry ?? {};
  if (uniqueId === undefined || repositoryUniqueId === undefined) throw unknown(id);
  const { body, parts } = await send({
    path: '/xds/repository',
    action: action.iti43[0],
    assertion: vihfOf(acting),
    body:
      `<xds:RetrieveDocumentSetRequest xmlns:xds="${namespace.xds}"><xds:DocumentRequest>` +
      `<xds:RepositoryUniqueId>${escapeText(repositoryUniqueId)}</xds:RepositoryUniqueId>` +
      `<xds:DocumentUniqueId>${escapeText(uniqueId)}</xds:DocumentUniqueId></xds:DocumentRequest></xds:RetrieveDocumentSetRequest>`,
    parts: [],
  });
  const document = child(child(body, namespace.xds, 'DocumentResponse'), namespace.xds, 'Document');
  const href = child(document, namespace.xop, 'Include')?.attributes.find(({ local }) => local === 'href')?.value;
  if (href === undefined) return Buffer.from(document?.text ?? '', 'base64');
  const cid = href.replace(/^cid:/, '');
  const part = parts.get(cid) ?? parts.get(decodeURIComponent(cid));
  if (part === undefined) throw new RefusedByServer(`The answer names a part ${href} that it does not hold`);
  return part;
}

async function byFhir(acting: Acting & { readonly patient: string }, id: string): Promise<Buffer> {
  const session = await openSession(acting);
  const [found] = await session.documents({
    'patient.identifier': `urn:oid:${testInsOid}|${acting.patient}`,
    identifier: isOid(id) ? `urn:oid:${id}` : id,
  });
  const url = found?.content?.[0]?.attachment?.url;
  if (url === undefined) throw unknown(id);
  return session.bytes(url);
}

function unknown(id: string): RefusedByServer {
  return new RefusedByServer(`There is no document ${id} that you may see`);
}

import type { EntryDraft } from '../../server/domain/document.ts';
import { readSubmission } from '../../server/xds/ebrim/read.ts';
import { action, namespace, storedQuery } from '../../server/xds/vocabulary.ts';
import { child } from '../../server/xml/element.ts';
import { escapeText } from '../../server/xml/write.ts';
import { type Acting, RefusedByServer } from './call.ts';
import { vihfOf } from './credential.ts';
import { send } from './soap.ts';

/** Asks the registry one stored query and reads the documents that it answers. IHE ITI TF-2 3.18. */
export async function query(
  acting: Acting,
  name: keyof typeof storedQuery,
  parameters: Readonly<Record<string, string>>,
): Promise<readonly EntryDraft[]> {
  const slots = Object.entries(parameters).map(
    ([slot, value]) =>
      `<rim:Slot name="${slot}"><rim:ValueList><rim:Value>${escapeText(value)}</rim:Value></rim:ValueList></rim:Slot>`,
  );
  const { body } = await send({
    path: '/xds/registry',
    action: action.iti18[0],
    assertion: vihfOf(acting),
    body:
      `<query:AdhocQueryRequest xmlns:query="${namespace.query}" xmlns:rim="${namespace.rim}">` +
      '<query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>' +
      `<rim:AdhocQuery id="${storedQuery[name]}">${slots.join('')}</rim:AdhocQuery></query:AdhocQueryRequest>`,
  });
  const list = child(body, namespace.rim, 'RegistryObjectList');
  if (list === undefined) throw new RefusedByServer('The registry answered without a list of objects');
  return readSubmission(list).submission.entries;
}

/** A text of a stored query: quoted, quotes doubled. */
export function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** Several texts of a stored query. */
export function listed(...values: readonly string[]): string {
  return `(${values.map(quoted).join(',')})`;
}

import type { AssociationDraft, EntryDraft, FolderDraft, SetDraft, Submission } from '../../domain/document.ts';
import { type Problem, problem } from '../../domain/error.ts';
import { attributeOf, child, childrenOf, type XmlElement } from '../../xml/element.ts';
import { namespace, packageNode } from '../vocabulary.ts';
import { readAssociation } from './read-association.ts';
import { readEntry } from './read-entry.ts';
import { readFolder } from './read-folder.ts';
import { readSet } from './read-set.ts';
import { keyOf, openObject, readId, report } from './registry-object.ts';

const { rim, xsi } = namespace;

/**
 * Reads a rim:RegistryObjectList: what the source sent, and everything that is wrong in its encoding. What is malformed is left out of the
 * drafts. Objects come in any order; the classification that says what a package is stands inside it or beside it; ObjectRefs are
 * ignored; `rim:Identifiable` with an xsi:type counts as the element of that type. IHE ITI TF-3 4.2.1 to 4.2.3.
 */
export function readSubmission(list: XmlElement): { submission: Submission; problems: Problem[] } {
  const problems: Problem[] = [];
  const sets: SetDraft[] = [];
  const entries: EntryDraft[] = [];
  const folders: FolderDraft[] = [];
  const associations: AssociationDraft[] = [];
  const beside = nodesBeside(list, problems);
  for (const element of list.children) {
    switch (kindOf(element)) {
      case 'ExtrinsicObject':
        entries.push(readEntry(openObject(element, problems)));
        break;
      case 'Association':
        associations.push(readAssociation(openObject(element, problems)));
        break;
      case 'RegistryPackage': {
        const source = openObject(element, problems);
        if (child(element, rim, 'RegistryObjectList') !== undefined)
          report(source, 'attributeForbidden', {
            attribute: 'RegistryObjectList',
            detail: 'what a package holds stands beside it, joined by HasMember',
          });
        const kind = packageKind(element, beside.get(source.id) ?? [], problems);
        if (kind === 'submissionSet') sets.push(readSet(source));
        else if (kind === 'folder') folders.push(readFolder(source));
        break;
      }
      case 'Classification':
      case 'ObjectRef':
        break;
      default:
        problems.push(
          problem('objectUnclassified', {
            object: attributeOf(element, 'id') ?? '',
            detail: `${element.local} is no object of a submission`,
          }),
        );
    }
  }
  return { submission: { sets, entries, folders, associations }, problems };
}

function kindOf(element: XmlElement): string {
  if (element.namespace !== rim) return '';
  if (element.local !== 'Identifiable') return element.local;
  const type = attributeOf(element, 'type', xsi) ?? '';
  return type.trim().replace(/^.*:/, '').replace(/Type$/, '');
}

/** Classification nodes that stand in the list itself, by the object that they classify. */
function nodesBeside(list: XmlElement, problems: Problem[]): Map<string, string[]> {
  const nodes = new Map<string, string[]>();
  const packages = new Set(
    list.children.filter((c) => kindOf(c) === 'RegistryPackage').map((c) => readId(attributeOf(c, 'id'))),
  );
  for (const element of list.children.filter((c) => kindOf(c) === 'Classification')) {
    const object = readId(attributeOf(element, 'classifiedObject'));
    const node = nodeOf(element);
    if (node === undefined)
      problems.push(
        problem('attributeForbidden', { attribute: 'Classification', object, detail: 'it belongs inside its object' }),
      );
    else if (keyOf(packageNode, node) === undefined)
      problems.push(problem('attributeMalformed', { attribute: 'classificationNode', object, value: node }));
    else if (!packages.has(object))
      problems.push(problem('referenceUnresolved', { attribute: 'classifiedObject', value: object }));
    else nodes.set(object, [...(nodes.get(object) ?? []), node]);
  }
  return nodes;
}

function packageKind(
  element: XmlElement,
  beside: readonly string[],
  problems: Problem[],
): keyof typeof packageNode | undefined {
  const inside = childrenOf(element, rim, 'Classification').flatMap((c) => nodeOf(c) ?? []);
  const kinds = new Set([...inside, ...beside].flatMap((node) => keyOf(packageNode, node) ?? []));
  const [kind] = kinds;
  if (kinds.size === 1) return kind;
  problems.push(
    problem('objectUnclassified', {
      object: attributeOf(element, 'id') ?? '',
      detail: kinds.size === 0 ? 'no classification says what it is' : 'it is classified as submission set and folder',
    }),
  );
  return undefined;
}

function nodeOf(element: XmlElement): string | undefined {
  return attributeOf(element, 'classificationNode')?.trim().toLowerCase();
}

import { refuse } from '../domain/error.ts';
import { childrenOf, type XmlElement } from '../xml/element.ts';
import { namespace } from './vocabulary.ts';

const { rim } = namespace;

/**
 * The one child of that name. A second one is refused: what is sent is judged whole, nothing of it is left out without a word.
 * @throws Refused attributeRepeated, `about.attribute` is the name of the child
 */
export function onlyChild(
  element: XmlElement | undefined,
  prefix: 'rim' | 'lcm',
  local: string,
): XmlElement | undefined {
  const [first, second] = childrenOf(element, namespace[prefix], local);
  if (second !== undefined)
    refuse('attributeRepeated', { attribute: `${prefix}:${local}`, object: element?.local ?? '' });
  return first;
}

/**
 * What a message submits. IHE ITI TF-3 4.2.1.4; ebXML RegRep 3.0 lcm (SubmitObjectsRequest).
 * @throws Refused attributeMissing, attributeRepeated
 */
export function submittedObjects(request: XmlElement | undefined): XmlElement {
  const list = onlyChild(request, 'rim', 'RegistryObjectList');
  return (
    list ?? refuse('attributeMissing', { attribute: 'rim:RegistryObjectList', object: 'lcm:SubmitObjectsRequest' })
  );
}

/** The values of a rim:Slot as they were sent. */
export function slotValues(slot: XmlElement): string[] {
  return childrenOf(slot, rim, 'ValueList').flatMap((list) => childrenOf(list, rim, 'Value').map(({ text }) => text));
}

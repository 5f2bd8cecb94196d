import { refuse } from '../domain/error.ts';
import { child, type XmlElement } from '../xml/element.ts';
import { addressing, namespace } from './vocabulary.ts';

/**
 * The MessageID of a request, byte for byte as RelatesTo has to give it back; undefined when there is none or more than one. Also of an
 * envelope of another SOAP version, whose sender wants to know what the fault is about.
 */
export function messageIdOf(envelope: XmlElement): string | undefined {
  const blocks = envelope.children.find(({ local }) => local === 'Header')?.children ?? [];
  const [first, second] = named(blocks, 'MessageID');
  return second === undefined ? first?.text : undefined;
}

/**
 * The action of a request. Answers go back on the connection of the request: another reply address is refused and never connected to.
 * A missing MessageID or ReplyTo is tolerated. WS-Addressing 1.0 SOAP Binding; IHE ITI TF-2 Appendix V (IHE-WSA101, 102).
 * @throws Refused actionMissing, addressingInvalid
 */
export function actionOf(blocks: readonly XmlElement[]): string {
  const [action, second] = named(blocks, 'Action');
  const text = action?.text.trim() ?? '';
  if (text === '' || second !== undefined) refuse('actionMissing');
  if (named(blocks, 'MessageID').length > 1)
    refuse('addressingInvalid', { attribute: 'wsa:MessageID', detail: 'it is doubled' });
  for (const name of ['ReplyTo', 'FaultTo']) {
    const [endpoint, another] = named(blocks, name);
    if (another !== undefined) refuse('addressingInvalid', { attribute: `wsa:${name}`, detail: 'it is doubled' });
    if (endpoint === undefined) continue;
    const address = child(endpoint, namespace.wsa, 'Address')?.text.trim();
    if (address !== addressing.anonymous)
      refuse('addressingInvalid', { attribute: `wsa:${name}`, detail: 'only the anonymous address is served' });
  }
  return text;
}

function named(blocks: readonly XmlElement[], local: string): XmlElement[] {
  return blocks.filter((block) => block.local === local && block.namespace === namespace.wsa);
}

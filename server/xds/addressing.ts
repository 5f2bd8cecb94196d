import { refuse } from '../domain/error.ts';
import { child, type XmlElement } from '../xml/element.ts';
import { escapeAttribute, escapeText } from '../xml/write.ts';
import { addressing, namespace } from './vocabulary.ts';

/** Where an answer goes that does not go back on the connection of its request: address and reference parameters, as header blocks. */
export type Endpoint = { readonly address: string; readonly blocks: string };
export type OwnAddress = { readonly replies: Endpoint; readonly faults: Endpoint };

/**
 * The MessageID of a request, byte for byte as RelatesTo has to give it back; undefined when there is none or more than one. Also of an
 * envelope of another SOAP version, whose sender wants to know what the fault is about.
 */
export function messageIdOf(envelope: XmlElement): string | undefined {
  const blocks = envelope.children.find(({ local }) => local === 'Header')?.children ?? [];
  const [first, second] = named(blocks, 'MessageID');
  return second === undefined ? first?.text : undefined;
}

/** The action of a request. @throws Refused actionMissing */
export function actionOf(blocks: readonly XmlElement[]): string {
  const [action, second] = named(blocks, 'Action');
  const text = action?.text.trim() ?? '';
  if (text === '' || second !== undefined) refuse('actionMissing');
  return text;
}

/**
 * Where the answer goes, when it is not the connection of the request. Another address than the anonymous one has to be allowed: it is
 * refused otherwise, and never connected to. A missing ReplyTo is the anonymous one, and so is a missing FaultTo where ReplyTo is; a missing
 * MessageID is tolerated where the connection tells what an answer is about.
 * WS-Addressing 1.0 Core §3.4, SOAP Binding §6.4.1; IHE ITI TF-2 Appendix V (IHE-WSA101, 102).
 * @throws Refused addressingInvalid
 */
export function ownAddressOf(
  blocks: readonly XmlElement[],
  source: string,
  isAllowed: (address: string) => boolean,
): OwnAddress | undefined {
  if (named(blocks, 'MessageID').length > 1)
    refuse('addressingInvalid', { attribute: 'wsa:MessageID', detail: 'it is doubled' });
  const replies = endpointOf(blocks, 'ReplyTo', source, isAllowed);
  const faults = endpointOf(blocks, 'FaultTo', source, isAllowed);
  if (replies === undefined || replies === 'anonymous') {
    if (faults !== undefined && faults !== 'anonymous')
      refuse('addressingInvalid', { attribute: 'wsa:FaultTo', detail: 'the answer is anonymous and the fault is not' });
    return undefined;
  }
  if (named(blocks, 'MessageID').length === 0)
    refuse('addressingInvalid', { attribute: 'wsa:MessageID', detail: 'an answer on its own way has to name it' });
  if (faults === 'anonymous')
    refuse('addressingInvalid', { attribute: 'wsa:FaultTo', detail: 'the fault is anonymous and the answer is not' });
  return { replies, faults: faults ?? replies };
}

function endpointOf(
  blocks: readonly XmlElement[],
  name: 'ReplyTo' | 'FaultTo',
  source: string,
  isAllowed: (address: string) => boolean,
): Endpoint | 'anonymous' | undefined {
  const [endpoint, another] = named(blocks, name);
  const attribute = `wsa:${name}`;
  if (another !== undefined) refuse('addressingInvalid', { attribute, detail: 'it is doubled' });
  if (endpoint === undefined) return undefined;
  const address = child(endpoint, namespace.wsa, 'Address')?.text.trim() ?? '';
  if (address === addressing.anonymous) return 'anonymous';
  if (!isAllowed(address))
    refuse('addressingInvalid', { attribute, detail: 'neither the anonymous address nor one that is allowed here' });
  const parameters = child(endpoint, namespace.wsa, 'ReferenceParameters')?.children ?? [];
  return {
    address,
    blocks: `<wsa:To>${escapeText(address)}</wsa:To>${parameters.map((each) => parameterBlock(each, source)).join('')}`,
  };
}

/** A reference parameter as the header block that gives it back, its namespaces declared on itself. WS-Addressing 1.0 SOAP Binding §3.4. */
function parameterBlock(element: XmlElement, source: string): string {
  const text = source.slice(element.start, element.end);
  const declared = new Map<string, string>();
  for (let at: XmlElement | undefined = element; at !== undefined; at = at.parent)
    for (const [prefix, uri] of Object.entries(at.declares ?? {})) if (!declared.has(prefix)) declared.set(prefix, uri);
  const missing = [...declared]
    .filter(([prefix]) => element.declares?.[prefix] === undefined)
    .map(([prefix, uri]) => ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escapeAttribute(uri)}"`);
  const own = element.attributes.some(
    ({ namespace: uri, local }) => uri === namespace.wsa && local === 'IsReferenceParameter',
  );
  const mark = own ? '' : ` xmlns:given="${namespace.wsa}" given:IsReferenceParameter="true"`;
  return text.replace(/^<[^\s/>]+/, (start) => `${start}${missing.join('')}${mark}`);
}

function named(blocks: readonly XmlElement[], local: string): XmlElement[] {
  return blocks.filter((block) => block.local === local && block.namespace === namespace.wsa);
}

import { refuse } from '../domain/error.ts';
import { attributeOf, type XmlElement } from '../xml/element.ts';
import { escapeText } from '../xml/write.ts';
import { namespace, soapRole } from './vocabulary.ts';

const { soap12 } = namespace;

/** A SOAP 1.2 envelope taken apart: its header blocks and the one child of its Body. */
export type Envelope = { readonly blocks: readonly XmlElement[]; readonly body: XmlElement };

/**
 * Takes an envelope apart. SOAP 1.2 Part 1 §5; exactly one element in the Body.
 * @throws Refused notSoap, soapVersion
 */
export function takeApart(root: XmlElement): Envelope {
  if (root.local !== 'Envelope') refuse('notSoap', { detail: `the root is ${shown(root)}` });
  if (root.namespace !== soap12) refuse('soapVersion');
  const { children } = root;
  const header = children[0] !== undefined && isSoap(children[0], 'Header') ? children[0] : undefined;
  const [body, more] = header === undefined ? children : children.slice(1);
  if (body === undefined || !isSoap(body, 'Body'))
    refuse('notSoap', { detail: 'the Envelope has no Body behind its Header' });
  if (more !== undefined) refuse('notSoap', { detail: `${shown(more)} behind the Body` });
  const [content, second] = body.children;
  if (content === undefined) refuse('notSoap', { detail: 'the Body is empty' });
  if (second !== undefined) refuse('notSoap', { detail: 'the Body holds more than one element' });
  if (body.text.trim() !== '') refuse('notSoap', { detail: 'the Body holds text' });
  return { blocks: header?.children ?? [], body: content };
}

/**
 * Refuses header blocks that are meant for this server, must be understood and are not. SOAP 1.2 Part 1 §2.4.
 * Understood are WS-Addressing and wsse:Security.
 * @throws Refused headerNotUnderstood, `about.value` is `{namespace}local`
 */
export function checkUnderstood(blocks: readonly XmlElement[]): void {
  for (const block of blocks) {
    if (isUnderstood(block) || !isForUs(block)) continue;
    const must = attributeOf(block, 'mustUnderstand', soap12)?.trim();
    if (must === '1' || must === 'true') refuse('headerNotUnderstood', { value: shown(block) });
  }
}

/** What goes into an envelope besides its Body. */
export type EnvelopeHead = {
  readonly action: string;
  /** MessageID of the answer. */
  readonly messageId: string;
  /** MessageID of the request, if it had one. */
  readonly relatesTo: string | undefined;
  /** Header blocks that say where it goes, as XML. */
  readonly to?: string;
  /** Further header blocks as XML; prefix `env` is declared. */
  readonly blocks?: string;
};

/** Writes an envelope around the XML of its Body's child. Its prefixes `env` and `wsa` are declared. */
export function writeEnvelope(head: EnvelopeHead, body: string): string {
  const [before, after] = envelopeAround(head);
  return before + body + after;
}

/** What stands in front of the Body's child, and behind it. */
export function envelopeAround({ action, messageId, relatesTo, to = '', blocks = '' }: EnvelopeHead): [string, string] {
  const related = relatesTo === undefined ? '' : `<wsa:RelatesTo>${escapeText(relatesTo)}</wsa:RelatesTo>`;
  return [
    `<env:Envelope xmlns:env="${soap12}" xmlns:wsa="${namespace.wsa}"><env:Header>` +
      `<wsa:Action env:mustUnderstand="true">${escapeText(action)}</wsa:Action>` +
      `<wsa:MessageID>${escapeText(messageId)}</wsa:MessageID>${related}${to}${blocks}` +
      `</env:Header><env:Body>`,
    '</env:Body></env:Envelope>',
  ];
}

/** The name of an element for people: `{namespace}local`. */
export function shown({ namespace: uri, local }: XmlElement): string {
  return uri === '' ? local : `{${uri}}${local}`;
}

function isSoap(element: XmlElement, local: string): boolean {
  return element.local === local && element.namespace === soap12;
}

function isUnderstood(block: XmlElement): boolean {
  return block.namespace === namespace.wsa || (block.namespace === namespace.wsse && block.local === 'Security');
}

function isForUs(block: XmlElement): boolean {
  const role = attributeOf(block, 'role', soap12)?.trim() ?? '';
  return role === '' || role === soapRole.next || role === soapRole.ultimateReceiver;
}

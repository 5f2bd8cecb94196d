import { type Problem, wordsOf } from '../domain/error.ts';
import { escapeAttribute, escapeText } from '../xml/write.ts';
import { type FaultForm, faultFormOf } from './errors.ts';
import { type EnvelopeHead, writeEnvelope } from './soap.ts';
import { addressing, namespace } from './vocabulary.ts';

/** A fault as it is sent: HTTP status, action and envelope. */
export type Fault = { readonly status: number; readonly action: string; readonly envelope: string };

/**
 * Writes the fault that tells a problem. SOAP 1.2 Part 1 §5.4; WS-Addressing 1.0 SOAP Binding §6; WS-Security 1.1 §12.
 * `absent` is for an identification that failed because there was no credential: HTTP 401, as nothing was judged.
 */
export function writeFault(problem: Problem, head: Omit<EnvelopeHead, 'action' | 'blocks'>, absent = false): Fault {
  const form: FaultForm =
    problem.name === 'notIdentified' && absent
      ? { code: 'Sender', subcode: 'wsse:SecurityTokenUnavailable', status: 401 }
      : faultFormOf(problem.name);
  const action = form.subcode?.startsWith('wsa:') === true ? addressing.faultAction : addressing.soapFaultAction;
  const envelope = writeEnvelope({ ...head, action, blocks: blocksOf(problem) }, writeBody(form, wordsOf(problem)));
  return { status: form.status, action, envelope };
}

function writeBody({ code, subcode }: FaultForm, reason: string): string {
  const inner =
    subcode === undefined
      ? ''
      : `<env:Subcode><env:Value xmlns:wsse="${namespace.wsse}">${subcode}</env:Value></env:Subcode>`;
  return (
    `<env:Fault><env:Code><env:Value>env:${code}</env:Value>${inner}</env:Code>` +
    `<env:Reason><env:Text xml:lang="en">${escapeText(reason)}</env:Text></env:Reason></env:Fault>`
  );
}

/** A plain URI: scheme, perhaps host and port, and what may follow. RFC 3986 §3. */
const plainUri =
  /^[a-z][a-z\d+.-]*:(?:\/\/[\w.-]*(?::\d+)?(?=[/?#]|$)|(?!\/\/))(?:[\w\-.~:/?@!$&'()*+,;=]|%[\da-f]{2})*(?:#[\w\-.]*)?$/i;

/** Header blocks that go with some faults. SOAP 1.2 Part 1 §5.4.7 (Upgrade), §5.4.8 (NotUnderstood). */
function blocksOf({ name, about }: Problem): string {
  if (name === 'soapVersion') return '<env:Upgrade><env:SupportedEnvelope qname="env:Envelope"/></env:Upgrade>';
  if (name !== 'headerNotUnderstood') return '';
  const [, uri = '', local = about.value ?? ''] = /^\{(.*)\}([^}]*)$/s.exec(about.value ?? '') ?? [];
  // A name in what is no URI cannot be declared in a document that all readers read; the reason names it.
  if (uri !== '' && !plainUri.test(uri)) return '';
  const [prefix, declared] = uri === '' ? ['', ''] : ['n:', ` xmlns:n="${escapeAttribute(uri)}"`];
  return `<env:NotUnderstood${declared} qname="${prefix}${escapeAttribute(local)}"/>`;
}

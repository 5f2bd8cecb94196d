import { randomUUID } from 'node:crypto';
import { readMediaType } from '../../server/xds/media-type.ts';
import { MultipartReader } from '../../server/xds/multipart.ts';
import { addressing, namespace, responseStatus } from '../../server/xds/vocabulary.ts';
import { attributeOf, child, childrenOf, type XmlElement } from '../../server/xml/element.ts';
import { decodeUtf8, defaultXmlLimits, parseXml, XmlRejected } from '../../server/xml/read.ts';
import { escapeText } from '../../server/xml/write.ts';
import { ask, RefusedByServer, serverAddress } from './call.ts';

/** A part beside the SOAP envelope. */
export type SentPart = { readonly contentId: string; readonly mediaType: string; readonly bytes: Uint8Array };

export type SoapRequest = {
  readonly path: '/xds/registry' | '/xds/repository';
  readonly action: string;
  readonly assertion: string;
  readonly body: string;
  /** Present, the message goes as MTOM package. */
  readonly parts?: readonly SentPart[];
};

/** What came back: the one element in the Body, and the parts by Content-ID. */
export type SoapAnswer = { readonly body: XmlElement; readonly parts: ReadonlyMap<string, Buffer> };

/**
 * Sends one request and reads its answer. IHE ITI TF-2 Appendix V.
 * @throws RefusedByServer telling the fault, or the errors of a response that is no success
 */
export async function send(request: SoapRequest): Promise<SoapAnswer> {
  const { type, bytes } = packaged(request);
  const response = await ask(`${serverAddress()}${request.path}`, {
    method: 'POST',
    headers: { 'Content-Type': type },
    body: Buffer.concat(bytes),
  });
  const { envelope, parts } = await unpack(response);
  const body = child(envelope, namespace.soap12, 'Body')?.children[0];
  if (body === undefined)
    throw new RefusedByServer(`The answer of ${response.url} holds no message (HTTP ${response.status})`);
  if (body.local === 'Fault') throw new RefusedByServer(faultText(body, response.status));
  const errors = errorTexts(body);
  const status = statusOf(body);
  if (status !== responseStatus.success)
    throw new RefusedByServer([`Refused: ${status?.split(':').at(-1)}`, ...errors].join('\n'));
  for (const warning of errors) process.stderr.write(`${warning}\n`);
  return { body, parts };
}

function packaged(request: SoapRequest): { type: string; bytes: Buffer[] } {
  const { action, parts } = request;
  const envelope = Buffer.from(envelopeOf(request));
  if (parts === undefined)
    return { type: `application/soap+xml; charset=UTF-8; action="${action}"`, bytes: [envelope] };
  const boundary = `dmp-${randomUUID()}`;
  const head = (contentType: string, contentId: string) =>
    Buffer.from(
      `\r\n--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${contentId}>\r\n\r\n`,
    );
  return {
    type: `multipart/related; type="application/xop+xml"; start="<root@dmp>"; start-info="application/soap+xml"; boundary="${boundary}"; action="${action}"`,
    bytes: [
      head('application/xop+xml; charset=UTF-8; type="application/soap+xml"', 'root@dmp'),
      envelope,
      ...parts.flatMap(({ mediaType, contentId, bytes }) => [head(mediaType, contentId), Buffer.from(bytes)]),
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ],
  };
}

function envelopeOf({ path, action, assertion, body }: SoapRequest): string {
  return (
    `<env:Envelope xmlns:env="${namespace.soap12}" xmlns:wsa="${namespace.wsa}"><env:Header>` +
    `<wsa:Action env:mustUnderstand="true">${action}</wsa:Action>` +
    `<wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID>` +
    `<wsa:To>${escapeText(`${serverAddress()}${path}`)}</wsa:To>` +
    `<wsa:ReplyTo><wsa:Address>${addressing.anonymous}</wsa:Address></wsa:ReplyTo>` +
    `<wsse:Security xmlns:wsse="${namespace.wsse}" env:mustUnderstand="true">${assertion}</wsse:Security>` +
    `</env:Header><env:Body>${body}</env:Body></env:Envelope>`
  );
}

async function unpack(response: Response): Promise<{ envelope: XmlElement; parts: Map<string, Buffer> }> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const media = readMediaType(response.headers.get('content-type') ?? '');
  const parts = new Map<string, Buffer>();
  try {
    if (media?.type !== 'multipart/related') return { envelope: parsed(bytes), parts };
    let left: Buffer | undefined = bytes;
    const pull = () => {
      const piece = left;
      left = undefined;
      return Promise.resolve(piece);
    };
    const reader = new MultipartReader(pull, media.parameters.get('boundary') ?? '', {
      headerBytes: 16_384,
      parts: 1000,
    });
    let first: Buffer | undefined;
    for (let part = await reader.next(); part !== undefined; part = await reader.next()) {
      const body = Buffer.concat(await Array.fromAsync(part.body));
      first ??= body;
      parts.set(part.contentId ?? '', body);
    }
    const start = media.parameters.get('start')?.replace(/^<(.*)>$/, '$1');
    return { envelope: parsed((start === undefined ? first : parts.get(start)) ?? Buffer.alloc(0)), parts };
  } catch (error) {
    if (!(error instanceof XmlRejected)) throw error;
    throw new RefusedByServer(
      `${response.url} answered HTTP ${response.status}, but no SOAP: ${bytes.toString('utf8', 0, 300)}`,
    );
  }
}

function parsed(bytes: Buffer): XmlElement {
  return parseXml(decodeUtf8(bytes), { ...defaultXmlLimits, attributes: 2_000_000, elements: 2_000_000 });
}

function statusOf(body: XmlElement): string | undefined {
  return attributeOf(child(body, namespace.rs, 'RegistryResponse') ?? body, 'status');
}

function errorTexts(body: XmlElement): string[] {
  const holder = child(body, namespace.rs, 'RegistryResponse') ?? body;
  return childrenOf(child(holder, namespace.rs, 'RegistryErrorList'), namespace.rs, 'RegistryError').map(
    (e) => `${attributeOf(e, 'errorCode') ?? ''}: ${attributeOf(e, 'codeContext') ?? ''}`,
  );
}

function faultText(fault: XmlElement, status: number): string {
  const of = (element: XmlElement | undefined, ...path: readonly string[]) =>
    path
      .reduce<XmlElement | undefined>((parent, local) => child(parent, namespace.soap12, local), element)
      ?.text.trim();
  const code = of(fault, 'Code', 'Subcode', 'Value') ?? of(fault, 'Code', 'Value') ?? '';
  return `Refused by a fault, HTTP ${status}\n${code}: ${of(fault, 'Reason', 'Text') ?? ''}`;
}

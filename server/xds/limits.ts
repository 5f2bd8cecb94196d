import { refuse } from '../domain/error.ts';
import { childrenOf, type XmlElement } from '../xml/element.ts';
import type { XmlLimits } from '../xml/read.ts';
import type { PackageLimits } from './mtom.ts';
import type { BodyLimits } from './request-body.ts';
import { namespace } from './vocabulary.ts';

/** Limits of one message. Sizes in bytes, times in milliseconds. */
export type TransportLimits = Omit<PackageLimits, 'headerBytes'> &
  BodyLimits & {
    /** Of the headers of one part. */
    readonly partHeaderBytes: number;
    /** Of all documents in base64 together; they are not counted in `rootBytes`. */
    readonly inlineBytes: number;
    readonly xml: Pick<XmlLimits, 'depth' | 'elements' | 'attributes'>;
  };

/** `rootBytes` is for what is no document. @throws Refused messageTooLarge */
export function checkRootSize(source: string, body: XmlElement, limit: number): void {
  if (source.length <= limit) return;
  const inline = childrenOf(body, namespace.xds, 'Document').reduce((sum, { text }) => sum + text.length, 0);
  if (source.length - inline > limit)
    refuse('messageTooLarge', { detail: `more than ${limit} characters of XML besides documents` });
}

/** The limits of the package around the XML: the root holds documents in base64 besides what `rootBytes` counts. */
export function packageLimits({
  rootBytes,
  inlineBytes,
  spooledBytes,
  messageBytes,
  parts,
  partHeaderBytes,
}: TransportLimits): PackageLimits {
  // Base64 with its line ends takes up to 1.4 characters a byte.
  const whole = rootBytes + Math.ceil(inlineBytes * 1.4);
  return { rootBytes: whole, spooledBytes, messageBytes, parts, headerBytes: partHeaderBytes };
}

/** Of the XML of a message: the text of a document alone is of any length. */
export function xmlLimits({ xml }: TransportLimits): XmlLimits {
  return {
    ...xml,
    attributesPerElement: 64,
    valueLength: 1_000_000,
    unlimitedText: { namespace: namespace.xds, local: 'Document' },
  };
}

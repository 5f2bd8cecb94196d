import type { ReadEnvelope } from '../auth/credentials.ts';
import type { Received } from '../blobs/port.ts';
import type { Problem } from '../domain/error.ts';
import type { Request, Tools } from '../usecases/perform.ts';
import type { XmlElement } from '../xml/element.ts';

/** A SOAP request whose caller is identified, as a transaction gets it. */
export type Exchange = {
  readonly tools: Tools;
  readonly request: Request;
  readonly envelope: ReadEnvelope;
  /** The one child of Body. */
  readonly body: XmlElement;
  /**
   * Reads the documents of the message: for each xds:Document element of `body`, in order, its id and its bytes, be they inline base64 or
   * an xop:Include. Reads the body of the HTTP request to its end. Whoever calls it keeps or discards each.
   * @throws Refused includeUnresolved, multipartBroken, bodyTruncated, messageTooLarge (everything received is then discarded)
   */
  readonly documents: () => Promise<readonly { readonly id: string; readonly received: Received }[]>;
};

/** A document in an answer. */
export type AnswerPart = {
  readonly contentId: string;
  readonly mediaType: string;
  readonly size: number;
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>;
};

/** What a transaction answers: the XML of the Body's child, and parts that it names by xop:Include. */
export type Answer = { readonly body: Written; readonly parts?: readonly AnswerPart[] };

/** XML as a text, or its pieces in order, some of them in UTF-8 already. */
export type Written = string | readonly (string | Uint8Array)[];

/** The request that an answer is about. */
export type Asked = Pick<Exchange, 'tools' | 'body'>;

/** One transaction: its actions, packaging and work. `refused` writes problems in the transaction's own response. */
export type XdsTransaction = {
  readonly name:
    | 'ITI-18'
    | 'ITI-41'
    | 'ITI-42'
    | 'ITI-43'
    | 'ITI-44'
    | 'ITI-51'
    | 'ITI-57'
    | 'ITI-61'
    | 'ITI-62'
    | 'ITI-86'
    | 'ITI-92';
  readonly requestAction: string;
  readonly responseAction: string;
  /** Answers are MTOM packages (`mtom`) or plain SOAP. IHE ITI TF-2 Appendix V.8. */
  readonly packaging: 'mtom' | 'soap';
  readonly receiver: 'registry' | 'repository';
  /** Answered on the connection of its request alone. */
  readonly synchronous?: true;
  readonly requestRoot: { readonly namespace: string; readonly local: string };
  readonly handle: (exchange: Exchange) => Promise<Answer>;
  readonly refused: (problems: readonly Problem[], asked: Asked) => Answer;
};

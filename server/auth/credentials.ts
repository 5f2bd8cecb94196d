import type { Caller } from '../domain/actor.ts';
import type { XmlElement } from '../xml/element.ts';

/** A SOAP envelope as it was received: source text (already decoded and checked) and its tree. */
export type ReadEnvelope = { readonly source: string; readonly root: XmlElement };

/** The credential did not prove anybody. `why` is for log and security audit; the caller learns nothing of it. */
export class NotIdentified extends Error {
  override readonly name = 'NotIdentified';
  readonly why: string;
  /** Whether the caller brought no credential at all. */
  readonly absent: boolean;
  constructor(why: string, absent = false) {
    super(why);
    this.why = why;
    this.absent = absent;
  }
}

/** Turns credentials into callers; one implementation per carrier, one Caller out of all of them. */
export type Identify = {
  /** The VIHF in wsse:Security of the envelope. @throws NotIdentified */
  readonly assertion: (envelope: ReadEnvelope) => Promise<Caller>;
  /**
   * The value of the Authorization header, and the certificate (DER) that the client proved on the connection, where it did.
   * @throws NotIdentified
   */
  readonly bearer: (authorization: string | undefined, certificate?: Uint8Array) => Promise<Caller>;
};

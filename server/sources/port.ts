import type { DocumentEntry } from '../domain/document.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { Traits } from '../domain/record.ts';

/** What a source is asked to assemble. */
export type Order = {
  /** Of the document to be made. */
  readonly uniqueId: string;
  /** The on-demand entry that was asked for. */
  readonly entry: DocumentEntry;
  readonly patient: Identifier & Traits;
  /** The documents that it may speak of, newest first. */
  readonly documents: readonly DocumentEntry[];
  /** The uniqueId of a snapshot that was made from just these documents and is kept. */
  readonly former?: string;
};

/** The sources of documents that are registered on demand, by the repositoryUniqueId that their entries name. IHE ITI TF-1 10.1.1.8. */
export interface OnDemandSources {
  readonly repositories: readonly string[];
  /**
   * The document as the source makes it now, to be read to its end; `unchanged` where it would be the former one again.
   * @throws SourceFailed when there is no such source, it does not answer in time, or answers anything but a document
   */
  assemble(repositoryUniqueId: string, order: Order): Promise<AsyncIterable<Uint8Array> | 'unchanged'>;
}

/** The source could not be asked, or answered what cannot be used. Told to callers as `sourceUnavailable`. */
export class SourceFailed extends Error {
  override readonly name: string = 'SourceFailed';
}

/** The source is not there, or silent: asking it again at once is of no use. */
export class SourceSilent extends SourceFailed {
  override readonly name = 'SourceSilent';
}

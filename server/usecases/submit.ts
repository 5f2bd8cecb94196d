import type { Received } from '../blobs/port.ts';
import type { DocumentEntry, Submission, SubmissionSet } from '../domain/document.ts';
import type { Problem } from '../domain/error.ts';
import type { Request, Tools } from './perform.ts';

/** What a source hands over: metadata as read, and the documents by the id that the message gives their entries. */
export type Deposit = {
  readonly submission: Submission;
  readonly documents: readonly { readonly id: string; readonly received: Received }[];
  /** What reading the message already found wrong; thrown together with what the rules find. */
  readonly problems?: readonly Problem[];
};

export type Deposited = { readonly set: SubmissionSet; readonly entries: readonly DocumentEntry[] };

/** Placeholder until the rules arrive. */
export async function submit(tools: Tools, request: Request, deposit: Deposit): Promise<Deposited> {
  void tools;
  void request;
  void deposit;
  throw new Error('not there');
}

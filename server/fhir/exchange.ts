import type { KeyObject } from 'node:crypto';
import type { Action } from '../domain/action.ts';
import type { Problem } from '../domain/error.ts';
import type { Transaction } from '../domain/event.ts';
import type { Request, Tools } from '../usecases/perform.ts';
import type { Uploads } from '../usecases/staging.ts';
import type { DocumentWriter } from './document-writer.ts';
import type { Json } from './json.ts';
import type { Alone, FhirLimits } from './limits.ts';
import type { Given } from './search.ts';

/** What a submission set says of a document that comes alone; the content type as `code^display^OID`. */
export type Filing = { readonly sourceId: string; readonly contentType: string };

/** What is behind subscriptions. */
export type Subscribing = {
  /** Whether notifications may go to an address. */
  readonly isAllowed: (address: string) => boolean;
  /** Where websockets are opened. */
  readonly socketUrl: string;
  /** Tells that a subscription has something to do. */
  readonly queued: () => void;
};

/** One request inside another: its address below the base, its conditions by the names of their headers, and what it brings. */
export type InnerRequest = {
  /** Its FHIRPath. */
  readonly place: string;
  readonly method: string;
  readonly url: string;
  readonly conditions: ReadonlyMap<string, string>;
  readonly resource?: Json;
};

/** JSON of a resource, or of an OperationOutcome. */
export type InnerAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource?: string;
  readonly outcome?: string;
};

/** A FHIR request whose caller is identified, as an interaction gets it. */
export type Exchange = {
  readonly tools: Tools;
  readonly request: Request;
  /** The public address of this face, without trailing slash. */
  readonly base: string;
  /** Signs page links. */
  readonly linkKey: KeyObject;
  readonly writeDocument: DocumentWriter;
  readonly filing: Filing;
  readonly subscribing: Subscribing;
  readonly limits: FhirLimits;
  readonly uploads: Uploads;
  readonly method: string;
  /** The id in the path; empty for a search. */
  readonly id: string;
  /** The version in the path; empty where none is named. */
  readonly version: string;
  /** A header of the request; empty when it is absent. */
  readonly header: (name: string) => string;
  /** The body of the request, of so many bytes at most; `what` names it in the refusal. @throws Refused messageTooLarge, bodyTruncated */
  readonly body: (longest: number, what: string) => Promise<Buffer>;
  /** The body as it comes, of so many bytes at most. @throws Refused as `incoming` */
  readonly stream: (longest: number) => AsyncIterable<Uint8Array>;
  /** The resource that was sent, in JSON or XML, in its JSON form; `alone` names it where it has a limit of its own. @throws Refused as `readBody` */
  readonly json: (alone?: Alone) => Promise<Json>;
  readonly parameters: Given;
  /** `Prefer: handling=strict`. FHIR R4 search.html#errors. */
  readonly strict: boolean;
  /** The best of these media types for the caller, or undefined when none is accepted. */
  readonly preferred: (types: readonly string[]) => string | undefined;
  /** Does what another request asks, as if it had come alone; `most` bytes may be answered. */
  readonly inner: (asked: InnerRequest, most: number) => Promise<InnerAnswer>;
};

/** Bytes of a body; a function is called only when the body is sent (not for HEAD). */
export type Body = string | Buffer | (() => Promise<Uint8Array | AsyncIterable<Uint8Array>>);

export type Answer =
  | {
      readonly body: Body;
      /** 200 unless said. */
      readonly status?: number;
      readonly mediaType?: string;
      /** Bytes, where they are known before the body is opened. */
      readonly size?: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The action was done and traced, and there is nothing to show for it. */
  | {
      readonly refused: readonly Problem[];
      /** That of the problems unless said. */
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** One interaction on one type, or on all: its address, how it is traced, and its work. */
export type Interaction = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base, in the router's notation. */
  readonly path: string;
  readonly resource:
    | 'DocumentReference'
    | 'Binary'
    | 'List'
    | 'Patient'
    | 'Practitioner'
    | 'PractitionerRole'
    | 'Organization'
    | 'Device'
    | 'AuditEvent'
    | 'Consent'
    | 'Subscription'
    | 'Basic'
    | 'Bundle'
    | 'system';
  readonly interaction:
    | 'read'
    | 'vread'
    | 'history-instance'
    | 'search-type'
    | 'create'
    | 'update'
    | 'patch'
    | 'delete'
    | 'transaction'
    | 'batch'
    | 'operation';
  /** Of an operation: its name without `$`, and the canonical address of its definition. */
  readonly operation?: { readonly name: string; readonly definition: string };
  readonly transaction: Transaction;
  /** What a failure before the use case is traced as. */
  readonly action: Action;
  /** One sentence for the documentation. */
  readonly what: string;
  /** Other than a resource may be answered: the interaction negotiates itself. */
  readonly ownMediaTypes?: true;
  readonly handle: (exchange: Exchange) => Promise<Answer>;
  /** What of a refusal the caller may learn. */
  readonly told?: (problems: readonly Problem[], exchange: Exchange) => readonly Problem[];
};

/** A search by GET, and by POST with its parameters in the body. FHIR R4 http.html#search. */
export function searchesOf(row: Omit<Interaction, 'method' | 'path' | 'interaction'>): readonly Interaction[] {
  const search = { ...row, interaction: 'search-type' } as const;
  return [
    { ...search, method: 'GET', path: `/${row.resource}` },
    { ...search, method: 'POST', path: `/${row.resource}/_search`, what: 'The same, parameters in the body' },
  ];
}

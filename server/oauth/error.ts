/** Error codes of RFC 6749 §4.1.2.1 and §5.2, RFC 8707 §2, OpenID Connect Core §3.1.2.6. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'access_denied'
  | 'request_not_supported'
  | 'request_uri_not_supported'
  | 'temporarily_unavailable'
  | 'server_error';

/** A request that is refused; the message is for its sender, `why` for log and security audit alone. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: OAuthErrorCode;
  readonly status: number;
  readonly why: string;
  constructor(code: OAuthErrorCode, description: string, { status = 400, why = description } = {}) {
    super(description);
    this.code = code;
    this.status = status;
    this.why = why;
  }
}

/** The app cannot be sent back to: it, or its address, is not known. RFC 6749 §4.1.2.1. */
export class NoWayBack extends Error {
  readonly remedy: string;
  constructor(what: string, remedy: string) {
    super(what);
    this.remedy = remedy;
  }
}

/** Text as error_description may hold it. RFC 6749 §5.2. */
export function described(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, (one) => (one === '"' ? "'" : '?')).slice(0, 500);
}

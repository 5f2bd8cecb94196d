import type { Context } from 'koa';

/** What an id in FHIR may be: the id of a request is the id of its OperationOutcome too. FHIR R4 datatypes.html#id. */
const isId = /^[A-Za-z0-9.-]{1,64}$/;

/** The id of a request, set on its answer once: the caller's own where it can be an id, else a new one. */
export function nameRequest(ctx: Context, newId: () => string): string {
  if (ctx.res.hasHeader('X-Request-Id')) return ctx.response.get('X-Request-Id');
  const given = ctx.get('X-Request-Id');
  const id = isId.test(given) ? given : newId();
  ctx.set('X-Request-Id', id);
  return id;
}

/**
 * What was asked, as HTTP carries it: the request line, and the body after an empty line. For the trace. IHE BALP, IHE.BasicAudit.Query, entity[query]:
 * the raw request.
 * @param place below the base, without the parameters
 */
export function askedText(method: string, place: string, given: string): string {
  const line = `${method} /fhir/${place}`;
  return method === 'POST' ? `${line}\n\n${given}` : `${line}?${given}`;
}

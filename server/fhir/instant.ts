/**
 * Milliseconds since 1970 of a FHIR instant; a leap second is the second that follows it. NaN for what is none. FHIR R4 datatypes.html#instant.
 */
export function millisOf(instant: string): number {
  const isLeap = /T\d\d:\d\d:60/.test(instant);
  return isLeap ? Date.parse(instant.replace(/:60(\.\d+)?/, ':59')) + 1000 : Date.parse(instant);
}

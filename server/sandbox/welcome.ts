/** What the sandbox prints once it serves: addresses, and commands to begin with. */
export function welcome(address: string): string {
  return `
OpenDMP sandbox, invented people only.

  XDS.b   ${address}/xds/registry   ${address}/xds/repository
  FHIR    ${address}/fhir   (what it serves: ${address}/fhir/metadata)
  tokens  ${address}/auth   (an app's first token: docs/oauth.md)
  health  ${address}/health/ready   metrics ${address}/metrics

Try, in another terminal:

  npm run -s dmp -- people
  npm run -s dmp -- find --as dr-martin --patient laurent
  npm run -s dmp -- token --as laurent
`;
}

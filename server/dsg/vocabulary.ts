/** XML Signature §4. */
export const ds = 'http://www.w3.org/2000/09/xmldsig#';

/** Digests of manifests by the URI of their algorithm. XML Signature §6.2; XML Encryption §5.7.2. */
export const digestAlgorithm: ReadonlyMap<string, 'sha1' | 'sha256'> = new Map([
  [`${ds}sha1`, 'sha1'],
  ['http://www.w3.org/2001/04/xmlenc#sha256', 'sha256'],
]);

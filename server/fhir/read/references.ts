import type { FhirResource } from 'fhir/r4.js';
import { professionalAuthority, structureAuthority } from '../../domain/people.ts';
import { readIdentifier } from '../search-values.ts';

/** The id in a reference to one of our own resources: relative, absolute or version-specific. FHIR R4 references.html#literal. */
export function localId(reference: string | undefined, type: string, base: string): string | undefined {
  return localName(reference, type, base)?.id;
}

/** The same with the version that it names. */
export function localName(
  reference: string | undefined,
  type: string,
  base: string,
): { readonly id: string; readonly version?: string } | undefined {
  const relative = reference?.startsWith(`${base}/`) === true ? reference.slice(base.length + 1) : reference;
  const [found, id, history, version, ...more] = relative?.split('/') ?? [];
  if (found !== type || id === undefined || !isId(id) || more.length > 0) return undefined;
  if (history === undefined) return { id };
  return history === '_history' && version !== undefined && isId(version) ? { id, version } : undefined;
}

/** FHIR R4 datatypes.html#id. */
function isId(text: string): boolean {
  return /^[A-Za-z0-9.-]{1,64}$/.test(text);
}

/** What `Type?identifier=urn:oid:<OID>|<value>` names. FHIR R4 http.html#trules. */
export function conditionalIdentifier(
  reference: string | undefined,
  types: readonly string[],
): { readonly type: string; readonly oid: string; readonly value: string } | undefined {
  const type = types.find((one) => reference?.startsWith(`${one}?`) === true);
  if (reference === undefined || type === undefined) return undefined;
  const [[name, value] = ['', ''], ...more] = [...new URLSearchParams(reference.slice(type.length + 1))];
  const identifier = name === 'identifier' && more.length === 0 ? readIdentifier(value) : undefined;
  return identifier && { type, ...identifier };
}

/**
 * The fullUrl of the entry that a reference within a Bundle names: as it stands, or, where it is relative, below the root of the entry that
 * names it. FHIR R4 bundle.html#references.
 */
export function urlInBundle(reference: string, from: string | undefined): string {
  const bare = reference.replace(/\/_history\/[^/]+$/, '');
  if (/^[a-z][a-z0-9+.-]*:/i.test(bare) || bare.startsWith('#')) return bare;
  const root = /^(https?:\/\/.+\/)[A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/.exec(from ?? '')?.[1];
  return root === undefined ? bare : `${root}${bare}`;
}

/**
 * Whom a literal reference to this server names: `Practitioner/<PS_IdNat>` or `Organization/<Struct_IdNat>`, by which authors are found here.
 * Nothing is known of them but that.
 */
export function authorHere(reference: string, base: string): FhirResource | undefined {
  const person = localId(reference, 'Practitioner', base);
  if (person !== undefined)
    return { resourceType: 'Practitioner', identifier: [ofAuthority(professionalAuthority, person)] };
  const place = localId(reference, 'Organization', base);
  return place === undefined
    ? undefined
    : { resourceType: 'Organization', name: place, identifier: [ofAuthority(structureAuthority, place)] };
}

function ofAuthority(oid: string, value: string) {
  return { system: `urn:oid:${oid}`, value };
}

import type { CodeableConcept, Coding, Identifier as FhirIdentifier } from 'fhir/r4.js';
import { type Code, codeInText } from '../../domain/code.ts';
import { writeCx, writeCxi } from '../../domain/hl7v2.ts';
import { type Authority, type Cx, type Cxi, isOid } from '../../domain/identifier.ts';
import { extensions, hl7IdentifierType, identifierTypes, systemUrl, uris } from '../vocabulary.ts';

/** A coded value; an empty system is left out. IHE ITI TF-2 Appendix Z. */
export function codingOf({ code, system, display }: Code): Coding {
  return { ...(system !== '' && { system: systemUrl(system) }), code, ...(display !== undefined && { display }) };
}

export function conceptOf(code: Code): CodeableConcept {
  return { coding: [codingOf(code)] };
}

/** A role or specialty of an author: `code^display^oid` as CI-SIS writes it is a coding, anything else a text. */
export function roleOf(text: string): CodeableConcept {
  const code = codeInText(text);
  return code === undefined ? { text } : conceptOf(code);
}

/** The owner of an identifier as FHIR names it: `urn:oid:` for an OID; a bare namespace becomes the assigner's name. */
export function ownerOf({ oid, namespace }: Authority): Pick<FhirIdentifier, 'system' | 'assigner'> {
  return {
    ...(oid !== undefined && { system: `urn:oid:${oid}` }),
    ...(namespace !== undefined && { assigner: { display: namespace } }),
  };
}

/**
 * The uniqueId of a document: an OID or URI under `urn:ietf:rfc:3986`, `OID^extension` as system and value. IHE ITI TF-2 Appendix Z;
 * IHE MHD, UniqueIdIdentifier.
 */
export function uniqueIdentifier(uniqueId: string): FhirIdentifier {
  const [root = '', extension] = uniqueId.split('^');
  if (extension !== undefined && isOid(root))
    return { use: 'usual', system: `urn:oid:${root}`, value: uniqueId.slice(root.length + 1) };
  return { use: 'usual', system: uris, value: isOid(uniqueId) ? `urn:oid:${uniqueId}` : uniqueId };
}

/** The uniqueId that an identifier names: the reverse of `uniqueIdentifier`; a bare OID is itself. */
export function uniqueIdOf(system: string | undefined, value: string): string {
  if (system === undefined || system === uris) return value.startsWith('urn:oid:') ? value.slice(8) : value;
  return `${system.startsWith('urn:oid:') ? system.slice(8) : system}^${value}`;
}

/** A reference id: component 5 as type, component 4 as system, component 1 as value. IHE MHD, mapping of referenceIdList. */
export function relatedIdentifier(reference: Cxi): FhirIdentifier {
  return {
    ...(reference.rest && { extension: [{ url: extensions.hl7v2, valueString: writeCxi(reference) }] }),
    type: { coding: [{ system: uris, code: reference.type }] },
    ...ownerOf(reference.authority),
    value: reference.id,
  };
}

/** An identifier of a patient: its French type by the OID, its HL7 type as CX has it. IHE ITI TF-2 Appendix Z. */
export function cxIdentifier(cx: Cx): FhirIdentifier {
  const french = identifierTypes.ofPatient[cx.authority.oid ?? ''];
  const coding: Coding[] = [
    ...(french === undefined ? [] : [{ system: identifierTypes.system, code: french }]),
    ...(cx.type === undefined ? [] : [{ system: hl7IdentifierType, code: cx.type }]),
  ];
  return {
    ...(cx.rest && { extension: [{ url: extensions.hl7v2, valueString: writeCx(cx) }] }),
    ...(coding.length > 0 && { type: { coding } }),
    ...ownerOf(cx.authority),
    value: cx.id,
  };
}

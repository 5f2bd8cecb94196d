import type {
  ContactPoint,
  Device,
  Identifier as FhirIdentifier,
  HumanName,
  Organization,
  Patient,
  Practitioner,
} from 'fhir/r4.js';
import { readXcn, readXon, readXtn } from '../../domain/hl7v2.ts';
import { isOid } from '../../domain/identifier.ts';
import { professionalAuthority, structureAuthority, type Xcn, type Xon, type Xtn } from '../../domain/people.ts';
import { contactPoint, organisation, practitionerOf } from '../map/people.ts';
import { extensions } from '../vocabulary.ts';
import { ownerIn } from './code.ts';
import { agreeing, hl7v2TextOf, present, report, type Source } from './source.ts';

/** Reports somebody of whom nothing tells who he is, once. */
export function reportNobody(source: Source, attribute: string, at: string): undefined {
  if (!source.problems.some(({ about }) => about.expression === `${source.path}.${at}`))
    report(source, 'attributeMissing', attribute, at, { detail: 'neither identifier nor name' });
}

/** Whether an identifier or a name tells who it is. */
export function isSomebody({ id, family }: Xcn): boolean {
  return id !== undefined || family !== undefined;
}

/** A patient or a system without the XCN as sent. */
export function plainPerson(resource: Patient | Device): Xcn {
  const kind = resource.resourceType === 'Patient' ? { nameType: 'D', idType: 'NH' } : { nameType: 'U', idType: 'RI' };
  const names =
    resource.resourceType === 'Patient'
      ? nameIn(resource.name)
      : present({ family: resource.deviceName?.[0]?.name ?? resource.id });
  return { ...identified(resource.identifier), ...names, ...kind };
}

/** A professional, as sent or by identifier and name. IHE MHD, mapping of author. */
export function practitionerIn(source: Source, resource: Practitioner, attribute: string, at: string): Xcn | undefined {
  const { telecom: _telecom, ...plain } = resource;
  const text = hl7v2TextOf(resource, extensions.hl7v2);
  if (text !== undefined)
    return agreeing(source, text, readXcn, (xcn) => practitionerOf(xcn, resource.id ?? ''), plain, attribute, at);
  const named = { ...identified(resource.identifier), ...nameIn(resource.name) };
  if (!isSomebody(named)) return reportNobody(source, attribute, at);
  const isNational = named.authority?.oid === professionalAuthority;
  return { ...named, ...(isNational && { nameType: 'D', idType: 'IDNPS' }) };
}

/** The identifier by which France knows a person, else the official or the first one. */
export function identified(identifiers: readonly FhirIdentifier[] | undefined): Pick<Xcn, 'id' | 'authority'> {
  const national = identifiers?.find(({ system }) => system === `urn:oid:${professionalAuthority}`);
  const chosen = national ?? identifiers?.find(({ use }) => use === 'official') ?? identifiers?.[0];
  if (chosen?.value === undefined) return {};
  const authority = ownerIn(chosen);
  return { id: chosen.value, ...(authority.oid !== undefined && { authority }) };
}

function nameIn(names: readonly HumanName[] | undefined): Xcn {
  const name = names?.find(({ use }) => use === 'official') ?? names?.[0];
  const [given, ...more] = name?.given ?? [];
  return present({
    family: name?.family ?? (given === undefined ? name?.text : undefined),
    given,
    second: more.length > 0 ? more.join(' ') : undefined,
    prefix: name?.prefix?.[0],
    suffix: name?.suffix?.[0],
  });
}

/** An institution, as sent or by name and identifier. IHE MHD, mapping of author. */
export function organisationIn(source: Source, resource: Organization, at: string): Xon | undefined {
  const attribute = 'authorInstitution';
  const { telecom: _telecom, ...plain } = resource;
  const text = hl7v2TextOf(resource, extensions.hl7v2);
  if (text !== undefined)
    return agreeing(source, text, readXon, (xon) => organisation(xon, resource.id ?? ''), plain, attribute, at);
  if (resource.name === undefined) return report(source, 'attributeMissing', attribute, `${at}.name`);
  const national = resource.identifier?.find(({ system }) => system === `urn:oid:${structureAuthority}`);
  return xonOf(resource.name, national ?? resource.identifier?.[0]);
}

/** An institution by its name and an identifier, an OID among them. */
export function xonOf(name: string, identifier: FhirIdentifier | undefined): Xon {
  const id = identifier?.value;
  if (id === undefined || identifier === undefined) return { name };
  if (id.startsWith('urn:oid:') && isOid(id.slice(8))) return { name, id: id.slice(8) };
  const authority = ownerIn(identifier);
  if (authority.oid === undefined) return { name };
  return { name, authority, id, ...(authority.oid === structureAuthority && { idType: 'IDNST' }) };
}

/** A telecommunication address, as sent or by system, use and value. IHE ITI TF-3 4.2.3.1.4.5. */
export function contactIn(source: Source, point: ContactPoint, at: string): Xtn[] {
  const text = hl7v2TextOf(point, extensions.hl7v2);
  if (text !== undefined) {
    const value = agreeing(source, text, readXtn, contactPoint, point, 'authorTelecommunication', at);
    return value === undefined ? [] : [value];
  }
  const { system, value, use } = point;
  if (value === undefined) return [];
  const place = use === 'work' ? 'WPN' : use === 'home' ? 'PRN' : undefined;
  if (system === 'email') return [{ use: place ?? 'NET', type: 'Internet', address: value }];
  const type = system === 'fax' ? 'FX' : use === 'mobile' ? 'CP' : 'PH';
  return [{ ...present({ use: place }), type, unformatted: value }];
}

import type { ConsentProvisionActor, Identifier as FhirIdentifier, FhirResource, Reference } from 'fhir/r4.js';
import type { ConsentActor } from '../../domain/consent.ts';
import { professionalAuthority, structureAuthority } from '../../domain/people.ts';
import { consent } from '../vocabulary.ts';
import { type Place, report } from './consent-place.ts';

/** The one actor of a provision, by national identifier or as a contained team of such; undefined where none is named, or a problem is told. */
export function actorIn(
  actors: readonly ConsentProvisionActor[] | undefined,
  contained: readonly FhirResource[],
  place: Place,
): ConsentActor | undefined {
  const [actor, ...more] = actors ?? [];
  if (actor === undefined) return undefined;
  if (more.length > 0)
    return report(
      place,
      'consentNotEnforceable',
      'actor[1]',
      'a provision names one actor: state the others in provisions of their own',
    );
  const isRecipient = actor.role.coding?.some(
    ({ system, code }) => system === consent.role.system && code === consent.role.code,
  );
  if (isRecipient !== true) report(place, 'consentRuleBroken', 'actor[0].role', 'IRCP is asked for');
  const named = namedBy(actor.reference, contained);
  return (
    named ??
    report(
      place,
      'consentNotEnforceable',
      'actor[0].reference',
      'a professional or structure is named by identifier (PS_IdNat, Struct_IdNat), a team by a contained CareTeam or Group of such',
      actor.reference.reference,
    )
  );
}

function namedBy(reference: Reference, contained: readonly FhirResource[]): ConsentActor | undefined {
  const inside = reference.reference?.startsWith('#') === true ? reference.reference.slice(1) : undefined;
  const resource = contained.find(({ id }) => id !== undefined && id === inside);
  const name = reference.display;
  if (resource?.resourceType === 'Group' || resource?.resourceType === 'CareTeam') {
    const entities =
      resource.resourceType === 'Group'
        ? (resource.member ?? []).map(({ entity }) => entity)
        : (resource.participant ?? []).map(({ member }) => member);
    const members = entities.map((entity) => nationalId(entity?.identifier));
    const known = members.filter((member) => member !== undefined);
    return known.length > 0 && known.length === members.length ? { kind: 'careTeam', members: known } : undefined;
  }
  const identifiers =
    resource?.resourceType === 'Practitioner' || resource?.resourceType === 'Organization'
      ? (resource.identifier ?? [])
      : [reference.identifier];
  const ids = identifiers.flatMap((identifier) => nationalId(identifier) ?? []);
  const [id] = ids;
  return id === undefined ? undefined : { ...id, ...(name !== undefined && { name }) };
}

function nationalId(
  identifier: FhirIdentifier | undefined,
): { kind: 'professional' | 'structure'; id: string } | undefined {
  const { system, value } = identifier ?? {};
  if (value === undefined) return undefined;
  if (system === `urn:oid:${professionalAuthority}`) return { kind: 'professional', id: value };
  return system === `urn:oid:${structureAuthority}` ? { kind: 'structure', id: value } : undefined;
}

import type { Group, Reference } from 'fhir/r4.js';
import type { ConsentActor } from '../../domain/consent.ts';
import { professionalAuthority, structureAuthority } from '../../domain/people.ts';
import { identifierTypes } from '../vocabulary.ts';

/** Whom a consent names: a professional or structure by national identifier, a team by the Group contained for it. */
export function actorReference(actor: ConsentActor): Reference {
  if (actor.kind === 'careTeam') return { reference: '#team', type: 'Group' };
  return {
    type: actor.kind === 'professional' ? 'Practitioner' : 'Organization',
    ...nationalReference(actor),
    ...(actor.name !== undefined && { display: actor.name }),
  };
}

function nationalReference({
  kind,
  id,
}: {
  readonly kind: 'professional' | 'structure';
  readonly id: string;
}): Reference {
  const [authority, code] =
    kind === 'professional'
      ? [professionalAuthority, identifierTypes.professional]
      : [structureAuthority, identifierTypes.structure];
  const type = { coding: [{ system: identifierTypes.system, code }] };
  return { identifier: { type, system: `urn:oid:${authority}`, value: id } };
}

/** A team, to be contained. */
export function groupResource({ members }: Extract<ConsentActor, { kind: 'careTeam' }>): Group {
  return {
    resourceType: 'Group',
    id: 'team',
    type: 'practitioner',
    actual: true,
    member: members.map((member) => ({ entity: nationalReference(member) })),
  };
}

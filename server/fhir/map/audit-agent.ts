import type { AuditEventAgent, CodeableConcept, Coding } from 'fhir/r4.js';
import { type Actor, type Mode, statedStructureId } from '../../domain/actor.ts';
import type { AuditEvent, Transaction } from '../../domain/event.ts';
import { professionalAuthority, structureAuthority } from '../../domain/people.ts';
import { audit, dcm, systemUrl } from '../vocabulary.ts';
import type { Shape } from './audit-kind.ts';

/** Transactions whose credential is a token; the others carry an assertion. */
const byToken: ReadonlySet<Transaction> = new Set([
  'ITI-20',
  'ITI-65',
  'ITI-66',
  'ITI-67',
  'ITI-68',
  'ITI-78',
  'ITI-81',
  'ITI-83',
  'ITI-93',
  'ITI-104',
  'ITI-108',
  'ITI-119',
  'read',
]);

const source: CodeableConcept = { coding: [{ system: dcm, code: '110153', display: 'Source Role ID' }] };
const destination: CodeableConcept = { coding: [{ system: dcm, code: '110152', display: 'Destination Role ID' }] };
const ends: Readonly<Record<Shape['client'], { readonly client: CodeableConcept; readonly server: CodeableConcept }>> =
  {
    source: { client: source, server: destination },
    destination: { client: destination, server: source },
    application: {
      client: { coding: [{ system: dcm, code: '110150', display: 'Application' }] },
      server: { coding: [audit.custodian] },
    },
  };

/**
 * Who took part: the client, this server, the user who asked, and the structure on whose behalf. IHE BALP 152.3, 152.7.
 * @param server how this server is named, the same as the event's observer
 */
export function agentsOf(happened: AuditEvent, shape: Shape, server: AuditEventAgent['who']): AuditEventAgent[] {
  return [
    clientOf(happened, shape),
    {
      type: ends[shape.client].server,
      ...(server && { who: server }),
      requestor: false,
      network: { address: happened.origin.endpoint, type: '5' },
    },
    ...userOf(happened, shape),
  ];
}

function clientOf({ software, origin }: AuditEvent, { client }: Shape): AuditEventAgent {
  return {
    type: ends[client].client,
    who: { display: software ?? 'software not named' },
    requestor: false,
    ...(origin.address !== undefined && { network: { address: origin.address, type: '2' as const } }),
  };
}

const reasons: Readonly<Record<Mode, string>> = { normal: 'TREAT', breakGlass: 'BTG', emergencyCentre: 'ETREAT' };

function userOf({ actor, mode, credential, origin }: AuditEvent, { action }: Shape): AuditEventAgent[] {
  if (actor === undefined) return [];
  const reason =
    actor.kind === 'patient'
      ? 'PATRQT'
      : actor.kind === 'representative'
        ? 'PWATRNY'
        : mode === undefined
          ? undefined
          : reasons[mode];
  const role = roleOf(actor);
  const user: AuditEventAgent = {
    type: { coding: [{ system: audit.participation, code: action === 'R' || action === 'E' ? 'IRCP' : 'AUT' }] },
    ...(role && { role: [{ coding: [role] }] }),
    who: { identifier: identifierOf(actor) },
    name: nameOf(actor),
    requestor: true,
    ...(credential !== undefined && {
      policy: [byToken.has(origin.transaction) ? audit.tokenId + credential : credential],
    }),
    ...(reason !== undefined && { purposeOfUse: [{ coding: [{ system: audit.reason, code: reason }] }] }),
  };
  return [user, ...structureOf(actor)];
}

function structureOf(actor: Actor): AuditEventAgent[] {
  const id = statedStructureId(actor);
  if (id === undefined || actor.kind === 'structure') return [];
  const name = 'structure' in actor ? actor.structure.name : undefined;
  return [
    {
      type: { coding: [{ system: audit.roleClass, code: 'PROV', display: 'healthcare provider' }] },
      who: {
        identifier: { system: `urn:oid:${structureAuthority}`, value: id },
        ...(name !== undefined && { display: name }),
      },
      requestor: false,
    },
  ];
}

function identifierOf(actor: Actor): { system?: string; value: string } {
  switch (actor.kind) {
    case 'professional':
    case 'air':
      return { system: `urn:oid:${professionalAuthority}`, value: actor.id };
    case 'structure':
      return { system: `urn:oid:${structureAuthority}`, value: actor.structure.id };
    case 'patient':
      return { system: `urn:oid:${actor.ins.oid}`, value: actor.ins.value };
    case 'representative':
    case 'system':
    case 'administrator':
      return { value: actor.id };
  }
}

function nameOf(actor: Actor): string {
  return actor.kind === 'structure' ? (actor.employee?.name ?? actor.structure.name ?? actor.structure.id) : actor.name;
}

function roleOf(actor: Actor): Coding | undefined {
  return actor.kind === 'professional' || actor.kind === 'air'
    ? { system: systemUrl('1.2.250.1.71.1.2.7'), code: actor.profession }
    : undefined;
}

/** True for the structure's agent, which no profile asks a network address of. */
export function isStructure({ type }: AuditEventAgent): boolean {
  return type?.coding?.[0]?.system === audit.roleClass;
}

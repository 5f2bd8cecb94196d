import { hash } from 'node:crypto';
import type { Certificate } from '../crypto/certificate.ts';
import type { Actor, Caller } from '../domain/actor.ts';
import { readCx } from '../domain/hl7v2.ts';
import type { Identifier } from '../domain/identifier.ts';
import { type System, systemActor } from '../domain/system.ts';
import { attributeOf, child, childrenOf, type XmlElement } from '../xml/element.ts';
import { type Verified, verifyAssertion } from './assertion.ts';
import { type Holder, holderOf } from './card.ts';
import { type Identify, NotIdentified } from './credentials.ts';
import { checkIssuer, issuerOf, windowOf } from './saml.ts';
import { makeSystemOf } from './system-certificates.ts';
import type { Trust } from './trust.ts';
import {
  accessModeSystem,
  hl7Namespace,
  modeOf,
  otherRoleSystem,
  professionSystem,
  samlNamespace as saml,
  secretSession,
  specialtySystems,
} from './vocabulary.ts';

export type AssertionSettings = {
  readonly allowSha1: boolean;
  /** Tolerated difference between clocks. */
  readonly skewSeconds: number;
  /** Oldest IssueInstant of an assertion that states no end. */
  readonly maxAgeSeconds: number;
  /** What an AudienceRestriction has to name, where there is one. */
  readonly audience: string;
  /** The partners' systems: whose certificates are theirs acts as nobody else. */
  readonly systems: readonly System[];
};

/**
 * Identifies the caller by the VIHF of the envelope: CI-SIS Transport Synchrone, VIHF 2.0, 3.0 and 4.0. `now` answers milliseconds.
 * The assertion is not marked as used here: whoever acts for the caller spends its key together with the action.
 */
export function makeAssertionIdentifier(
  trust: Trust,
  settings: AssertionSettings,
  now: () => number,
): Identify['assertion'] {
  const seen = new WeakMap<Certificate, Signer>();
  const systemOf = makeSystemOf(settings.systems);
  const signerOf = ({ assertion, certificate }: Verified): Signer => {
    const issuer = issuerOf(assertion);
    const known = seen.get(certificate);
    if (known?.issuer === issuer) return known;
    checkIssuer(issuer, certificate);
    const holder = holderOf(certificate);
    const system = systemOf(certificate, holder);
    const signer = { issuer, holder, ...(system && { system }) };
    seen.set(certificate, signer);
    return signer;
  };
  return async (envelope) => {
    const at = now();
    const verified = await verifyAssertion(envelope, trust, { allowSha1: settings.allowSha1, now: at });
    const signer = signerOf(verified);
    const until = windowOf(verified.assertion, settings, at);
    return callerOf(verified.assertion, signer, until);
  };
}

/** What was made out of a certificate and its last Issuer, once for many assertions. */
type Signer = { readonly issuer: string; readonly holder: Holder; readonly system?: System };

/** The meaning of a verified VIHF. */
function callerOf(assertion: XmlElement, signer: Signer, until: number): Caller {
  const { issuer } = signer;
  const stated = readStatements(assertion);
  const id = attributeOf(assertion, 'ID') ?? '';
  const version = stated.required('VIHF_Version');
  if (!['2.0', '3.0', '4.0'].includes(version)) throw new NotIdentified('version of the VIHF not known');
  if ((stated.text('Ressource_URN') ?? 'urn:dmp') !== 'urn:dmp') throw new NotIdentified('made for another service');
  const purpose = stated.coded('urn:oasis:names:tc:xspa:1.0:subject:purposeofuse', 'PurposeOfUse', [accessModeSystem]);
  const mode = modeOf(purpose ?? '');
  if (mode === undefined) throw new NotIdentified('purpose of use not known');
  const patient = patientOf(stated.text('urn:oasis:names:tc:xacml:2.0:resource:resource-id'));
  const reason = stated.text('Mode_Acces_Raison');
  const software = softwareOf(stated);
  return {
    actor: actorOf(assertion, stated, signer),
    mode,
    ...(reason !== undefined && { reason }),
    ...(patient && { patient }),
    secret: stated.text('urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code') === secretSession,
    ...(software && { software }),
    credential: { kind: 'assertion', id, issuer, spendKey: hash('sha256', `${issuer}\n${id}`, 'base64url'), until },
  };
}

function actorOf(assertion: XmlElement, stated: Statements, { holder, system }: Signer): Actor {
  const nameId = child(child(assertion, saml, 'Subject'), saml, 'NameID')?.text.trim() ?? '';
  if (nameId === '') throw new NotIdentified('no NameID');
  const structure = stated.required('Identifiant_Structure');
  const name = stated.text('urn:oasis:names:tc:xspa:1.0:subject:subject-id') ?? nameId;
  switch (stated.required('Authentification_mode')) {
    case 'DIRECTE': {
      if (holder.kind !== 'person' || holder.id !== nameId) throw new NotIdentified('NameID is not of the card');
      if (holder.structures.length > 0 && !holder.structures.includes(structure))
        throw new NotIdentified('structure is not that of the card');
      const role = roleOf(stated);
      if (holder.card === 'CPE' && role.card === 'CPS') throw new NotIdentified('profession claimed with a CPE');
      if (!holder.allows(role.profession)) throw new NotIdentified('another profession than on the card');
      return { kind: 'professional', id: nameId, name, ...role, structure: { id: structure } };
    }
    case 'INDIRECTE': {
      const own = ownStructure(holder, structure);
      if (system !== undefined) return systemActor(system);
      return { kind: 'structure', structure: own, employee: { id: nameId, name } };
    }
    case 'INDIRECTE_RENFORCEE': {
      const own = ownStructure(holder, structure);
      if (system !== undefined) throw new NotIdentified('a professional by the certificate of a system');
      if (!/^(8\d{11}|0\d{9})$/.test(nameId)) throw new NotIdentified('NameID is no national id');
      return { kind: 'air', id: nameId, name, ...roleOf(stated), structure: own };
    }
    default:
      throw new NotIdentified('mode of authentication not known');
  }
}

function ownStructure(holder: Holder, claimed: string) {
  if (holder.kind !== 'organisation') throw new NotIdentified('not the certificate of an organisation');
  if (!holder.structures.includes(claimed)) throw new NotIdentified('structure is not that of the certificate');
  return { id: claimed, ...(holder.name !== undefined && { name: holder.name }) };
}

/** One profession and, for doctors and pharmacists, its savoir-faire; or one of the other roles, which makes the card a CPE. */
function roleOf(stated: Statements) {
  const name = 'urn:oasis:names:tc:xacml:2.0:subject:role';
  const other = stated.coded(name, 'Role', [otherRoleSystem]);
  const profession = stated.coded(name, 'Role', [professionSystem]);
  const specialty = stated.coded(name, 'Role', specialtySystems);
  if (other !== undefined && profession === undefined) return { card: 'CPE', profession: other } as const;
  if (profession === undefined || other !== undefined) throw new NotIdentified('no role, or roles that contradict');
  if (specialty === undefined && (profession === '10' || profession === '21'))
    throw new NotIdentified('doctor or pharmacist without savoir-faire');
  return { card: 'CPS', profession, ...(specialty !== undefined && { specialty }) } as const;
}

function patientOf(cx: string | undefined): Identifier | undefined {
  if (cx === undefined) return undefined;
  const read = readCx(cx);
  if (read?.authority.oid === undefined) throw new NotIdentified('resource-id malformed');
  return { value: read.id, oid: read.authority.oid };
}

function softwareOf(stated: Statements): Caller['software'] {
  const name = stated.text('LPS_Nom');
  const version = stated.text('LPS_Version');
  const id = stated.text('LPS_ID_HOMOLOGATION_DMP') ?? stated.text('LPS_ID');
  if (name === undefined) return undefined;
  return { name, ...(version !== undefined && { version }), ...(id !== undefined && { id }) };
}

type Statements = {
  /** The one text of an attribute, trimmed; undefined when it is absent or blank. Names are compared without case. */
  readonly text: (name: string) => string | undefined;
  readonly required: (name: string) => string;
  /** The one code that an HL7 element of that attribute has in one of the systems. */
  readonly coded: (name: string, local: string, systems: readonly string[]) => string | undefined;
};

function readStatements(assertion: XmlElement): Statements {
  const values = new Map<string, XmlElement[]>();
  for (const statement of childrenOf(assertion, saml, 'AttributeStatement'))
    for (const attribute of childrenOf(statement, saml, 'Attribute')) {
      const name = (attributeOf(attribute, 'Name') ?? '').toLowerCase();
      values.set(name, [...(values.get(name) ?? []), ...childrenOf(attribute, saml, 'AttributeValue')]);
    }
  const of = (name: string) => values.get(name.toLowerCase()) ?? [];
  const text = (name: string) =>
    only(
      name,
      of(name).map((value) => value.text.trim()),
    );
  return {
    text,
    required(name) {
      const value = text(name);
      if (value === undefined) throw new NotIdentified(`attribute ${name} missing`);
      return value;
    },
    coded: (name, local, systems) =>
      only(
        name,
        of(name)
          .flatMap((value) => childrenOf(value, hl7Namespace, local))
          .filter((element) => systems.includes(attributeOf(element, 'codeSystem') ?? ''))
          .map((element) => attributeOf(element, 'code') ?? ''),
      ),
  };
}

/** An attribute may be repeated; saying two different things it says nothing. */
function only(name: string, values: readonly string[]): string | undefined {
  const different = new Set(values.filter((value) => value !== ''));
  if (different.size > 1) throw new NotIdentified(`attribute ${name} with different values`);
  return different.values().next().value;
}

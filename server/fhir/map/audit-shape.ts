import type { Coding } from 'fhir/r4.js';
import type { Action } from '../../domain/action.ts';
import type { EventDraft, Transaction } from '../../domain/event.ts';
import { audit, dcm, profiles } from '../vocabulary.ts';

export type Shape = {
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  /** Which end the client is: it sends (source) or receives (destination). */
  readonly client: 'source' | 'destination';
  readonly profile?: string;
};

const rest: Coding = { system: audit.eventType, code: 'rest', display: 'Restful Operation' };
const interaction = (code: string): Coding => ({ system: audit.interaction, code });
const iti = (code: string, display: string): Coding => ({ system: audit.transaction, code, display });
const event = (code: string, display: string): Coding => ({ system: dcm, code, display });

const read: Shape = {
  type: rest,
  subtype: [interaction('read')],
  action: 'R',
  client: 'destination',
  profile: profiles.auditPatientRead,
};
const search = (subtype: readonly Coding[], profile: string): Shape => ({
  type: rest,
  subtype: [interaction('search'), ...subtype],
  action: 'E',
  client: 'source',
  profile,
});
const incoming = (subtype: Coding, action: 'C' | 'U' = 'C'): Shape => ({
  type: event('110107', 'Import'),
  subtype: [subtype],
  action,
  client: 'source',
});
const removal = (subtype: Coding): Shape => ({
  type: event('110110', 'Patient Record'),
  subtype: [subtype],
  action: 'D',
  client: 'source',
});

const feed = (subtype: Coding): Shape => ({
  type: event('110110', 'Patient Record'),
  subtype: [subtype],
  action: 'U',
  client: 'source',
});

const identities = (code: string, action: 'C' | 'U' | 'D'): Shape => ({
  type: rest,
  subtype: [interaction(code), iti('ITI-104', 'Patient Identity Feed FHIR')],
  action,
  client: 'source',
});
const created = identities('create', 'C');
const deleted = identities('delete', 'D');

/**
 * The shape of an event by its transaction: FHIR ones as the guides' audit profiles have it, XDS ones as their DICOM audit messages translate.
 * IHE BALP; IHE MHD, PDQm audit profiles; IHE ITI TF-2 3.18.5, 3.41.5, 3.42.5, 3.43.5, 3.51.5, 3.61.5; IHE RMD 3.62.5, 3.86.5; IHE Metadata Update 3.57.5; IHE RMU 3.92.5.
 */
const shapes: Readonly<Record<Transaction, Shape>> = {
  'ITI-8': feed(iti('ITI-8', 'Patient Identity Feed')),
  'ITI-18': {
    type: event('110112', 'Query'),
    subtype: [iti('ITI-18', 'Registry Stored Query')],
    action: 'E',
    client: 'source',
  },
  'ITI-20': {
    type: rest,
    subtype: [interaction('create'), iti('ITI-20', 'Record Audit Event')],
    action: 'C',
    client: 'source',
  },
  'ITI-41': incoming(iti('ITI-41', 'Provide and Register Document Set-b')),
  'ITI-42': incoming(iti('ITI-42', 'Register Document Set-b')),
  'ITI-43': {
    type: event('110106', 'Export'),
    subtype: [iti('ITI-43', 'Retrieve Document Set')],
    action: 'R',
    client: 'destination',
  },
  'ITI-51': {
    type: event('110112', 'Query'),
    subtype: [iti('ITI-51', 'Multi-Patient Stored Query')],
    action: 'E',
    client: 'source',
  },
  'ITI-57': incoming(iti('ITI-57', 'Update Document Set'), 'U'),
  'ITI-61': incoming(iti('ITI-61', 'Register On-Demand Document Entry')),
  'ITI-62': removal(iti('ITI-62', 'Remove Metadata')),
  'ITI-44': feed(iti('ITI-44', 'Patient Identity Feed HL7 V3')),
  'ITI-65': incoming(iti('ITI-65', 'Provide Document Bundle')),
  'ITI-66': search([iti('ITI-66', 'Find Document Lists')], profiles.auditPatientQuery),
  'ITI-67': search([iti('ITI-67', 'Find Document References')], profiles.auditFindDocuments),
  'ITI-68': {
    ...read,
    subtype: [interaction('read'), iti('ITI-68', 'Retrieve Document')],
    profile: profiles.auditRetrieve,
  },
  'ITI-78': search([iti('ITI-78', 'Mobile Patient Demographics Query')], profiles.auditPatientDemographics),
  'ITI-83': search([iti('ITI-83', 'Mobile Patient Identifier Cross-reference Query')], profiles.auditPixQuery),
  'ITI-93': feed(iti('ITI-93', 'Mobile Patient Identity Feed')),
  'ITI-104': identities('update', 'U'),
  'ITI-119': search([iti('ITI-119', 'Patient Demographics Match')], profiles.auditPatientMatch),
  'ITI-81': search([iti('ITI-81', 'Retrieve ATNA Audit Event')], profiles.auditPatientQuery),
  'ITI-86': removal(iti('ITI-86', 'Remove Documents')),
  'ITI-92': incoming(iti('ITI-92', 'Restricted Update Document Set'), 'U'),
  'ITI-105': incoming(iti('ITI-105', 'Simplified Publish')),
  'ITI-106': incoming(iti('ITI-106', 'Generate Metadata')),
  'ITI-108': {
    type: rest,
    subtype: [interaction('update'), iti('ITI-108', 'Access Consent')],
    action: 'U',
    client: 'source',
  },
  'ITI-110': {
    type: rest,
    subtype: [interaction('update'), iti('ITI-110', 'Resource Subscription')],
    action: 'U',
    client: 'source',
  },
  'ITI-112': {
    type: event('110106', 'Export'),
    subtype: [iti('ITI-112', 'Resource Notify')],
    action: 'R',
    client: 'destination',
  },
  'ITI-113': {
    type: rest,
    subtype: [interaction('search'), iti('ITI-113', 'Resource Subscription Search')],
    action: 'E',
    client: 'source',
  },
  'ITI-114': {
    type: rest,
    subtype: [interaction('search'), iti('ITI-114', 'Resource SubscriptionTopic Search')],
    action: 'E',
    client: 'source',
  },
  'ITI-71': {
    type: event('110114', 'User Authentication'),
    subtype: [iti('ITI-71', 'Get Access Token')],
    action: 'E',
    client: 'source',
  },
  'ITI-102': {
    type: event('110114', 'User Authentication'),
    subtype: [iti('ITI-102', 'Introspect Token')],
    action: 'E',
    client: 'source',
  },
  ORU: incoming({ system: audit.messageType, code: 'ORU' }),
  MDM: incoming({ system: audit.messageType, code: 'MDM' }),
  read,
  search: search([], profiles.auditPatientQuery),
  create: { type: rest, subtype: [interaction('create')], action: 'C', client: 'source' },
  internal: { type: event('110110', 'Patient Record'), subtype: [], action: 'E', client: 'source' },
};

const accessConsent = iti('ITI-108', 'Access Consent');
const consentSearch = search([accessConsent], profiles.auditPatientQuery);
const consentRead: Shape = { ...read, subtype: [...read.subtype, accessConsent] };

/** The shape of an event; one transaction reads consents and changes them, one feeds identities and removes them. */
export function shapeOf({ origin: { transaction }, action, query }: EventDraft): Shape {
  if (transaction === 'ITI-104' && query?.startsWith('add ') === true) return created;
  if (transaction === 'ITI-104' && query?.startsWith('remove ') === true) return deleted;
  if (transaction !== 'ITI-108' || action !== 'readConsents') return shapes[transaction];
  return query === undefined ? consentRead : consentSearch;
}

/** CRUD of our own work, which no transaction frames. */
export function actionOf(action: Action): 'C' | 'R' | 'U' | 'D' | 'E' {
  if (action === 'createRecord' || action === 'submitDocuments') return 'C';
  if (action === 'destroyRecord' || action === 'deleteDocument' || action === 'removeDocuments') return 'D';
  if (action.startsWith('read') || action === 'retrieveDocuments') return 'R';
  return action.startsWith('search') || action.startsWith('lookUp') || action === 'testExistence' ? 'E' : 'U';
}

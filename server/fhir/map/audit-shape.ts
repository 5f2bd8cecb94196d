import type { Action } from '../../domain/action.ts';
import type { EventDraft, Transaction } from '../../domain/event.ts';
import { audit, profiles } from '../vocabulary.ts';
import {
  event,
  type How,
  identification,
  incoming,
  iti,
  ofRecord,
  outgoing,
  query,
  restful,
  type Shape,
  search,
} from './audit-kind.ts';

const feedOf = (how: How, profile: string) =>
  restful(
    how,
    'record',
    { profile, patientNamed: true, patientByName: true },
    iti('ITI-104', 'Patient Identity Feed FHIR'),
  );
const accessConsent = iti('ITI-108', 'Access Consent');
const consents = (how: How) => restful(how, 'touched', {}, accessConsent);
const consentSearch = search(profiles.auditPatientQuery, accessConsent);
const subscriptions = (how: How) => restful(how, 'touched', {}, iti('ITI-110', 'Resource Subscription'));

/** Of what is not taken: what is taken has the shape that the partner gave it. */
const { profile: _unclaimed, ...told } = restful('create', 'touched', {}, iti('ITI-20', 'Record Audit Event'));

/**
 * The shape of an event by its transaction: FHIR ones as the guides' audit profiles have it, XDS ones as their DICOM audit messages translate.
 * IHE BALP; IHE MHD, PDQm, PIXm audit profiles; IHE ITI TF-2 3.18.5, 3.41.5, 3.42.5, 3.43.5, 3.51.5, 3.61.5; IHE RMD 3.62.5, 3.86.5;
 * IHE Metadata Update 3.57.5; IHE RMU 3.92.5.
 */
const shapes: Readonly<Record<Transaction, Shape>> = {
  'ITI-8': ofRecord(iti('ITI-8', 'Patient Identity Feed'), 'U'),
  'ITI-18': query(iti('ITI-18', 'Registry Stored Query')),
  'ITI-20': told,
  'ITI-41': incoming(iti('ITI-41', 'Provide and Register Document Set-b')),
  'ITI-42': incoming(iti('ITI-42', 'Register Document Set-b')),
  'ITI-43': outgoing(iti('ITI-43', 'Retrieve Document Set')),
  'ITI-44': ofRecord(iti('ITI-44', 'Patient Identity Feed HL7 V3'), 'U'),
  'ITI-51': query(iti('ITI-51', 'Multi-Patient Stored Query')),
  'ITI-57': incoming(iti('ITI-57', 'Update Document Set'), 'U'),
  'ITI-61': incoming(iti('ITI-61', 'Register On-Demand Document Entry')),
  'ITI-62': ofRecord(iti('ITI-62', 'Remove Metadata'), 'D'),
  'ITI-65': {
    ...incoming(iti('ITI-65', 'Provide Document Bundle')),
    main: 'submissionSet',
    profile: profiles.auditProvide,
  },
  'ITI-66': search(profiles.auditFindLists, iti('ITI-66', 'Find Document Lists')),
  'ITI-67': search(profiles.auditFindDocuments, iti('ITI-67', 'Find Document References')),
  'ITI-68': restful('read', 'documents', { profile: profiles.auditRetrieve }, iti('ITI-68', 'Retrieve Document')),
  'ITI-71': identification(iti('ITI-71', 'Get Access Token')),
  'ITI-78': {
    ...search(profiles.auditPatientDemographics, iti('ITI-78', 'Mobile Patient Demographics Query')),
    anyPatient: true,
  },
  'ITI-81': search(profiles.auditPatientQuery, iti('ITI-81', 'Retrieve ATNA Audit Event')),
  'ITI-83': {
    ...search(profiles.auditPixQuery, iti('ITI-83', 'Mobile Patient Identifier Cross-reference Query')),
    patientNamed: true,
  },
  'ITI-86': ofRecord(iti('ITI-86', 'Remove Documents'), 'D'),
  'ITI-92': incoming(iti('ITI-92', 'Restricted Update Document Set'), 'U'),
  'ITI-93': ofRecord(iti('ITI-93', 'Mobile Patient Identity Feed'), 'U'),
  'ITI-102': identification(iti('ITI-102', 'Introspect Token')),
  'ITI-104': feedOf('update', profiles.auditFeedUpdate),
  'ITI-105': restful('create', 'documents', { profile: profiles.auditPublish }, iti('ITI-105', 'Simplified Publish')),
  'ITI-106': restful('create', 'documents', { profile: profiles.auditGenerate }, iti('ITI-106', 'Generate Metadata')),
  'ITI-108': consents('update'),
  'ITI-110': subscriptions('update'),
  'ITI-112': outgoing(iti('ITI-112', 'Resource Notify')),
  'ITI-113': search(profiles.auditPatientQuery, iti('ITI-113', 'Resource Subscription Search')),
  'ITI-114': search(profiles.auditPatientQuery, iti('ITI-114', 'Resource SubscriptionTopic Search')),
  'ITI-119': {
    ...search(profiles.auditPatientMatch, iti('ITI-119', 'Patient Demographics Match')),
    anyPatient: true,
  },
  ORU: incoming({ system: audit.messageType, code: 'ORU' }),
  MDM: incoming({ system: audit.messageType, code: 'MDM' }),
  read: restful('read', 'touched'),
  search: search(profiles.auditPatientQuery),
  create: restful('create', 'touched'),
  internal: { type: event('110110', 'Patient Record'), subtype: [], action: 'E', client: 'source' },
};

const feeds = {
  add: feedOf('create', profiles.auditFeedCreate),
  remove: feedOf('delete', profiles.auditFeedDelete),
};
const ofDocuments = restful('read', 'documents');
const ofHolder = restful('read', 'record');

/** What one transaction does in several ways: how it was done says which. */
const byTouch: { readonly [T in Transaction]?: Readonly<Record<How, Shape>> } = {
  'ITI-108': {
    create: consents('create'),
    read: consents('read'),
    update: consents('update'),
    delete: consents('delete'),
  },
  'ITI-110': {
    create: subscriptions('create'),
    read: subscriptions('read'),
    update: subscriptions('update'),
    delete: subscriptions('delete'),
  },
};

/** The shape of an event; what one transaction does in several ways is told by the event. */
export function shapeOf({ origin: { transaction }, action, query: asked, documents, touched }: EventDraft): Shape {
  const { [transaction]: ways } = byTouch;
  if (ways !== undefined && touched !== undefined) return ways[touched.how];
  if (transaction === 'ITI-104' && asked?.startsWith('add ') === true) return feeds.add;
  if (transaction === 'ITI-104' && asked?.startsWith('remove ') === true) return feeds.remove;
  if (transaction === 'ITI-108' && action === 'readConsents')
    return asked === undefined ? consents('read') : consentSearch;
  if (transaction === 'read' && documents !== undefined) return ofDocuments;
  return transaction === 'read' && action === 'readPatient' ? ofHolder : shapes[transaction];
}

/** The shapes that events of each transaction may have; for the documentation. */
export function shapeTable(): (readonly [transaction: string, shapes: readonly Shape[]])[] {
  const several = new Map<string, readonly Shape[]>([
    ...Object.entries(byTouch).map(
      ([name, ways]) => [name, [...Object.values(ways), ...(name === 'ITI-108' ? [consentSearch] : [])]] as const,
    ),
    ['ITI-104', [feeds.add, shapes['ITI-104'], feeds.remove]],
  ]);
  return Object.entries(shapes).map(([name, shape]) => [name, several.get(name) ?? [shape]] as const);
}

/** CRUD of our own work, which no transaction frames. */
export function actionOf(action: Action): 'C' | 'R' | 'U' | 'D' | 'E' {
  if (action === 'createRecord' || action === 'submitDocuments') return 'C';
  if (action === 'destroyRecord' || action === 'deleteDocument' || action === 'removeDocuments') return 'D';
  if (action.startsWith('read') || action === 'retrieveDocuments') return 'R';
  return action.startsWith('search') || action.startsWith('lookUp') || action === 'testExistence' ? 'E' : 'U';
}

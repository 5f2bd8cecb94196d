import type { Interest } from '../domain/subscription.ts';
import { subscriptions } from './vocabulary.ts';

/** A topic that is served. */
export type Topic = {
  /** The last part of its canonical address. */
  readonly name: string;
  readonly title: string;
  readonly resource: 'DocumentReference' | 'List';
  readonly interest: Interest;
  /** The parameters by which it can be filtered. */
  readonly filters: readonly string[];
};

const ofPatient = ['patient', 'patient.identifier'];
const ofDocuments = ['category', 'event', 'facility', 'format', 'security-label', 'setting', 'status', 'type'];
const ofAuthor = ['author.given', 'author.family'];
const ofSets = ['code', 'sourceId'];
const ofFolders = ['code', 'designationType', 'identifier', 'status'];

const created = ['created'] as const;
const minimal = ['created', 'statusChanged', 'removed'] as const;
const all = ['created', 'statusChanged', 'changed', 'removed'] as const;

function documents(name: string, title: string, kinds: Interest['kinds'], across: boolean): Topic {
  const filters = across ? ofDocuments : [...ofDocuments, ...ofAuthor, ...ofPatient];
  return { name, title, resource: 'DocumentReference', interest: { object: 'document', kinds, across }, filters };
}

function sets(name: string, title: string, across: boolean): Topic {
  const filters = across ? ofSets : [...ofSets, ...ofPatient];
  const interest = { object: 'submissionSet', kinds: created, across } as const;
  return { name, title, resource: 'List', interest, filters };
}

function folders(name: string, title: string, kinds: Interest['kinds']): Topic {
  const interest = { object: 'folder', kinds, across: false } as const;
  return { name, title, resource: 'List', interest, filters: [...ofFolders, ...ofPatient] };
}

/**
 * The topics that are served. Those of folders for all events are not: what a folder was to its viewers is not known once it is removed.
 * IHE DSUBm, SubscriptionTopics.
 */
export const topics: readonly Topic[] = [
  documents(
    'DSUBm-SubscriptionTopic-DocumentReference-PatientDependent',
    'A document of one patient is registered',
    created,
    false,
  ),
  documents(
    'DSUBm-SubscriptionTopic-DocumentReference-MultiPatient',
    'A document of any patient is registered',
    created,
    true,
  ),
  documents(
    'DSUBm-SubscriptionTopic-DocReference-PatientDependent-MinUpdate',
    'A document of one patient is registered, removed, or gets another status',
    minimal,
    false,
  ),
  documents(
    'DSUBm-SubscriptionTopic-DocReference-MultiPatient-MinUpdate',
    'A document of any patient is registered, removed, or gets another status',
    minimal,
    true,
  ),
  documents(
    'DSUBm-SubscriptionTopic-DocReference-PatientDependent-AllEvents',
    'A document of one patient is registered, changed or removed',
    all,
    false,
  ),
  documents(
    'DSUBm-SubscriptionTopic-DocReference-MultiPatient-AllEvents',
    'A document of any patient is registered, changed or removed',
    all,
    true,
  ),
  sets(
    'DSUBm-SubscriptionTopic-SubmissionSet-PatientDependent',
    'A submission set of one patient is registered',
    false,
  ),
  sets('DSUBm-SubscriptionTopic-SubmissionSet-MultiPatient', 'A submission set of any patient is registered', true),
  folders('DSUBm-SubscriptionTopic-Basic-Folder-Subscription', 'A folder of one patient is registered, or grows', [
    'created',
    'grown',
  ]),
  folders(
    'DSUBm-SubscriptionTopic-Folder-Subscription-MinUpdateOpt',
    'A folder of one patient is registered, grows, or gets another status',
    ['created', 'grown', 'statusChanged'],
  ),
  folders('DSUBm-SubscriptionTopic-Folder-Subscription-UpdateOpt', 'A folder of one patient is registered or changed', [
    'created',
    'grown',
    'statusChanged',
    'changed',
  ]),
];

/** The canonical address of a topic, as it is written. */
export function canonicalOf({ name }: Topic): string {
  return `${subscriptions.topicBases[0]}${name}`;
}

/** The topic of a canonical address, with a version or without. */
export function topicOf(canonical: string): Topic | undefined {
  const [address = ''] = canonical.split('|');
  return topics.find(({ name }) => subscriptions.topicBases.some((base) => address === base + name));
}

import type { Permit } from '../domain/decision.ts';
import { traced } from '../domain/event.ts';
import type { RecordId } from '../domain/record.ts';
import type { ChangeKind } from '../domain/subscription.ts';
import type { Change, Notice, StoredDocument, StoredSubscription, WatchFilter } from '../store/port.ts';
import { isVisible } from '../store/visibility.ts';
import { type Plan, perform, permitElsewhere, type Request, type Tools } from './perform.ts';
import { type Found, nothing } from './query.ts';
import { packageNamed } from './query-contents.ts';
import { type Relation, relationsOf } from './relations.ts';

/** What a subscriber may be told: an event without its number, or with it when it was told before. */
export type Event = Pick<Change, 'record' | 'object' | 'name' | 'kind' | 'at'> &
  Partial<Pick<Change, 'before' | 'members'> & Pick<Notice, 'number'>>;

/** An event with what the subscriber sees of its object; nothing of one that is removed for good. */
export type Told = {
  readonly event: Event;
  readonly document?: StoredDocument;
  readonly relations: readonly Relation[];
  readonly found: Found;
};

/** What of the changes that wait the subscriber is to be told next: events of one record, up to the change at `cursor`. */
export type Ahead = { readonly events: readonly Event[]; readonly cursor: number };

/** Changes looked at in one go. */
const span = 200;

/**
 * Looks at the changes that wait, as the subscriber may see them now. What he may not see, or did not ask for, leaves no trace: it has no number and no event.
 */
export async function lookAhead(tools: Tools, request: Request, subscription: StoredSubscription): Promise<Ahead> {
  const changes = await tools.store.subscriptions.changes(subscription, span);
  const permits = new Map<RecordId, Permit | undefined>();
  const events: Event[] = [];
  let { cursor } = subscription;
  for (const change of changes) {
    const { record } = change;
    if (events.length >= subscription.channel.most || (events[0]?.record ?? record) !== record) break;
    cursor = change.position;
    if (change.object !== subscription.interest.object) continue;
    if (!permits.has(record)) permits.set(record, await permitElsewhere(tools, request, 'notifySubscriber', record));
    const permit = permits.get(record);
    const told = permit && (await seen(tools, permit, subscription, change));
    if (told !== undefined) events.push(told.event);
  }
  return { events, cursor };
}

/**
 * Reads what is told of these events of one record, and traces it as a disclosure to the subscriber. What he may see no more is left out.
 * @throws Refused what the decision refuses
 */
export async function disclose(
  tools: Tools,
  request: Request,
  subscription: StoredSubscription,
  events: readonly Event[],
): Promise<readonly Told[]> {
  const { record = '' } = events[0] ?? {};
  return perform(tools, request, 'notifySubscriber', { record }, async (permit): Promise<Plan<readonly Told[]>> => {
    const all: Told[] = [];
    for (const event of events) {
      const told = await seen(tools, permit, subscription, event);
      if (told !== undefined) all.push({ ...told, event: { ...told.event, kind: event.kind } });
    }
    const documents = all.flatMap(({ document, found }) => [...(document ? [document] : []), ...found.documents]);
    const [set] = all.flatMap(({ found }) => found.sets);
    const trace = {
      ...(documents.length > 0 && { documents: documents.map(({ entry }) => traced(entry)) }),
      ...(set && { submissionSet: { entryUUID: set.set.entryUUID, uniqueId: set.set.uniqueId } }),
    };
    return { answer: all, trace };
  });
}

async function seen(
  tools: Tools,
  permit: Permit,
  subscription: StoredSubscription,
  event: Event,
): Promise<Told | undefined> {
  if (event.object === 'document') return seenDocument(tools, permit, subscription, event);
  const isThere = event.object === 'folder' ? seesFolder : seesSet;
  if (!wants(subscription, event.kind, event) || !(await isThere(tools, permit, subscription, event))) return undefined;
  return { event, relations: [], found: await packageNamed(tools, permit, event.name) };
}

async function seenDocument(
  tools: Tools,
  permit: Permit,
  subscription: StoredSubscription,
  event: Event,
): Promise<Told | undefined> {
  const { read } = tools.store;
  const { documents: filter = {} } = asked(subscription, event);
  const { before } = event;
  const wasHidden = before !== undefined && !isVisible(before, permit.visibility);
  const kind = wasHidden && event.kind !== 'removed' ? 'created' : event.kind;
  if (!wants(subscription, kind, event)) return undefined;
  const [document] = await read.documentsByLogicalId(permit, [event.name], filter);
  if (document !== undefined) {
    const relations = (await relationsOf(tools, permit, [document])).get(document.entry.entryUUID) ?? [];
    return { event: { ...event, kind }, document, relations, found: nothing };
  }
  if (kind !== 'removed' || wasHidden || Object.keys(filter).length > 0) return undefined;
  const [hidden] = await read.everyVersion(permit, [event.name]);
  return hidden === undefined ? { event, relations: [], found: nothing } : undefined;
}

/** What was told once may be told again, whatever it was. */
function wants({ interest }: StoredSubscription, kind: ChangeKind, { number }: Event): boolean {
  return number !== undefined || interest.kinds.includes(kind);
}

/** What an event that was told once passed then is not asked again. */
function asked({ filter }: StoredSubscription, { number }: Event): WatchFilter {
  return number === undefined ? filter : {};
}

async function seesSet({ store: { read } }: Tools, permit: Permit, subscription: StoredSubscription, event: Event) {
  const { sets } = asked(subscription, event);
  const { items } = await read.submissionSets(permit, { ...sets, entryUUIDs: [event.name] }, { limit: 1 });
  return items.length > 0;
}

/** A folder into which only hidden documents were put did not grow for who does not see them. */
async function seesFolder({ store: { read } }: Tools, permit: Permit, subscription: StoredSubscription, event: Event) {
  const { name, members } = event;
  const { folders } = asked(subscription, event);
  const { items } = await read.foldersMatching(permit, { ...folders, logicalIDs: [name] }, { limit: 1 });
  if (items.length === 0 || members === undefined) return items.length > 0;
  return (await read.documentsByUuid(permit, members)).length > 0;
}

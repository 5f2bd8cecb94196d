import type { Subscription } from 'fhir/r4.js';
import { type Problem, problem } from '../../domain/error.ts';
import type { Wanted } from '../../usecases/subscribe.ts';
import { topicOf, topics } from '../subscription-topics.ts';
import { subscriptions } from '../vocabulary.ts';
import { channelIn, headersIn, ofPrimitive, type Reach, type Say, shownIn } from './subscription-channel.ts';
import { filterIn } from './subscription-filter.ts';

const path = 'Subscription';
/**
 * What a Subscription asks for, or everything that cannot be honoured. FHIR R4 subscription.html; Subscriptions R5 Backport 1.1,
 * backport-subscription; IHE DSUBm, ITI-110.
 */
export function wantedIn(
  resource: Subscription,
  reach: Reach,
): { readonly wanted?: Wanted; readonly problems: Problem[] } {
  const problems: Problem[] = [];
  const say: Say = (expression, detail, value) =>
    problems.push(
      problem('subscriptionNotHonoured', {
        expression: `${path}.${expression}`,
        detail,
        ...(value !== undefined && { value }),
      }),
    );
  const topic = topicOf(resource.criteria);
  if (topic === undefined)
    say(
      'criteria',
      `the canonical address of a topic is expected: ${subscriptions.topicBases[0]} and one of ${topics.map(({ name }) => name).join(', ')}`,
      resource.criteria,
    );
  const texts = filterTexts(resource, say);
  const filtered = topic && filterIn(texts, topic, reach.base);
  problems.push(...(filtered?.problems ?? []));
  const status = statusIn(resource, say);
  const end = endIn(resource, reach, say);
  const channel = channelIn(resource, reach, say);
  const headers = headersIn(resource, say);
  const shown = shownIn(resource, say);
  profilesIn(resource, topic?.name ?? '', say);
  if (problems.length > 0 || topic === undefined || filtered === undefined) return { problems };
  const { patient, filter } = filtered;
  const wanted: Wanted = {
    ...(patient && { patient }),
    interest: topic.interest,
    filter,
    channel,
    headers,
    shown,
    form: formOf(resource),
    status,
    ...(end !== undefined && { end }),
  };
  return { wanted, problems };
}

function filterTexts(resource: Subscription, say: Say): string[] {
  return ofPrimitive(resource._criteria, say, 'criteria', [subscriptions.filter]).flatMap(({ valueString }, i) => {
    if (typeof valueString === 'string') return [valueString];
    say(`criteria.extension[${i}].value`, 'a string is expected');
    return [];
  });
}

function statusIn({ status }: Subscription, say: Say): Wanted['status'] {
  if (status === 'off') return 'off';
  if (status !== 'requested' && status !== 'active') say('status', 'requested or off is expected', status);
  return 'requested';
}

function endIn({ end }: Subscription, { now }: Reach, say: Say): number | undefined {
  if (end === undefined) return undefined;
  const at = Date.parse(end);
  if (!(at > now)) say('end', 'it is over', end);
  return at;
}

/** Profiles that are claimed are those of the guides. */
function profilesIn({ meta }: Subscription, topic: string, say: Say): void {
  (meta?.profile ?? []).forEach((text, i) => {
    const [url = ''] = text.split('|');
    const isKnown = url === subscriptions.profile || (topic !== '' && url.startsWith(subscriptions.guideProfiles));
    if (!isKnown) say(`meta.profile[${i}]`, `${subscriptions.profile}, or a profile of DSUBm, is expected`, text);
  });
}

/** For reading back: all but what the server tells itself, and secrets. */
function formOf({ id: _id, status: _status, error: _error, text: _text, ...resource }: Subscription): string {
  const { header: _header, ...channel } = resource.channel;
  const { versionId: _version, lastUpdated: _updated, ...meta } = resource.meta ?? {};
  return JSON.stringify({ ...resource, meta, channel });
}

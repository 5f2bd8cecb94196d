import type { Subscription } from 'fhir/r4.js';
import type { StoredSubscription } from '../../store/port.ts';

/** A subscription as it was asked for, and how it stands. Headers for the receiver are not told to anybody. FHIR R4 subscription.html. */
export function subscriptionResource(stored: StoredSubscription): Subscription {
  const { id, version, changedAt, form, status, error } = stored;
  // What was asked for, as it was checked.
  const { resourceType, meta, ...asked } = JSON.parse(form) as Subscription;
  return {
    resourceType,
    id,
    meta: { ...meta, versionId: String(version), lastUpdated: new Date(changedAt).toISOString() },
    ...asked,
    status,
    ...(error !== undefined && { error }),
  };
}

import type { DocumentReference } from 'fhir/r4.js';
import type { AvailabilityStatus } from '../domain/document.ts';

/** How FHIR says the status; an archived entry stays current and carries the PDSm extension. IHE MHD ConceptMap; PDSm isArchived. */
export const documentStatus = {
  approved: 'current',
  archived: 'current',
  deprecated: 'superseded',
  deleted: 'entered-in-error',
} as const satisfies Record<AvailabilityStatus, DocumentReference['status']>;

/** The statuses that each of FHIR's codes stands for. */
export const statusesShownAs: ReadonlyMap<string, readonly AvailabilityStatus[]> = new Map<
  string,
  readonly AvailabilityStatus[]
>([
  ['current', ['approved', 'archived']],
  ['superseded', ['deprecated']],
  ['entered-in-error', ['deleted']],
]);

/** What one request may bring. Sizes in bytes, decoded; attachments and text of a body are counted apart. */
export type FhirLimits = {
  readonly entries: number;
  readonly textBytes: number;
  readonly attachmentBytes: number;
  readonly binaryBytes: number;
  /** Of one caller, in all that wait to become documents. */
  readonly stagedBytes: number;
  /** Of all that one batch answers. */
  readonly batchBytes: number;
};

const KiB = 1024;

/** Bytes as sent of a resource that comes alone, where all bytes of a body are too many: by its type, and of Parameters by the one they hold. */
export const longestAlone = {
  Consent: 256 * KiB,
  AuditEvent: 256 * KiB,
  Patient: 256 * KiB,
  Subscription: 64 * KiB,
} as const;

export type Alone = keyof typeof longestAlone;

/** Whether so much may be sent of it alone. */
export function isAlone(type: string): type is Alone {
  return Object.hasOwn(longestAlone, type);
}

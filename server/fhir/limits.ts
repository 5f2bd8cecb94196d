/** What one request may bring. Sizes in bytes, decoded; attachments and text of a body are counted apart. */
export type FhirLimits = {
  readonly entries: number;
  readonly textBytes: number;
  readonly attachmentBytes: number;
  readonly binaryBytes: number;
  /** Of one caller, in all that wait to become documents. */
  readonly stagedBytes: number;
};

/** The single switches of the access policy; `DMP_REGIME` sets all of them at once. Durations in days unless said. */
export type Regime = {
  readonly depositNeedsAuthorisation: boolean;
  /** How long an authorisation lasts that a professional declares, in months. */
  readonly authorisationMonths: number;
  /** When a hidden document opens to the patient by itself; absent: never. CSP R.1111-53. */
  readonly announcementOpensAfter?: number;
  /** When the patient is told, without content, that something waits; absent: never. */
  readonly announcementNoticeAfter?: number;
  /** `MASQUE_PS` together with `INVISIBLE_PATIENT`. */
  readonly maskedAndHiddenTogether: boolean;
  /** Every lot that a source makes comes with its signature document. */
  readonly lotSignatureRequired: boolean;
  /** The patient's traits in PID lines and CDA headers, against those of the record. */
  readonly traitsCompared: 'off' | 'warn' | 'refuse';
  readonly createdBy: 'professional' | 'system';
  /** The opening consent authorises the care team. */
  readonly openingAuthorisesCareTeam: boolean;
  /** A break-glass without a reason is refused. */
  readonly breakGlassNeedsReason: boolean;
};

export const regimes: { readonly [name in '2011' | '2022']: Regime } = {
  '2011': {
    depositNeedsAuthorisation: true,
    authorisationMonths: 12,
    maskedAndHiddenTogether: false,
    lotSignatureRequired: false,
    traitsCompared: 'off',
    createdBy: 'professional',
    openingAuthorisesCareTeam: false,
    breakGlassNeedsReason: true,
  },
  '2022': {
    depositNeedsAuthorisation: false,
    authorisationMonths: 12,
    announcementOpensAfter: 30,
    announcementNoticeAfter: 14,
    maskedAndHiddenTogether: false,
    lotSignatureRequired: false,
    traitsCompared: 'off',
    createdBy: 'system',
    openingAuthorisesCareTeam: true,
    breakGlassNeedsReason: true,
  },
};

import { type Code, sameCode } from './code.ts';
import type { Transaction } from './event.ts';

/** Attributes whose codes a domain can prescribe. */
export const codedAttributes = [
  'classCode',
  'typeCode',
  'formatCode',
  'healthcareFacilityTypeCode',
  'practiceSettingCode',
  'confidentialityCode',
  'eventCodeList',
  'contentTypeCode',
  'codeList',
  'authorSpecialty',
  'authorRole',
  'referenceIdList',
] as const;
export type CodedAttribute = (typeof codedAttributes)[number];

/** Rules of submissions that say what the DMP wants and no other domain has to. */
export const optionalRules = [
  'authorIsCaller',
  'confidentiality',
  'hiddenFromOneself',
  'maskedAndHidden',
  'patientDocuments',
  'replacedByAuthor',
  'secretSession',
  'signatureHidden',
] as const;
export type OptionalRule = (typeof optionalRules)[number];

/** The codes that an attribute may have: these, and every code of the systems named. */
export type ValueSet = { readonly name: string; readonly codes: readonly Code[]; readonly systems: readonly string[] };

/**
 * What an affinity domain has decided for all who share documents in it. IHE ITI TF-1 10.4.8 (policies of an XDS Affinity Domain), TF-3 4.1.
 * Plain data: profiles/domains holds one file for each, docs/domains.md says what they mean.
 */
export type AffinityDomain = {
  readonly name: string;
  /** Who names patients: INS under the OIDs of this environment, or assigning authorities that are listed or become known by a feed. */
  readonly identity:
    | { readonly kind: 'ins' }
    | { readonly kind: 'authorities'; readonly listed: readonly string[]; readonly fed: boolean };
  /** `strict`: an identifier is `id^^^&OID&ISO` and nothing else; `lenient`: components 5 and 7 are there and mean nothing. */
  readonly cx: 'strict' | 'lenient';
  /** `none`: whoever brings no credential is one system that may do everything but administration. */
  readonly credentials: 'required' | 'none';
  readonly valueSets: { readonly [A in CodedAttribute]?: ValueSet };
  /** classCode by typeCode; a type that is not named may have any class. */
  readonly classOfType: Readonly<Record<string, string>>;
  readonly mimeTypes: readonly string[] | 'any';
  readonly leavesOut: readonly OptionalRule[];
  /** Transactions that register documents of other repositories. */
  readonly foreignRepositories: readonly Transaction[];
  /** A uniqueId that is registered already, with the same bytes. IHE ITI TF-3 4.2.3.2.26. */
  readonly sameBytesAgain: 'refused' | 'accepted';
  /** How a query that names an unknown patient is answered. IHE ITI TF-2 3.18.4.1.2.6. */
  readonly unknownPatientInQueries: 'error' | 'empty';
};

/** Whether the value set holds the code; displays never decide. */
export function holdsCode({ codes, systems }: ValueSet, code: Code): boolean {
  return systems.includes(code.system) || codes.some((known) => sameCode(known, code));
}

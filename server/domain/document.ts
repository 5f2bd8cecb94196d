import type { Code } from './code.ts';
import type { Cx, Cxi } from './identifier.ts';
import type { Author, PidLine, Recipient, Xcn } from './people.ts';
import type { Dtm } from './time.ts';

/** `urn:uuid:` and a lower-case UUID: the name of one registered object. */
export type EntryUuid = string;

/** A text with the language it was sent in. */
export type LocalizedText = { readonly value: string; readonly language?: string };

/** A slot that the model does not know, kept byte for byte. IHE ITI TF-3 4.2.3.1.6 (extra metadata). */
export type Slot = { readonly name: string; readonly values: readonly string[]; readonly type?: string };

/** Approved, Deprecated, and the DMP's own Archived and Deleted (CI-SIS value set JDV_J52). */
export type AvailabilityStatus = 'approved' | 'deprecated' | 'archived' | 'deleted';

/** The three visibility codes of TRE_A07 (1.2.250.1.213.1.1.4.13). */
export const visibilitySystem = '1.2.250.1.213.1.1.4.13';
export const visibilityCodes = ['MASQUE_PS', 'INVISIBLE_PATIENT', 'INVISIBLE_REPRESENTANTS_LEGAUX'] as const;
export type VisibilityCode = (typeof visibilityCodes)[number];

/** A document as the registry knows it. IHE ITI TF-3 4.2.3.2; the French constraints are the CI-SIS volet Partage de documents. */
export type DocumentEntry = {
  readonly entryUUID: EntryUuid;
  /** The same for all versions of the entry; equal to the entryUUID of the first. IHE Metadata Update. */
  readonly logicalID: EntryUuid;
  readonly version: number;
  readonly objectType: 'stable' | 'onDemand';
  readonly status: AvailabilityStatus;
  readonly documentAvailability?: 'online' | 'offline';
  readonly uniqueId: string;
  readonly patientId: Cx;
  readonly sourcePatientId: Cx;
  readonly sourcePatientInfo: readonly PidLine[];
  readonly mimeType: string;
  readonly title?: LocalizedText;
  readonly comments?: LocalizedText;
  readonly languageCode: string;
  /** Absent on an on-demand entry, as are `hash` (SHA-1, 40 lower-case hex digits) and `size` (bytes). */
  readonly creationTime?: Dtm;
  readonly serviceStartTime?: Dtm;
  readonly serviceStopTime?: Dtm;
  readonly hash?: string;
  readonly size?: number;
  readonly repositoryUniqueId: string;
  readonly uri?: string;
  readonly homeCommunityId?: string;
  readonly classCode: Code;
  readonly typeCode: Code;
  readonly formatCode: Code;
  readonly healthcareFacilityTypeCode: Code;
  readonly practiceSettingCode: Code;
  readonly confidentialityCodes: readonly Code[];
  readonly eventCodes: readonly Code[];
  readonly authors: readonly Author[];
  readonly legalAuthenticator?: Xcn;
  readonly referenceIds: readonly Cxi[];
  readonly extra: readonly Slot[];
};

/** What was submitted together. IHE ITI TF-3 4.2.3.3. */
export type SubmissionSet = {
  readonly entryUUID: EntryUuid;
  readonly status: 'approved';
  readonly uniqueId: string;
  readonly sourceId: string;
  readonly patientId: Cx;
  readonly submissionTime: Dtm;
  readonly contentTypeCode: Code;
  readonly title?: LocalizedText;
  readonly comments?: LocalizedText;
  readonly authors: readonly Author[];
  readonly intendedRecipients: readonly Recipient[];
  readonly homeCommunityId?: string;
  readonly extra: readonly Slot[];
};

/** A folder (classeur). IHE ITI TF-3 4.2.3.4. */
export type Folder = {
  readonly entryUUID: EntryUuid;
  readonly logicalID: EntryUuid;
  readonly version: number;
  readonly status: 'approved' | 'deprecated';
  readonly uniqueId: string;
  readonly patientId: Cx;
  readonly title: LocalizedText;
  readonly comments?: LocalizedText;
  readonly codes: readonly Code[];
  readonly lastUpdateTime: Dtm;
  readonly homeCommunityId?: string;
  readonly extra: readonly Slot[];
};

export const associationTypes = [
  'HasMember',
  'RPLC',
  'XFRM',
  'APND',
  'XFRM_RPLC',
  'signs',
  'IsSnapshotOf',
  'UpdateAvailabilityStatus',
  'SubmitAssociation',
] as const;
export type AssociationType = (typeof associationTypes)[number];

/** A typed arrow between two registered objects. IHE ITI TF-3 4.2.2. */
export type Association = {
  readonly entryUUID: EntryUuid;
  readonly type: AssociationType;
  readonly source: EntryUuid;
  readonly target: EntryUuid;
  readonly status: 'approved' | 'deprecated';
  /** `Original` or `Reference`, on SubmissionSet–DocumentEntry HasMember only. */
  readonly submissionSetStatus?: 'Original' | 'Reference';
  readonly previousVersion?: string;
  /** Whether an update repeats the associations of the version before on the new one; on its HasMember. IHE Metadata Update. */
  readonly associationPropagation?: boolean;
  /** On UpdateAvailabilityStatus alone. */
  readonly originalStatus?: AvailabilityStatus;
  readonly newStatus?: AvailabilityStatus;
  readonly documentation?: Code;
  readonly extra: readonly Slot[];
};

/** Everything of one registry object that a source may leave out or get wrong; `id` is the message's own name for it. */
type Draft<T> = { readonly [K in keyof Omit<T, 'entryUUID'>]?: T[K] } & { readonly id: string };

export type EntryDraft = Draft<DocumentEntry>;
export type SetDraft = Draft<SubmissionSet>;
export type FolderDraft = Draft<Folder>;
export type AssociationDraft = Draft<Association>;

/**
 * What a source sent, read from XDS or FHIR, nothing checked beyond syntax. Ids and references may be symbolic.
 * `sets` holds what claimed to be a submission set: exactly one is legal.
 */
export type Submission = {
  readonly sets: readonly SetDraft[];
  readonly entries: readonly EntryDraft[];
  readonly folders: readonly FolderDraft[];
  readonly associations: readonly AssociationDraft[];
};

/** A visibility code with the name that people read. TRE_A07. */
export function visibilityCode(code: VisibilityCode): Code {
  return { code, system: visibilitySystem, display: visibilityNames[code] };
}

const visibilityNames: Readonly<Record<VisibilityCode, string>> = {
  MASQUE_PS: 'Document masqué aux professionnels de santé',
  INVISIBLE_PATIENT: 'Document non visible par le patient',
  INVISIBLE_REPRESENTANTS_LEGAUX: 'Document non visible par les représentants légaux',
};

/** The visibility codes that a document carries. */
export function visibilityOf(codes: readonly Code[]): VisibilityCode[] {
  return visibilityCodes.filter((v) => codes.some((c) => c.code === v && c.system === visibilitySystem));
}

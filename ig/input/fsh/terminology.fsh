CodeSystem: AuthorisationStatuses
Id: authorisation-statuses
Title: "Right of the caller on a record"
Description: "What the existence test says of the caller's own authorisation."
* ^caseSensitive = true
* ^experimental = false
* #valid "Valid" "The caller is authorised today."
* #expired "Expired" "An authorisation has ended."
* #none "None" "The patient has not authorised the caller."
* #blocked "Blocked" "The patient has blocked the caller."

ValueSet: AuthorisationStatus
Id: authorisation-status
Title: "Right of the caller on a record"
Description: "Codes of the extension authorisation-status."
* ^experimental = false
* include codes from system AuthorisationStatuses

CodeSystem: RegistryCodes
Id: registry-codes
Title: "Words of an XDS registry"
Description: "Attributes of XDS that FHIR has no codes for."
* ^caseSensitive = true
* ^experimental = false
* #stable "Stable" "The bytes stay as they are. IHE ITI TF-3 4.2.5.2."
* #onDemand "On-demand" "The bytes are made at each retrieval. IHE ITI TF-3 4.2.5.2."
* #online "Online" "The bytes can be retrieved. IHE ITI TF-3 4.2.3.2.8."
* #offline "Offline" "The bytes cannot be retrieved now. IHE ITI TF-3 4.2.3.2.8."
* #HasMember "HasMember" "The target is a member. IHE ITI TF-3 4.2.2.2."
* #RPLC "Replace" "IHE ITI TF-3 4.2.2.2.3."
* #XFRM "Transform" "IHE ITI TF-3 4.2.2.2.4."
* #APND "Append" "IHE ITI TF-3 4.2.2.2.2."
* #XFRM_RPLC "Transform and replace" "IHE ITI TF-3 4.2.2.2.5."
* #signs "Signs" "IHE ITI TF-3 4.2.2.2.6."
* #IsSnapshotOf "Snapshot" "IHE ITI TF-3 4.2.2.2.7."
* #Original "Original" "The document came with this submission set. IHE ITI TF-3 4.2.2.2.1."
* #Reference "Reference" "The document was registered before. IHE ITI TF-3 4.2.2.2.1."

ValueSet: ObjectType
Id: object-type
Title: "Stable or on-demand"
Description: "Codes of registry-entry, part objectType."
* ^experimental = false
* RegistryCodes#stable
* RegistryCodes#onDemand

ValueSet: DocumentAvailability
Id: document-availability
Title: "Online or offline"
Description: "Codes of registry-entry, part documentAvailability."
* ^experimental = false
* RegistryCodes#online
* RegistryCodes#offline

ValueSet: DocumentStates
Id: document-states
Title: "States of a document"
Description: "What DocumentReference.status says here: registered, replaced, deleted logically."
* ^experimental = false
* http://hl7.org/fhir/document-reference-status#current
* http://hl7.org/fhir/document-reference-status#superseded
* http://hl7.org/fhir/document-reference-status#entered-in-error

ValueSet: ConsentStates
Id: consent-states
Title: "States of a consent"
Description: "A consent holds, or was withdrawn."
* ^experimental = false
* http://hl7.org/fhir/consent-state-codes#active
* http://hl7.org/fhir/consent-state-codes#inactive

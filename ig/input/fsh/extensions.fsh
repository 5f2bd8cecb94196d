Extension: RegistryEntry
Id: registry-entry
Title: "Attributes of XDS without an element"
Description: "What XDSDocumentEntry, XDSSubmissionSet and XDSFolder have and DocumentReference and List have no element for. IHE ITI TF-3 4.2.3."
Context: DocumentReference, List
* extension contains
    objectType 0..1 and
    repositoryUniqueId 0..1 and
    logicalID 0..1 and
    version 0..1 and
    documentAvailability 0..1 and
    uri 0..1 and
    homeCommunityId 0..1 and
    creationTime 0..1 and
    serviceStartTime 0..1 and
    serviceStopTime 0..1 and
    date 0..1 and
    titleLanguage 0..1 and
    commentsLanguage 0..1
* extension[objectType].value[x] only code
* extension[objectType].valueCode from ObjectType (required)
* extension[repositoryUniqueId].value[x] only oid
* extension[logicalID].value[x] only uri
* extension[version].value[x] only positiveInt
* extension[documentAvailability].value[x] only code
* extension[documentAvailability].valueCode from DocumentAvailability (required)
* extension[uri].value[x] only string
* extension[homeCommunityId].value[x] only uri
* extension[creationTime].value[x] only string
* extension[creationTime] ^short = "The DTM itself, where a dateTime would have to be more precise"
* extension[serviceStartTime].value[x] only string
* extension[serviceStopTime].value[x] only string
* extension[date].value[x] only string
* extension[titleLanguage].value[x] only code
* extension[commentsLanguage].value[x] only code

Extension: ExtraSlot
Id: extra-slot
Title: "A slot that the model does not know"
Description: "Name, type and values of an extra slot, kept as they came. IHE ITI TF-3 4.2.3.1.6."
Context: DocumentReference, List, Extension
* extension contains
    name 1..1 and
    type 0..1 and
    value 0..* and
    emptyValue 0..*
* extension[name].value[x] only string
* extension[type].value[x] only string
* extension[value].value[x] only string
* extension[emptyValue].value[x] only boolean

Extension: AssociationDetails
Id: association
Title: "An association beyond its ends and kind"
Description: "The association behind relatesTo or a list entry: its own id, its type where FHIR's is wider, its status in the submission set, why it was made. IHE ITI TF-3 4.2.2."
Context: DocumentReference.relatesTo, List.entry
* extension contains
    entryUUID 1..1 and
    type 0..1 and
    submissionSetStatus 0..1 and
    documentation 0..1 and
    membership 0..1
* extension[entryUUID].value[x] only uri
* extension[type].value[x] only code
* extension[submissionSetStatus].value[x] only code
* extension[documentation].value[x] only Coding

Extension: FurtherAuthor
Id: further-author
Title: "An author of a submission set beyond the first"
Description: "List.source is one; a submission set may have several authors."
Context: List
* value[x] only Reference(PractitionerRole or Patient or Device)

Extension: HL7v2Text
Id: hl7v2-text
Title: "HL7 v2 text of an element"
Description: "XCN, XON or XTN that the elements beside it cannot hold whole."
Context: Element
* value[x] only string

Extension: PidLine
Id: pid-line
Title: "A line of sourcePatientInfo"
Description: "A line that the elements of Patient cannot hold whole. IHE ITI TF-3 4.2.3.2.23."
Context: Patient
* value[x] only string

Extension: AuthorInstitution
Id: author-institution
Title: "Institution of an author"
Description: "Of a Patient or Device as author, and of a PractitionerRole with several."
Context: Patient, Device, PractitionerRole
* value[x] only Reference(Organization)

Extension: AuthorRole
Id: author-role
Title: "Role of an author"
Description: "Of a Patient or Device as author."
Context: Patient, Device
* value[x] only CodeableConcept

Extension: AuthorSpecialty
Id: author-specialty
Title: "Specialty of an author"
Description: "Of a Patient or Device as author."
Context: Patient, Device
* value[x] only CodeableConcept

Extension: AuthorTelecom
Id: author-telecom
Title: "Telecommunication of an author"
Description: "Of a Patient or Device as author."
Context: Patient, Device
* value[x] only ContactPoint

Extension: AuthorisationStatusOfCaller
Id: authorisation-status
Title: "The caller's own right on the record"
Description: "In the answer of the existence test: whether the caller is authorised today."
Context: Patient
* value[x] only code
* valueCode from AuthorisationStatus (required)

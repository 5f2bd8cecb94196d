Profile: OpenDMPDocumentReference
Parent: DocumentReference
Id: opendmp-document-reference
Title: "A document as it is answered"
Description: "What a search or read of DocumentReference answers: all that IHE MHD 4.2.3 Comprehensive asks for, and every other attribute of the XDSDocumentEntry in extensions."
* modifierExtension 0..0
* extension contains $pdsm-isArchived named isArchived 0..1 and RegistryEntry named registryEntry 0..1 and ExtraSlot named extraSlot 0..*
* masterIdentifier 1..1
* masterIdentifier.system 1..1
* masterIdentifier.value 1..1
* identifier 1..*
* identifier.system 1..1
* identifier.value 1..1
* status from DocumentStates (required)
* docStatus 0..0
* type 1..1
* category 1..1
* subject 1..1
* subject only Reference(Patient)
* author only Reference(PractitionerRole or Patient or Device)
* author ^type.aggregation = #contained
* authenticator only Reference(PractitionerRole)
* authenticator ^type.aggregation = #contained
* securityLabel 1..*
* content 1..1
* content.attachment.contentType 1..1
* content.attachment.language 1..1
* content.attachment.url 1..1
* content.attachment.data 0..0
* content.format 1..1
* context 1..1
* context.facilityType 1..1
* context.practiceSetting 1..1
* context.sourcePatientInfo 1..1
* context.sourcePatientInfo only Reference(Patient)
* context.sourcePatientInfo ^type.aggregation = #contained

Profile: OpenDMPSubmission
Parent: Bundle
Id: opendmp-submission
Title: "A submission of documents"
Description: "What ITI-65 takes: one submission set, documents with their Binary each, folders, at most one Patient. The profile of a guide that the Bundle claims is checked besides."
* type = #transaction
* total 0..0
* link 0..0
* entry 1..1000
* entry.fullUrl 1..1
* entry.resource 1..1
* entry.request 1..1
* entry.response 0..0
* entry.search 0..0

Profile: OpenDMPSimplifiedDocument
Parent: DocumentReference
Id: opendmp-simplified-document
Title: "A document that comes alone"
Description: "What ITI-105 takes: one document with its bytes inside. IHE MHD 4.2.3 Simplified Publish with the metadata of the domain."
* modifierExtension 0..0
* masterIdentifier 1..1
* status = #current
* docStatus 0..0
* subject 1..1
* subject only Reference(Patient)
* content 1..1
* content.attachment.contentType 1..1
* content.attachment.data 1..1
* content.attachment.url 0..0

Profile: OpenDMPSubmissionSet
Parent: List
Id: opendmp-submission-set
Title: "A submission set as it is answered"
Description: "IHE MHD 4.2.3 Comprehensive SubmissionSet; further authors and attributes of the XDSSubmissionSet in extensions."
* modifierExtension 0..0
* extension contains $mhd-designationType named designationType 1..1 and $mhd-sourceId named sourceId 1..1 and RegistryEntry named registryEntry 0..1 and FurtherAuthor named furtherAuthor 0..* and ExtraSlot named extraSlot 0..*
* identifier 1..*
* identifier.system 1..1
* identifier.value 1..1
* status = #current
* mode = #working
* code 1..1
* code = $mhd-listTypes#submissionset
* subject 1..1
* subject only Reference(Patient)
* date 1..1
* source only Reference(PractitionerRole or Patient or Device)
* source ^type.aggregation = #contained
* encounter 0..0
* orderedBy 0..0
* emptyReason 0..0
* note 0..1
* entry.flag 0..0
* entry.deleted 0..0
* entry.date 0..0
* entry.item only Reference(DocumentReference or List)

Profile: OpenDMPFolder
Parent: List
Id: opendmp-folder
Title: "A folder as it is answered"
Description: "IHE MHD 4.2.3 Comprehensive Folder; further attributes of the XDSFolder in extensions."
* modifierExtension 0..0
* extension contains $mhd-designationType named designationType 0..* and RegistryEntry named registryEntry 0..1 and ExtraSlot named extraSlot 0..*
* identifier 1..*
* identifier.system 1..1
* identifier.value 1..1
* mode = #working
* code 1..1
* code = $mhd-listTypes#folder
* subject 1..1
* subject only Reference(Patient)
* date 1..1
* title 1..1
* source 0..0
* encounter 0..0
* orderedBy 0..0
* emptyReason 0..0
* note 0..1
* entry.item only Reference(DocumentReference)

Instance: document-example
InstanceOf: OpenDMPDocumentReference
Title: "A report of a consultation"
Usage: #example
* meta.profile[0] = Canonical(OpenDMPDocumentReference)
* meta.profile[+] = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Comprehensive.DocumentReference"
* meta.profile[+] = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-comprehensive-document-reference"
* contained[0] = author-place
* contained[+] = author-person
* contained[+] = author-role
* contained[+] = source-patient
* extension[registryEntry].extension[objectType].valueCode = #stable
* extension[registryEntry].extension[repositoryUniqueId].valueOid = "urn:oid:1.2.250.1.999.2.2"
* masterIdentifier.use = #usual
* masterIdentifier.system = "urn:ietf:rfc:3986"
* masterIdentifier.value = "urn:oid:1.2.250.1.999.2.3.1"
* identifier.use = #official
* identifier.system = "urn:ietf:rfc:3986"
* identifier.value = "urn:uuid:0190a0a0-0000-7000-8000-000000000001"
* status = #current
* type = $loinc#11488-4 "CR ou fiche de consultation ou de visite"
* category = $class#10 "Compte rendu"
* subject.reference = "Patient/0190a0a0-0000-7000-8000-000000000009"
* subject.type = "Patient"
* subject.identifier.system = "urn:oid:1.2.250.1.213.1.4.10"
* subject.identifier.value = "269014958815716"
* date = "2026-07-01T08:00:00.000Z"
* author = Reference(author-role)
* authenticator = Reference(author-role)
* securityLabel[0] = $confidentiality#N "Normal"
* securityLabel[+] = $visibility#INVISIBLE_PATIENT "Document non visible par le patient"
* content.attachment.contentType = #text/xml
* content.attachment.language = #fr-FR
* content.attachment.url = "https://dmp.example.org/fhir/Binary/0190a0a0-0000-7000-8000-000000000001"
* content.attachment.size = 11
* content.attachment.hash = "Ck1VqNd45QIvq3AZd8XYQLvEhtA="
* content.attachment.title = "Compte rendu de consultation"
* content.attachment.creation = "2026-07-01T08:00:00Z"
* content.format = $format#urn:ihe:iti:xds-sd:text:2008
* context.period.start = "2026-07-01T08:00:00Z"
* context.facilityType = $sector#SA07 "Cabinet individuel"
* context.practiceSetting = $setting#AMBULATOIRE "Ambulatoire"
* context.sourcePatientInfo = Reference(source-patient)

Instance: author-place
InstanceOf: Organization
Usage: #inline
* identifier.type = $identifierType#IDNST
* identifier.system = "urn:oid:1.2.250.1.71.4.2.2"
* identifier.value = "499970000016001"
* name = "Cabinet médical des Tilleuls"

Instance: author-person
InstanceOf: Practitioner
Usage: #inline
* identifier.type = $identifierType#IDNPS
* identifier.system = "urn:oid:1.2.250.1.71.4.2.1"
* identifier.value = "899970000016"
* name.family = "MARTIN"
* name.given = "Hélène"

Instance: author-role
InstanceOf: PractitionerRole
Usage: #inline
* practitioner = Reference(author-person)
* organization = Reference(author-place)

Instance: source-patient
InstanceOf: Patient
Usage: #inline
* identifier.type = $identifierType#INS-NIR-TEST
* identifier.system = "urn:oid:1.2.250.1.213.1.4.10"
* identifier.value = "269014958815716"
* name.use = #official
* name.family = "TESTARD"
* name.given = "ZOE"
* gender = #female
* birthDate = "1969-01-12"

Instance: submission-set-example
InstanceOf: OpenDMPSubmissionSet
Title: "The submission of that report"
Usage: #example
* meta.profile[0] = Canonical(OpenDMPSubmissionSet)
* meta.profile[+] = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Comprehensive.SubmissionSet"
* contained[0] = author-place
* contained[+] = author-person
* contained[+] = author-role
* extension[designationType].valueCodeableConcept = $activity#07 "Consultations, soins externes"
* extension[sourceId].valueIdentifier.system = "urn:ietf:rfc:3986"
* extension[sourceId].valueIdentifier.value = "urn:oid:1.2.250.1.999.2.1"
* identifier[0].use = #usual
* identifier[0].system = "urn:ietf:rfc:3986"
* identifier[0].value = "urn:oid:1.2.250.1.999.2.4.1"
* identifier[+].use = #official
* identifier[=].system = "urn:ietf:rfc:3986"
* identifier[=].value = "urn:uuid:0190a0a0-0000-7000-8000-000000000002"
* code = $mhd-listTypes#submissionset
* subject.reference = "Patient/0190a0a0-0000-7000-8000-000000000009"
* subject.type = "Patient"
* date = "2026-07-01T08:00:00Z"
* source = Reference(author-role)
* entry.extension.url = Canonical(AssociationDetails)
* entry.extension.extension[0].url = "entryUUID"
* entry.extension.extension[=].valueUri = "urn:uuid:0190a0a0-0000-7000-8000-000000000003"
* entry.item.reference = "DocumentReference/0190a0a0-0000-7000-8000-000000000001"

Instance: folder-example
InstanceOf: OpenDMPFolder
Title: "A folder of a pregnancy"
Usage: #example
* meta.profile[0] = Canonical(OpenDMPFolder)
* meta.profile[+] = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Comprehensive.Folder"
* extension[designationType].valueCodeableConcept = $loinc#11488-4
* identifier[0].use = #usual
* identifier[0].system = "urn:ietf:rfc:3986"
* identifier[0].value = "urn:oid:1.2.250.1.999.2.5.1"
* identifier[+].use = #official
* identifier[=].system = "urn:ietf:rfc:3986"
* identifier[=].value = "urn:uuid:0190a0a0-0000-7000-8000-000000000004"
* status = #current
* title = "Grossesse"
* code = $mhd-listTypes#folder
* subject.reference = "Patient/0190a0a0-0000-7000-8000-000000000009"
* subject.type = "Patient"
* date = "2026-07-01T08:00:00Z"
* entry.item.reference = "DocumentReference/0190a0a0-0000-7000-8000-000000000001"

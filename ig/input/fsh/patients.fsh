Profile: OpenDMPPatient
Parent: Patient
Id: opendmp-patient
Title: "The holder of a record"
Description: "Identity and state of the record: the traits of the INS, its identifiers with their history, whether the record is open, closed (when and why) and joined to Mon espace santé. FR Core INS 2.2.0."
* modifierExtension 0..0
* extension contains $birthPlace named birthPlace 0..1 and $attached named attached 0..1 and $closing named closing 0..1
* identifier 1..*
* identifier.system 1..1
* identifier.value 1..1
* active 1..1
* active ^short = "Whether the record is open"
* name 1..*
* gender 1..1
* birthDate 1..1

Profile: OpenDMPExistence
Parent: Patient
Id: opendmp-existence
Title: "The answer of the existence test"
Description: "State of a record and the caller's own right on it, under the identifier that was asked for; no trait of the holder."
* modifierExtension 0..0
* extension contains $attached named attached 0..1 and $closing named closing 0..1 and AuthorisationStatusOfCaller named authorisation 0..1
* identifier 1..1
* identifier.system 1..1
* identifier.value 1..1
* active 1..1
* name 0..0
* telecom 0..0
* gender 0..0
* birthDate 0..0
* address 0..0
* contact 0..0

Instance: patient-example
InstanceOf: OpenDMPPatient
Title: "A holder"
Usage: #example
* meta.profile[0] = Canonical(OpenDMPPatient)
* meta.profile[+] = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-ins"
* extension[attached].valueBoolean = true
* extension[birthPlace].valueAddress.extension.url = $insee
* extension[birthPlace].valueAddress.extension.valueCoding = $communes#49588
* identifier.use = #official
* identifier.type = $identifierType#INS-NIR-TEST
* identifier.system = "urn:oid:1.2.250.1.213.1.4.10"
* identifier.value = "269014958815716"
* active = true
* name.extension.url = $givenNames
* name.extension.valueString = "ZOE"
* name.use = #official
* name.family = "TESTARD"
* name.given = "ZOE"
* gender = #female
* birthDate = "1969-01-12"

Instance: existence-example
InstanceOf: OpenDMPExistence
Title: "A closed record, to a professional without authorisation"
Usage: #example
* meta.profile = Canonical(OpenDMPExistence)
* meta.tag = $subsetted#SUBSETTED
* extension[attached].valueBoolean = false
* extension[closing].extension[0].url = "dateFermeture"
* extension[closing].extension[=].valueDateTime = "2026-07-01T08:00:00.000Z"
* extension[closing].extension[+].url = "motifFermeture"
* extension[closing].extension[=].valueCoding = $closingMotive#1
* extension[authorisation].valueCode = #none
* identifier.use = #official
* identifier.type = $identifierType#INS-NIR-TEST
* identifier.system = "urn:oid:1.2.250.1.213.1.4.10"
* identifier.value = "269014958815716"
* active = false

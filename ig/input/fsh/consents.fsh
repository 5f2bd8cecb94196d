Profile: OpenDMPConsent
Parent: Consent
Id: opendmp-consent
Title: "What a patient states about who reads"
Description: "The Consents that are taken, each of which takes effect on the next request of every face: authorisation, treating doctor, block, opposition to break-glass and to the emergency centre, masked documents in emergency, opening of the record. IHE PCF 1.1 Basic, Intermediate and Advanced; what cannot be enforced is refused."
* modifierExtension 0..0
* status from ConsentStates (required)
* scope = $consentscope#patient-privacy
* patient 1..1
* dateTime 1..1
* performer 1..*
* organization 1..*
* source[x] 1..1
* policy 1..1
* policy.uri 1..1
* policyRule 0..0
* verification 0..0
* provision 1..1
* provision.type 1..1
* provision.actor 0..1
* provision.action 0..0
* provision.class 0..0
* provision.code 0..0
* provision.dataPeriod 0..0
* provision.data 0..0
* provision.provision.type 1..1
* provision.provision.action 0..0
* provision.provision.class 0..0
* provision.provision.code 0..0
* provision.provision.dataPeriod 0..0
* provision.provision.data 0..0
* provision.provision.provision 0..0

RuleSet: Stated
* meta.profile[0] = Canonical(OpenDMPConsent)
* meta.profile[+] = "https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentIntermediate"
* status = #active
* scope = $consentscope#patient-privacy
* category = $loinc#59284-0
* patient.reference = "Patient/0190a0a0-0000-7000-8000-000000000009"
* dateTime = "2026-07-01T10:00:00+02:00"
* performer.reference = "Patient/0190a0a0-0000-7000-8000-000000000009"
* organization.display = "OpenDMP"
* sourceReference.display = "Signed paper"

Instance: authorisation-example
InstanceOf: OpenDMPConsent
Title: "A professional is authorised until a day"
Usage: #example
* insert Stated
* policy.uri = "https://profiles.ihe.net/ITI/PCF/Policy-all-normal"
* provision.type = #permit
* provision.period.end = "2026-12-31"
* provision.actor.role = $participation#IRCP
* provision.actor.reference.type = "Practitioner"
* provision.actor.reference.identifier.system = "urn:oid:1.2.250.1.71.4.2.1"
* provision.actor.reference.identifier.value = "899970000016"

Instance: treating-doctor-example
InstanceOf: OpenDMPConsent
Title: "A professional is the treating doctor"
Usage: #example
* insert Stated
* policy.uri = "https://opendmp.example/fhir/policy/treating-doctor"
* provision.type = #permit
* provision.actor.role = $participation#IRCP
* provision.actor.reference.type = "Practitioner"
* provision.actor.reference.identifier.system = "urn:oid:1.2.250.1.71.4.2.1"
* provision.actor.reference.identifier.value = "899970000016"

Instance: block-example
InstanceOf: OpenDMPConsent
Title: "The record is open, one professional is blocked"
Usage: #example
* insert Stated
* policy.uri = "https://profiles.ihe.net/ITI/PCF/Policy-all-normal"
* provision.type = #permit
* provision.provision.type = #deny
* provision.provision.actor.role = $participation#IRCP
* provision.provision.actor.reference.type = "Practitioner"
* provision.provision.actor.reference.identifier.system = "urn:oid:1.2.250.1.71.4.2.1"
* provision.provision.actor.reference.identifier.value = "899970000024"

Instance: opposition-example
InstanceOf: OpenDMPConsent
Title: "Break-glass and the emergency centre are opposed"
Usage: #example
* insert Stated
* policy.uri = "https://profiles.ihe.net/ITI/PCF/Policy-deny"
* provision.type = #deny
* provision.purpose[0] = $reason#BTG
* provision.purpose[+] = $reason#ETREAT

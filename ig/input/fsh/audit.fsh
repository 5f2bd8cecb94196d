Profile: OpenDMPAuditEvent
Parent: AuditEvent
Id: opendmp-audit-event
Title: "A trace in the history of a record"
Description: "One event of the audit trail as ITI-81 answers it: who came with which software, for whom, by what right, and what was touched. A profile of IHE BALP is claimed besides by what succeeded and has all that it asks for."
* modifierExtension 0..0
* subtype 0..*
* action 1..1
* outcome 1..1
* agent 2..*
* agent.who 1..1
* agent.requestor 1..1
* source.site 1..1
* source.observer 1..1
* entity.detail ^short = "ground: by what right; Mode_Acces_Raison: the stated reason; uniqueId: of a document or submission set; Repository Unique ID"

Instance: audit-example
InstanceOf: OpenDMPAuditEvent
Title: "A document was read by break-glass"
Usage: #example
* meta.profile[0] = Canonical(OpenDMPAuditEvent)
* meta.profile[+] = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.RetrieveDocument.Audit.Responder"
* type = $eventType#rest "Restful Operation"
* subtype[0] = $interaction#read
* subtype[+] = $transaction#ITI-68 "Retrieve Document"
* action = #R
* recorded = "2026-07-01T08:00:00.000Z"
* outcome = #0
* agent[0].type = $dcm#110152 "Destination Role ID"
* agent[=].who.display = "Logiciel de test 1.0"
* agent[=].requestor = false
* agent[=].network.address = "192.0.2.1"
* agent[=].network.type = #2
* agent[+].type = $dcm#110153 "Source Role ID"
* agent[=].who.identifier.system = "urn:ietf:rfc:3986"
* agent[=].who.identifier.value = "https://dmp.example.org/fhir"
* agent[=].who.display = "OpenDMP"
* agent[=].requestor = false
* agent[=].network.address = "https://dmp.example.org/fhir"
* agent[=].network.type = #5
* agent[+].type = $participation#IRCP
* agent[=].role = $profession#10
* agent[=].who.identifier.system = "urn:oid:1.2.250.1.71.4.2.1"
* agent[=].who.identifier.value = "899970000016"
* agent[=].name = "MARTIN Hélène"
* agent[=].requestor = true
* agent[=].policy = "urn:ietf:params:oauth:jti:0190a0a0-0000-7000-8000-000000000005"
* agent[=].purposeOfUse = $reason#BTG
* source.site = "https://dmp.example.org/fhir"
* source.observer.identifier.system = "urn:ietf:rfc:3986"
* source.observer.identifier.value = "https://dmp.example.org/fhir"
* source.observer.display = "OpenDMP"
* source.type = $sourceType#4 "Application Server"
* entity[0].what.reference = "Patient/0190a0a0-0000-7000-8000-000000000009"
* entity[=].type = $entityType#1 "Person"
* entity[=].role = $objectRole#1 "Patient"
* entity[=].detail[0].type = "ground"
* entity[=].detail[=].valueString = "breakGlass"
* entity[=].detail[+].type = "Mode_Acces_Raison"
* entity[=].detail[=].valueString = "Patient inconscient"
* entity[+].what.reference = "Binary/0190a0a0-0000-7000-8000-000000000001"
* entity[=].type = $entityType#2 "System Object"
* entity[=].role = $objectRole#3 "Report"
* entity[=].detail.type = "uniqueId"
* entity[=].detail.valueString = "1.2.250.1.999.2.3.1"
* entity[+].what.identifier.value = "7a0e6e1c"
* entity[=].type = $basicEntity#XrequestId

Instance: opendmp-server
InstanceOf: CapabilityStatement
Title: "What every OpenDMP serves"
Description: "The types and interactions that each deployment has; its own statement at /fhir/metadata is written by the code that serves it and says more."
Usage: #definition
* name = "OpenDMPServer"
* title = "What every OpenDMP serves"
* status = #active
* experimental = false
* date = "2026-07-01"
* kind = #requirements
* description = "Documents, submission sets and folders, holders of records, consents and traces of the shared medical record."
* fhirVersion = #4.0.1
* format[0] = #json
* format[+] = #xml
* rest.mode = #server
* rest.interaction.code = #transaction
* rest.interaction.documentation = "Provide Document Bundle, ITI-65"
* rest.resource[0].type = #DocumentReference
* rest.resource[=].supportedProfile[0] = Canonical(OpenDMPDocumentReference)
* rest.resource[=].supportedProfile[+] = Canonical(OpenDMPSimplifiedDocument)
* rest.resource[=].interaction[0].code = #read
* rest.resource[=].interaction[+].code = #search-type
* rest.resource[=].interaction[+].code = #create
* rest.resource[=].interaction[+].code = #patch
* rest.resource[=].interaction[+].code = #delete
* rest.resource[=].operation.name = "validate"
* rest.resource[=].operation.definition = "http://hl7.org/fhir/OperationDefinition/Resource-validate"
* rest.resource[+].type = #List
* rest.resource[=].supportedProfile[0] = Canonical(OpenDMPSubmissionSet)
* rest.resource[=].supportedProfile[+] = Canonical(OpenDMPFolder)
* rest.resource[=].interaction[0].code = #read
* rest.resource[=].interaction[+].code = #search-type
* rest.resource[+].type = #Binary
* rest.resource[=].interaction[0].code = #read
* rest.resource[=].interaction[+].code = #create
* rest.resource[+].type = #Bundle
* rest.resource[=].supportedProfile[0] = Canonical(OpenDMPSubmission)
* rest.resource[=].operation.name = "validate"
* rest.resource[=].operation.definition = "http://hl7.org/fhir/OperationDefinition/Resource-validate"
* rest.resource[+].type = #Patient
* rest.resource[=].supportedProfile[0] = Canonical(OpenDMPPatient)
* rest.resource[=].supportedProfile[+] = Canonical(OpenDMPExistence)
* rest.resource[=].interaction[0].code = #read
* rest.resource[=].interaction[+].code = #search-type
* rest.resource[+].type = #Consent
* rest.resource[=].supportedProfile[0] = Canonical(OpenDMPConsent)
* rest.resource[=].interaction[0].code = #read
* rest.resource[=].interaction[+].code = #search-type
* rest.resource[=].interaction[+].code = #create
* rest.resource[=].interaction[+].code = #update
* rest.resource[+].type = #AuditEvent
* rest.resource[=].supportedProfile[0] = Canonical(OpenDMPAuditEvent)
* rest.resource[=].interaction[0].code = #search-type
* rest.resource[=].interaction[+].code = #read
* rest.resource[=].interaction[+].code = #create
* rest.resource[+].type = #Practitioner
* rest.resource[=].interaction[0].code = #read
* rest.resource[=].interaction[+].code = #search-type
* rest.resource[+].type = #PractitionerRole
* rest.resource[=].interaction[0].code = #read
* rest.resource[=].interaction[+].code = #search-type
* rest.resource[+].type = #Organization
* rest.resource[=].interaction[0].code = #read
* rest.resource[=].interaction[+].code = #search-type
* rest.resource[+].type = #Device
* rest.resource[=].interaction[0].code = #read
* rest.resource[=].interaction[+].code = #search-type
* rest.resource[+].type = #Subscription
* rest.resource[=].interaction[0].code = #read
* rest.resource[=].interaction[+].code = #search-type
* rest.resource[=].interaction[+].code = #create
* rest.resource[=].interaction[+].code = #update
* rest.resource[=].interaction[+].code = #delete

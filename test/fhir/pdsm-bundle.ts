import { createHash, randomUUID } from 'node:crypto';
import type { Bundle, DocumentReference, FhirResource, List, Patient, Reference } from 'fhir/r4.js';
import { oidOfUuid } from '../../server/domain/identifier.ts';
import { extensions, mhdListTypes, profiles, uris } from '../../server/fhir/vocabulary.ts';
import { patientOf, personOf } from '../../server/sandbox/people.ts';
import type { Door } from './door.ts';

const nos = (list: string) => `https://mos.esante.gouv.fr/NOS/${list}/FHIR/${list.replace('_', '-')}`;
const french = 'https://hl7.fr/ig/fhir/core';
const typed = (code: string) => ({ coding: [{ system: `${french}/CodeSystem/fr-core-cs-v2-0203`, code }] });
const concept = (list: string, code: string, display: string) => ({ coding: [{ system: nos(list), code, display }] });

/**
 * A submission as software of a hospital writes it: PDSm comprehensive, the patient as a logical reference by INS, the author as
 * PractitionerRole with its practitioner and organisation, the source's patient with the traits of the INS, the document hidden from the
 * patient until it was announced.
 */
export function pdsmBundleOf(door: Door, who = 'dr-martin', whose = 'laurent'): Bundle<FhirResource> {
  const author = personOf(who);
  const patient = patientOf(whose);
  if (author?.kind !== 'professional' || patient === undefined) throw new Error(`${who} or ${whose} is unknown`);
  const { oid, value } = door.world.ins(whose);
  const subject: Reference = { type: 'Patient', identifier: { system: `urn:oid:${oid}`, value } };
  const now = new Date(door.world.tools.now()).toISOString();
  const people = () => [
    {
      resourceType: 'Practitioner' as const,
      id: 'person',
      identifier: [
        { use: 'official' as const, type: typed('IDNPS'), system: 'urn:oid:1.2.250.1.71.4.2.1', value: author.idNat },
      ],
      name: [{ family: author.family, given: [author.given] }],
    },
    {
      resourceType: 'Organization' as const,
      id: 'place',
      identifier: [{ type: typed('IDNST'), system: 'urn:oid:1.2.250.1.71.4.2.2', value: author.structIdNat }],
      name: 'Cabinet médical',
    },
    {
      resourceType: 'PractitionerRole' as const,
      id: 'role',
      practitioner: { reference: '#person' },
      organization: { reference: '#place' },
      specialty: [concept('TRE_A02-ProfessionSavFaire-CISIS', 'G15_10/SM26', 'Médecin')],
    },
  ];
  const source: Patient = {
    resourceType: 'Patient',
    id: 'source',
    meta: { profile: [profiles.patientIns] },
    extension: [
      {
        url: extensions.identityReliability,
        extension: [
          { url: 'identityStatus', valueCoding: { system: `${french}/CodeSystem/fr-core-cs-v2-0445`, code: 'VALI' } },
          {
            url: 'validationMode',
            valueCoding: { system: `${french}/CodeSystem/fr-core-cs-mode-validation-identity`, code: 'CN' },
          },
        ],
      },
      {
        url: extensions.birthPlace,
        valueAddress: {
          extension: [{ url: extensions.inseeCode, valueCoding: { system: nos('TRE_R13-CommuneOM'), code: '35238' } }],
        },
      },
    ],
    identifier: [{ use: 'official', type: typed('INS-NIR-TEST'), system: `urn:oid:${oid}`, value }],
    name: [
      {
        extension: [{ url: extensions.givenNames, valueString: patient.given }],
        use: 'official',
        family: patient.family,
        given: [patient.given],
      },
    ],
    gender: patient.gender,
    birthDate: patient.birthDate,
  };
  const bytes = Buffer.from('<ClinicalDocument xmlns="urn:hl7-org:v3"/>');
  const urn = () => `urn:uuid:${randomUUID()}`;
  const [set, document, binary] = [urn(), urn(), urn()];
  const list: List = {
    resourceType: 'List',
    meta: { profile: [profiles.pdsmSubmissionSet] },
    contained: people(),
    extension: [
      {
        url: extensions.designationType,
        valueCodeableConcept: concept('TRE_R209-TypeActivite', '07', 'Consultations, soins externes'),
      },
      { url: extensions.sourceId, valueIdentifier: { system: uris, value: 'urn:oid:1.2.250.1.999.2.1' } },
    ],
    identifier: [
      { use: 'usual', system: uris, value: `urn:oid:${oidOfUuid(randomUUID())}` },
      { use: 'official', system: uris, value: set },
    ],
    status: 'current',
    mode: 'working',
    title: 'Lot du jour',
    code: { coding: [{ system: mhdListTypes, code: 'submissionset' }] },
    subject,
    date: now,
    source: {
      extension: [{ url: extensions.authorOrg, valueReference: { reference: '#place' } }],
      reference: '#role',
    },
    entry: [{ item: { reference: document } }],
  };
  const reference: DocumentReference = {
    resourceType: 'DocumentReference',
    meta: { profile: [`${profiles.pdsmDocument}|3.1.1`] },
    contained: [...people(), source],
    masterIdentifier: { system: uris, value: `urn:oid:${oidOfUuid(randomUUID())}` },
    identifier: [{ use: 'official', system: uris, value: document }],
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '11488-4', display: 'CR ou fiche de consultation' }] },
    category: [concept('TRE_A03-ClasseDocument', '10', 'Compte rendu')],
    subject,
    date: now,
    author: [{ reference: '#role' }],
    authenticator: { reference: '#role' },
    custodian: { identifier: { system: 'urn:oid:1.2.250.1.71.4.2.2', value: author.structIdNat } },
    securityLabel: [
      { coding: [{ system: nos('TRE_A08-HL7Confidentiality'), code: 'N', display: 'Normal' }] },
      concept('TRE_A07-StatutVisibiliteDocument', 'INVISIBLE_PATIENT', 'Document non visible par le patient'),
    ],
    content: [
      {
        attachment: {
          contentType: 'text/xml',
          language: 'fr-FR',
          url: binary,
          size: bytes.length,
          hash: createHash('sha1').update(bytes).digest('base64'),
          title: 'Consultation',
          creation: now,
        },
        format: { system: nos('TRE_A11-IheFormatCode'), code: 'urn:ihe:iti:xds-sd:text:2008' },
      },
    ],
    context: {
      period: { start: now },
      facilityType: concept('TRE_R02-SecteurActivite', 'SA07', 'Cabinet individuel'),
      practiceSetting: concept('TRE_A01-CadreExercice', 'AMBULATOIRE', 'Ambulatoire'),
      sourcePatientInfo: { reference: '#source' },
    },
  };
  const entryOf = (fullUrl: string, resource: FhirResource) => ({
    fullUrl,
    resource,
    request: { method: 'POST' as const, url: resource.resourceType },
  });
  return {
    resourceType: 'Bundle',
    meta: { profile: [profiles.pdsmBundle] },
    type: 'transaction',
    entry: [
      entryOf(set, list),
      entryOf(document, reference),
      entryOf(binary, { resourceType: 'Binary', contentType: 'text/xml', data: bytes.toString('base64') }),
    ],
  };
}

import type { Code } from '../domain/code.ts';
import { escapeAttribute, escapeText } from '../xml/write.ts';
import {
  type Practice,
  practiceOf,
  type SandboxPatient,
  type SandboxProfessional,
  type SandboxStructure,
} from './people.ts';
import { authorSpecialtyOf } from './roles.ts';

/** Who stands for a document: a professional, someone with the certificate of a structure, or the patient. */
export type CdaAuthor = SandboxProfessional | SandboxStructure | SandboxPatient;

/** One examination of a laboratory report: a LOINC code, a number with its UCUM unit, and the usual range. */
export type LabResult = {
  readonly code: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly range: readonly [low: number, high: number];
};

/** What the document holds: bytes of another format (level 1), or results of a laboratory, chapter by chapter (level 3). */
export type CdaContent =
  | { readonly kind: 'nonXml'; readonly mediaType: string; readonly bytes: Uint8Array }
  | {
      readonly kind: 'laboratory';
      readonly chapters: readonly {
        readonly code: string;
        readonly title: string;
        readonly results: readonly LabResult[];
      }[];
    };

/** A clinical document before it is written. `id` is an OID, times are milliseconds since 1970. */
export type ClinicalDocument = {
  readonly id: string;
  readonly typeCode: Code;
  readonly title: string;
  readonly writtenAt: number;
  readonly serviceAt: number;
  readonly patient: SandboxPatient;
  readonly author: CdaAuthor;
  readonly content: CdaContent;
};

const professionalRoot = '1.2.250.1.71.4.2.1';
const structureRoot = '1.2.250.1.71.4.2.2';

/** Templates that a document declares: HL7 France, CI-SIS, and those of its kind of body. */
const templates = {
  nonXml: ['1.3.6.1.4.1.19376.1.2.20'],
  laboratory: ['1.2.250.1.213.1.1.1.55', '1.3.6.1.4.1.19376.1.3.3'],
} as const;

/** The document as CDA R2 in UTF-8. The same input gives the same bytes. CI-SIS volet Structuration minimale des documents de santé. */
export function writeCda(document: ClinicalDocument): Uint8Array {
  const { id, typeCode, title, writtenAt, content } = document;
  const text = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
    '<realmCode code="FR"/>',
    '<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>',
    ...['2.16.840.1.113883.2.8.2.1', '1.2.250.1.213.1.1.1.1', ...templates[content.kind]].map(
      (oid) => `<templateId root="${oid}"/>`,
    ),
    `<id root="${id}"/>`,
    coded('code', typeCode),
    `<title>${escapeText(title)}</title>`,
    `<effectiveTime value="${time(writtenAt)}"/>`,
    '<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25" displayName="Normal"/>',
    '<languageCode code="fr-FR"/>',
    `<setId root="${id}"/>`,
    '<versionNumber value="1"/>',
    recordTarget(document.patient),
    author(document),
    custodian(document),
    legalAuthenticator(document),
    documentationOf(document),
    componentOf(document),
    `<component>${content.kind === 'nonXml' ? nonXmlBody(content) : laboratoryBody(content, document)}</component>`,
    '</ClinicalDocument>',
    '',
  ].join('\n');
  return Buffer.from(text);
}

function recordTarget({ ins, insOid, family, given, gender, birthDate, birthPlace }: SandboxPatient): string {
  const [sex, display] = gender === 'male' ? ['M', 'Masculin'] : ['F', 'Féminin'];
  return [
    '<recordTarget><patientRole>',
    `<id root="${insOid}" extension="${ins}"/>`,
    '<addr nullFlavor="NASK"/><telecom nullFlavor="NASK"/>',
    '<patient>',
    `<name><family qualifier="BR">${escapeText(family)}</family><given>${escapeText(given)}</given><given qualifier="BR">${escapeText(given)}</given></name>`,
    `<administrativeGenderCode code="${sex}" codeSystem="2.16.840.1.113883.5.1" displayName="${display}"/>`,
    `<birthTime value="${birthDate.replaceAll('-', '')}"/>`,
    `<birthplace><place><addr><county>${birthPlace}</county></addr></place></birthplace>`,
    '</patient></patientRole></recordTarget>',
  ].join('');
}

function author({ author: by, writtenAt }: ClinicalDocument): string {
  const inside =
    by.kind === 'patient'
      ? `<id root="${by.insOid}" extension="${by.ins}"/>${telecom}<assignedPerson>${personName(by)}</assignedPerson>`
      : `${professionalId(by)}${specialtyCode(by)}${telecom}<assignedPerson>${personName(byPerson(by))}</assignedPerson>` +
        `<representedOrganization>${organisation(by)}</representedOrganization>`;
  return `<author><time value="${time(writtenAt)}"/><assignedAuthor>${inside}</assignedAuthor></author>`;
}

function custodian({ author: by }: ClinicalDocument): string {
  const place = by.kind === 'patient' ? { structIdNat: undefined, display: 'Sandbox OpenDMP' } : placeOf(by);
  const id =
    place.structIdNat === undefined
      ? '<id root="1.2.250.1.999.1"/>'
      : `<id root="${structureRoot}" extension="${place.structIdNat}"/>`;
  return `<custodian><assignedCustodian><representedCustodianOrganization>${id}<name>${escapeText(place.display)}</name></representedCustodianOrganization></assignedCustodian></custodian>`;
}

function legalAuthenticator({ author: by, writtenAt }: ClinicalDocument): string {
  const inside =
    by.kind === 'patient'
      ? `<id root="${by.insOid}" extension="${by.ins}"/>${telecom}<assignedPerson>${personName(by)}</assignedPerson>`
      : `${professionalId(by)}${telecom}<assignedPerson>${personName(byPerson(by))}</assignedPerson><representedOrganization>${organisation(by)}</representedOrganization>`;
  return `<legalAuthenticator><time value="${time(writtenAt)}"/><signatureCode code="S"/><assignedEntity>${inside}</assignedEntity></legalAuthenticator>`;
}

function documentationOf({ author: by, serviceAt }: ClinicalDocument): string {
  const [setting, performer] =
    by.kind === 'patient'
      ? [
          { code: 'EXP_PATIENT', system: '1.2.250.1.213.1.1.4.6', display: 'Expression personnelle du patient' },
          `<id root="${by.insOid}" extension="${by.ins}"/>`,
        ]
      : [settingOf(placeOf(by)), professionalId(by)];
  return (
    `<documentationOf><serviceEvent><effectiveTime><low value="${time(serviceAt)}"/></effectiveTime>` +
    `<performer typeCode="PRF"><assignedEntity>${performer}<representedOrganization>${coded('standardIndustryClassCode', setting)}</representedOrganization>` +
    '</assignedEntity></performer></serviceEvent></documentationOf>'
  );
}

function componentOf({ author: by, serviceAt }: ClinicalDocument): string {
  const facility =
    by.kind === 'patient'
      ? { code: 'EXP_PATIENT', system: '1.2.250.1.213.1.1.4.6', display: 'Expression personnelle du patient' }
      : { code: placeOf(by).sector, system: '1.2.250.1.71.4.2.4' };
  return (
    `<componentOf><encompassingEncounter><effectiveTime><low value="${time(serviceAt)}"/></effectiveTime>` +
    `<location><healthCareFacility>${coded('code', facility)}</healthCareFacility></location></encompassingEncounter></componentOf>`
  );
}

function nonXmlBody({ mediaType, bytes }: Extract<CdaContent, { kind: 'nonXml' }>): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return `<nonXMLBody><text mediaType="${escapeAttribute(mediaType)}" representation="B64">${base64}</text></nonXMLBody>`;
}

/** Chapter, narrative table, one battery of observations for each chapter. IHE PaLM TF-3 (XD-LAB) 4.3. */
function laboratoryBody(
  { chapters }: Extract<CdaContent, { kind: 'laboratory' }>,
  { serviceAt }: ClinicalDocument,
): string {
  const sections = chapters.map(({ code, title, results }) => {
    const name = coded('code', { code, system: '2.16.840.1.113883.6.1', display: title });
    const rows = results.map(
      (r, i) =>
        `<tr><td ID="c${code}-${i}">${escapeText(r.name)}</td><td>${r.value} ${escapeText(r.unit)}</td><td>${r.range.join(' – ')}</td></tr>`,
    );
    const observations = results.map((r, i) => observation(r, `c${code}-${i}`, serviceAt));
    return (
      `<component><section><templateId root="1.3.6.1.4.1.19376.1.3.3.2.1"/>${name}<title>${escapeText(title)}</title>` +
      `<text><table><thead><tr><th>Examen</th><th>Résultat</th><th>Valeurs usuelles</th></tr></thead><tbody>${rows.join('')}</tbody></table></text>` +
      `<entry><templateId root="1.3.6.1.4.1.19376.1.3.1"/><act classCode="ACT" moodCode="EVN">${name}<statusCode code="completed"/>${observations.join('')}</act></entry>` +
      '</section></component>'
    );
  });
  return `<structuredBody>${sections.join('\n')}</structuredBody>`;
}

function observation(
  { code, name, value, unit, range: [low, high] }: LabResult,
  reference: string,
  at: number,
): string {
  const interpretation = value < low ? 'L' : value > high ? 'H' : 'N';
  const quantity = (element: string, amount: number) =>
    `<${element} value="${amount}" unit="${escapeAttribute(unit)}"/>`;
  return (
    '<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN">' +
    `<templateId root="1.3.6.1.4.1.19376.1.3.1.6"/>${coded('code', { code, system: '2.16.840.1.113883.6.1', display: name })}` +
    `<text><reference value="#${reference}"/></text><statusCode code="completed"/><effectiveTime value="${time(at)}"/>` +
    `<value xsi:type="PQ" value="${value}" unit="${escapeAttribute(unit)}"/>` +
    `<interpretationCode code="${interpretation}" codeSystem="2.16.840.1.113883.5.83"/>` +
    `<referenceRange typeCode="REFV"><observationRange><value xsi:type="IVL_PQ">${quantity('low', low)}${quantity('high', high)}</value>` +
    '<interpretationCode code="N" codeSystem="2.16.840.1.113883.5.83"/></observationRange></referenceRange></observation></entryRelationship>'
  );
}

const telecom = '<addr nullFlavor="NASK"/><telecom nullFlavor="NASK"/>';

type Carer = SandboxProfessional | SandboxStructure;

function byPerson(by: Carer) {
  return by.kind === 'professional' ? by : by.employee;
}

function professionalId(by: Carer): string {
  const id = by.kind === 'professional' ? by.idNat : `${by.structIdNat}/${by.employee.id}`;
  return `<id root="${professionalRoot}" extension="${id}"/>`;
}

function specialtyCode(by: Carer): string {
  const [code = '', display = '', system = ''] = authorSpecialtyOf(byPerson(by)).split('^');
  return coded('code', { code, system, display });
}

function personName({ family, given }: { readonly family: string; readonly given: string }): string {
  return `<name><family>${escapeText(family)}</family><given>${escapeText(given)}</given></name>`;
}

function organisation(by: Carer): string {
  const { structIdNat, display } = placeOf(by);
  return `<id root="${structureRoot}" extension="${structIdNat}"/><name>${escapeText(display)}</name>`;
}

function placeOf(by: Carer): Practice {
  return practiceOf(by) ?? { structIdNat: by.structIdNat, display: by.display, sector: 'SA43', setting: 'AMBULATOIRE' };
}

const settings = {
  AMBULATOIRE: 'Ambulatoire',
  ETABLISSEMENT: 'Etablissement de santé',
  SAMU_SMUR: 'SAMU/SMUR',
} as const;

function settingOf({ setting }: Practice): Code {
  return { code: setting, system: '1.2.250.1.213.1.1.4.9', display: settings[setting] };
}

function coded(element: string, { code, system, display }: Code): string {
  const name = display === undefined ? '' : ` displayName="${escapeAttribute(display)}"`;
  return `<${element} code="${escapeAttribute(code)}" codeSystem="${system}"${name}/>`;
}

/** HL7 v3 TS in UTC with its zone, to the second. */
function time(ms: number): string {
  return `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}+0000`;
}

import type { Code } from '../domain/code.ts';
import type { DocumentEntry } from '../domain/document.ts';
import { dateTimeOf } from '../domain/time.ts';
import type { Order } from '../sources/port.ts';
import { escapeAttribute, escapeText } from '../xml/write.ts';

/** Sections of the summary, by the class of the documents that they list; the last one takes all others. */
const sections: readonly { readonly classes: readonly string[]; readonly code: Code; readonly title: string }[] = [
  { classes: ['11'], code: loinc('60591-5', 'Synthèse médicale'), title: 'Synthèses' },
  { classes: ['10'], code: loinc('11488-4', 'Compte rendu'), title: 'Comptes rendus' },
  { classes: ['31'], code: loinc('18748-4', 'CR d’imagerie médicale'), title: 'Imagerie' },
  { classes: ['42', '43', '45'], code: loinc('57833-6', 'Prescription de produits de santé'), title: 'Traitements' },
  { classes: ['44'], code: loinc('18776-5', 'Plan personnalisé de soins'), title: 'Plans et protocoles de soins' },
  { classes: ['90'], code: loinc('51899-3', 'Détails'), title: 'Documents du patient' },
  { classes: [], code: loinc('55108-5', 'Autres documents'), title: 'Autres documents' },
];

function loinc(code: string, display: string): Code {
  return { code, system: '2.16.840.1.113883.6.1', display };
}

/**
 * A summary of a record as CDA R2 with a structured body: a header, and a section of narrative text for each kind of document that the reader
 * may see. The same order gives the same bytes. CI-SIS volet Structuration minimale des documents de santé.
 */
export function writeSummary({ uniqueId, entry, patient, documents }: Order, writtenAt: string): Buffer {
  const text = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
    '<realmCode code="FR"/>',
    '<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>',
    '<templateId root="2.16.840.1.113883.2.8.2.1"/>',
    '<templateId root="1.2.250.1.213.1.1.1.1"/>',
    `<id root="${escapeAttribute(uniqueId)}"/>`,
    coded('code', entry.typeCode),
    `<title>${escapeText(entry.title?.value ?? 'Synthèse du dossier')}</title>`,
    `<effectiveTime value="${writtenAt}+0000"/>`,
    '<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25" displayName="Normal"/>',
    '<languageCode code="fr-FR"/>',
    `<setId root="${escapeAttribute(entry.uniqueId)}"/>`,
    '<versionNumber value="1"/>',
    recordTarget(patient),
    device(entry, writtenAt),
    `<custodian><assignedCustodian><representedCustodianOrganization>${organisation(entry)}</representedCustodianOrganization></assignedCustodian></custodian>`,
    `<documentationOf><serviceEvent><effectiveTime><low value="${writtenAt}+0000"/></effectiveTime></serviceEvent></documentationOf>`,
    `<component><structuredBody>${body(documents)}</structuredBody></component>`,
    '</ClinicalDocument>',
    '',
  ].join('\n');
  return Buffer.from(text);
}

function recordTarget({ value, oid, family, given, gender, birthDate, birthPlace }: Order['patient']): string {
  const [sex, display] = { male: ['M', 'Masculin'], female: ['F', 'Féminin'], unknown: ['U', 'Inconnu'] }[gender];
  return [
    '<recordTarget><patientRole>',
    `<id root="${escapeAttribute(oid)}" extension="${escapeAttribute(value)}"/>`,
    '<addr nullFlavor="NASK"/><telecom nullFlavor="NASK"/><patient>',
    `<name><family qualifier="BR">${escapeText(family)}</family><given>${escapeText(given)}</given></name>`,
    `<administrativeGenderCode code="${sex}" codeSystem="2.16.840.1.113883.5.1" displayName="${display}"/>`,
    `<birthTime value="${escapeAttribute(birthDate.replaceAll('-', ''))}"/>`,
    birthPlace === undefined
      ? ''
      : `<birthplace><place><addr><county>${escapeText(birthPlace)}</county></addr></place></birthplace>`,
    '</patient></patientRole></recordTarget>',
  ].join('');
}

/** No person wrote it: the source did. */
function device({ repositoryUniqueId }: DocumentEntry, writtenAt: string): string {
  return (
    `<author><time value="${writtenAt}+0000"/><assignedAuthor><id root="${escapeAttribute(repositoryUniqueId)}"/>` +
    '<assignedAuthoringDevice><softwareName>OpenDMP</softwareName></assignedAuthoringDevice></assignedAuthor></author>'
  );
}

function organisation({ repositoryUniqueId }: DocumentEntry): string {
  return `<id root="${escapeAttribute(repositoryUniqueId)}"/><name>OpenDMP</name>`;
}

function body(documents: readonly DocumentEntry[]): string {
  const listed = new Set(sections.flatMap(({ classes }) => classes));
  const written = sections.flatMap(({ classes, code, title }) => {
    const held = documents.filter(({ classCode }) =>
      classes.length === 0 ? !listed.has(classCode.code) : classes.includes(classCode.code),
    );
    return held.length === 0 ? [] : [section(code, title, table(held))];
  });
  return written.length === 0
    ? section(loinc('60591-5', 'Synthèse médicale'), 'Synthèse', '<paragraph>Aucun document.</paragraph>')
    : written.join('');
}

function section(code: Code, title: string, text: string): string {
  return `<component><section>${coded('code', code)}<title>${escapeText(title)}</title><text>${text}</text></section></component>`;
}

function table(documents: readonly DocumentEntry[]): string {
  const head = ['Date', 'Titre', 'Type', 'Auteur'].map((name) => `<th>${name}</th>`).join('');
  const rows = documents.map((entry) => {
    const { serviceStartTime = entry.creationTime, title, typeCode, authors } = entry;
    const cells = [
      serviceStartTime === undefined ? '' : dateTimeOf(serviceStartTime).slice(0, 10),
      title?.value ?? '',
      typeCode.display ?? typeCode.code,
      authors
        .map(({ person, institutions: [place] }) =>
          person === undefined ? (place?.name ?? '') : [person.family, person.given].filter(Boolean).join(' '),
        )
        .join(', '),
    ];
    return `<tr>${cells.map((cell) => `<td>${escapeText(cell)}</td>`).join('')}</tr>`;
  });
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function coded(element: string, { code, system, display }: Code): string {
  const named = display === undefined ? '' : ` displayName="${escapeAttribute(display)}"`;
  return `<${element} code="${escapeAttribute(code)}" codeSystem="${escapeAttribute(system)}"${named}/>`;
}

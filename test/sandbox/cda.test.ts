import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { documentType } from '../../server/cda/document-types.ts';
import { readCda, unwrapCda } from '../../server/cda/header.ts';
import { type CdaAuthor, type ClinicalDocument, writeCda } from '../../server/sandbox/cda.ts';
import { describe as describeDocument, TypeUnknown } from '../../server/sandbox/metadata.ts';
import { writePdf } from '../../server/sandbox/pdf.ts';
import { patientOf, personOf, type SandboxPatient } from '../../server/sandbox/people.ts';

const patient = patientOf('laurent') as SandboxPatient;
const by = (slug: string) => personOf(slug) as CdaAuthor;
const consultation: ClinicalDocument = {
  id: '1.2.250.1.999.1.3.9001',
  typeCode: { code: '11488-4', system: '2.16.840.1.113883.6.1', display: 'CR ou fiche de consultation ou de visite' },
  title: 'Consultation <urgente> & suite',
  writtenAt: Date.parse('2026-01-12T09:45:00Z'),
  serviceAt: Date.parse('2026-01-12T09:00:00Z'),
  patient,
  author: by('dr-martin'),
  content: { kind: 'nonXml', mediaType: 'application/pdf', bytes: writePdf('Consultation', ['Une ligne']) },
};
const laboratory: ClinicalDocument = {
  ...consultation,
  typeCode: { code: '11502-2', system: '2.16.840.1.113883.6.1', display: 'CR d’examens biologiques' },
  author: by('labo-centre'),
  content: {
    kind: 'laboratory',
    chapters: [
      {
        code: '18719-5',
        title: 'Biochimie',
        results: [{ code: '2345-7', name: 'Glucose', value: 1.18, unit: 'g/L', range: [0.7, 1.1] }],
      },
    ],
  },
};

describe('a CDA that was written', () => {
  test('says in its header what it was made of', () => {
    expect(readCda(writeCda(consultation))).toMatchObject({
      uniqueId: '1.2.250.1.999.1.3.9001',
      typeCode: consultation.typeCode,
      title: 'Consultation <urgente> & suite',
      effectiveTime: '20260112094500',
      serviceStart: '20260112090000',
      languageCode: 'fr-FR',
      patient: {
        id: { value: patient.ins, oid: patient.insOid },
        family: 'LAURENT',
        gender: 'M',
        birthTime: '19610514',
      },
      authors: [{ id: { value: '899970000016', oid: '1.2.250.1.71.4.2.1' }, family: 'MARTIN', given: 'Hélène' }],
      legalAuthenticator: { id: { value: '899970000016', oid: '1.2.250.1.71.4.2.1' } },
      facility: { code: 'SA07', system: '1.2.250.1.71.4.2.4' },
      setting: { code: 'AMBULATOIRE', system: '1.2.250.1.213.1.1.4.9' },
      nonXmlType: 'application/pdf',
    });
  });

  test('gives back the bytes inside', () => {
    const { content } = consultation;
    expect(unwrapCda(writeCda(consultation))).toEqual(content.kind === 'nonXml' ? content.bytes : undefined);
  });

  test('of a laboratory has a structured body with nothing to unwrap', () => {
    const bytes = writeCda(laboratory);
    expect(unwrapCda(bytes)).toBeUndefined();
    expect(Buffer.from(bytes).toString()).toContain(
      '<value xsi:type="PQ" value="1.18" unit="g/L"/><interpretationCode code="H"',
    );
    expect(readCda(bytes)?.templates).toContain('1.3.6.1.4.1.19376.1.3.3');
  });

  test('is the same twice, and well-formed for another reader', () => {
    expect(writeCda(laboratory)).toEqual(writeCda(laboratory));
    const lint = spawnSync('xmllint', ['--noout', '-'], { input: writeCda(laboratory) });
    if (lint.error) process.stdout.write('xmllint not found: skipped\n');
    else expect(lint.status).toBe(0);
  });
});

describe('bytes from elsewhere', () => {
  test('with a stylesheet before the root are a CDA still', () => {
    const text = Buffer.from(writeCda(consultation)).toString();
    const styled = text.replace('?>\n', '?>\n<?xml-stylesheet type="text/xsl" href="cda.xsl"?>\n');
    expect(readCda(Buffer.from(styled))?.uniqueId).toBe('1.2.250.1.999.1.3.9001');
  });

  test.each([
    ['20260112104500+0100', '20260112094500'],
    ['20260112024500.000-0730', '20260112101500'],
    ['202601121045', '202601121045'],
    ['20260112', '20260112'],
    ['202601', '202601'],
  ])('the time %s is %s in UTC', (written, expected) => {
    const text = Buffer.from(writeCda(consultation)).toString();
    const changed = text.replace('<effectiveTime value="20260112094500+0000"/>', `<effectiveTime value="${written}"/>`);
    expect(readCda(Buffer.from(changed))?.effectiveTime).toBe(expected);
  });

  test.each(['plain text', '%PDF-1.4', '<ClinicalDocument/>', '<ClinicalDocument xmlns="urn:hl7-org:v3"/>', ''])(
    '%p is no CDA',
    (text) => {
      expect(readCda(Buffer.from(text))).toBeUndefined();
    },
  );
});

describe('metadata', () => {
  const filing = (document: ClinicalDocument, slug: string) => {
    const bytes = writeCda(document);
    const facts = readCda(bytes);
    if (facts === undefined) throw new Error('no CDA');
    const uuids = { entryUuid: crypto.randomUUID(), setUuid: crypto.randomUUID(), setUniqueId: '2.25.1' };
    return { bytes, facts, depositor: by(slug), patient, ...uuids, at: consultation.writtenAt };
  };

  test('of a PDF inside', () => {
    expect(describeDocument(filing(consultation, 'dr-martin')).entry).toMatchObject({
      classCode: { code: '10', system: '1.2.250.1.213.1.1.4.1' },
      formatCode: { code: 'urn:ihe:iti:xds-sd:pdf:2008' },
      practiceSettingCode: { code: 'AMBULATOIRE' },
      healthcareFacilityTypeCode: { code: 'SA07' },
    });
  });

  test('of a laboratory report, filed by the laboratory', () => {
    const { entry, set } = describeDocument(filing(laboratory, 'labo-centre'));
    expect(entry.formatCode.code).toBe('urn:ihe:lab:xd-lab:2008');
    expect(set.contentTypeCode.code).toBe('26');
    expect(set.authors[0]?.institutions[0]?.id).toBe('1990000028');
  });

  test('of a type that the DMP does not know are refused', () => {
    const typeCode = { code: '99999-9', system: '2.16.840.1.113883.6.1' };
    expect(() => describeDocument({ ...filing(consultation, 'dr-martin'), typeCode })).toThrow(TypeUnknown);
    expect(documentType('EXPPAT_1')?.classCode.code).toBe('90');
  });
});

test('a PDF points at its own objects', () => {
  const pdf = Buffer.from(writePdf('Titre (1)', ['Événement – fin'])).toString('latin1');
  const start = Number(/startxref\n(\d+)/.exec(pdf)?.[1]);
  expect(pdf.slice(start, start + 4)).toBe('xref');
  const offsets = [...pdf.slice(start).matchAll(/(\d{10}) 00000 n/g)].map((m) => Number(m[1]));
  expect(offsets.map((at, i) => pdf.startsWith(`${i + 1} 0 obj`, at))).toEqual([true, true, true, true, true]);
  expect(pdf).toContain('(Titre \\(1\\)) Tj');
});

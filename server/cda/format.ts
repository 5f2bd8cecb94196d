import type { Code } from '../domain/code.ts';
import type { CdaFacts } from './header.ts';

const ihe = '1.3.6.1.4.1.19376.1.2.3';
const byMediaType: Readonly<Record<string, string>> = {
  'application/pdf': 'urn:ihe:iti:xds-sd:pdf:2008',
  'text/plain': 'urn:ihe:iti:xds-sd:text:2008',
  'text/rtf': 'urn:ihe:iti-fr:xds-sd:rtf:2010',
  'image/jpeg': 'urn:ihe:iti-fr:xds-sd:jpeg:2010',
  'image/tiff': 'urn:ihe:iti-fr:xds-sd:tiff:2010',
};
/** Laboratory report (XD-LAB), and the imaging reports of CI-SIS and DICOM PS3.20. */
const byTemplate: Readonly<Record<string, string>> = {
  '1.3.6.1.4.1.19376.1.3.3': 'urn:ihe:lab:xd-lab:2008',
  '1.2.250.1.213.1.1.1.45': 'urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013',
  '1.2.840.10008.9.1': 'urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013',
};

/** By the body for level 1, by the model for level 3; any other is beyond the profiles. JDV_J60-FormatCode-DMP. */
export function formatOf({ nonXmlType = '', templates }: CdaFacts): Code {
  const model = templates.find((template) => Object.hasOwn(byTemplate, template));
  const code = Object.hasOwn(byMediaType, nonXmlType) ? byMediaType[nonXmlType] : byTemplate[model ?? ''];
  return code === undefined
    ? { code: 'urn:asipSante:modelesHorsProfils:2011', system: '1.2.250.1.213.1.1.4.2.282' }
    : { code, system: ihe };
}

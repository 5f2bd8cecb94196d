import type { EntryDraft } from '../document.ts';

/** Whether the entry is the signature document of a submission set, by its codes. IHE DSG; DMP TD2.1, signature du lot. */
export function isLotSignature({
  classCode,
  typeCode,
  formatCode,
}: Pick<EntryDraft, 'classCode' | 'typeCode' | 'formatCode'>): boolean {
  return (
    classCode?.code === 'urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1' &&
    typeCode?.code === 'E1762' &&
    typeCode.system === 'ASTM' &&
    (formatCode?.code === 'http://www.w3.org/2000/09/xmldsig#' || formatCode?.code === 'urn:ihe:iti:dsg:detached:2014')
  );
}

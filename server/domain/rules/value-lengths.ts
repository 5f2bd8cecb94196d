import type { Code } from '../code.ts';
import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { writeCx, writeCxi, writePidLine, writeRecipient, writeXcn, writeXon, writeXtn } from '../hl7v2.ts';
import type { Author } from '../people.ts';

type Written = readonly [attribute: string, texts: readonly (string | undefined)[]];

/** The longest slot value, code or identifier of ebRIM 3.0 (LongName). */
const LONGEST = 256;

/**
 * What does not come as ebRIM fits into it, so that what is returned is valid: no person, organisation, identifier or code is longer than
 * a slot value. IHE ITI TF-3 4.2.3.1.1, 4.2.3.1.7; ebXML RegRep 3.0 rim §2.5 (LongName).
 */
export function valueLengths({ sets, entries, folders }: Submission): Problem[] {
  const ofSets = sets.flatMap((set) =>
    tooLong(set.id, [
      ['patientId', [set.patientId && writeCx(set.patientId)]],
      ...ofAuthors(set.authors),
      ['intendedRecipient', (set.intendedRecipients ?? []).map(writeRecipient)],
      ['contentTypeCode', ofCodes([set.contentTypeCode])],
    ]),
  );
  const ofEntries = entries.flatMap((entry) =>
    tooLong(entry.id, [
      ['patientId', [entry.patientId && writeCx(entry.patientId)]],
      ['sourcePatientId', [entry.sourcePatientId && writeCx(entry.sourcePatientId)]],
      ['sourcePatientInfo', (entry.sourcePatientInfo ?? []).map(writePidLine)],
      ...ofAuthors(entry.authors),
      ['legalAuthenticator', [entry.legalAuthenticator && writeXcn(entry.legalAuthenticator)]],
      ['referenceIdList', (entry.referenceIds ?? []).map(writeCxi)],
      ['classCode', ofCodes([entry.classCode])],
      ['typeCode', ofCodes([entry.typeCode])],
      ['formatCode', ofCodes([entry.formatCode])],
      ['healthcareFacilityTypeCode', ofCodes([entry.healthcareFacilityTypeCode])],
      ['practiceSettingCode', ofCodes([entry.practiceSettingCode])],
      ['confidentialityCode', ofCodes(entry.confidentialityCodes)],
      ['eventCodeList', ofCodes(entry.eventCodes)],
    ]),
  );
  const ofFolders = folders.flatMap((folder) => tooLong(folder.id, [['codeList', ofCodes(folder.codes)]]));
  return [...ofSets, ...ofEntries, ...ofFolders];
}

function ofAuthors(authors: readonly Author[] = []): Written[] {
  return [
    ['authorPerson', authors.map(({ person }) => person && writeXcn(person))],
    ['authorInstitution', authors.flatMap(({ institutions }) => institutions.map(writeXon))],
    ['authorRole', authors.flatMap(({ roles }) => roles)],
    ['authorSpecialty', authors.flatMap(({ specialties }) => specialties)],
    ['authorTelecommunication', authors.flatMap(({ telecommunications }) => telecommunications.map(writeXtn))],
  ];
}

function ofCodes(codes: readonly (Code | undefined)[] = []): string[] {
  return codes.flatMap((held) => (held === undefined ? [] : [held.code, held.system]));
}

function tooLong(object: string, written: readonly Written[]): Problem[] {
  return written.flatMap(([attribute, texts]) =>
    texts
      .filter((text) => text !== undefined && text.length > LONGEST)
      .map((value) =>
        problem('attributeMalformed', {
          attribute,
          object,
          ...(value !== undefined && { value }),
          detail: `longer than ${LONGEST} characters`,
        }),
      ),
  );
}

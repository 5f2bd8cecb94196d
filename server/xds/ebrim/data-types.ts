import type { AssociationDraft } from '../../domain/document.ts';
import { readCx, readCxi, readPidLine, readRecipient, readXcn, readXon, readXtn } from '../../domain/hl7v2.ts';
import { associationUrn, availabilityUrn, statusUrn } from '../vocabulary.ts';
import { type DataType, keyOf } from './registry-object.ts';

export const cx = { read: readCx, form: 'a CX, id^^^&OID&ISO' };
export const cxi = { read: readCxi, form: 'a CXi, id^^^&OID&ISO^URN of its type' };
export const xcn = {
  read: readXcn,
  form: 'an XCN, id^family name^given name^^^^^^&OID&ISO, with an id or a family name, and an authority only with an id',
};
export const xon = {
  read: readXon,
  form: 'an XON, name^^^^^&OID&ISO^^^^id, with a name, and with an authority where the id is no OID',
};
export const xtn = { read: readXtn, form: 'an XTN, ^use^PH^^country^area^number or ^NET^Internet^address' };
export const recipient = { read: readRecipient, form: 'XON|XCN|XTN with one of them at least' };
export const pidLine = { read: readPidLine, form: 'PID-n|value, where n is none of 2, 4, 12 and 19' };

export const size: DataType<number> = {
  read: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
  form: 'a number of bytes in digits',
};

/** The names that a table gives to URNs. */
function oneOf<K extends string>(table: Readonly<Record<K, string>>): DataType<K> {
  return { read: (text) => keyOf(table, text), form: `one of ${Object.values(table).join(', ')}` };
}

export const status = oneOf(statusUrn);
export const documentAvailability = oneOf(availabilityUrn);
export const associationType = oneOf(associationUrn);

export const submissionSetStatus: DataType<NonNullable<AssociationDraft['submissionSetStatus']>> = {
  read: (text) => (text === 'Original' || text === 'Reference' ? text : undefined),
  form: 'Original or Reference',
};
export const yesOrNo: DataType<boolean> = {
  read: (text) => (text === 'yes' ? true : text === 'no' ? false : undefined),
  form: 'yes or no',
};

import { type Problem, problem } from '../domain/error.ts';
import { professionalAuthority } from '../domain/people.ts';
import { type Message, repetitionsOf, type Segment, segmentsOf, valueAt } from './message.ts';

/** A document of a message, by the OBX that brought it. */
export type SentDocument = { readonly id: string; readonly bytes: Buffer; readonly asks: Asks };

/** What is asked for by OBX-11: F a deposit, C a replacement, D a deletion. */
export type Asks = keyof typeof asked;
const asked = { deposit: 'F', replacement: 'C', deletion: 'D' } as const;

/** Who sent it: PRT of participation SB. The structure's id as the sender writes it. */
export type SentBy = {
  readonly person?: { readonly id: string; readonly oid: string; readonly family: string; readonly given: string };
  readonly structure?: { readonly id: string; readonly type: string };
};

/** The flags that go with the documents. Volet Transmission de documents CDA-R2 en HL7 v2, table MetaDMPMSS. */
export const flags = [
  'MASQUE_PS',
  'INVISIBLE_PATIENT',
  'INVISIBLE_REP_LEGAUX',
  'CONNEXION_SECRETE',
  'MODIF_CONF_CODE',
  'DESTDMP',
] as const;
export type Flag = (typeof flags)[number];

export type DocumentMessage = {
  readonly documents: readonly SentDocument[];
  /** The OBX that point to a document of elsewhere (type RP): nothing is fetched. */
  readonly pointers: readonly string[];
  readonly set: ReadonlySet<Flag>;
  readonly by: SentBy;
  /** PV1-2, the class of the patient. */
  readonly patientClass: string;
  readonly problems: readonly Problem[];
};

/**
 * Reads the documents of an ORU^R01 or MDM: each lies in an OBX of type ED as base64 of a CDA R2, and is final (F), a replacement (C) or to be deleted (D); the
 * flags lie in OBX of the table MetaDMPMSS. A flag that is not known, or is of no table or another one, is a problem: it may have been meant to
 * hide the document.
 * Volet Transmission de documents CDA-R2 en HL7 v2.
 */
export function readDocuments(message: Message): DocumentMessage {
  const all = segmentsOf(message, 'OBX');
  const isMeta = (obx: Segment) => valueAt(message, obx, { field: 3, component: 3 }).toUpperCase() === 'METADMPMSS';
  const isFlag = (obx: Segment) => isMeta(obx) || flagOf(valueAt(message, obx, { field: 3 })) !== undefined;
  const typeOf = (obx: Segment) => valueAt(message, obx, { field: 2 });
  const problems: Problem[] = [];
  const set = readFlags(message, all.filter(isFlag), problems);
  const sent = all.filter((obx) => !isFlag(obx) && typeOf(obx) === 'ED');
  const documents = sent.flatMap((obx) => readDocument(message, obx, problems) ?? []);
  if (new Set(documents.map(({ asks }) => asks === 'deletion')).size > 1)
    problems.push(
      problem('fieldMalformed', { attribute: 'OBX-11', value: 'D', detail: 'one message deletes or deposits' }),
    );
  if (sent.length === 0)
    problems.push(problem('segmentMissing', { attribute: 'OBX', detail: 'none of type ED brings a document' }));
  if (set.has('MODIF_CONF_CODE') && documents.some(({ asks }) => asks === 'deposit'))
    problems.push(
      problem('fieldMalformed', {
        attribute: 'OBX-11',
        value: 'F',
        detail: 'MODIF_CONF_CODE goes with a replacement (C)',
      }),
    );
  const [pv1] = segmentsOf(message, 'PV1');
  const pointers = all.filter((obx) => !isFlag(obx) && typeOf(obx) === 'RP').map(nameOf);
  return {
    documents,
    pointers,
    set,
    by: readSender(message),
    patientClass: valueAt(message, pv1, { field: 2 }),
    problems,
  };
}

function nameOf({ place: { name, occurrence } }: Segment): string {
  return `${name}[${occurrence}]`;
}

function readDocument(message: Message, obx: Segment, problems: Problem[]): SentDocument | undefined {
  const object = nameOf(obx);
  if (repetitionsOf(message, obx, 5).length > 1) {
    const detail = 'one OBX brings one document';
    problems.push(problem('partRepeated', { attribute: 'OBX-5', object, detail }));
    return undefined;
  }
  const status = valueAt(message, obx, { field: 11 });
  const encoding = valueAt(message, obx, { field: 5, component: 4 });
  const data = valueAt(message, obx, { field: 5, component: 5 }).replace(/\s+/g, '');
  const before = problems.length;
  const asks = (['deposit', 'replacement', 'deletion'] as const).find((name) => asked[name] === status);
  if (asks === undefined) {
    const detail = 'F for a final document, C for a replacement, D for a deletion';
    problems.push(problem('tableValueUnknown', { attribute: 'OBX-11', object, value: status, detail }));
  }
  if (encoding.toUpperCase() !== 'BASE64')
    problems.push(problem('tableValueUnknown', { attribute: 'OBX-5.4', object, value: encoding, detail: 'Base64' }));
  else if (data === '') problems.push(problem('fieldMissing', { attribute: 'OBX-5.5', object }));
  else if (data.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(data))
    problems.push(
      problem('fieldMalformed', { attribute: 'OBX-5.5', object, value: data.slice(0, 20), detail: 'no base64' }),
    );
  if (asks === undefined || problems.length > before) return undefined;
  return { id: object, bytes: Buffer.from(data, 'base64'), asks };
}

/** Names of flags besides those that concern the DMP; the older name of the third is read too. */
const others = [
  'DESTMSSANTEPS',
  'DESTMSSANTEPAT',
  'ACK_RECEPTION',
  'ACK_LECTURE',
  'ACK_LECTURE_MSS',
  'CORPSMAIL_PS',
  'CORPSMAIL_PATIENT',
  'REPLY_TO',
];
const otherNames: ReadonlyMap<string, Flag> = new Map([['INVISIBLE_REPRESENTANTS_LEGAUX', 'INVISIBLE_REP_LEGAUX']]);

function flagOf(name: string): Flag | undefined {
  return otherNames.get(name) ?? flags.find((known) => known === name);
}

function readFlags(message: Message, segments: readonly Segment[], problems: Problem[]): Set<Flag> {
  const told = new Map<Flag, string>();
  for (const obx of segments) {
    const object = nameOf(obx);
    const name = valueAt(message, obx, { field: 3 });
    if (others.includes(name)) continue;
    const flag = flagOf(name);
    const value = valueAt(message, obx, { field: 5 });
    const table = valueAt(message, obx, { field: 3, component: 3 });
    if (flag === undefined)
      problems.push(problem('tableValueUnknown', { attribute: 'OBX-3', object, value: name, detail: 'MetaDMPMSS' }));
    else if (table.toUpperCase() !== 'METADMPMSS')
      problems.push(
        problem('tableValueUnknown', {
          attribute: 'OBX-3.3',
          object,
          value: table,
          detail: `${name} is of the table MetaDMPMSS`,
        }),
      );
    else if (repetitionsOf(message, obx, 5).length > 1)
      problems.push(problem('partRepeated', { attribute: 'OBX-5', object, detail: `${name} is Y or N` }));
    else if (value !== 'Y' && value !== 'N')
      problems.push(problem('tableValueUnknown', { attribute: 'OBX-5', object, value, detail: `${name} is Y or N` }));
    else if ((told.get(flag) ?? value) !== value)
      problems.push(
        problem('fieldMalformed', { attribute: 'OBX-5', object, value, detail: `${name} is told twice and otherwise` }),
      );
    else told.set(flag, value);
  }
  if (told.get('DESTDMP') === 'N')
    problems.push(
      problem('tableValueUnknown', {
        attribute: 'OBX-5',
        value: 'N',
        detail: 'DESTDMP: the document is not for the DMP',
      }),
    );
  return new Set([...told].flatMap(([flag, value]) => (value === 'Y' ? [flag] : [])));
}

function readSender(message: Message): SentBy {
  const sb = segmentsOf(message, 'PRT').find((prt) => valueAt(message, prt, { field: 4 }) === 'SB');
  const at = (field: number, component: number, subcomponent = 1) =>
    valueAt(message, sb, { field, component, subcomponent });
  const [id, family, structure] = [at(5, 1), at(5, 2), at(8, 10)];
  const oid = at(5, 9, 2) === '' ? professionalAuthority : at(5, 9, 2);
  return {
    ...(id !== '' && family !== '' && { person: { id, oid, family, given: at(5, 3) } }),
    ...(structure !== '' && { structure: { id: structure, type: at(8, 7) } }),
  };
}

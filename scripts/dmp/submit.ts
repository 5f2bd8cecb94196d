import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { documentType } from '../../server/cda/document-types.ts';
import { readCda } from '../../server/cda/header.ts';
import type { Association, DocumentEntry, SubmissionSet, VisibilityCode } from '../../server/domain/document.ts';
import { oidOfUuid } from '../../server/domain/identifier.ts';
import { provideBundleOf } from '../../server/fhir/map/provide-bundle.ts';
import { writeCda } from '../../server/sandbox/cda.ts';
import { type Depositor, describe, type Filed, TypeUnknown } from '../../server/sandbox/metadata.ts';
import { patientOf, type SandboxPatient, testInsOid } from '../../server/sandbox/people.ts';
import { writeAssociation, writeDocument, writeSubmissionSet } from '../../server/xds/ebrim/write.ts';
import { action, namespace } from '../../server/xds/vocabulary.ts';
import {
  type Acting,
  actingOf,
  cxOf,
  type Listed,
  lineOf,
  Misused,
  type Options,
  oneOf,
  pathOf,
  print,
  subjectOf,
  text,
} from './call.ts';
import { vihfOf } from './credential.ts';
import { openSession } from './fhir.ts';
import { send } from './soap.ts';

const hiding: Readonly<Record<'patient' | 'professionals', VisibilityCode>> = {
  patient: 'INVISIBLE_PATIENT',
  professionals: 'MASQUE_PS',
};

/** The largest file that is taken in one piece. */
const largest = 256 * 1024 * 1024;

/** Deposits one file by ITI-41, or by ITI-65. IHE ITI TF-2 3.41; IHE MHD 2:3.65. */
export async function submitFile(options: Options, [file = '']: readonly string[]): Promise<void> {
  const acting = actingOf(options);
  const patient = subjectOf(acting);
  const isFhir = oneOf(options, 'via', ['xds', 'fhir']) === 'fhir';
  const filed = describeFile(options, acting, patient, readWhole(file), file);
  await (isFhir ? byFhir : byXds)({ ...acting, patient }, filed);
  const { entry } = filed.metadata;
  const listed: Listed = {
    uniqueId: entry.uniqueId,
    entryUUID: entry.entryUUID,
    title: entry.title?.value ?? '',
    type: entry.typeCode.code,
    status: entry.status,
  };
  print(options['json'] === true ? JSON.stringify(listed) : lineOf(listed));
}

type Described = { readonly bytes: Uint8Array; readonly metadata: Filed };

async function byXds(acting: Acting & { readonly patient: string }, { bytes, metadata }: Described): Promise<void> {
  await send({
    path: '/xds/repository',
    action: action.iti41[0],
    assertion: vihfOf(acting),
    body: requestOf(metadata),
    parts: [{ contentId: 'document@dmp', mediaType: 'text/xml', bytes }],
  });
}

async function byFhir(acting: Acting, { bytes, metadata: { entry, set } }: Described): Promise<void> {
  const documents = [{ entry, bytes, binary: `urn:uuid:${randomUUID()}` }];
  const session = await openSession(acting);
  await session.provide(provideBundleOf({ set, documents, folders: [], associations: [memberOf(set, entry)] }));
}

function readWhole(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(pathOf(file));
  } catch (error) {
    throw new Misused(`${file} cannot be read: ${Error.isError(error) ? error.message : String(error)}`);
  }
  if (bytes.length > largest)
    throw new Misused(`${file} is larger than 256 MiB: send it by MTOM with a program that streams`);
  return bytes;
}

function describeFile(options: Options, { person }: Acting, ins: string, bytes: Buffer, file: string): Described {
  if (person.kind !== 'professional' && person.kind !== 'structure')
    throw new Misused(`${person.slug} has no card to deposit with`);
  const patient = patientOf(ins) ?? strangerOf(ins);
  const title = text(options, 'title');
  const type = text(options, 'type');
  const given = readCda(bytes);
  const cda = given === undefined ? wrapped(bytes, file, { title, type, patient, author: person }) : bytes;
  const facts = given ?? readCda(cda);
  if (facts === undefined) throw new Misused(`${file} could not be wrapped`);
  const hide = oneOf(options, 'hide', ['patient', 'professionals']);
  try {
    const metadata = describe({
      bytes: cda,
      facts,
      depositor: person,
      patient,
      ...(hide !== undefined && { hide: hiding[hide] }),
      ...(type !== undefined && { typeCode: { ...facts.typeCode, code: type } }),
      ...(title !== undefined && { title }),
      entryUuid: randomUUID(),
      setUuid: randomUUID(),
      setUniqueId: oidOfUuid(randomUUID()),
      at: Date.now(),
    });
    return { bytes: cda, metadata };
  } catch (error) {
    if (error instanceof TypeUnknown)
      throw new Misused(`The DMP knows no type "${error.message}": give another one with --type`);
    throw error;
  }
}

type Wrapping = {
  readonly title: string | undefined;
  readonly type: string | undefined;
  readonly patient: SandboxPatient;
  readonly author: Depositor;
};

function wrapped(bytes: Buffer, file: string, { title, type = '11488-4', patient, author }: Wrapping): Uint8Array {
  const mediaType = mediaTypeOf(bytes);
  if (mediaType === undefined) throw new Misused(`${file} is neither a CDA, nor text, RTF, PDF, JPEG, PNG or TIFF`);
  const coded = documentType(type);
  if (coded === undefined) throw new Misused(`The DMP knows no type "${type}": give another one with --type`);
  return writeCda({
    id: oidOfUuid(randomUUID()),
    typeCode: coded.typeCode,
    title: title ?? basename(file, extname(file)),
    writtenAt: Date.now(),
    serviceAt: Date.now(),
    patient,
    author,
    content: { kind: 'nonXml', mediaType, bytes },
  });
}

const signatures = [
  ['application/pdf', '255044462d'],
  ['image/jpeg', 'ffd8ff'],
  ['image/png', '89504e470d0a1a0a'],
  ['image/tiff', '49492a00'],
  ['image/tiff', '4d4d002a'],
  ['text/rtf', '7b5c727466'],
] as const;

/** By the first bytes; anything else that is UTF-8 without controls is text. */
function mediaTypeOf(bytes: Buffer): string | undefined {
  const start = bytes.toString('hex', 0, 16);
  const known = signatures.find(([, signature]) => start.startsWith(signature));
  if (known !== undefined) return known[0];
  const plain = new TextDecoder('utf-8').decode(bytes);
  return bytes.length > 0 && !/(?![\t\n\r\f])\p{Cc}|\ufffd/u.test(plain) ? 'text/plain' : undefined;
}

/** Someone of whom only the matricule is known. */
function strangerOf(ins: string): SandboxPatient {
  return {
    slug: ins,
    kind: 'patient',
    display: ins,
    family: 'NON RENSEIGNE',
    given: 'NON RENSEIGNE',
    gender: ins.startsWith('1') ? 'male' : 'female',
    birthDate: '1900-01-01',
    birthPlace: ins.slice(5, 10),
    ins,
    insOid: testInsOid,
    insCx: cxOf(ins),
    record: 'none',
  };
}

function memberOf(set: SubmissionSet, entry: DocumentEntry): Association {
  return {
    entryUUID: `urn:uuid:${randomUUID()}`,
    type: 'HasMember',
    source: set.entryUUID,
    target: entry.entryUUID,
    status: 'approved',
    submissionSetStatus: 'Original',
    extra: [],
  };
}

function requestOf({ entry, set }: Filed): string {
  const member = memberOf(set, entry);
  return (
    `<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds="${namespace.xds}" xmlns:lcm="${namespace.lcm}" xmlns:rim="${namespace.rim}">` +
    `<lcm:SubmitObjectsRequest><rim:RegistryObjectList>${writeDocument(entry)}${writeSubmissionSet(set)}${writeAssociation(member)}` +
    '</rim:RegistryObjectList></lcm:SubmitObjectsRequest>' +
    `<xds:Document id="${entry.entryUUID}"><xop:Include xmlns:xop="${namespace.xop}" href="cid:document@dmp"/></xds:Document>` +
    '</xds:ProvideAndRegisterDocumentSetRequest>'
  );
}

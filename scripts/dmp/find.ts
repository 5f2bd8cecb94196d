import { testInsOid } from '../../server/sandbox/people.ts';
import { statusUrn } from '../../server/xds/vocabulary.ts';
import { type Acting, actingOf, cxOf, type Listed, lineOf, type Options, oneOf, print, subjectOf } from './call.ts';
import { bare, type DocumentReference, openSession } from './fhir.ts';
import { listed, query, quoted } from './registry.ts';

/** Lists the current documents of a record: those who have no card ask by FHIR. */
export async function findDocuments(options: Options): Promise<void> {
  const acting = actingOf(options);
  const patient = subjectOf(acting);
  const found = carrierOf(options, acting) === 'fhir' ? await byFhir(acting, patient) : await byXds(acting, patient);
  if (options['json'] === true) print(JSON.stringify(found, undefined, 2));
  else for (const document of found) print(lineOf(document));
}

/** XDS unless FHIR is asked for, or nothing else is possible. @throws Misused */
export function carrierOf(options: Options, { person }: Acting): 'xds' | 'fhir' {
  const hasCard = person.kind === 'professional' || person.kind === 'structure';
  return oneOf(options, 'via', ['xds', 'fhir']) ?? (hasCard ? 'xds' : 'fhir');
}

async function byXds(acting: Acting, patient: string): Promise<Listed[]> {
  const entries = await query({ ...acting, patient }, 'FindDocuments', {
    $XDSDocumentEntryPatientId: quoted(cxOf(patient)),
    $XDSDocumentEntryStatus: listed(statusUrn.approved),
  });
  return entries.map(({ id, uniqueId = '', title, typeCode, status = '' }) => ({
    uniqueId,
    entryUUID: id,
    title: title?.value ?? '',
    type: typeCode?.code ?? '',
    status,
  }));
}

async function byFhir(acting: Acting, patient: string): Promise<Listed[]> {
  const session = await openSession({ ...acting, patient });
  const found = await session.documents({
    'patient.identifier': `urn:oid:${testInsOid}|${patient}`,
    status: 'current',
  });
  return found.map(listedOf);
}

const statuses: Readonly<Record<string, string>> = { current: 'approved', superseded: 'deprecated' };

function listedOf({ masterIdentifier, identifier = [], status = '', type, content }: DocumentReference): Listed {
  return {
    uniqueId: bare(masterIdentifier?.value),
    entryUUID: identifier.find(({ value = '' }) => value.startsWith('urn:uuid:'))?.value ?? '',
    title: content?.[0]?.attachment?.title ?? '',
    type: type?.coding?.[0]?.code ?? '',
    status: statuses[status] ?? status,
  };
}

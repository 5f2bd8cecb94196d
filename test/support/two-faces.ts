import type { Bundle, FhirResource } from 'fhir/r4.js';
import type { Submission } from '../../server/domain/document.ts';
import { provideBundleOf } from '../../server/fhir/map/provide-bundle.ts';
import { readProvideBundle } from '../../server/fhir/read/provide-bundle.ts';
import { readSubmission } from '../../server/xds/ebrim/read.ts';
import { writeAssociation, writeDocument, writeFolder, writeSubmissionSet } from '../../server/xds/ebrim/write.ts';
import { namespace } from '../../server/xds/vocabulary.ts';
import { defaultXmlLimits, parseXml } from '../../server/xml/read.ts';
import type { Generated } from './submissions.ts';

/** What was expected, and what came out. */
export type Compared = readonly [expected: unknown, got: unknown];

/** XDS → FHIR → XDS: the objects that are written in ebRIM after the way through FHIR, in any order, and the problems found. */
export function xdsFhirXds(sent: Generated): Compared {
  const { submission, problems } = fromFhir(toFhir(sent));
  return [
    { xml: toXds(sent).sort(), problems: [] },
    { xml: toXds(generatedOf(submission)).sort(), problems },
  ];
}

/** FHIR → XDS → FHIR: the Bundle that is written after the way through ebRIM. */
export function fhirXdsFhir(sent: Generated): Compared {
  const list = `<rim:RegistryObjectList xmlns:rim="${namespace.rim}">${toXds(sent).join('')}</rim:RegistryObjectList>`;
  const { submission, problems } = readSubmission(parseXml(list, defaultXmlLimits));
  const bundle = toFhir(sent);
  const again = toFhir(generatedOf(fromFhir(bundle).submission));
  return [
    { bundle, again: bundle, problems: [] },
    { bundle: toFhir(generatedOf(submission)), again, problems },
  ];
}

function toXds({ set, entries, folders, associations }: Generated): string[] {
  return [
    writeSubmissionSet(set),
    ...entries.map(writeDocument),
    ...folders.map(writeFolder),
    ...associations.map(writeAssociation),
  ];
}

function toFhir({ entries, ...rest }: Generated): Bundle<FhirResource> {
  const documents = entries.map((entry, i) => ({ entry, bytes: Buffer.from('x'), binary: `urn:uuid:binary-${i}` }));
  return JSON.parse(JSON.stringify(provideBundleOf({ ...rest, documents }))) as Bundle<FhirResource>;
}

function fromFhir(bundle: Bundle<FhirResource>) {
  return readProvideBundle(bundle, { base: 'https://dmp.example.org/fhir', patients: new Map() });
}

function generatedOf({ sets, entries, folders, associations }: Submission): Generated {
  const whole = <T extends { readonly id: string }>({ id, ...rest }: T) => ({ ...rest, entryUUID: id });
  // A first version is its own logical object: leaving logicalID out and naming oneself mean the same.
  const logical = <T extends { readonly id: string }>(draft: T) => whole({ logicalID: draft.id, ...draft });
  // The writers take what is registered: every attribute that they need was generated.
  return {
    set: sets.map(whole)[0],
    entries: entries.map(logical),
    folders: folders.map(logical),
    associations: associations.map(whole),
  } as unknown as Generated;
}

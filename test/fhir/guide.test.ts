import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import type { ImplementationGuide, Resource, StructureDefinition } from '@medplum/fhirtypes';
import { invariantProblems } from '../../server/fhir/base/invariants.ts';
import type { JsonObject } from '../../server/fhir/json.ts';
import { checkProfiles } from '../../server/fhir/profile/check.ts';
import { profileTable } from '../../server/fhir/profile/table.ts';
import { consent, extensions } from '../../server/fhir/vocabulary.ts';

const folder = new URL('../../profiles/ig/', import.meta.url);
const read = (file: URL) => JSON.parse(readFileSync(file, 'utf8')) as unknown;
const resources = readdirSync(folder)
  .filter((name) => name !== 'manifest.json')
  .map((name) => read(new URL(name, folder)) as Resource);
const own = 'https://opendmp.example/fhir';
const [guide] = resources.filter((one): one is ImplementationGuide => one.resourceType === 'ImplementationGuide');
const references = guide?.definition?.resource.flatMap(({ exampleCanonical, reference }) =>
  exampleCanonical === undefined ? [] : [reference.reference],
);
const examples = resources.filter(({ resourceType, id }) => references?.includes(`${resourceType}/${id}`) === true);
const definitions = resources.filter((one): one is StructureDefinition => one.resourceType === 'StructureDefinition');

beforeAll(() => {
  const structures = read(new URL('../../profiles/fhir/structures.json', import.meta.url));
  indexStructureDefinitionBundle(structures as never);
});

describe('our own guide', () => {
  test('has an example of everything that is answered, and of each kind of consent', () => {
    expect(examples.map(({ resourceType, id }) => `${resourceType}/${id}`).toSorted()).toEqual([
      'AuditEvent/audit-example',
      'Consent/authorisation-example',
      'Consent/block-example',
      'Consent/opposition-example',
      'Consent/treating-doctor-example',
      'DocumentReference/document-example',
      'List/folder-example',
      'List/submission-set-example',
      'Patient/existence-example',
      'Patient/patient-example',
    ]);
  });

  test.each(examples.map((example) => [`${example.resourceType}/${example.id}`, example] as const))(
    '%s keeps the rules of FHIR, of our profile and of the guides that it claims',
    (_, example) => {
      expect(() => validateResource(example)).not.toThrow();
      const resource = example as unknown as JsonObject;
      expect(invariantProblems(resource)).toEqual([]);
      expect(checkProfiles(resource)).toEqual({ problems: [], warnings: [] });
      expect(example.meta?.profile?.[0]).toMatch(new RegExp(`^${own}/StructureDefinition/opendmp-`));
    },
  );

  test('is in the table of profiles, whose rows its examples do not keep by chance', () => {
    const profiles = definitions.filter(({ type }) => type !== 'Extension').map(({ url }) => url);
    expect(profileTable.filter(({ guide: of }) => of === 'OpenDMP').map(({ url }) => url)).toEqual(profiles);
    const { masterIdentifier: _, ...document } = examples.find((one) => one.resourceType === 'DocumentReference') ?? {};
    const { problems } = checkProfiles(document as JsonObject);
    expect(problems.map(({ name, about }) => [name, about.expression])).toEqual([
      ['profileElementMissing', 'DocumentReference.masterIdentifier'],
    ]);
  });

  test('defines every extension that the server writes under our base, and no other', () => {
    const written = Object.values(extensions).filter((url) => url.startsWith(own));
    const defined = definitions.filter(({ type }) => type === 'Extension').map(({ url }) => url);
    expect(defined.toSorted()).toEqual(written.toSorted());
  });

  test('names the policy of the treating doctor as the server does', () => {
    const uris = examples.flatMap((one) => (one.resourceType === 'Consent' ? (one.policy?.[0]?.uri ?? []) : []));
    expect(uris).toContain(consent.treatingDoctorPolicy);
  });
});

import { beforeEach, describe, expect, test } from '@jest/globals';
import { writeDocument } from '../../server/xds/ebrim/write.ts';
import { iti18 } from '../../server/xds/iti18.ts';
import { statusUrn, storedQuery } from '../../server/xds/vocabulary.ts';
import { openWorld } from '../support/world.ts';
import { all, handled, seen } from './handled.ts';
import { registering, type Sandbox, sound, stored } from './registered.ts';
import { memberOf } from './registry-messages.ts';

let world: Sandbox;
beforeEach(async () => {
  world = await openWorld();
});

const uniqueId = '2.999.80.1';
const original = { submissionSetStatus: 'Original' } as const;

/** Registers a sound entry, its XML changed. */
async function sent(change: (xml: string) => string) {
  const written = writeDocument(await sound(world, 'doc1', uniqueId));
  const changed = change(written);
  expect(changed).not.toBe(written);
  const { status, errors } = await registering(world, 'dr-martin', changed, memberOf('doc1', original));
  return { status, errors };
}
/** What a consumer gets of it. */
async function returned(attributes = '', home = '') {
  const query =
    `<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"${attributes}>` +
    `<query:ResponseOption returnType="LeafClass" returnComposedObjects="true"/><rim:AdhocQuery id="${storedQuery.FindDocuments}"${home}>` +
    `<rim:Slot name="$XDSDocumentEntryStatus"><rim:ValueList><rim:Value>('${statusUrn.approved}')</rim:Value></rim:ValueList></rim:Slot>` +
    '</rim:AdhocQuery></query:AdhocQueryRequest>';
  const request = world.as('dr-martin', { patient: world.ins('laurent') });
  const { body } = await handled(iti18, world, request, query);
  const { root, status } = await seen({ body });
  const entries = all(all(root, 'RegistryObjectList')[0], 'ExtrinsicObject');
  return { status, entries, entry: entries.find((one) => JSON.stringify(one).includes(uniqueId)) };
}

describe('an entry is read leniently where nothing is in doubt', () => {
  test('its parts come in any order, and go out in that of the schema', async () => {
    const last = (xml: string) => {
      const [slot = ''] = /<rim:Slot name="creationTime">.*?<\/rim:Slot>/.exec(xml) ?? [];
      return xml.replace(slot, '').replace('</rim:ExtrinsicObject>', `${slot}</rim:ExtrinsicObject>`);
    };
    expect(await sent(last)).toEqual({ status: 'Success', errors: [] });
    const { entry } = await returned();
    const order = ['Slot', 'Name', 'Description', 'VersionInfo', 'Classification', 'ExternalIdentifier'];
    const names = Object.keys(entry ?? {}).filter((name) => name !== '$');
    expect(names).toEqual(order.filter((name) => names.includes(name)));
    expect((await stored(world, uniqueId)).creationTime).toMatch(/^\d{14}$/);
  });

  test('classifications and identifiers need no id of their own, and get one', async () => {
    const without = (xml: string) => xml.replaceAll(/<rim:(Classification|ExternalIdentifier) id="[^"]*"/g, '<rim:$1');
    expect(await sent(without)).toEqual({ status: 'Success', errors: [] });
    const { entry } = await returned();
    const ids = ['Classification', 'ExternalIdentifier'].flatMap((name) =>
      all(entry, name).map((one) => one.$?.['id']),
    );
    expect([new Set(ids).size, ids.length > 5]).toEqual([ids.length, true]);
    expect(ids.every((id) => /^urn:uuid:[\da-f-]{36}$/.test(id ?? ''))).toBe(true);
  });

  test('rim:Identifiable with an xsi:type is the element of that type', async () => {
    const typed = (xml: string) =>
      xml
        .replace(
          '<rim:ExtrinsicObject',
          '<rim:Identifiable xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:type="rim:ExtrinsicObjectType"',
        )
        .replace('</rim:ExtrinsicObject>', '</rim:Identifiable>');
    expect(await sent(typed)).toEqual({ status: 'Success', errors: [] });
    expect(Object.keys((await returned()).entry ?? {})).toContain('ExternalIdentifier');
  });

  test.each([
    [
      'the name of a slot',
      (xml: string) =>
        xml
          .replace('</rim:ExtrinsicObject>', '')
          .replace(
            '<rim:Slot ',
            `<rim:Slot name="urn:example:${'x'.repeat(245)}"><rim:ValueList><rim:Value>a</rim:Value></rim:ValueList></rim:Slot><rim:Slot `,
          )
          .concat('</rim:ExtrinsicObject>'),
    ],
    [
      'a code',
      (xml: string) =>
        xml.replace(
          /nodeRepresentation="60591-5"|nodeRepresentation="[^"]+"/,
          `nodeRepresentation="${'x'.repeat(257)}"`,
        ),
    ],
    ['an identifier', (xml: string) => xml.replace(`value="${uniqueId}"`, `value="2.999.${'1'.repeat(257)}"`)],
  ])('%s beyond 256 characters is refused', async (_, change) => {
    const { status, errors } = await sent(change);
    expect(status).toBe('Failure');
    expect(errors.map(({ code }) => code)).toContain('XDSRegistryMetadataError');
    expect(errors.some(({ context }) => context.includes('longer than 256 characters'))).toBe(true);
  });
});

describe('a query is answered whole', () => {
  test.each([
    ['paging, which ebRS has and IHE has not', ' startIndex="1" maxResults="1"', ''],
    ['a federation', ' federated="true" federation="urn:example:f"', ''],
    ['the home of a community', '', ' home="urn:oid:2.999.1.2.3"'],
    ['an empty home', '', ' home=""'],
  ])('whatever it says of %s', async (_, attributes, home) => {
    const usual = await returned();
    expect(usual.entries.length).toBeGreaterThan(2);
    const { status, entries } = await returned(attributes, home);
    expect([status, entries.length]).toEqual(['Success', usual.entries.length]);
  });
});

describe('what is malformed is told with the form that it has to have', () => {
  const slotOf = (name: string, value: string) => (xml: string) =>
    xml
      .replace(new RegExp(`<rim:Slot name="${name}">.*?</rim:Slot>`), '')
      .replace(
        '<rim:Name>',
        `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${value}</rim:Value></rim:ValueList></rim:Slot><rim:Name>`,
      );
  test.each([
    ['creationTime', '20250230', 'YYYY[MM[DD[hh[mm[ss]]]]]'],
    ['serviceStartTime', '20250301101500+0100', 'without zone'],
    ['languageCode', 'french language', 'fr-FR'],
    ['hash', 'abc', '40 hexadecimal digits'],
    ['size', '-1', 'number of bytes'],
    ['sourcePatientId', '1234', 'id^^^&OID&ISO'],
    ['sourcePatientInfo', 'DUPONT', 'PID-n|value'],
    ['legalAuthenticator', '^^Paul', 'an XCN'],
    ['urn:ihe:iti:xds:2013:referenceIdList', '1234', 'a CXi'],
    ['documentAvailability', 'Online', 'urn:ihe:iti:2010:DocumentAvailability:Online'],
  ])('%s', async (attribute, value, form) => {
    const { status, errors } = await sent(slotOf(attribute, value));
    const [error] = errors.filter(({ context }) => context.includes(`"${value}"`));
    expect([status, error?.code]).toEqual(['Failure', 'XDSRegistryMetadataError']);
    expect(error?.context).toContain(attribute);
    expect(error?.context).toContain('it has to be');
    expect(error?.context).toContain(form);
  });

  test.each([
    ['$XDSDocumentEntryCreationTimeFrom', 'tomorrow', 'YYYY[MM[DD[hh[mm[ss]]]]]'],
    ['$XDSDocumentEntryTypeCode', "('11488-4')", "('code^^scheme')"],
    ['$XDSDocumentEntryAuthorPerson', '%MARTIN%', "'text'"],
    ['$XDSDocumentEntryPatientId', "'1234'", "'id^^^&OID&ISO'"],
    ['$MetadataLevel', '3', '1 or 2'],
  ])('the query parameter %s', async (parameter, value, form) => {
    const slots = Object.entries({ $XDSDocumentEntryStatus: `('${statusUrn.approved}')`, [parameter]: value }).map(
      ([name, text]) =>
        `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${text}</rim:Value></rim:ValueList></rim:Slot>`,
    );
    const query =
      '<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">' +
      `<query:ResponseOption returnType="LeafClass"/><rim:AdhocQuery id="${storedQuery.FindDocuments}">${slots.join('')}</rim:AdhocQuery></query:AdhocQueryRequest>`;
    const { errors } = await seen(
      await handled(iti18, world, world.as('dr-martin', { patient: world.ins('laurent') }), query),
    );
    expect(errors.map(({ code }) => code)).toEqual(['XDSRegistryError']);
    for (const words of [parameter, value, 'it has to be', form]) expect(errors[0]?.context).toContain(words);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DocumentReference, OperationOutcome } from 'fhir/r4.js';
import { profiles } from '../../server/fhir/vocabulary.ts';
import { bundleOf, post, resourceIn } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

/** The document of a sound Bundle with its bytes inside. */
function alone(change: (document: DocumentReference) => void = () => {}): DocumentReference {
  const bundle = bundleOf(door);
  const document = resourceIn(bundle, 'DocumentReference');
  const { data } = resourceIn(bundle, 'Binary');
  const { url: _url, ...attachment } = document.content[0]?.attachment ?? {};
  Object.assign(document.content[0] ?? {}, { attachment: { ...attachment, data } });
  document.meta = { profile: [profiles.mhdSimplifiedDocument, profiles.pdsmSimplifiedDocument] };
  delete document.identifier;
  change(document);
  return document;
}
const publish = <T>(document: DocumentReference) => post<T>(door, 'dr-martin', document, 'DocumentReference');
const issues = ({ issue }: OperationOutcome) =>
  issue.map(({ details, expression }) => `${details?.text} ${expression?.[0] ?? ''}`.trim());

describe('Simplified Publish (ITI-105)', () => {
  test('one document is stored; the answer is what a read answers', async () => {
    const sent = alone();
    const { status, headers, json } = await publish<DocumentReference>(sent);
    expect([status, headers.get('etag')]).toEqual([201, 'W/"1"']);
    const location = headers.get('location') ?? '';
    const read = await door.get<DocumentReference>('dr-martin', location);
    expect(read.json).toEqual(json);
    const { attachment } = json.content[0] ?? {};
    expect(attachment?.data).toBeUndefined();
    const { bytes } = await door.get('dr-martin', attachment?.url ?? '');
    expect(bytes.toString('base64')).toBe(sent.content[0]?.attachment.data);
  });

  test('hash and size may be left out', async () => {
    const { status, json } = await publish<DocumentReference>(
      alone(({ content: [first] }) => Object.assign(first?.attachment ?? {}, { hash: undefined, size: undefined })),
    );
    expect([status, json.content[0]?.attachment.hash?.length]).toEqual([201, 28]);
  });

  test('it replaces another', async () => {
    const first = (await publish(alone())).headers.get('location') ?? '';
    const { status } = await publish(
      alone((document) => {
        document.relatesTo = [{ code: 'replaces', target: { reference: first } }];
      }),
    );
    const now = first.replace(/\/_history\/1$/, '');
    expect([status, (await door.get<DocumentReference>('dr-martin', now)).json.status]).toEqual([201, 'superseded']);
  });

  test.each<[string, (document: DocumentReference) => void, number, string[]]>([
    [
      'no data',
      ({ content: [first] }) => Object.assign(first?.attachment ?? {}, { data: undefined }),
      422,
      ['documentMissing DocumentReference'],
    ],
    [
      'an address',
      ({ content: [first] }) => Object.assign(first?.attachment ?? {}, { url: 'https://elsewhere.example.org/1' }),
      422,
      ['attributeForbidden DocumentReference.content[0].attachment.url'],
    ],
    ['no typeCode', (document) => delete document.type, 422, ['attributeMissing DocumentReference.type']],
    [
      'an unknown element',
      (document) => Object.assign(document, { kind: 'x' }),
      400,
      ['elementUnknown DocumentReference.kind'],
    ],
  ])('is refused for %s', async (_, change, status, expected) => {
    const answer = await publish<OperationOutcome>(alone(change));
    expect([answer.status, issues(answer.json)]).toEqual([status, expected]);
  });
});

describe('a conditional create', () => {
  const condition = ({ masterIdentifier }: DocumentReference) =>
    `identifier=${encodeURIComponent(`${masterIdentifier?.system}|${masterIdentifier?.value}`)}`;
  const publishUnless = async <T = DocumentReference>(document: DocumentReference, ifNoneExist: string) =>
    door.ask<T>('DocumentReference', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/fhir+json',
        'If-None-Exist': ifNoneExist,
        Authorization: `Bearer ${await door.token('dr-martin')}`,
      },
      body: JSON.stringify(document),
    });

  test('deposits what is not there, and answers with it when it is, whatever else is sent', async () => {
    const document = alone();
    const first = await publishUnless(document, condition(document));
    expect(first.status).toBe(201);
    const held = door.world.tools.store.held().document;
    const again = await publishUnless(structuredClone({ ...document, title: undefined }), condition(document));
    expect([again.status, again.json, again.headers.get('location'), again.headers.get('etag')]).toEqual([
      200,
      first.json,
      first.headers.get('location'),
      'W/"1"',
    ]);
    expect(door.world.tools.store.held().document).toBe(held);
  });

  test('is unique: of several at the same time one deposits, the others are answered with its document', async () => {
    const document = alone();
    const answers = await Promise.all(Array.from({ length: 5 }, () => publishUnless(document, condition(document))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
  });

  test('leaves one event, which names the document', async () => {
    const document = alone();
    await publishUnless(document, condition(document));
    const before = door.world.tools.store.events().length;
    const { json } = await publishUnless(document, condition(document));
    expect(door.world.tools.store.events().slice(before)).toMatchObject([
      { action: 'submitDocuments', outcome: 'done', documents: [{ entryUUID: `urn:uuid:${json.id}` }] },
    ]);
  });

  test.each(['status=current', 'identifier=x', 'identifier=a|b&status=current', 'nonsense'])(
    'by another search is refused: %s',
    async (query) => {
      const { status, json } = await publishUnless<OperationOutcome>(alone(), query);
      expect([status, issues(json)]).toEqual([400, ['conditionNotTaken If-None-Exist']]);
    },
  );
});

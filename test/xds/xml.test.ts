import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseStringPromise } from 'xml2js';
import { attributeOf, child, childrenOf, type XmlElement } from '../../server/xml/element.ts';
import {
  decodeUtf8,
  defaultXmlLimits,
  holdsComment,
  parseXml,
  parseXmlInTurns,
  XmlRejected,
} from '../../server/xml/read.ts';
import { escapeAttribute, escapeText } from '../../server/xml/write.ts';
import { anyText } from '../support/arbitraries.ts';

const read = (source: string, limits = {}) => parseXml(source, { ...defaultXmlLimits, ...limits });

function rejection(run: () => unknown): { problem: string; detail: string } | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof XmlRejected) return { problem: error.problem, detail: error.detail };
    throw error;
  }
  return undefined;
}

describe('the tree', () => {
  const source =
    '<?xml version="1.0" encoding="utf-8"?>\n<p:a xmlns:p="urn:p" xmlns="urn:d"><b p:c="1" c="&lt;2"/>t<![CDATA[<x>]]>u<!-- no --><d xmlns=""/></p:a>\n';
  const root = read(source);

  test('names are resolved, attributes without prefix have no namespace', () => {
    const b = child(root, 'urn:d', 'b');
    expect(root).toMatchObject({ namespace: 'urn:p', local: 'a' });
    expect(b?.attributes).toEqual([
      { namespace: 'urn:p', local: 'c', value: '1' },
      { namespace: '', local: 'c', value: '<2' },
    ]);
    expect(b === undefined ? undefined : attributeOf(b, 'c')).toBe('<2');
    expect(childrenOf(root, '', 'd')).toHaveLength(1);
  });

  test('text is all text and CDATA of the element itself', () => expect(root.text).toBe('t<x>u'));

  test('offsets point at the tags', () => {
    const slices = [root, ...root.children].map(({ start, end }) => source.slice(start, end));
    expect(slices).toEqual([source.slice(source.indexOf('<p:a'), -1), '<b p:c="1" c="&lt;2"/>', '<d xmlns=""/>']);
  });

  test('declarations and parents are kept', () => {
    expect(root.declares).toEqual({ p: 'urn:p', '': 'urn:d' });
    expect(root.children.map(({ declares, parent }) => [declares, parent === root])).toEqual([
      [undefined, true],
      [{ '': '' }, true],
    ]);
  });

  test('a comment inside an element can be asked for', () => {
    expect(holdsComment(source, root)).toBe(true);
    expect(root.children.map((element) => holdsComment(source, element))).toEqual([false, false]);
  });

  test('a source read in turns gives the same tree', async () => {
    const row = '<r a="é\u{1F600}">\r\n&amp;<s/>\u{1F600}</r>';
    const large = `<t>${row.repeat(20_000)}</t>`;
    const without = (element: XmlElement): unknown => ({
      ...element,
      parent: undefined,
      children: element.children.map(without),
    });
    const limits = { ...defaultXmlLimits, attributes: 1e6 };
    expect(without(await parseXmlInTurns(large, limits))).toEqual(without(parseXml(large, limits)));
  });
});

describe('refusals by name', () => {
  const cases: Record<string, [string, string, string]> = {
    'no element': ['', 'notXml', 'root element'],
    'end of source inside a tag': ['<a', 'notXml', 'root element'],
    'wrong end tag': ['<a></b>', 'notXml', 'unexpected close tag'],
    'unbound prefix': ['<p:a/>', 'notXml', 'unbound namespace prefix'],
    'doubled attribute': ['<a b="" b=""/>', 'notXml', 'duplicate attribute'],
    'doubled attribute by two prefixes': [
      '<a xmlns:p="u" xmlns:q="u" p:b="" q:b=""/>',
      'notXml',
      'duplicate attribute',
    ],
    'white space around a namespace name': ['<a xmlns=" urn:x"/>', 'notXml', 'namespace name'],
    'control character': ['<a>\u0001</a>', 'notXml', 'disallowed character'],
    'reference to NUL': ['<a>&#0;</a>', 'notXml', 'malformed character entity'],
    'two byte order marks': ['\ufeff<a/>', 'notXml', 'byte order mark'],
    DOCTYPE: ['<!DOCTYPE a><a/>', 'xmlForbidden', 'DOCTYPE'],
    'billion laughs': ['<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>', 'xmlForbidden', 'DOCTYPE'],
    'undefined entity': ['<a>&b;</a>', 'xmlForbidden', 'entity'],
    'entity of Object.prototype': ['<a>&constructor;</a>', 'xmlForbidden', 'entity'],
    'processing instruction': ['<a><?b c?></a>', 'xmlForbidden', 'processing instruction'],
    'declaration of another encoding': ['<?xml version="1.0" encoding="UTF-16"?><a/>', 'notUtf8', 'UTF-16'],
    depth: ['<a>'.repeat(200_000), 'xmlTooLarge', '64 levels'],
    elements: [`<a>${'<b/>'.repeat(200_000)}</a>`, 'xmlTooLarge', '200000 elements'],
    'attributes of one element': [
      `<a ${Array.from({ length: 1e5 }, (_, i) => `b${i}=""`).join(' ')}/>`,
      'xmlTooLarge',
      '64 attributes',
    ],
    'attributes in all': [`<a>${'<b c="" d=""/>'.repeat(50_000)}</a>`, 'xmlTooLarge', '95000 attributes'],
    'nested namespace declarations': [
      Array.from({ length: 5000 }, (_, i) => `<a xmlns:p${i}="u${i}">`).join(''),
      'xmlTooLarge',
      'levels',
    ],
    'attribute of 20 MB': [`<a b="${'c'.repeat(2e7)}"/>`, 'xmlTooLarge', 'one attribute'],
    'text of 20 MB': [`<a>${'c'.repeat(2e7)}</a>`, 'xmlTooLarge', 'one element'],
    'text in pieces': [`<a>${`${'c'.repeat(1e5)}<b/>`.repeat(11)}</a>`, 'xmlTooLarge', 'one element'],
    'unclosed comments': [`<a>${'<!--'.repeat(50_000)}`, 'notXml', ''],
  };
  test.each(Object.keys(cases))('%s', (name) => {
    const [source = '', problem, detail] = cases[name] ?? [];
    const begun = performance.now();
    expect(rejection(() => read(source))).toEqual({ problem, detail: expect.stringContaining(detail ?? '') });
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(read('<a/>').local).toBe('a');
  });

  test('each limit holds exactly', () => {
    expect(rejection(() => read('<a><b/></a>', { depth: 2, elements: 2 }))).toBeUndefined();
    expect(rejection(() => read('<a><b/></a>', { depth: 1 }))?.problem).toBe('xmlTooLarge');
    expect(rejection(() => read('<a b="" c=""/>', { attributes: 2, attributesPerElement: 2 }))).toBeUndefined();
    expect(rejection(() => read('<a b="" c=""/>', { attributesPerElement: 1 }))?.problem).toBe('xmlTooLarge');
    expect(rejection(() => read('<a>12345</a>', { valueLength: 5 }))).toBeUndefined();
    expect(rejection(() => read('<a>123456</a>', { valueLength: 5 }))?.problem).toBe('xmlTooLarge');
  });

  test('one element may have text without limit', () => {
    const unlimitedText = { namespace: 'urn:x', local: 'Document' };
    const limits = { valueLength: 5, unlimitedText };
    expect(read('<Document xmlns="urn:x">123456</Document>', limits).text).toBe('123456');
    expect(rejection(() => read('<Document>123456</Document>', limits))?.problem).toBe('xmlTooLarge');
  });
});

describe('decoding', () => {
  test('UTF-8 with and without one byte order mark', () => {
    expect(decodeUtf8(Buffer.from('é'))).toBe('é');
    expect(decodeUtf8(Buffer.from('\ufeffé'))).toBe('é');
  });
  test.each([
    ['a broken sequence', Buffer.from([0x3c, 0xc3, 0x28])],
    ['an encoded surrogate', Buffer.from([0x3c, 0xed, 0xa0, 0x80])],
    ['UTF-16 with its mark', Buffer.from('\ufeff<a/>', 'utf16le')],
    ['UTF-16 without', Buffer.from('<a/>', 'utf16le')],
    ['big-endian UTF-16', Buffer.from('<a/>', 'utf16le').swap16()],
  ])('%s is refused', (_name, bytes) => {
    expect(rejection(() => decodeUtf8(bytes))?.problem).toBe('notUtf8');
  });
});

describe('what we write', () => {
  test('is read as it was by us and by xml2js', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const xml = `<a b="${escapeAttribute(text)}">${escapeText(text)}</a>`;
        const root = read(xml);
        expect([attributeOf(root, 'b'), root.text]).toEqual([text, text]);
        const other: unknown = await parseStringPromise(`<r>${xml}</r>`, {
          explicitCharkey: true,
          includeWhiteChars: true,
        });
        expect(other).toMatchObject({ r: { a: [{ $: { b: text } }] } });
      }),
    );
  });

  test('what XML cannot hold is left out', () => {
    expect(escapeText('a\u0000\u0008\ud800\ufffeb')).toBe('ab');
    expect(read(`<a>${escapeText(']]>&"<\r\n')}</a>`).text).toBe(']]>&"<\r\n');
  });
});

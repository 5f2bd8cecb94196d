import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { XmlElement } from '../../server/xml/element.ts';
import { readPlain } from '../../server/xml/plain.ts';
import { defaultXmlLimits, parseAnyXml, XmlRejected } from '../../server/xml/read.ts';
import { sample } from '../support/assertions.ts';

/** A tree without the way up, which has no end. */
function shown({ parent: _parent, children, declares, ...element }: XmlElement): unknown {
  return { ...element, declares: declares && Object.entries(declares), children: children.map(shown) };
}

function byTheWholeParser(source: string, limits = defaultXmlLimits): unknown {
  try {
    return shown(parseAnyXml(source, limits));
  } catch (error) {
    if (error instanceof XmlRejected) return undefined;
    throw error;
  }
}

function byThePlainReader(source: string, limits = defaultXmlLimits): unknown {
  const root = readPlain(source, limits);
  return root && shown(root);
}

const messages = ['submission.xml', 'folder-and-replacement.xml'].map((name) =>
  readFileSync(join(import.meta.dirname, 'iti41', name), 'utf8').replaceAll('\r', ''),
);
const plain = ['direct-3.0', 'secretary-3.0', 'indirect-2.0', 'air-4.0'] as const;

const parents = (element: XmlElement): boolean =>
  element.children.every((inner) => inner.parent === element && parents(inner));

describe('plain XML is read as the whole parser reads it', () => {
  test.each(plain)('assertion %s', (name) => {
    const tree = byThePlainReader(sample(name));
    expect(tree).toBeDefined();
    expect(tree).toEqual(byTheWholeParser(sample(name)));
  });

  const cases: Record<string, string> = {
    'declaration of UTF-8': '<?xml version="1.0" encoding="UTF-8"?>\n<a/>\n',
    'declaration in other quotes': "<?xml version='1.0' encoding='utf-8' standalone='yes' ?><a/>",
    'prefixes declared again inside': '<p:a xmlns:p="u"><p:b xmlns:p="v" p:c="1"><p:d/></p:b><p:b p:c="2"/></p:a>',
    'default namespace put on and off': '<a xmlns="u"><b xmlns=""><c xmlns="v"/><d/></b><e f=""/></a>',
    'xml:lang and other attributes in their order': '<a b="1" xml:lang="fr" xmlns:p="u" p:b="2" c=\'"\'/>',
    'the five entities': '<a b="&lt;&amp;&quot;&apos;&gt;">&amp;x&lt;<b/>&gt;</a>',
    'references to characters': '<a b="&#x41;&#10;">&#13;&#x1F600;&#65;</a>',
    'text beside elements, with line ends': '<a>\n\tx<b>y</b>\n z<c/></a>',
    'letters with accents, in texts': '<a b="é…—">ÿ œ \ue000</a>',
    'names with dots, hyphens and digits': '<a-1.b><_c d-2.e=""/></a-1.b>',
    'what looks like an attribute': '<a b="> c=\'d\' /"/>',
  };
  test.each(Object.keys(cases))('%s', (name) => {
    const source = cases[name] ?? '';
    const root = readPlain(source, defaultXmlLimits);
    expect(root && parents(root)).toBe(true);
    expect(root && shown(root)).toEqual(byTheWholeParser(source));
  });
});

describe('what is not plain, or wrong, is left to the whole parser', () => {
  test.each([
    '',
    'a',
    ' ',
    '<a>',
    '<a',
    '<a></b>',
    '<a></a >',
    '<a/><b/>',
    '<a/>b',
    '<a b/>',
    '<a b=c/>',
    '<a b="1"c="2"/>',
    '<a b="1" b="2"/>',
    '<a xmlns:p="u" xmlns:q="u" p:b="" q:b=""/>',
    '<a xmlns:p="u" xmlns:p="v"/>',
    '<a xmlns="u" xmlns="u"/>',
    '<p:a/>',
    '<a p:b=""/>',
    '<p:a xmlns:q="p"></p:a>',
    '<a><b xmlns:p="u"/><p:c/></a>',
    '<a xmlns:p=""/>',
    '<a xmlns=" u"/>',
    '<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>',
    '<a xmlns:p="http://www.w3.org/2000/xmlns/"/>',
    '<a xmlns:xmlns="u"/>',
    '<xmlns:a/>',
    '<p:a:b xmlns:p="u"/>',
    '<:a/>',
    '<a:/>',
    '<1a/>',
    '<a>]]></a>',
    '<a>\u0001</a>',
    '<a>\r</a>',
    '<a b="\t"/>',
    '<a b="<"/>',
    '<a>&b;</a>',
    '<a>&#0;</a>',
    '<a>&#xd800;</a>',
    '<a>&#x110000;</a>',
    '<a>&#xfffe;</a>',
    '<a>&#X41;</a>',
    '<a b="&#;"/>',
    '<a>&constructor;</a>',
    '<a>&amp</a>',
    '<a><!-- b --></a>',
    '<a><![CDATA[b]]></a>',
    '<a><?b?></a>',
    '<!DOCTYPE a><a/>',
    '<?xml version="1.1"?><a/>',
    '<?xml VERSION="1.0"?><a/>',
    '<?xml version="1.0" standalone="YES"?><a/>',
    '<?xml version="1.0" encoding="UTF-16"?><a/>',
    '<?xml version="1.0\'?><a/>',
    ' <?xml version="1.0"?><a/>',
    '\ufeff<a/>',
    '<a>\ud83d\ude00</a>',
    '<a>\ufffe</a>',
    '<é/>',
  ])('%j', (source) => expect(byThePlainReader(source)).toBeUndefined());

  test('so is what goes over a limit, and no less', () => {
    const limits = { depth: 2, elements: 3, attributes: 2, attributesPerElement: 2, valueLength: 3 };
    const both = (source: string) =>
      [byThePlainReader, byTheWholeParser].map((read) => read(source, limits) !== undefined);
    expect(both('<a><b/><c/></a>')).toEqual([true, true]);
    expect(both('<a><b><c/></b></a>')).toEqual([false, false]);
    expect(both('<a><b/><b/><b/></a>')).toEqual([false, false]);
    expect(both('<a b="" xmlns="u"/>')).toEqual([true, true]);
    expect(both('<a b="" c="" d=""/>')).toEqual([false, false]);
    expect(both('<a b="123">12&amp;</a>')).toEqual([true, true]);
    expect(both('<a b="12&amp;4"/>')).toEqual([false, false]);
    expect(both('<a>12<b/>34</a>')).toEqual([false, false]);
    const unlimitedText = { namespace: 'u', local: 'a' };
    expect(byThePlainReader('<a xmlns="u">1234</a>', { ...limits, unlimitedText })).toBeDefined();
    expect(byThePlainReader('<a>1234</a>', { ...limits, unlimitedText })).toBeUndefined();
  });
});

/** Pieces of tags, good and bad, most often in an order that makes sense. */
const piece = fc.constantFrom(
  ...[
    '<a>',
    '</a>',
    '<p:a xmlns:p="u">',
    '</p:a>',
    '<p:b/>',
    '<a xmlns="v"',
    ' p:c="1"',
    ' c="1"',
    " c='&lt;'",
    '/>',
    '>',
  ],
  ...[
    'x',
    'é',
    ' ',
    '\n',
    '&amp;',
    '&#x41;',
    '&quot',
    ']]',
    ']]>',
    '<',
    '"',
    "'",
    '=',
    '/',
    ':',
    '\u0000',
    '\r',
    '\ud800',
    '😀',
  ],
  ...[
    '<!--',
    '-->',
    '<![CDATA[',
    '<?xml version="1.0"?>',
    ' xmlns:p=""',
    ' xmlns:xml="u"',
    ' xml:lang="fr"',
    '<xmlns:a/>',
  ],
);
const pieces = fc.array(piece, { maxLength: 12 }).map((all) => all.join(''));
const inside = pieces.map((text) => `<p:r xmlns:p="w" d="">${text}</p:r>`);
/** A message in which a few characters are others, more or fewer. */
const changed = fc
  .tuple(
    fc.constantFrom(...messages, ...plain.map(sample)),
    fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(3), piece), { minLength: 1, maxLength: 3 }),
  )
  .map(([source, changes]) =>
    changes.reduce((text, [place, length, other]) => {
      const at = Math.floor(place * text.length);
      return text.slice(0, at) + other + text.slice(at + length);
    }, source),
  );

test('whatever is read plainly is read by the whole parser as the same', () => {
  fc.assert(
    fc.property(fc.oneof(pieces, inside, changed), (source) => {
      const tree = byThePlainReader(source);
      fc.pre(tree !== undefined);
      expect(tree).toEqual(byTheWholeParser(source));
    }),
    { numRuns: 300, maxSkipsPerRun: 50 },
  );
});

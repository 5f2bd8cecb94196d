import type { XmlElement } from '../../xml/element.ts';
import { parseXml, XmlRejected } from '../../xml/read.ts';
import { xhtml } from '../vocabulary.ts';

/** Elements of HTML 4.0, chapters 7 to 11 (without 9.4) and 15, `a`, and images. FHIR R4 narrative.html#xhtml. */
const elements: ReadonlySet<string> = new Set(
  (
    'a abbr acronym address area b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins del kbd li ' +
    'map ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var'
  ).split(' '),
);

const attributes: ReadonlySet<string> = new Set(
  (
    'abbr accesskey align alt axis bgcolor border cellpadding cellspacing char charoff charset cite class colspan compact coords dir frame ' +
    'headers height href hreflang id ismap lang longdesc name nowrap rel rev rowspan rules scope shape span src start style summary tabindex ' +
    'title type usemap valign value width'
  ).split(' '),
);

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const limits = { depth: 64, elements: 50_000, attributes: 50_000, attributesPerElement: 32, valueLength: 1_000_000 };

/**
 * What is wrong with the `div` of a narrative, in a few words: other than well-formed XHTML of plain formatting, without script, event, form,
 * or anything that is fetched from elsewhere. Undefined when it is sound. FHIR R4 narrative.html#xhtml, txt-1, txt-2.
 */
export function narrativeFault(div: string): string | undefined {
  let root: XmlElement;
  try {
    root = parseXml(div, limits);
  } catch (error) {
    if (error instanceof XmlRejected) return `XHTML is expected (${error.detail})`;
    throw error;
  }
  if (root.local !== 'div' || root.namespace !== xhtml) return `a div in the namespace ${xhtml} is expected`;
  if (div.slice(root.end).trim() !== '' || root.start !== 0) return 'a div and nothing around it is expected';
  return faultIn(root) ?? (isSeen(root) ? undefined : 'a div that shows something is expected');
}

/** Of a scheme that runs nothing, or relative; without characters that a browser would drop. */
function isAddress(href: string): boolean {
  return !/[\s\p{Cc}]/u.test(href) && (/^(?:https?|mailto|tel|urn):/i.test(href) || !/^[^/?#]*:/.test(href));
}

function faultIn(element: XmlElement): string | undefined {
  if (element.namespace !== xhtml || !elements.has(element.local)) return `the element ${element.local} is not allowed`;
  for (const { namespace, local, value } of element.attributes) {
    const isXml = namespace === xmlNamespace && (local === 'lang' || local === 'space');
    if (!isXml && (namespace !== '' || !attributes.has(local))) return `the attribute ${local} is not allowed`;
    if (local === 'style' && /url\s*\(|expression\s*\(|@import|\\/i.test(value)) return 'a style that loads something';
    if (local === 'src' && !/^(#|data:image\/(png|gif|jpeg);base64,)/i.test(value))
      return 'an image is #id of a contained resource, or data';
    if (local === 'href' && !isAddress(value.trim())) return 'a link that is no address';
  }
  for (const inside of element.children) {
    const fault = faultIn(inside);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isSeen(element: XmlElement): boolean {
  return element.local === 'img' || /\S/.test(element.text) || element.children.some(isSeen);
}

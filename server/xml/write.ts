/**
 * Text for the content of an element. Characters that XML 1.0 does not know are left out; a carriage return is written so that a reader
 * gets it back.
 */
export function escapeText(text: string): string {
  return special.test(text) || !text.isWellFormed() ? text.replace(allSpecial, written) : text;
}

/** Text for an attribute value between double quotes; tabs and line ends survive. */
export function escapeAttribute(text: string): string {
  return specialInAttribute.test(text) || !text.isWellFormed() ? text.replace(allSpecialInAttribute, written) : text;
}

// What XML 1.0 §2.2 does not allow: controls, lone surrogates, U+FFFE and U+FFFF. To look for surrogates takes the slow kind of expression,
// which is used where a text is known to hold something.
const illegal = String.raw`\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff`;
const special = new RegExp(`[&<>\\r${illegal}]`);
const allSpecial = new RegExp(`[&<>\\r${illegal}\\ud800-\\udfff]`, 'gu');
const specialInAttribute = new RegExp(`[&<>"\\r\\n\\t${illegal}]`);
const allSpecialInAttribute = new RegExp(`[&<>"\\r\\n\\t${illegal}\\ud800-\\udfff]`, 'gu');

function written(character: string): string {
  switch (character) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    case '"':
      return '&quot;';
    case '\r':
      return '&#13;';
    case '\n':
      return '&#10;';
    case '\t':
      return '&#9;';
    default:
      return '';
  }
}

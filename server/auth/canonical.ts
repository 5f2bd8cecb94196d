import { signatureNamespace } from '../crypto/signature.ts';
import type { XmlElement } from '../xml/element.ts';
import { escapeAttribute } from '../xml/write.ts';
import { NotIdentified } from './credentials.ts';
import { samlNamespace } from './vocabulary.ts';

/**
 * The exclusive canonical forms of the SignedInfo of an assertion, and of the assertion without its signature. The assertion is cut out of
 * the message and read as a document of its own, with the declarations that it inherits.
 * @throws NotIdentified when they cannot be made
 */
export async function canonicalForms(
  source: string,
  assertion: XmlElement,
  signedInfoPrefixes: readonly string[],
  assertionPrefixes: readonly string[],
): Promise<{ readonly signedInfo: string; readonly assertion: string }> {
  const { ParseOption, XmlC14NMode, XmlDocument } = await import('libxml2-wasm');
  const text = withInherited(source.slice(assertion.start, assertion.end), assertion);
  const form = (prefixes: readonly string[]) => ({
    mode: XmlC14NMode.XML_C14N_EXCLUSIVE_1_0,
    withComments: false,
    inclusiveNamespacePrefixes: [...prefixes],
  });
  let document: InstanceType<typeof XmlDocument> | undefined;
  try {
    document = XmlDocument.fromString(text, { option: ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE });
    const names = { ds: signatureNamespace, saml: samlNamespace };
    const signature = document.get('/saml:Assertion/ds:Signature', names);
    const signedInfo = signature?.get('ds:SignedInfo', names);
    if (!signature || !signedInfo) throw new NotIdentified('signature not found again');
    const first = signedInfo.canonicalizeToString(form(signedInfoPrefixes));
    signature.remove();
    return { signedInfo: first, assertion: document.canonicalizeToString(form(assertionPrefixes)) };
  } catch (error) {
    if (error instanceof NotIdentified) throw error;
    throw new NotIdentified('canonical form cannot be made');
  } finally {
    document?.dispose();
  }
}

/** The text of an element with the namespaces in scope that it does not declare itself; exclusive canonical form drops the needless ones. */
function withInherited(text: string, element: XmlElement): string {
  const own = new Set(Object.keys(element.declares ?? {}));
  let declarations = '';
  for (let ancestor = element.parent; ancestor !== undefined; ancestor = ancestor.parent)
    for (const [prefix, uri] of Object.entries(ancestor.declares ?? {})) {
      if (own.has(prefix)) continue;
      own.add(prefix);
      declarations += ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(uri)}"`;
    }
  return text.replace(/^<[^\s<>/]+/, (name) => name + declarations);
}

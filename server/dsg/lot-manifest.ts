import { hash } from 'node:crypto';
import type { Received } from '../blobs/port.ts';
import type { EntryDraft, Submission } from '../domain/document.ts';
import { type Manifest, nameOf } from '../domain/rules/facts.ts';
import { isLotSignature } from '../domain/rules/lot-signature.ts';
import { attributeOf, child, childrenOf, type XmlElement } from '../xml/element.ts';
import { decodeUtf8, defaultXmlLimits, parseXml, XmlRejected } from '../xml/read.ts';
import { digestAlgorithm, ds } from './vocabulary.ts';

type Document = { readonly id: string; readonly received: Received };

/** What is deposited, as far as its signatures are concerned. */
type Signed = { readonly submission: Submission; readonly documents: readonly Document[] };

/** The same with what the signature documents in it say. Where that cannot be read, everything received is discarded. */
export async function withManifests<T extends Signed>(
  deposit: T,
): Promise<T & { readonly manifests: readonly Manifest[] }> {
  try {
    return { ...deposit, manifests: await readManifests(deposit.submission, deposit.documents) };
  } catch (error) {
    await Promise.allSettled(deposit.documents.map(({ received }) => received.discard()));
    throw error;
  }
}

/** The largest signature, and the largest document whose canonical form is made, in bytes. */
const largest = 64 * 2 ** 20;

/**
 * Reads the manifests of the signature documents of a submission, and compares each digest with the document that it names. A document that
 * is XML may be signed by its bytes or by its canonical form (inclusive, with or without comments). XML Signature §5.1.
 */
export async function readManifests(
  { entries }: Submission,
  documents: readonly Document[],
): Promise<readonly Manifest[]> {
  const signatures = entries.filter(isLotSignature);
  if (signatures.length === 0) return [];
  const received = new Map(documents.map((one) => [nameOf(one.id), one.received]));
  const named = new Map<string, { entry: EntryDraft; bytes: Received }>();
  for (const entry of entries) {
    const bytes = received.get(nameOf(entry.id));
    if (entry.uniqueId !== undefined && bytes !== undefined) named.set(`urn:oid:${entry.uniqueId}`, { entry, bytes });
  }
  const manifests: Manifest[] = [];
  for (const { id } of signatures) {
    const manifest = await manifestIn(received.get(nameOf(id)));
    if (manifest === undefined) continue;
    const references = await Promise.all(
      childrenOf(manifest, ds, 'Reference').map(async (reference) => {
        const uri = attributeOf(reference, 'URI')?.trim() ?? '';
        const document = named.get(uri);
        return { uri, agrees: document !== undefined && (await agrees(reference, document.bytes)) };
      }),
    );
    manifests.push({ id, references });
  }
  return manifests;
}

async function manifestIn(received: Received | undefined): Promise<XmlElement | undefined> {
  const bytes = received && (await wholeOf(received));
  if (bytes === undefined) return undefined;
  try {
    return descendant(parseXml(decodeUtf8(bytes), defaultXmlLimits));
  } catch (error) {
    if (error instanceof XmlRejected) return undefined;
    throw error;
  }
}

function descendant(element: XmlElement): XmlElement | undefined {
  if (element.namespace === ds && element.local === 'Manifest') return element;
  for (const inner of element.children) {
    const found = descendant(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function agrees(reference: XmlElement, received: Received): Promise<boolean> {
  const method = child(reference, ds, 'DigestMethod');
  const uri = method && attributeOf(method, 'Algorithm');
  const algorithm = uri === undefined ? undefined : digestAlgorithm.get(uri);
  const wanted = child(reference, ds, 'DigestValue')?.text.replace(/\s/g, '');
  if (algorithm === undefined || wanted === undefined) return false;
  if (Buffer.from(received[algorithm], 'hex').toString('base64') === wanted) return true;
  const bytes = await wholeOf(received);
  const forms = bytes === undefined ? [] : await canonicalForms(bytes);
  return forms.some((form) => hash(algorithm, form, 'base64') === wanted);
}

async function wholeOf(received: Received): Promise<Uint8Array | undefined> {
  if (received.size > largest) return undefined;
  const bytes = await received.open();
  return bytes instanceof Uint8Array ? bytes : Buffer.concat(await Array.fromAsync(bytes));
}

/** Both inclusive canonical forms of an XML document; none of what is no XML. Canonical XML 1.0. */
async function canonicalForms(bytes: Uint8Array): Promise<string[]> {
  const { ParseOption, XmlC14NMode, XmlDocument } = await import('libxml2-wasm');
  let document: InstanceType<typeof XmlDocument> | undefined;
  try {
    document = XmlDocument.fromBuffer(bytes, { option: ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE });
    const parsed = document;
    return [true, false].map((withComments) =>
      parsed.canonicalizeToString({ mode: XmlC14NMode.XML_C14N_1_0, withComments }),
    );
  } catch {
    return [];
  } finally {
    document?.dispose();
  }
}

import type { EntryDraft, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { type Manifest, type MessageFacts, nameOf } from './facts.ts';
import { isLotSignature } from './lot-signature.ts';

/**
 * A signature document of the lot names the submission set and every other document of it, each with the digest of its bytes or of its
 * canonical form. IHE DSG, TF-3 5.10.3; DMP TD2.1, signature du lot. The signature itself is not verified here.
 */
export function lotManifest({ sets, entries }: Submission, { manifests }: MessageFacts): Problem[] {
  return entries.filter(isLotSignature).flatMap((signature) => {
    const about = { object: signature.id, ...(signature.uniqueId !== undefined && { value: signature.uniqueId }) };
    const manifest = manifests.find(({ id }) => nameOf(id) === nameOf(signature.id));
    if (manifest === undefined) return [problem('lotSignatureWrong', { ...about, detail: 'it holds no ds:Manifest' })];
    return [
      ...sets.flatMap(({ uniqueId }) => unnamed(manifest, uniqueId, 'submission set')),
      ...entries.filter((entry) => entry !== signature).flatMap((entry) => unsigned(manifest, entry)),
    ].map((detail) => problem('lotSignatureWrong', { ...about, detail }));
  });
}

function unnamed({ references }: Manifest, uniqueId: string | undefined, what: string): string[] {
  return references.some(({ uri }) => uri === `urn:oid:${uniqueId}`)
    ? []
    : [`${what} ${uniqueId} is not in the manifest`];
}

function unsigned(manifest: Manifest, { uniqueId }: EntryDraft): string[] {
  const missing = unnamed(manifest, uniqueId, 'document');
  if (missing.length > 0) return missing;
  const agree = manifest.references.every((one) => one.uri !== `urn:oid:${uniqueId}` || one.agrees);
  return agree ? [] : [`the digest of document ${uniqueId} is another`];
}

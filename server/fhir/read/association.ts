import type { Extension } from 'fhir/r4.js';
import { type AssociationDraft, associationTypes } from '../../domain/document.ts';
import { extensions } from '../vocabulary.ts';
import { codeIn } from './code.ts';
import { slotsIn } from './slots.ts';
import { extensionsOf, present } from './source.ts';

type Parts = Partial<Pick<AssociationDraft, 'id' | 'type' | 'documentation' | 'extra'>> & {
  readonly submissionSetStatus?: 'Original' | 'Reference' | 'none';
};

/** What our own extension says of an association, and of the one by which it belongs to its submission set. */
export function associationIn(element: { extension?: Extension[] | undefined }): Parts & { membership?: Parts } {
  const [own] = extensionsOf(element, extensions.association);
  const [membership] = extensionsOf(own, 'membership');
  return { ...partsIn(own), ...(membership && { membership: partsIn(membership) }) };
}

function partsIn(own: Extension | undefined): Parts {
  const part = (url: string) => extensionsOf(own, url)[0];
  const documentation = part('documentation')?.valueCoding;
  const status = part('submissionSetStatus')?.valueCode;
  return present({
    id: part('entryUUID')?.valueUri,
    type: associationTypes.find((type) => type === part('type')?.valueCode),
    submissionSetStatus: (['Original', 'Reference', 'none'] as const).find((known) => known === status),
    documentation: documentation && codeIn(documentation),
    extra: slotsIn(own),
  });
}

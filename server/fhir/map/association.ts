import type { DocumentReferenceRelatesTo, Extension, Reference } from 'fhir/r4.js';
import type { Association, AssociationType } from '../../domain/document.ts';
import { extensions } from '../vocabulary.ts';
import { codingOf } from './code.ts';
import { slotOf } from './registry-extension.ts';

/** How FHIR names the relation; the narrower types keep their name in an extension. IHE MHD ConceptMap AssociationTypeVsRelatesTo. */
export const relationOf: { readonly [T in AssociationType]?: DocumentReferenceRelatesTo['code'] } = {
  RPLC: 'replaces',
  XFRM: 'transforms',
  APND: 'appends',
  signs: 'signs',
  XFRM_RPLC: 'replaces',
  IsSnapshotOf: 'transforms',
};

/** The association type that each code of a relation means by itself. */
export const typeOfRelation: Readonly<Record<DocumentReferenceRelatesTo['code'], AssociationType>> = {
  replaces: 'RPLC',
  transforms: 'XFRM',
  appends: 'APND',
  signs: 'signs',
};

/**
 * What FHIR has no element for.
 * @param usual what the place of the association says already
 * @param membership by which the association itself is a member of the submission set
 */
export function associationExtension(
  association: Association,
  usual: Pick<Association, 'type' | 'submissionSetStatus'>,
  membership?: Association,
): Extension {
  return {
    url: extensions.association,
    extension: [
      ...partsOf(association, usual),
      ...(membership ? [{ url: 'membership', extension: partsOf(membership, { type: 'HasMember' }) }] : []),
    ],
  };
}

function partsOf(
  { entryUUID, type, submissionSetStatus, documentation, extra }: Association,
  usual: Pick<Association, 'type' | 'submissionSetStatus'>,
): Extension[] {
  return [
    { url: 'entryUUID', valueUri: entryUUID },
    ...(type === usual.type ? [] : [{ url: 'type', valueCode: type }]),
    ...(submissionSetStatus === usual.submissionSetStatus
      ? []
      : [{ url: 'submissionSetStatus', valueCode: submissionSetStatus ?? 'none' }]),
    ...(documentation ? [{ url: 'documentation', valueCoding: codingOf(documentation) }] : []),
    ...extra.map(slotOf),
  ];
}

/** A relation of a document to what is named so; undefined for associations that are no such. */
export function relatesToOf(association: Association, target: Reference): DocumentReferenceRelatesTo | undefined {
  const code = relationOf[association.type];
  if (code === undefined) return undefined;
  const extension = associationExtension(association, { type: typeOfRelation[code] });
  return { extension: [extension], code, target };
}

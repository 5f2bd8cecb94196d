import type { SetDraft } from '../../domain/document.ts';
import { attributeOf } from '../../xml/element.ts';
import { limitedMetadata, packageNode, setScheme, statusUrn } from '../vocabulary.ts';
import { checkClassifications, checkIdentifiers, code, identifier } from './classifications.ts';
import { cx, recipient } from './data-types.ts';
import { readAuthors } from './read-author.ts';
import {
  extraSlots,
  home,
  inType,
  keyOf,
  localized,
  present,
  type Source,
  typedAll,
  value,
} from './registry-object.ts';

/** Reads a RegistryPackage that is a submission set. IHE ITI TF-3 4.2.3.3. */
export function readSet(source: Source): SetDraft {
  checkClassifications(source, schemes, nodes, limitedMetadata.submissionSet);
  checkIdentifiers(source, ['XDSSubmissionSet.patientId', 'XDSSubmissionSet.sourceId', 'XDSSubmissionSet.uniqueId']);
  const status = keyOf(statusUrn, attributeOf(source.element, 'status'));
  return {
    id: source.id,
    ...present({
      status: status === 'approved' ? status : undefined,
      uniqueId: identifier(source, 'XDSSubmissionSet.uniqueId'),
      sourceId: identifier(source, 'XDSSubmissionSet.sourceId'),
      patientId: inType(source, 'patientId', identifier(source, 'XDSSubmissionSet.patientId'), cx),
      submissionTime: value(source, 'submissionTime'),
      contentTypeCode: code(source, setScheme.contentTypeCode, 'contentTypeCode'),
      title: localized(source, 'Name', 'title'),
      comments: localized(source, 'Description', 'comments'),
      authors: readAuthors(source, setScheme.author),
      intendedRecipients: typedAll(source, 'intendedRecipient', recipient),
      homeCommunityId: home(source),
      extra: extraSlots(source, slots),
    }),
  };
}

const schemes: ReadonlySet<string> = new Set(Object.values(setScheme));
const nodes: ReadonlySet<string> = new Set([packageNode.submissionSet]);
const slots: ReadonlySet<string> = new Set(['submissionTime', 'intendedRecipient']);

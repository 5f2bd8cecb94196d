import type { AssociationDraft } from '../../domain/document.ts';
import { attributeOf } from '../../xml/element.ts';
import { associationScheme, statusUrn } from '../vocabulary.ts';
import { checkClassifications, checkIdentifiers, code } from './classifications.ts';
import { associationType, status as statusType, submissionSetStatus, yesOrNo } from './data-types.ts';
import { extraSlots, inType, keyOf, present, readId, type Source, typed, value } from './registry-object.ts';

/** Reads an Association; the short forms of old samples (`HasMember`, `RPLC`) are malformed. IHE ITI TF-3 4.2.2. */
export function readAssociation(source: Source): AssociationDraft {
  checkClassifications(source, schemes, noNodes);
  checkIdentifiers(source, []);
  const { element } = source;
  const status = keyOf(statusUrn, attributeOf(element, 'status'));
  return {
    id: source.id,
    ...present({
      type: inType(source, 'associationType', attributeOf(element, 'associationType'), associationType),
      source: end(attributeOf(element, 'sourceObject')),
      target: end(attributeOf(element, 'targetObject')),
      status: status === 'approved' || status === 'deprecated' ? status : undefined,
      submissionSetStatus: typed(source, 'SubmissionSetStatus', submissionSetStatus),
      previousVersion: value(source, 'PreviousVersion'),
      associationPropagation: typed(source, 'AssociationPropagation', yesOrNo),
      originalStatus: typed(source, 'OriginalStatus', statusType),
      newStatus: typed(source, 'NewStatus', statusType),
      documentation: code(source, associationScheme.documentation, 'associationDocumentation'),
      extra: extraSlots(source, slots),
    }),
  };
}

const schemes: ReadonlySet<string> = new Set(Object.values(associationScheme));
const noNodes: ReadonlySet<string> = new Set();
const slots: ReadonlySet<string> = new Set([
  'SubmissionSetStatus',
  'PreviousVersion',
  'AssociationPropagation',
  'OriginalStatus',
  'NewStatus',
]);

function end(text: string | undefined): string | undefined {
  const id = readId(text);
  return id === '' ? undefined : id;
}

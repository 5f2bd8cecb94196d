import type { AssociationDraft } from '../../domain/document.ts';
import { attributeOf } from '../../xml/element.ts';
import { associationScheme, associationUrn, statusUrn } from '../vocabulary.ts';
import { checkClassifications, checkIdentifiers, code } from './classifications.ts';
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
      type: inType(source, 'associationType', attributeOf(element, 'associationType'), (text) =>
        keyOf(associationUrn, text),
      ),
      source: end(attributeOf(element, 'sourceObject')),
      target: end(attributeOf(element, 'targetObject')),
      status: status === 'approved' || status === 'deprecated' ? status : undefined,
      submissionSetStatus: typed(source, 'SubmissionSetStatus', (text) =>
        text === 'Original' || text === 'Reference' ? text : undefined,
      ),
      previousVersion: value(source, 'PreviousVersion'),
      associationPropagation: typed(source, 'AssociationPropagation', (text) =>
        text === 'yes' ? true : text === 'no' ? false : undefined,
      ),
      originalStatus: typed(source, 'OriginalStatus', (text) => keyOf(statusUrn, text)),
      newStatus: typed(source, 'NewStatus', (text) => keyOf(statusUrn, text)),
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

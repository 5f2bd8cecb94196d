import type { Extension } from 'fhir/r4.js';
import type { Slot } from '../../domain/document.ts';
import { extensions } from '../vocabulary.ts';
import { extensionsOf } from './source.ts';

/** The slots that nobody knows, from the extension that holds one each. */
export function slotsIn(resource: { extension?: Extension[] | undefined } | undefined): Slot[] {
  return extensionsOf(resource, extensions.slot).map((slot) => {
    const type = extensionsOf(slot, 'type')[0]?.valueString;
    return {
      name: extensionsOf(slot, 'name')[0]?.valueString ?? '',
      values: extensionsOf(slot, 'value', 'emptyValue').map(({ valueString = '' }) => valueString),
      ...(type !== undefined && { type }),
    };
  });
}

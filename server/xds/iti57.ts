import { update } from '../usecases/update.ts';
import type { XdsTransaction } from './exchange.ts';
import { registrySubmission } from './registry-submission.ts';
import { action } from './vocabulary.ts';

/** Update Document Set, which is synchronous alone; each error is located at its object. IHE Metadata Update 3.57, 3.57.4.2. */
export const iti57: XdsTransaction = registrySubmission({
  name: 'ITI-57',
  actions: action.iti57,
  submit: update,
  errorsAt: 'object',
  synchronous: true,
});

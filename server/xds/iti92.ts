import { updateRestricted } from '../usecases/update.ts';
import type { XdsTransaction } from './exchange.ts';
import { registrySubmission } from './registry-submission.ts';
import { action } from './vocabulary.ts';

/** Restricted Update Document Set; each error is located at its object. IHE Restricted Metadata Update 3.92, 3.92.4.2. */
export const iti92: XdsTransaction = registrySubmission({
  name: 'ITI-92',
  actions: action.iti92,
  submit: updateRestricted,
  errorsAt: 'object',
});

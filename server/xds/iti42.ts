import { register } from '../usecases/submit.ts';
import type { XdsTransaction } from './exchange.ts';
import { registrySubmission } from './registry-submission.ts';
import { action } from './vocabulary.ts';

/** Register Document Set-b. IHE ITI TF-2 3.42. */
export const iti42: XdsTransaction = registrySubmission({
  name: 'ITI-42',
  actions: action.iti42,
  submit: register,
  errorsAt: 'attribute',
});

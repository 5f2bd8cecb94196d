import { registerOnDemand } from '../usecases/submit.ts';
import type { XdsTransaction } from './exchange.ts';
import { registrySubmission } from './registry-submission.ts';
import { action } from './vocabulary.ts';

/** Register On-Demand Document Entry. IHE ITI TF-2 3.61. */
export const iti61: XdsTransaction = registrySubmission({
  name: 'ITI-61',
  actions: action.iti61,
  submit: registerOnDemand,
  errorsAt: 'attribute',
});

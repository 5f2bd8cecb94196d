import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { submission } from '../support/submissions.ts';
import { fhirXdsFhir, xdsFhirXds } from '../support/two-faces.ts';

// `npx node test/fhir/round-trip.ts 10000` does the same at length.
const numRuns = 200;

describe('XDS and FHIR are two readings of one model', () => {
  test('a submission goes XDS → FHIR → XDS without a lost or changed attribute', () => {
    fc.assert(
      fc.property(submission, (sent) => {
        const [expected, got] = xdsFhirXds(sent);
        expect(got).toEqual(expected);
      }),
      { numRuns },
    );
  });

  test('a submission goes FHIR → XDS → FHIR without a lost or changed element', () => {
    fc.assert(
      fc.property(submission, (sent) => {
        const [expected, got] = fhirXdsFhir(sent);
        expect(got).toEqual(expected);
      }),
      { numRuns },
    );
  });
});

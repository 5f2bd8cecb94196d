import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { submission } from '../support/submissions.ts';
import { fhirXdsFhir, xdsFhirXds } from '../support/two-faces.ts';

/** Sends generated submissions from one face's form to the other's and back: `node test/fhir/round-trip.ts [how many]`. */
const numRuns = Number(process.argv[2] ?? 10_000);
for (const way of [xdsFhirXds, fhirXdsFhir]) {
  const begun = performance.now();
  fc.assert(
    fc.property(submission, (sent) => {
      const [expected, got] = way(sent);
      return isDeepStrictEqual(got, expected);
    }),
    { numRuns },
  );
  console.log(`${way.name}: ${numRuns} submissions, ${((performance.now() - begun) / 1000).toFixed(1)} s`);
}

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes a folder for what is costly to make and the same for every test of one run. */
export default function openRun() {
  process.env.OPENDMP_TEST_RUN = mkdtempSync(join(tmpdir(), 'opendmp-run-'));
}

import { rmSync } from 'node:fs';

export default function closeRun() {
  rmSync(process.env.OPENDMP_TEST_RUN, { recursive: true });
}

import type { XdsTransaction } from './exchange.ts';
import { iti18 } from './iti18.ts';
import { iti41 } from './iti41.ts';
import { iti42 } from './iti42.ts';
import { iti43 } from './iti43.ts';
import { iti44 } from './iti44.ts';
import { iti51 } from './iti51.ts';
import { iti57 } from './iti57.ts';
import { iti61 } from './iti61.ts';
import { iti62 } from './iti62.ts';
import { iti86 } from './iti86.ts';
import { iti92 } from './iti92.ts';

/** All that the XDS face serves by SOAP. */
export const xdsTransactions: readonly XdsTransaction[] = [
  iti18,
  iti41,
  iti42,
  iti43,
  ...iti44,
  iti51,
  iti57,
  iti61,
  iti62,
  iti86,
  iti92,
];

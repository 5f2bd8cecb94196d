import type { TransportLimits } from '../../server/xds/limits.ts';

/** The limits that the settings have by default. */
export const usualLimits: TransportLimits = {
  rootBytes: 16 * 1024 ** 2,
  inlineBytes: 64 * 1024 ** 2,
  messageBytes: 2 * 1024 ** 3,
  spooledBytes: 256 * 1024 ** 2,
  parts: 1000,
  partHeaderBytes: 16 * 1024,
  pause: 8000,
  slowest: 1024,
  grace: 9000,
  xml: { depth: 64, elements: 200_000, attributes: 95_000 },
};

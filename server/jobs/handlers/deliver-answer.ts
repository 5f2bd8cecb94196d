import { type Blobs, ContentDamaged } from '../../blobs/port.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import type { AllowList } from '../allow-list.ts';
import { post } from '../egress.ts';
import type { HandlerOf, JobLog } from '../port.ts';

type Tools = {
  readonly blobs: Blobs;
  readonly keyring: Keyring;
  readonly allowList: AllowList;
  readonly log: JobLog;
};

/**
 * Posts an answer to the address that its request named. The bytes are the same each time, wsa:MessageID included: a receiver knows an
 * answer that it had already. An address that is no longer allowed gets nothing. WS-Addressing 1.0 Core §3.4; IHE ITI TF-2 Appendix V.
 */
export function makeDeliverAnswer({ blobs, keyring, allowList, log }: Tools): HandlerOf<'deliverAnswer'> {
  return {
    kind: 'deliverAnswer',
    async handle({ number, job: { to, contentType, size, content, key } }, signal) {
      const target = allowList.allowed(to);
      if (target === undefined) {
        log.error({ job: number }, 'an answer is not delivered: its address is no longer allowed');
        return;
      }
      const recordKey = keyring.unwrap(key.name, Buffer.from(key.wrapped, 'base64'));
      const body = await blobs.open(recordKey, content).catch((error: unknown) => {
        if (!(error instanceof ContentDamaged)) throw error;
        log.error({ job: number }, 'an answer is not delivered: its file is damaged');
      });
      if (body === undefined) return;
      const headers = { 'Content-Type': contentType, 'Content-Length': size };
      const status = await post(target, { headers, body, signal });
      if (status < 200 || status > 299) throw new Error(`the receiver answered ${status}`);
      log.info({ job: number, status }, 'an answer was delivered');
    },
  };
}

import { z } from 'zod';
import { isOid } from '../domain/identifier.ts';
import type { Sender } from '../domain/sender.ts';
import { type Listed, listedTwice, readListed } from './listed-file.ts';

const code = z.strictObject({
  code: z.string().min(1),
  system: z.string().refine(isOid, { error: 'no OID' }),
  display: z.string().optional(),
});

/** One sender of the file of DMP_MLLP_SENDERS; docs/feeds.md explains each key. */
const senderFile = z.array(
  z.strictObject({
    application: z.string().min(1),
    facility: z.string().min(1),
    addresses: z.array(z.union([z.ipv4(), z.ipv6()])).min(1),
    structure: z.strictObject({ id: z.string().min(1), name: z.string().min(1).optional() }),
    feeds: z.boolean(),
    deposits: z
      .strictObject({
        sourceId: z.string().refine(isOid, { error: 'no OID' }),
        healthcareFacilityTypeCode: code,
        practiceSettingCode: code,
        contentTypeCode: code,
      })
      .optional(),
  }),
);

/** Reads the senders of HL7 version 2 messages. One message that could be of two of them is a mistake. */
export function readSenders(file: string): Listed<Sender> {
  const { listed, mistakes } = readListed('DMP_MLLP_SENDERS', file, senderFile, (all) =>
    listedTwice(
      all.flatMap(({ application, facility, addresses }) =>
        addresses.map((address) => `${application} of ${facility} at ${address}`),
      ),
    ),
  );
  return { listed: listed.map(senderOf), mistakes };
}

function senderOf({ deposits, structure: { id, name }, ...sender }: z.infer<typeof senderFile>[number]): Sender {
  return {
    ...sender,
    structure: { id, ...(name !== undefined && { name }) },
    ...(deposits && {
      deposits: {
        sourceId: deposits.sourceId,
        healthcareFacilityTypeCode: plain(deposits.healthcareFacilityTypeCode),
        practiceSettingCode: plain(deposits.practiceSettingCode),
        contentTypeCode: plain(deposits.contentTypeCode),
      },
    }),
  };
}

function plain({ display, ...rest }: z.infer<typeof code>) {
  return { ...rest, ...(display !== undefined && { display }) };
}

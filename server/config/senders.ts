import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { isOid } from '../domain/identifier.ts';
import type { Sender } from '../domain/sender.ts';
import { SettingsWrong } from './settings-wrong.ts';

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

/**
 * Reads the senders of HL7 version 2 messages.
 * @throws SettingsWrong when the file is not there or malformed, or when one message could be of two senders
 */
export function readSenders(file: string): Sender[] {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(resolve(file), 'utf8'));
  } catch (error) {
    throw new SettingsWrong(
      `DMP_MLLP_SENDERS: ${file} cannot be read: ${Error.isError(error) ? error.message : String(error)}`,
    );
  }
  const parsed = senderFile.safeParse(json);
  if (!parsed.success)
    throw new SettingsWrong(`DMP_MLLP_SENDERS: ${file} is malformed:\n${z.prettifyError(parsed.error)}`);
  const keys = parsed.data.flatMap(({ application, facility, addresses }) =>
    addresses.map((address) => `${application} ${facility} ${address}`),
  );
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new SettingsWrong(`DMP_MLLP_SENDERS: ${file} has two senders for ${twice}`);
  return parsed.data.map(({ deposits, structure: { id, name }, ...sender }) => ({
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
  }));
}

function plain({ display, ...rest }: z.infer<typeof code>) {
  return { ...rest, ...(display !== undefined && { display }) };
}

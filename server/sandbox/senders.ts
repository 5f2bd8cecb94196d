import type { Sender } from '../domain/sender.ts';
import { people, type SandboxStructure } from './people.ts';

const loopback = ['127.0.0.1', '::1'];

/**
 * The structures of the sandbox as senders of HL7 version 2, known by their slug (MSH-3) and Struct_IdNat (MSH-4), and the operator's system,
 * known by its OID, which feeds identities.
 */
export function sandboxSenders(): Sender[] {
  return people.flatMap((person): Sender[] => {
    if (person.kind === 'structure') return [senderOf(person)];
    if (person.kind !== 'system') return [];
    const structure = { id: person.id, name: person.display };
    const feeds = person.rights.includes('feed');
    return [{ application: person.slug, facility: person.id, addresses: loopback, structure, feeds }];
  });
}

function senderOf({ slug, structIdNat, display, sector, setting }: SandboxStructure): Sender {
  const laboratory = sector === 'SA25';
  return {
    application: slug,
    facility: structIdNat,
    addresses: loopback,
    structure: { id: structIdNat, name: display },
    feeds: false,
    deposits: {
      sourceId: `1.2.250.1.999.2.${Number(structIdNat)}`,
      healthcareFacilityTypeCode: { code: sector, system: '1.2.250.1.71.4.2.4' },
      practiceSettingCode: { code: setting, system: '1.2.250.1.213.1.1.4.9' },
      contentTypeCode: { code: laboratory ? '26' : '07', system: '1.2.250.1.213.2.2' },
    },
  };
}

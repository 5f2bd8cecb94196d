import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ReadEnvelope } from '../../server/auth/credentials.ts';
import { type Issued, makeRootAuthority } from '../../server/crypto/certificate-authority.ts';
import { signEnveloped } from '../../server/crypto/signature.ts';
import { defaultXmlLimits, parseXml } from '../../server/xml/read.ts';

/** What signs in tests: keys are thrown away with the process. */
export type Signer = { readonly key: KeyObject; readonly certificate: Uint8Array };

/** The instant at which the samples were issued. */
export const issuedAt = Date.parse('2026-03-02T10:00:00.000Z');

const oids = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  C: '2.5.4.6',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  title: '2.5.4.12',
  GN: '2.5.4.42',
};
const set = (attributes: Partial<Record<keyof typeof oids, string>>) =>
  Object.entries(attributes).map(([keyword, value]) => ({ oid: oids[keyword as keyof typeof oids], value }));

const signer = ({ privateKey, der }: Issued): Signer => ({ key: createPrivateKey(privateKey), certificate: der });

/** The holders of the samples, each with a certificate of `authorities`; the stranger's has the same names and other authorities. */
export async function makeSigners() {
  const persons = await makeRootAuthority([set({ C: 'FR' }), set({ CN: 'AC ESSAI PERSONNES' })], issuedAt);
  const organisations = await makeRootAuthority([set({ C: 'FR' }), set({ CN: 'AC ESSAI ORGANISATIONS' })], issuedAt);
  const elsewhere = await makeRootAuthority([set({ C: 'FR' }), set({ CN: 'AC ESSAI PERSONNES' })], issuedAt);
  const martin = [set({ C: 'FR' }), set({ title: 'Médecin' }), set({ GN: 'Hélène', SN: 'MARTIN', CN: '899970000016' })];
  const moreau = [
    set({ C: 'FR' }),
    set({ OU: '499970000016001' }),
    set({ GN: 'Julie', SN: 'MOREAU', CN: '699970000016/0101' }),
  ];
  const hospital = [
    set({ C: 'FR' }),
    set({ ST: 'Rhône (69)' }),
    set({ O: 'Hôpital Nord' }),
    set({ OU: '1990000010' }),
    set({ CN: 'hopital-nord' }),
  ];
  return {
    authorities: [persons.certificate, organisations.certificate].join('\n'),
    doctor: signer(await persons.issue(martin)),
    secretary: signer(await persons.issue(moreau)),
    hospital: signer(await organisations.issue(hospital)),
    stranger: signer(await elsewhere.issue(martin)),
  };
}

/** An unsigned sample in canonical form. */
export function sample(name: 'direct-3.0' | 'secretary-3.0' | 'indirect-2.0' | 'air-4.0'): string {
  return readFileSync(new URL(`../security/assertions/${name}.xml`, import.meta.url), 'utf8').trim();
}

/** Signs a sample, changed before it is signed. */
export function signed(xml: string, by: Signer, change: (xml: string) => string = (same) => same): string {
  return signEnveloped(change(xml), by.key, by.certificate);
}

/** An envelope around what stands in wsse:Security, read as the server reads it. `elsewhere` is put into the Body. */
export function envelope(security: string, { elsewhere = '', attributes = '', header = '' } = {}): ReadEnvelope {
  return readEnvelope(
    `<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"${attributes}><env:Header>${header}` +
      '<wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">' +
      `${security}</wsse:Security></env:Header><env:Body><r xmlns="urn:example">${elsewhere}</r></env:Body></env:Envelope>`,
  );
}

export function readEnvelope(source: string): ReadEnvelope {
  return { source, root: parseXml(source, defaultXmlLimits) };
}

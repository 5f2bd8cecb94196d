import type { PostalAddress, Telecom, Traits } from '../domain/record.ts';
import { attributeOf, childrenOf, type XmlElement } from '../xml/element.ts';
import { namespace } from './vocabulary.ts';

const { v3 } = namespace;

/** Where a person of HL7 v3 is reached; what is not sent is not told. HL7 v3 data types, AD and TEL; DMP, trames HL7 v3. */
export function contactOf(person: XmlElement | undefined): Partial<Traits> {
  const addresses = childrenOf(person, v3, 'addr').flatMap(addressOf);
  const telecoms = childrenOf(person, v3, 'telecom').flatMap(telecomOf);
  return { ...(addresses.length > 0 && { addresses }), ...(telecoms.length > 0 && { telecoms }) };
}

/** Codes of AddressUse, which addresses and telecoms share. */
const uses: ReadonlyMap<string, 'home' | 'work' | 'temp'> = new Map([
  ['H', 'home'],
  ['HP', 'home'],
  ['HV', 'home'],
  ['WP', 'work'],
  ['TMP', 'temp'],
]);

function useOf(element: XmlElement): { readonly use?: 'home' | 'work' | 'temp' } {
  const codes = (attributeOf(element, 'use') ?? '').split(/\s+/);
  const use = codes.map((code) => uses.get(code)).find((found) => found !== undefined);
  return use === undefined ? {} : { use };
}

function addressOf(addr: XmlElement): PostalAddress[] {
  const texts = (local: string) =>
    childrenOf(addr, v3, local)
      .map(({ text }) => text.trim())
      .filter((text) => text !== '');
  const [number, street] = [texts('houseNumber'), texts('streetName')];
  const lines = [...texts('streetAddressLine'), ...[[...number, ...street].join(' ')].filter((line) => line !== '')];
  const parts = (['city', 'state', 'postalCode', 'country'] as const).flatMap((part) => {
    const [text] = texts(part);
    return text === undefined ? [] : [[part, text] as const];
  });
  return lines.length + parts.length === 0 ? [] : [{ ...useOf(addr), lines, ...Object.fromEntries(parts) }];
}

/** Schemes of URLScheme. */
const systems: ReadonlyMap<string, NonNullable<Telecom['system']>> = new Map([
  ['tel', 'phone'],
  ['fax', 'fax'],
  ['mailto', 'email'],
]);

function telecomOf(telecom: XmlElement): Telecom[] {
  const url = attributeOf(telecom, 'value')?.trim() ?? '';
  const [, scheme = '', rest = url] = /^(tel|fax|mailto):(.*)$/i.exec(url) ?? [];
  const system = systems.get(scheme.toLowerCase());
  const isMobile = (attributeOf(telecom, 'use') ?? '').split(/\s+/).includes('MC');
  if (rest === '') return [];
  return [{ ...(system && { system }), ...(isMobile ? { use: 'mobile' as const } : useOf(telecom)), value: rest }];
}

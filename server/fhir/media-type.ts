import { fhirJson, fhirXml, jsonTypes, xmlTypes } from './vocabulary.ts';

/** The forms of a resource. FHIR R4 formats.html. */
export type Format = 'json' | 'xml';

/** The media type that is sent for a form. */
export const mediaTypes: Readonly<Record<Format, string>> = {
  json: `${fhirJson}; charset=utf-8`,
  xml: `${fhirXml}; charset=utf-8`,
};

/** A media type and its parameters, names in lower case. RFC 9110 §8.3.1. */
type MediaType = { readonly type: string; readonly parameters: ReadonlyMap<string, string> };

function parsed(text: string): MediaType {
  const [type = '', ...rest] = text.split(';');
  const parameters = rest.map((one): [string, string] => {
    const [name = '', ...value] = one.split('=');
    const bare = value.join('=').trim();
    return [name.trim().toLowerCase(), bare.replace(/^"(.*)"$/, '$1')];
  });
  return { type: type.trim().toLowerCase(), parameters: new Map(parameters) };
}

/** The release that is served, in the characters that are read here. FHIR R4 http.html#version-parameter. */
function isServed({ parameters }: MediaType): boolean {
  const release = parameters.get('fhirversion') ?? '4.0';
  const charset = parameters.get('charset') ?? 'utf-8';
  return /^4\.0(\.\d)?$/.test(release) && /^utf-?8$/i.test(charset);
}

function formatOf(type: string): Format | undefined {
  return jsonTypes.includes(type) ? 'json' : xmlTypes.includes(type) ? 'xml' : undefined;
}

/** The form of a body of that content type; undefined for another release, another character set than UTF-8, and what is no FHIR. */
export function formatSent(contentType: string): Format | undefined {
  const media = parsed(contentType);
  return isServed(media) ? formatOf(media.type) : undefined;
}

/** The form that `_format` names. A plus sign that was not encoded has become a space. FHIR R4 http.html#parameters. */
export function formatNamed(name: string): Format | undefined {
  const media = parsed(name.trim().replaceAll(' ', '+').replaceAll(';+', ';'));
  if (media.type === 'json' || media.type === 'xml') return media.type;
  return isServed(media) ? formatOf(media.type) : undefined;
}

type Range = MediaType & { readonly quality: number };

function rangesOf(accept: string): Range[] {
  return accept.split(',').map((text) => {
    const media = parsed(text);
    const quality = Number(media.parameters.get('q') ?? 1);
    return { ...media, quality: quality >= 0 && quality <= 1 ? quality : 0 };
  });
}

/** How exactly a range names a type: 0 is not at all. */
function exactness(range: Range, type: string): number {
  if (range.type === type) return isServed(range) || formatOf(type) === undefined ? 3 : 0;
  if (range.type === `${type.split('/')[0]}/*`) return 2;
  return range.type === '*/*' ? 1 : 0;
}

/**
 * Of several media types the one that an Accept header prefers: by quality, then by how exactly it is named, then by its place in the header, then
 * by its place here. Undefined when none is accepted. RFC 9110 §12.5.1.
 */
export function preferredType(accept: string | undefined, types: readonly string[]): string | undefined {
  if (accept === undefined || accept === '') return types[0];
  const ranges = rangesOf(accept);
  const offers = types.flatMap((offered) => {
    const { type } = parsed(offered);
    const exact = Math.max(...ranges.map((range) => exactness(range, type)));
    const at = ranges.findIndex((range) => exactness(range, type) === exact);
    const quality = exact === 0 ? 0 : (ranges[at]?.quality ?? 0);
    return quality === 0 ? [] : [{ offered, quality, exact, at }];
  });
  // Sorting is stable.
  return offers.sort((a, b) => b.quality - a.quality || b.exact - a.exact || a.at - b.at)[0]?.offered;
}

const formatTypes = [fhirJson, fhirXml, ...jsonTypes, ...xmlTypes];

/** The form that an Accept header prefers; JSON where it is open. Undefined when it accepts neither. FHIR R4 http.html#mime-type. */
export function formatAccepted(accept: string | undefined): Format | undefined {
  if (accept === undefined || accept === '*/*' || accept === fhirJson) return 'json';
  return formatOf(preferredType(accept, formatTypes) ?? '');
}

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

type Range = { readonly format: Format | undefined; readonly quality: number; readonly at: number };

/** What an Accept header says of JSON and XML: those that name one, and those that leave it open. */
function rangesOf(accept: string): Range[] {
  return accept.split(',').flatMap((text, at): Range[] => {
    const media = parsed(text);
    const format = formatOf(media.type);
    const isOpen = media.type === '*/*' || media.type === 'application/*' || media.type === 'text/*';
    if ((format === undefined && !isOpen) || !isServed(media)) return [];
    const quality = Number(media.parameters.get('q') ?? 1);
    return [{ format, quality: quality >= 0 && quality <= 1 ? quality : 0, at }];
  });
}

/** The form that an Accept header prefers; JSON where it is open. Undefined when it accepts neither. RFC 9110 §12.5.1. */
export function formatAccepted(accept: string | undefined): Format | undefined {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === fhirJson) return 'json';
  const ranges = rangesOf(accept);
  const best = (wanted: Format): Range | undefined => {
    const named = ranges.filter(({ format }) => format === wanted);
    const those =
      named.length > 0
        ? named
        : ranges
            .map((range) => ({ ...range, at: Number.MAX_SAFE_INTEGER }))
            .filter(({ format }) => format === undefined);
    return those.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality || a.at - b.at)[0];
  };
  const [json, xml] = [best('json'), best('xml')];
  if (json === undefined || xml === undefined)
    return json === undefined ? (xml === undefined ? undefined : 'xml') : 'json';
  return xml.quality > json.quality || (xml.quality === json.quality && xml.at < json.at) ? 'xml' : 'json';
}

import { describe, expect, test } from '@jest/globals';
import { formatAccepted, formatNamed, formatSent, preferredType } from '../../server/fhir/media-type.ts';

describe('Accept', () => {
  test.each([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['application/*', 'json'],
    ['application/fhir+json', 'json'],
    ['application/json', 'json'],
    ['text/json;charset=UTF-8', 'json'],
    ['application/fhir+json; fhirVersion=4.0', 'json'],
    ['application/fhir+xml', 'xml'],
    ['Application/FHIR+XML; fhirVersion="4.0"; charset=utf-8', 'xml'],
    ['application/xml', 'xml'],
    ['text/xml', 'xml'],
    ['application/fhir+xml, application/fhir+json', 'xml'],
    ['application/fhir+json, application/fhir+xml', 'json'],
    ['application/fhir+json;q=0.5, application/fhir+xml', 'xml'],
    ['application/fhir+xml;q=0.5, application/fhir+json;q=0.9', 'json'],
    ['application/fhir+xml, */*', 'xml'],
    ['application/fhir+json;q=0, */*', 'xml'],
    ['application/fhir+xml;q=0, */*', 'json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'xml'],
    ['text/turtle, application/fhir+json;q=0.1', 'json'],
    ['text/turtle', undefined],
    ['application/fhir+json;q=0', undefined],
    ['application/fhir+json;fhirVersion=5.0', undefined],
    ['application/fhir+xml;fhirVersion=3.0', undefined],
    ['application/fhir+json;charset=iso-8859-1', undefined],
    ['application/fhir+xml;q=x', undefined],
  ])('%s asks for %s', (accept, format) => {
    expect(formatAccepted(accept)).toBe(format);
  });

  test.each([
    ['*/*', 'application/pdf'],
    ['application/pdf', 'application/pdf'],
    ['application/fhir+json;fhirVersion=4.0', 'application/fhir+json'],
    ['application/pdf;q=0.5, application/fhir+json', 'application/fhir+json'],
    ['application/fhir+json, */*', 'application/fhir+json'],
    ['image/png', undefined],
  ])('%s prefers %s to the other', (accept, type) => {
    expect(preferredType(accept, ['application/pdf', 'application/fhir+json'])).toBe(type);
  });
});

test.each([
  ['json', 'json'],
  ['xml', 'xml'],
  ['application/fhir+json', 'json'],
  ['application/fhir json', 'json'],
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['application/fhir+xml', 'xml'],
  ['application/fhir xml', 'xml'],
  ['application/fhir+xml; fhirVersion=4.0', 'xml'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['ttl', undefined],
  ['html', undefined],
  ['application/fhir+json;fhirVersion=5.0', undefined],
  ['', undefined],
])('_format=%s asks for %s', (name, format) => {
  expect(formatNamed(name)).toBe(format);
});

test.each([
  ['application/fhir+json', 'json'],
  ['application/fhir+json; charset=UTF-8', 'json'],
  ['application/fhir+xml;charset="utf-8"', 'xml'],
  ['application/fhir+xml; fhirVersion=4.0.1', 'xml'],
  ['text/xml', 'xml'],
  ['application/fhir+xml; charset=iso-8859-1', undefined],
  ['application/fhir+json; fhirVersion=4.3', undefined],
  ['text/plain', undefined],
  ['', undefined],
])('a body of %s is %s', (type, format) => {
  expect(formatSent(type)).toBe(format);
});

import { escapeAttribute } from '../../xml/write.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type ElementShape, isPrimitive, isResource, type Structure, structureOf } from '../structure.ts';
import { fhirNamespace } from '../vocabulary.ts';
import { narrativeFault } from './narrative.ts';

/** The resource holds what FHIR has no element for; the message names it. */
export class NoXmlForm extends Error {
  override readonly name = 'NoXmlForm';
}

/**
 * The XML form of a resource that is given in its JSON form. `indent` begins lines and steps in, for people; a narrative stays as it is.
 * FHIR R4 xml.html.
 * @throws NoXmlForm
 */
export function writeXml(resource: Json, indent = false): string {
  const out: string[] = ['<?xml version="1.0" encoding="UTF-8"?>'];
  writeResource(resource, out, indent ? '\n' : '', ` xmlns="${fhirNamespace}"`);
  return out.join('');
}

function writeResource(value: Json | undefined, out: string[], line: string, namespace = ''): void {
  const { resourceType, ...members } = isObject(value) ? value : {};
  if (typeof resourceType !== 'string' || !isResource(resourceType))
    throw new NoXmlForm(`resourceType ${JSON.stringify(resourceType)}`);
  out.push(`${line}<${resourceType}${namespace}`);
  writeInside(members, structureOf(resourceType), resourceType, out, line);
}

/** Behind the name in the start tag: attributes, content and the end tag. */
function writeInside(
  members: JsonObject,
  structure: Structure | undefined,
  name: string,
  out: string[],
  line: string,
): void {
  if (structure === undefined) throw new NoXmlForm(`type of ${name}`);
  for (const key of Object.keys(members)) {
    const shape = structure.get(key.startsWith('_') ? key.slice(1) : key);
    if (shape === undefined || (key.startsWith('_') && !isPrimitive(shape.type))) throw new NoXmlForm(`${name}.${key}`);
  }
  for (const shape of structure.values()) if (shape.isAttribute) writeAttribute(shape.name, members[shape.name], out);
  const start = out.length;
  const inner = line === '' ? '' : `${line}  `;
  out.push('>');
  for (const shape of structure.values()) if (!shape.isAttribute) writeElement(shape, members, out, inner);
  if (out.length === start + 1) out[start] = '/>';
  else out.push(`${line}</${name}>`);
}

function writeAttribute(name: string, value: Json | undefined, out: string[]): void {
  if (value !== undefined) out.push(` ${name}="${escapeAttribute(textOf(value))}"`);
}

function writeElement(shape: ElementShape, members: JsonObject, out: string[], line: string): void {
  const { name, isList } = shape;
  const [value, more] = [members[name], members[`_${name}`]];
  if (value === undefined && more === undefined) return;
  const [values, mores] = [isList ? listOf(value) : [value], isList ? listOf(more) : [more]];
  for (let i = 0; i < Math.max(values.length, mores.length); i++)
    writeOne(shape, values[i] ?? undefined, mores[i] ?? undefined, out, line);
}

function writeOne(
  { name, type }: ElementShape,
  value: Json | undefined,
  more: Json | undefined,
  out: string[],
  line: string,
): void {
  if (type === 'xhtml') {
    const fault = typeof value === 'string' ? narrativeFault(value) : 'no text';
    if (fault !== undefined) throw new NoXmlForm(`${name}: ${fault}`);
    out.push(line, textOf(value));
    return;
  }
  out.push(`${line}<${name}`);
  if (isPrimitive(type)) {
    writeAttribute('value', value, out);
    writeInside(isObject(more) ? more : {}, structureOf(type), name, out, line);
  } else if (type === 'Resource') {
    out.push('>');
    writeResource(value, out, line === '' ? '' : `${line}  `);
    out.push(`${line}</${name}>`);
  } else if (isObject(value)) writeInside(value, structureOf(type), name, out, line);
  else throw new NoXmlForm(name);
}

function textOf(value: Json | undefined): string {
  if (value === undefined || value === null || typeof value === 'object') throw new NoXmlForm('a value is no text');
  return String(value);
}

function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new NoXmlForm('no list');
  return value as readonly Json[];
}

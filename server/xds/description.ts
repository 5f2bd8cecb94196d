import { readFile } from 'node:fs/promises';
import type { Context } from 'koa';
import { escapeAttribute } from '../xml/write.ts';
import type { XdsTransaction } from './exchange.ts';
import { schemaAddress, schemaNames, writeWsdl } from './wsdl.ts';

/** One address of the face, and who answers there. */
type Described = {
  readonly receiver: XdsTransaction['receiver'];
  readonly address: string;
  readonly transactions: readonly XdsTransaction[];
};

const schemas = new URL('../../profiles/schemas/', import.meta.url);

/** Answers `?wsdl` with the description of an address and `?xsd=name` with a schema that it imports; there is nothing else to get. */
export async function describe(ctx: Context, { receiver, address, transactions }: Described): Promise<void> {
  const asked = new Map(Object.entries(ctx.query).map(([name, value]) => [name.toLowerCase(), value]));
  const schema = asked.get('xsd');
  if (asked.has('wsdl')) answer(ctx, writeWsdl(receiver, address, transactions));
  else if (typeof schema === 'string' && schemaNames.includes(schema)) answer(ctx, await readSchema(schema, address));
  else if (schema !== undefined) ctx.status = 404;
  else {
    ctx.status = 405;
    ctx.set('Allow', 'POST');
  }
}

/** A schema whose imports name the address that it is served from. */
async function readSchema(name: string, address: string): Promise<string> {
  const text = await readFile(new URL(`${name}.xsd`, schemas), 'utf8');
  return text.replace(
    /schemaLocation="(\w+)\.xsd"/g,
    (_all, imported: string) => `schemaLocation="${escapeAttribute(schemaAddress(imported, address))}"`,
  );
}

function answer(ctx: Context, text: string): void {
  ctx.type = 'text/xml; charset=utf-8';
  ctx.body = text;
}

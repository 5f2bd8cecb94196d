import { readdirSync, readFileSync } from 'node:fs';
import {
  XmlBufferInputProvider,
  XmlDocument,
  XmlElement,
  XmlValidateError,
  XsdValidator,
  xmlCleanupInputProvider,
  xmlRegisterInputProvider,
} from 'libxml2-wasm';

/** Compiles schemas that import one another, by the addresses under which they do. The first one decides. */
export function compile(schemas: ReadonlyMap<string, string>): XsdValidator {
  const bytes = Object.fromEntries([...schemas].map(([address, text]) => [address, Buffer.from(text)]));
  xmlRegisterInputProvider(new XmlBufferInputProvider(bytes));
  try {
    const [first] = schemas;
    if (first === undefined) throw new Error('no schema');
    const document = XmlDocument.fromString(first[1], { url: first[0] });
    try {
      return XsdValidator.fromDoc(document);
    } finally {
      document.dispose();
    }
  } finally {
    xmlCleanupInputProvider();
  }
}

/** A schema that imports others and says nothing itself. */
export function importing(imports: readonly (readonly [namespace: string, location: string])[]): string {
  const written = imports.map(([uri, location]) => `<xs:import namespace="${uri}" schemaLocation="${location}"/>`);
  return `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">${written.join('')}</xs:schema>`;
}

const folder = new URL('../../profiles/schemas/', import.meta.url);

function ownSchemas(): Map<string, string> {
  const files = readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')] as const);
  const imports = files.map(([name, text]) => [/targetNamespace="([^"]+)"/.exec(text)?.[1] ?? '', name] as const);
  return new Map([['all.xsd', importing(imports)], ...files]);
}

let own: XsdValidator | undefined;

/**
 * What our schemas say against an envelope: each block of WS-Addressing and the content of its Body are looked at; [] when all is well.
 * xop:Include stands for the bytes that it names. Content without a declaration is a problem.
 */
export function schemaProblems(envelope: string): string[] {
  own ??= compile(ownSchemas());
  const document = XmlDocument.fromString(envelope.replace(/<(\w+:)?Include [^>]*\/>/g, 'AAAA'));
  try {
    const elements = document.find(
      `/*/*[local-name()='Header']/*[namespace-uri()='${addressing}'] | /*/*[local-name()='Body']/*`,
    );
    return elements.flatMap((element) => (element instanceof XmlElement ? problemsOf(own, element) : []));
  } finally {
    document.dispose();
  }
}

const addressing = 'http://www.w3.org/2005/08/addressing';

function problemsOf(validator: XsdValidator | undefined, element: XmlElement): string[] {
  try {
    validator?.validate(element);
    return [];
  } catch (error) {
    if (!(error instanceof XmlValidateError)) throw error;
    return error.details.map(({ message }) => message.trim());
  }
}

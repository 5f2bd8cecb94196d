import { escapeAttribute } from '../xml/write.ts';
import type { XdsTransaction } from './exchange.ts';
import { namespace } from './vocabulary.ts';

/** The schemas of the messages, by the namespace that each describes. */
const schemaOf = {
  [namespace.xml]: 'xml',
  [namespace.rim]: 'rim',
  [namespace.rs]: 'rs',
  [namespace.lcm]: 'lcm',
  [namespace.query]: 'query',
  [namespace.xds]: 'xds',
  [namespace.wsa]: 'addressing',
  [namespace.rmd]: 'rmd',
  [namespace.v3]: 'hl7v3',
} as const satisfies Readonly<Record<string, string>>;

export const schemaNames: readonly string[] = Object.values(schemaOf);

type Root = XdsTransaction['requestRoot'];

/** What answers a request, where it is no rs:RegistryResponse; by the root of the request. */
const responseRoots: Readonly<Record<string, Root>> = {
  AdhocQueryRequest: { namespace: namespace.query, local: 'AdhocQueryResponse' },
  RetrieveDocumentSetRequest: { namespace: namespace.xds, local: 'RetrieveDocumentSetResponse' },
  PRPA_IN201301UV02: { namespace: namespace.v3, local: 'MCCI_IN000002UV01' },
  PRPA_IN201302UV02: { namespace: namespace.v3, local: 'MCCI_IN000002UV01' },
  PRPA_IN201304UV02: { namespace: namespace.v3, local: 'MCCI_IN000002UV01' },
};
const registryResponse: Root = { namespace: namespace.rs, local: 'RegistryResponse' };

/** One operation: its name is the last part of its action, as IHE names them. */
type Operation = {
  readonly name: string;
  readonly input: { readonly action: string; readonly root: Root };
  readonly output: { readonly action: string; readonly root: Root };
};

const actors = { registry: 'DocumentRegistry', repository: 'DocumentRepository' } as const satisfies Record<
  XdsTransaction['receiver'],
  string
>;

/**
 * The description of one receiver at one address, from the transactions served there: a SOAP 1.2 binding, document/literal, with
 * WS-Addressing, and MTOM where an answer is an MTOM package. Schemas are imported from the same address. WSDL 1.1; IHE ITI TF-2 V.
 */
export function writeWsdl(
  receiver: XdsTransaction['receiver'],
  address: string,
  transactions: readonly XdsTransaction[],
): string {
  const served = transactions.filter((transaction) => transaction.receiver === receiver);
  const actor = actors[receiver];
  const operations = served.map((transaction) => operationOf(actor, transaction));
  const mtom = served.some(({ packaging }) => packaging === 'mtom');
  const prefixes = prefixesOf(operations);
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/"' +
    ' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:wsaw="http://www.w3.org/2006/05/addressing/wsdl"' +
    ` xmlns:tns="${namespace.xds}"${declared(prefixes)} name="${actor}" targetNamespace="${namespace.xds}">` +
    (mtom ? mtomPolicy : '') +
    `<wsdl:types><xs:schema>${[...prefixes.keys()].map((uri) => schemaImport(uri, address)).join('')}</xs:schema></wsdl:types>` +
    operations.map((operation) => messages(operation, prefixes)).join('') +
    `<wsdl:portType name="${actor}_PortType">${operations.map(abstractOperation).join('')}</wsdl:portType>` +
    `<wsdl:binding name="${actor}_Binding_Soap12" type="tns:${actor}_PortType">` +
    (mtom ? mtomReference : '') +
    '<soap12:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/><wsaw:UsingAddressing wsdl:required="true"/>' +
    `${operations.map(boundOperation).join('')}</wsdl:binding>` +
    `<wsdl:service name="${actor}_Service"><wsdl:port name="${actor}_Port_Soap12" binding="tns:${actor}_Binding_Soap12">` +
    `<soap12:address location="${escapeAttribute(address)}"/></wsdl:port></wsdl:service></wsdl:definitions>\n`
  );
}

/** Where a schema is had, beside the description that needs it. */
export function schemaAddress(name: string, address: string): string {
  return `${address}?xsd=${name}`;
}

function operationOf(actor: string, { requestAction, responseAction, requestRoot }: XdsTransaction): Operation {
  return {
    name: `${actor}_${requestAction.slice(requestAction.lastIndexOf(':') + 1)}`,
    input: { action: requestAction, root: requestRoot },
    output: { action: responseAction, root: responseRoots[requestRoot.local] ?? registryResponse },
  };
}

/** A prefix for each namespace of the messages: the name of its schema. */
function prefixesOf(operations: readonly Operation[]): ReadonlyMap<string, string> {
  const names: Readonly<Record<string, string>> = schemaOf;
  const uris = new Set(operations.flatMap(({ input, output }) => [input.root.namespace, output.root.namespace]));
  return new Map([...uris].flatMap((uri) => (names[uri] === undefined ? [] : [[uri, names[uri]]])));
}

function declared(prefixes: ReadonlyMap<string, string>): string {
  return [...prefixes].map(([uri, prefix]) => ` xmlns:${prefix}="${uri}"`).join('');
}

function schemaImport(uri: string, address: string): string {
  const names: Readonly<Record<string, string>> = schemaOf;
  return `<xs:import namespace="${uri}" schemaLocation="${escapeAttribute(schemaAddress(names[uri] ?? '', address))}"/>`;
}

function messages({ name, input, output }: Operation, prefixes: ReadonlyMap<string, string>): string {
  const message = (suffix: string, { namespace: uri, local }: Root) =>
    `<wsdl:message name="${name}${suffix}"><wsdl:part name="body" element="${prefixes.get(uri) ?? ''}:${local}"/></wsdl:message>`;
  return message('_Message', input.root) + message('Response_Message', output.root);
}

function abstractOperation({ name, input, output }: Operation): string {
  return (
    `<wsdl:operation name="${name}"><wsdl:input message="tns:${name}_Message" wsaw:Action="${input.action}"/>` +
    `<wsdl:output message="tns:${name}Response_Message" wsaw:Action="${output.action}"/></wsdl:operation>`
  );
}

function boundOperation({ name, input }: Operation): string {
  return (
    `<wsdl:operation name="${name}"><soap12:operation soapAction="${input.action}" style="document"/>` +
    '<wsdl:input><soap12:body use="literal"/></wsdl:input><wsdl:output><soap12:body use="literal"/></wsdl:output></wsdl:operation>'
  );
}

/** WS-Policy 1.5; WS-MTOMPolicy 1.0. */
const mtomPolicy =
  '<wsp:Policy xmlns:wsp="http://www.w3.org/ns/ws-policy"' +
  ' xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" wsu:Id="Mtom">' +
  '<wsoma:OptimizedMimeSerialization xmlns:wsoma="http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization"/>' +
  '</wsp:Policy>';
const mtomReference = '<wsp:PolicyReference xmlns:wsp="http://www.w3.org/ns/ws-policy" URI="#Mtom"/>';

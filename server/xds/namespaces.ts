/** Names of SOAP, WS-Addressing, WS-Security and XOP; those of XDS and ebRIM are in vocabulary.ts. */
export const soap12 = 'http://www.w3.org/2003/05/soap-envelope';
export const soap11 = 'http://schemas.xmlsoap.org/soap/envelope/';
export const soapNext = `${soap12}/role/next`;
export const soapUltimateReceiver = `${soap12}/role/ultimateReceiver`;
export const wsa = 'http://www.w3.org/2005/08/addressing';
export const wsaAnonymous = `${wsa}/anonymous`;
/** Actions of fault messages. WS-Addressing 1.0 SOAP Binding §6. */
export const wsaFaultAction = `${wsa}/fault`;
export const wsaSoapFaultAction = `${wsa}/soap/fault`;
export const wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
export const xop = 'http://www.w3.org/2004/08/xop/include';
export const xds = 'urn:ihe:iti:xds-b:2007';
export const rs = 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0';

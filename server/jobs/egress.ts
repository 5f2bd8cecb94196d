import { lookup as systemLookup } from 'node:dns';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, type LookupFunction } from 'node:net';
import { pipeline } from 'node:stream/promises';

/**
 * What a listed name must not lead to, whoever answers for it: this machine, the link, groups, nothing at all, what clouds tell their machines at,
 * and whatever hides an address of IPv4 in one of IPv6 (RFC 6052, RFC 7915, RFC 3056, RFC 4380, RFC 4291 §2.5.5.1).
 */
const forbidden = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['192.0.0.0', 24],
  ['224.0.0.0', 3],
] as const)
  forbidden.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fe80::', 9],
  ['ff00::', 8],
  ['fd00:ec2::', 32],
] as const)
  forbidden.addSubnet(network, bits, 'ipv6');

type Resolve = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: { address: string; family: number }[]) => void,
) => void;

/** Resolves a name once; what it answers is what is connected to. `localhost` means this machine. */
function guarded(resolve: Resolve): LookupFunction {
  return (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const may = addresses.filter(
        ({ address, family }) => hostname === 'localhost' || !forbidden.check(address, family === 6 ? 'ipv6' : 'ipv4'),
      );
      const [first] = may;
      if (error !== null) callback(error, '');
      else if (first === undefined) callback(new Error(`${hostname} leads to a forbidden address`), '');
      else if (options.all === true) callback(null, may);
      else callback(null, first.address, first.family);
    });
}

export type Sending = {
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
};

/** No byte for so long ends a connection, and so does its age; milliseconds. */
const silence = 30_000;
const longest = 600_000;

/**
 * Posts to an address that was found on an allow-list and answers the status. No redirection is followed; what the receiver says is not read.
 * @throws when it cannot be reached, or falls silent
 */
export async function post(
  target: URL,
  { headers, body, signal }: Sending,
  resolve: Resolve = systemLookup,
): Promise<number> {
  const start = target.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = start(target, {
    method: 'POST',
    headers,
    agent: false,
    lookup: guarded(resolve),
    timeout: silence,
    signal: AbortSignal.any([signal, AbortSignal.timeout(longest)]),
  });
  request.on('timeout', () => request.destroy(new Error('the receiver fell silent')));
  try {
    const [response] = await Promise.all([
      answerTo(request),
      pipeline(body instanceof Uint8Array ? [body] : body, request),
    ]);
    return response.statusCode ?? 0;
  } finally {
    request.on('error', () => {}).destroy();
  }
}

function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', resolve);
  });
}

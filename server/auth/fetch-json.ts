import { NotIdentified } from './credentials.ts';

/** The longest answer of an issuer that is read, in bytes. */
const longest = 256 * 1024;
const patience = 3_000;

/**
 * Gets JSON from an issuer at an address of the configuration: no redirect is followed, nothing is read beyond the limit, and after three
 * seconds it is given up.
 * @throws NotIdentified when the issuer does not answer so
 */
export async function fetchJson(address: URL, headers: Readonly<Record<string, string>>): Promise<unknown> {
  let text: string;
  try {
    text = await readText(await fetchIssuer(address, { headers }));
  } catch (error) {
    throw new NotIdentified(`issuer did not answer: ${Error.isError(error) ? error.name : 'unknown'}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new NotIdentified('issuer answered no JSON');
  }
}

/** The same for a reader of its own: an answer other than 200 is a fault, and so is a long one. */
export async function fetchIssuer(address: string | URL, init: RequestInit): Promise<Response> {
  const response = await fetch(address, {
    ...init,
    redirect: 'error',
    signal: init.signal ?? AbortSignal.timeout(patience),
  });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return new Response(await readText(response), { headers: response.headers });
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body = response.body as AsyncIterable<Uint8Array> | null;
  if (body === null) return '';
  for await (const chunk of body) {
    size += chunk.length;
    if (size > longest) throw new Error('answer too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

import { type Acting, ask, publicAddress, RefusedByServer, serverAddress } from './call.ts';
import { tokenOf } from './credential.ts';

/** What the commands look at in a DocumentReference. */
export type DocumentReference = {
  readonly resourceType: string;
  readonly masterIdentifier?: { readonly value?: string };
  readonly identifier?: readonly { readonly value?: string }[];
  readonly status?: string;
  readonly type?: { readonly coding?: readonly { readonly code?: string }[] };
  readonly content?: readonly { readonly attachment?: { readonly url?: string; readonly title?: string } }[];
};

type Bundle = {
  readonly entry?: readonly { readonly resource?: DocumentReference }[];
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
};

/** Opens a session: its token serves until it expires. */
export async function openSession(acting: Acting) {
  const token = await tokenOf(acting);
  const get = async (link: string): Promise<Response> => {
    const response = await ask(reachable(link), { headers: { Authorization: `Bearer ${token}` } });
    if (!response.ok)
      throw new RefusedByServer(`Refused: HTTP ${response.status}\n${outcomeText(await response.text())}`);
    return response;
  };
  return {
    /** All pages of a search of documents. */
    async documents(parameters: Readonly<Record<string, string>>): Promise<DocumentReference[]> {
      const found: DocumentReference[] = [];
      let url: string | undefined =
        `${serverAddress()}/fhir/DocumentReference?${new URLSearchParams(parameters).toString()}`;
      while (url !== undefined) {
        const bundle = (await (await get(url)).json()) as Bundle;
        for (const { resource } of bundle.entry ?? [])
          if (resource?.resourceType === 'DocumentReference') found.push(resource);
        url = bundle.link?.find(({ relation }) => relation === 'next')?.url;
      }
      return found;
    },
    /** Deposits a Bundle of ITI-65. */
    async provide(bundle: unknown): Promise<void> {
      const response = await ask(`${serverAddress()}/fhir`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' },
        body: JSON.stringify(bundle),
      });
      if (!response.ok)
        throw new RefusedByServer(`Refused: HTTP ${response.status}\n${outcomeText(await response.text())}`);
    },
    async bytes(url: string): Promise<Buffer> {
      return Buffer.from(await (await get(url)).arrayBuffer());
    },
  };
}

/** A link of the server, at the address where it is reached; the token goes nowhere else. @throws RefusedByServer */
function reachable(link: string): string {
  const base = [publicAddress(), serverAddress()].find((address) => link.startsWith(`${address}/`));
  if (base === undefined) throw new RefusedByServer(`The server pointed at ${link}, which is not the server`);
  return `${serverAddress()}${link.slice(base.length)}`;
}

/** An identifier without the prefix of its URI; UUIDs keep theirs, as XDS writes them. */
export function bare(value: string | undefined): string {
  return value?.replace(/^urn:oid:/, '') ?? '';
}

function outcomeText(body: string): string {
  try {
    const { issue = [] } = JSON.parse(body) as {
      issue?: { code?: string; diagnostics?: string; details?: { text?: string } }[];
    };
    return issue.map(({ code, details, diagnostics }) => `${code}: ${diagnostics ?? details?.text ?? ''}`).join('\n');
  } catch {
    return body.slice(0, 300);
  }
}

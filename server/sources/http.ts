import { type OnDemandSources, SourceFailed, SourceSilent } from './port.ts';

/** A source: the repositoryUniqueId of its entries, and the one address at which it is called. */
export type SourceAddress = { readonly repository: string; readonly address: string };

/**
 * Sources that are called by HTTP: the order as JSON by POST, the document as the body of a 200; 304 where the former one that the order names would
 * come again. No other address than those given is ever
 * called, and no redirection followed. `timeout` in milliseconds, for the whole answer.
 */
export function httpSources(sources: readonly SourceAddress[], { timeout = 10_000 } = {}): OnDemandSources {
  const byRepository = new Map(sources.map(({ repository, address }) => [repository, address]));
  return {
    repositories: [...byRepository.keys()],
    async assemble(repository, order) {
      const address = byRepository.get(repository);
      if (address === undefined) throw new SourceFailed(`no source is registered for ${repository}`);
      const response = await fetch(address, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(order),
        redirect: 'error',
        signal: AbortSignal.timeout(timeout),
      }).catch((cause: unknown) => {
        throw new SourceSilent(`the source of ${repository} cannot be reached`, { cause });
      });
      if (response.status === 304 && order.former !== undefined) return 'unchanged';
      if (response.status !== 200 || response.body === null) {
        await response.body?.cancel();
        throw new SourceFailed(`the source of ${repository} answered ${response.status}`);
      }
      const type = response.headers.get('Content-Type');
      if (!isOf(order.entry.mimeType, type)) {
        await response.body.cancel();
        throw new SourceFailed(`the source of ${repository} answered ${type}`);
      }
      return whole(response.body, repository);
    },
  };
}

/** Whether an answer is of the media type that the entry announces: a page that says what went wrong is no document. Untold, it is. */
function isOf(announced: string, told: string | null): boolean {
  const plain = (type: string) =>
    type
      .replace(/;.*$/s, '')
      .trim()
      .toLowerCase()
      .replace(/^application\/xml$/, 'text/xml');
  return [null, '', 'application/octet-stream', plain(announced)].includes(told === null ? null : plain(told));
}

async function* whole(body: AsyncIterable<Uint8Array>, repository: string): AsyncIterable<Uint8Array> {
  let size = 0;
  try {
    for await (const piece of body) {
      size += piece.length;
      yield piece;
    }
  } catch (cause) {
    throw new SourceSilent(`the source of ${repository} broke off`, { cause });
  }
  if (size === 0) throw new SourceFailed(`the source of ${repository} answered nothing`);
}

/**
 * The addresses that may be connected to, as the operator lists them: `https://host[:port][/path]`. An address is allowed when scheme, host
 * and port are the same and its path begins with the listed one, whole segments compared; never with credentials in it, nor with a segment that
 * the receiver could take for several, or for another.
 */
export type AllowList = { readonly allowed: (address: string) => URL | undefined };

/** @param listed addresses, as the settings have checked them; each allows what lies below its path. @throws TypeError for what is no address */
export function makeAllowList(listed: readonly string[]): AllowList {
  const targets = listed.map((text) => new URL(text));
  return {
    allowed(address) {
      if (!URL.canParse(address)) return undefined;
      const url = new URL(address);
      if (url.username !== '' || url.password !== '' || url.hash !== '') return undefined;
      if (/%2f|%5c|%25|%[01][\da-f]|%7f|\/\.\.;/i.test(url.pathname)) return undefined;
      return targets.some((target) => url.origin === target.origin && isBelow(url.pathname, target.pathname)) &&
        schemes.has(url.protocol)
        ? url
        : undefined;
    },
  };
}

/** Whether a text can stand in an allow-list. */
export function isTarget(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return schemes.has(protocol) && [username, password, search, hash].every((part) => part === '');
}

const schemes = new Set(['http:', 'https:']);

function isBelow(path: string, listed: string): boolean {
  return path === listed || path.startsWith(listed.endsWith('/') ? listed : `${listed}/`);
}

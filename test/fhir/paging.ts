import type { Bundle, FhirResource } from 'fhir/r4.js';
import type { Door } from './door.ts';

/** The address of the next page; '' on the last one. */
export function nextOf({ link = [] }: Pick<Bundle, 'link'>): string {
  return link.find(({ relation }) => relation === 'next')?.url ?? '';
}

/** The address of a page with another letter in its token. */
export function altered(url: string): string {
  return url.replace(/(?<=_page=)./, (letter) => (letter === 'X' ? 'Y' : 'X'));
}

/** Every page that a search has for one of the sandbox's people. @throws Error for an answer other than 200, and after a hundred pages */
export async function pagesOf<R extends FhirResource>(door: Door, who: string, first: string): Promise<Bundle<R>[]> {
  const pages: Bundle<R>[] = [];
  for (let url = first; url !== ''; ) {
    const { status, json } = await door.get<Bundle<R>>(who, url);
    if (status !== 200) throw new Error(`${status} for ${url}`);
    pages.push(json);
    if (pages.length > 100) throw new Error(`${first} has no end`);
    url = nextOf(json);
  }
  return pages;
}

import { people } from '../../server/sandbox/people.ts';
import { type Options, print } from './call.ts';

export function showPeople({ json }: Options): void {
  if (json === true) print(JSON.stringify(people, undefined, 2));
  else for (const { slug, kind, display } of people) print(`${slug.padEnd(13)} ${kind.padEnd(14)} ${display}`);
}

import { readFileSync } from 'node:fs';
import { readDomain } from '../../server/config/domain.ts';
import type { DocumentEntry, Folder, Submission } from '../../server/domain/document.ts';
import type { RegistryFacts } from '../../server/domain/rules/facts.ts';

/** Changes by path (`entries/0/title`): the value, or null for what is taken away. */
export type Changes = Readonly<Record<string, unknown>>;

type Base = {
  readonly submission: Submission;
  readonly facts: unknown;
  readonly entry: DocumentEntry;
  readonly folder: Folder;
};

const text = readFileSync(new URL('../cases/submissions/base.json', import.meta.url), 'utf8');

/** The sound submission of the cases, with these changes. */
export function submissionWith(changes: Changes = {}): Submission {
  return changed((JSON.parse(text) as Base).submission, changes) as Submission;
}

/** What its caller and the registry are, with these changes: the domain is one of ours, by name; registered objects are given by what differs from the usual ones. */
export function factsWith(changes: Changes = {}): RegistryFacts {
  const { facts, entry, folder } = JSON.parse(text) as Base;
  const {
    domain,
    held,
    taken,
    elsewhere = [],
    others = {},
    targets,
    folders,
    ...rest
  } = changed(facts, changes) as Omit<
    RegistryFacts,
    'domain' | 'held' | 'taken' | 'elsewhere' | 'others' | 'targets' | 'folders'
  > & {
    domain: string;
    held: Record<string, []>;
    taken: string[];
    elsewhere?: string[];
    others?: Record<string, 'registeredSet' | 'registeredAssociation'>;
    targets: Record<string, { own: boolean; entry: Changes }>;
    folders: Record<string, Changes>;
  };
  return {
    ...rest,
    domain: readDomain(domain),
    held: new Map(Object.entries(held)),
    taken: new Set(taken),
    elsewhere: new Set(elsewhere),
    others: new Map(Object.entries(others)),
    targets: new Map(
      Object.entries(targets).map(([entryUUID, t]) => [
        entryUUID,
        { own: t.own, entry: { ...entry, entryUUID, ...t.entry } },
      ]),
    ),
    folders: new Map(Object.entries(folders).map(([entryUUID, f]) => [entryUUID, { ...folder, entryUUID, ...f }])),
  };
}

function changed(value: unknown, changes: Changes): unknown {
  for (const [path, replacement] of Object.entries(changes)) {
    const keys = path.split('/');
    const last = keys.pop() ?? '';
    const place = keys.reduce((at, key) => at[key] as Record<string, unknown>, value as Record<string, unknown>);
    if (replacement === null && Array.isArray(place)) place.splice(Number(last), 1);
    else if (replacement === null) delete place[last];
    else place[last] = replacement;
  }
  return value;
}

import { randomUUID } from 'node:crypto';
import { CardsMissing, loadCard, loadTokenKey } from '../../server/sandbox/cards.ts';
import { signToken } from '../../server/sandbox/token.ts';
import { signVihf } from '../../server/sandbox/vihf.ts';
import { type Acting, actingOf, cxOf, dataFolder, Misused, type Options, print, publicAddress, text } from './call.ts';

export function printVihf(options: Options): void {
  const issued = text(options, 'issued-at');
  const issuedAt = issued === undefined ? Date.now() : Date.parse(issued);
  if (Number.isNaN(issuedAt)) throw new Misused(`--issued-at is a time such as 2026-07-01T08:00:00Z, not "${issued}"`);
  print(vihfOf(actingOf(options), issuedAt));
}

export async function printToken(options: Options): Promise<void> {
  const lifetime = text(options, 'expires-in') ?? '300';
  if (!/^-?\d{1,9}$/.test(lifetime)) throw new Misused(`--expires-in is a number of seconds, not "${lifetime}"`);
  print(await tokenOf(actingOf(options), Number(lifetime), text(options, 'audience')));
}

/** A fresh assertion for one request. @throws Misused */
export function vihfOf({ person, patient, mode, reason }: Acting, issuedAt = Date.now()): string {
  const card = fromSandbox(() => loadCard(dataFolder(), person.slug));
  if (card === undefined) throw new Misused(`${person.slug} has no card: ${person.kind}s use "token", and FHIR`);
  return signVihf(card, {
    mode,
    ...(patient !== undefined && { patient: cxOf(patient) }),
    ...(reason !== undefined && { reason }),
    issuedAt,
    id: randomUUID(),
  });
}

/** A token; `lifetime` in seconds. @throws Misused */
export async function tokenOf(
  { person, patient, mode, reason }: Acting,
  lifetime = 300,
  audience = `${publicAddress()}/fhir`,
): Promise<string> {
  return signToken(
    fromSandbox(() => loadTokenKey(dataFolder())),
    person,
    {
      mode,
      ...(patient !== undefined && { patient: cxOf(patient) }),
      ...(reason !== undefined && { reason }),
      issuer: `${publicAddress()}/auth`,
      audience,
      issuedAt: Date.now(),
      lifetime,
      id: randomUUID(),
    },
  );
}

function fromSandbox<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (error instanceof CardsMissing) throw new Misused(error.message);
    throw error;
  }
}

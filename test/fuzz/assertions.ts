import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotIdentified } from '../../server/auth/credentials.ts';
import { makeIdentify } from '../../server/auth/identify.ts';
import type { Caller } from '../../server/domain/actor.ts';
import { Refused } from '../../server/domain/error.ts';
import { loadCard } from '../../server/sandbox/cards.ts';
import { sandboxSystems } from '../../server/sandbox/systems.ts';
import { signVihf } from '../../server/sandbox/vihf.ts';
import { defaultXmlLimits, parseXml, XmlRejected } from '../../server/xml/read.ts';
import { putCards } from '../support/cards.ts';
import { cxOf } from '../support/clients.ts';
import { envelope, findDocuments } from '../support/messages.ts';
import { plain } from '../support/wire.ts';
import { mutated } from './mutate.ts';
import { chanceOf } from './random.ts';
import type { Finding } from './run.ts';

const people = ['dr-martin', 'sec-moreau', 'labo-centre', 'regie'];

/**
 * Spoils envelopes with a signed assertion and asks who sends them: the one who signed, or nobody. Whatever else comes of it is a finding:
 * another caller, another patient or mode, an error of our own.
 */
export async function fuzzAssertions(seed: number, goOn: () => boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'opendmp-fuzz-'));
  try {
    await putCards(folder);
    const now = Date.now();
    const identify = await makeIdentify(
      {
        authorities: await readFile(join(folder, 'sandbox/ca.pem'), 'utf8'),
        ...{ crls: '', allowSha1: false, skewSeconds: 60, maxAgeSeconds: 3600, audience: 'http://dmp.example.org' },
        systems: sandboxSystems(),
        issuers: [],
      },
      () => now,
    );
    const who = async (source: string): Promise<Caller | undefined> => {
      try {
        return await identify.assertion({ source, root: parseXml(source, defaultXmlLimits) });
      } catch (error) {
        if (error instanceof NotIdentified || error instanceof XmlRejected || error instanceof Refused)
          return undefined;
        throw error;
      }
    };
    const messages = people.map((slug) => {
      const card = loadCard(folder, slug);
      if (card === undefined) throw new Error(`${slug} has no card`);
      const said = { patient: cxOf('laurent'), mode: 'normal', issuedAt: now, id: `fuzz-${slug}` } as const;
      return envelope('find', signVihf(card, said), findDocuments(cxOf('laurent')));
    });
    const callers = await Promise.all(messages.map(who));
    const words = messages.flatMap((text) =>
      [...text.matchAll(/="([^"]*)"|>([^<>]+)</g)].map((m) => m[1] ?? m[2] ?? ''),
    );
    const findings: Finding[] = [];
    const outcomes = new Map<string, number>();
    let cases = 0;
    for (; goOn(); cases++) {
      const chance = chanceOf(seed * 1_000_003 + cases);
      const at = chance.below(messages.length);
      const sound = { contentType: plain, body: Buffer.from(messages[at] ?? '') };
      const { wire, done } = mutated(sound, chance, words);
      const wrong: string[] = [];
      let outcome = 'nobody';
      try {
        const caller = await who(wire.body.toString());
        outcome = caller === undefined ? 'nobody' : 'the signer';
        if (caller !== undefined && JSON.stringify(caller) !== JSON.stringify(callers[at]))
          wrong.push(`another caller: ${JSON.stringify(caller)} for ${JSON.stringify(callers[at])}`);
      } catch (error) {
        wrong.push(Error.isError(error) ? String(error.stack) : String(error));
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      const name = people[at] ?? '';
      const sample = { name, receiver: 'registry', wire } as const;
      if (wrong.length > 0) findings.push({ seed, block: 0, number: cases, name, done, wrong, sample });
    }
    return { cases, findings, outcomes };
  } finally {
    await rm(folder, { recursive: true });
  }
}

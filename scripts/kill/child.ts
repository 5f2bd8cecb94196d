import { writeSync } from 'node:fs';
import { uuidMaker } from '../../server/crypto/uuid.ts';
import { openEmbedded } from '../../server/store/embedded/open.ts';
import { deposit, depositPermit } from './deposits.ts';

/** Deposits on a store for ever, as many at once as told; each name is printed when its deposit was acknowledged. Ends by being killed. */
const [folder = '', record = '', clients = '32'] = process.argv.slice(2);
const now = () => Date.now();
const newId = uuidMaker(now);
const store = await openEmbedded({ folder, threads: true });
const facts = await store.facts.recordById(record);
if (facts === undefined) throw new Error('The store of the kill test has no record');
const permit = depositPermit(facts, now());

async function client(): Promise<never> {
  for (;;) {
    const id = newId();
    const outcome = await store.write.commit(permit, deposit(record, id, now()));
    if (!outcome.done) throw new Error(`A deposit of a new document was refused: ${JSON.stringify(outcome)}`);
    writeSync(1, `${id}\n`);
  }
}

await Promise.all(Array.from({ length: Number(clients) }, client));

import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readDomain } from '../../server/config/domain.ts';
import { SettingsWrong } from '../../server/config/settings-wrong.ts';
import type { Action } from '../../server/domain/action.ts';
import { actions } from '../../server/domain/action.ts';
import type { Caller } from '../../server/domain/actor.ts';
import type { AffinityDomain } from '../../server/domain/affinity-domain.ts';
import { decide } from '../../server/domain/decision.ts';
import { submissionProblems } from '../../server/domain/rules.ts';
import { factsWith, submissionWith } from '../support/submission.ts';
import { openWorld } from '../support/world.ts';

const ours = new URL('../../profiles/domains/', import.meta.url);
const regional = 'test/cases/domains/regional.json';

/** Our own domain with another list of types. */
const withList = (typeCode: string) =>
  JSON.stringify({ ...JSON.parse(readFileSync(new URL('dmp.json', ours), 'utf8')), valueSets: { typeCode } });

describe('a domain is data', () => {
  test.each(readdirSync(ours))('%s of profiles/domains can be read', (file) => {
    const name = file.replace('.json', '');
    expect(readDomain(name).name).toBe(name);
  });

  test('a third one, with code lists of its own, is written without code', () => {
    const domain = readDomain(regional);
    expect(domain.valueSets.typeCode?.codes.map(({ code }) => code)).toEqual(['11502-2', 'CRR']);
    const odd = submissionWith({
      'sets/0/patientId': { id: 'P1', authority: { oid: '2.999.10' } },
      'entries/0/patientId': { id: 'P1', authority: { oid: '2.999.10' } },
      'entries/0/typeCode': { code: 'CRR', system: '2.999.40' },
      'entries/0/mimeType': 'application/pdf',
      'entries/0/confidentialityCodes': [{ code: 'R', system: '2.16.840.1.113883.5.25' }],
    });
    expect(submissionProblems('ITI-41', odd, factsWith({ domain: regional }))).toEqual([]);
    const names = submissionProblems('ITI-41', odd, factsWith({ domain: 'dmp' })).map((problem) => problem.name);
    expect([...new Set(names)].sort()).toEqual(['codeNotAllowed', 'insMalformed', 'visibilityNotAllowed']);
  });

  test.each([
    ['that nobody wrote', 'nowhere', 'known are dmp, open'],
    ['of another shape', '{"name":"x"}', 'identity'],
    ['with a key that means nothing', '{"name":"x","colour":"red"}', 'colour'],
    ['that is no JSON', '{', 'JSON'],
    ['whose code list is of another kind', withList('class-of-type-cisis'), 'classes'],
    ['whose code list is not there', withList('nowhere'), 'nowhere.json cannot be read'],
  ])('one %s is refused with words for the operator', (_, text, words) => {
    const file = join(mkdtempSync(join(tmpdir(), 'opendmp-domain-')), 'x.json');
    if (text !== 'nowhere') writeFileSync(file, text);
    const reading = () => readDomain(text === 'nowhere' ? text : file);
    expect(reading).toThrow(SettingsWrong);
    expect(reading).toThrow(words);
  });
});

describe('whoever brings no credential', () => {
  const anybody: Caller = {
    actor: { kind: 'system', id: 'anybody', name: 'No credential', rights: ['feed', 'register', 'remove'] },
    mode: 'normal',
    secret: false,
    credential: { kind: 'none', id: 'none' },
  };
  const judged = async (action: Action, domain: AffinityDomain) => {
    const { tools, ins } = await world;
    const facts = await tools.store.facts.recordByIdentifier(ins('laurent'));
    return decide({ caller: anybody, action }, facts, { ...tools.settings, domain, now: tools.now() });
  };
  const world = openWorld();

  const administration: readonly Action[] = [
    'readHistory',
    'readConsents',
    'declareAuthorisation',
    'withdrawAuthorisation',
    'changeConsent',
    'createRecord',
    'closeRecord',
    'reopenRecord',
    'destroyRecord',
    'announce',
    'feedAudit',
  ];

  test.each(actions)('%s', async (action) => {
    const decision = await judged(action, readDomain('open'));
    if (administration.includes(action)) expect(decision).toMatchObject({ refused: { reason: 'matrix' } });
    else
      expect(decision).toMatchObject({ permit: { ground: 'openDomain', visibility: { hidden: [], content: 'all' } } });
    expect(await judged(action, readDomain('dmp'))).toMatchObject({ refused: { reason: 'matrix' } });
  });
});

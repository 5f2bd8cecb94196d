import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Problem } from '../../server/domain/error.ts';
import type { Transaction } from '../../server/domain/event.ts';
import { messageProblems, submissionProblems } from '../../server/domain/rules.ts';
import { type Changes, factsWith, submissionWith } from '../support/submission.ts';

type Case = { case: string; transaction?: Transaction; submission?: Changes; facts?: Changes; expect: string[] };

const folder = new URL('../cases/submissions/', import.meta.url);
const names = readdirSync(folder)
  .map((file) => file.replace('.json', ''))
  .filter((name) => name !== 'base');
const casesOf = (name: string) =>
  (JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as { rule: string; cases: Case[] }).cases;

/** `name object attribute`, as the cases write it. */
const told = ({ name, about }: Problem) => [name, about.object, about.attribute].filter(Boolean).join(' ');

describe.each(names)('%s', (name) => {
  test.each(casesOf(name))('$case', ({ transaction, submission, facts, expect: expected }) => {
    const problems = submissionProblems(transaction ?? 'ITI-41', submissionWith(submission), factsWith(facts));
    expect(problems.map(told).sort()).toEqual([...expected].sort());
  });
});

test('every rule has a case that passes and one that fails', () => {
  const notRules = ['facts', 'ends', 'repeated', 'lot-signature'];
  const rules = readdirSync(new URL('../../server/domain/rules/', import.meta.url))
    .map((file) => file.replace('.ts', ''))
    .filter((name) => !notRules.includes(name));
  expect(names.sort()).toEqual(rules.sort());
  for (const name of names) {
    expect(casesOf(name).some((c) => c.expect.length === 0)).toBe(true);
    expect(casesOf(name).some((c) => c.expect.length > 0)).toBe(true);
  }
});

test('a transaction without rules is no way in', () => {
  expect(() => submissionProblems('ITI-18', submissionWith(), factsWith())).toThrow(TypeError);
  expect(() => messageProblems('ITI-67', submissionWith(), factsWith())).toThrow(TypeError);
});

test('what we deposit ourselves is judged by the same rules', () => {
  const wrong = submissionWith({ 'entries/0/classCode': null });
  expect(submissionProblems('internal', wrong, factsWith()).map(told)).toEqual(['attributeMissing doc1 classCode']);
});

test('the message alone is judged without the registry', () => {
  const problems = messageProblems('ITI-41', submissionWith({ 'sets/0/authors': null }), factsWith());
  expect(problems).toEqual([]);
});

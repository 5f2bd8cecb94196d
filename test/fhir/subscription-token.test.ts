import { createSecretKey } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { bindingToken, readBindingToken } from '../../server/fhir/subscription-token.ts';

const key = createSecretKey(Buffer.alloc(32, 1));
const binding = { owner: 'dr-martin', subscriptions: ['a', 'b'], until: 1000 };
const token = bindingToken(key, binding);
const [payload = '', mac = ''] = token.split('.');
const later = Buffer.from(JSON.stringify(['dr-martin', ['a', 'b'], 9999])).toString('base64url');

describe('a token for websockets', () => {
  test('is what was bound, up to its end', () => {
    expect(readBindingToken(key, token, 999)).toEqual(binding);
    expect(readBindingToken(key, token, 1000)).toBeUndefined();
  });

  test.each([
    ['of a later end', `${later}.${mac}`],
    ['without a signature', payload],
    ['with half of one', `${payload}.${mac.slice(0, 20)}`],
    ['with more behind it', `${token}.x`],
    ['of another key', bindingToken(createSecretKey(Buffer.alloc(32, 2)), binding)],
    ['that is empty', ''],
  ])('%s is none', (_, altered) => {
    expect(readBindingToken(key, altered, 0)).toBeUndefined();
  });
});

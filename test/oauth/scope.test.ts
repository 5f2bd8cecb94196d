import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isWithin } from '../../server/auth/scope.ts';
import type { Interaction } from '../../server/fhir/exchange.ts';
import { covers } from '../../server/fhir/scope.ts';

type Asked = Parameters<typeof covers>[1];

const asked = (
  resource: Interaction['resource'],
  interaction: Interaction['interaction'],
  more: Partial<Asked> = {},
): Asked => ({
  resource,
  interaction,
  transaction: 'read',
  path: `/${resource}`,
  ...more,
});
const validate = { name: 'validate', definition: 'http://hl7.org/fhir/OperationDefinition/Resource-validate' };
const history = { name: 'events', definition: 'http://example.org/events' };

describe('a scope opens', () => {
  test.each<[string, Asked, boolean]>([
    ['ITI-65', asked('system', 'transaction', { transaction: 'ITI-65', path: '/' }), true],
    ['user/DocumentReference.c', asked('system', 'transaction', { transaction: 'ITI-65', path: '/' }), true],
    ['user/DocumentReference.rus', asked('system', 'transaction', { transaction: 'ITI-65', path: '/' }), false],
    ['user/DocumentReference.r', asked('DocumentReference', 'vread'), true],
    ['user/DocumentReference.r', asked('DocumentReference', 'history-instance'), true],
    ['user/DocumentReference.r', asked('DocumentReference', 'search-type'), false],
    ['user/DocumentReference.write', asked('DocumentReference', 'patch'), true],
    ['user/DocumentReference.write', asked('DocumentReference', 'read'), false],
    ['user/DocumentReference.u', asked('DocumentReference', 'delete'), false],
    ['user/DocumentReference.d', asked('DocumentReference', 'delete'), true],
    ['user/DocumentReference.rs?status=current', asked('DocumentReference', 'read'), false],
    ['user/DocumentReference.sr', asked('DocumentReference', 'read'), false],
    ['user/DocumentReference.', asked('DocumentReference', 'read'), false],
    ['read', asked('DocumentReference', 'read'), false],
    ['openid', asked('DocumentReference', 'read'), false],
    ['user/Subscription.r', asked('Subscription', 'operation', { operation: history }), true],
    ['user/Subscription.cud', asked('Subscription', 'operation', { operation: history }), false],
    ['openid', asked('DocumentReference', 'operation', { operation: validate }), true],
    [
      'openid',
      asked('DocumentReference', 'operation', { operation: validate, path: '/DocumentReference/:id/$validate' }),
      false,
    ],
  ])('%s, asked for %j: %s', (scope, interaction, expected) => {
    expect(covers([scope], interaction)).toBe(expected);
  });
});

test('what is within a scope opens nothing that the scope does not open', () => {
  const type = fc.constantFrom('DocumentReference', 'Binary', 'Patient', 'Consent', '*');
  const can = fc.constantFrom('c', 'r', 'u', 'd', 's', 'rs', 'cruds', 'read', 'write', '*');
  const scope = fc
    .tuple(fc.constantFrom('user', 'patient', 'system'), type, can)
    .map(([of, on, what]) => `${of}/${on}.${what}`);
  const resource = fc.constantFrom<Interaction['resource']>('DocumentReference', 'Binary', 'Patient', 'Consent');
  const interaction = fc.constantFrom<Interaction['interaction']>(
    'read',
    'search-type',
    'create',
    'update',
    'delete',
    'operation',
  );
  fc.assert(
    fc.property(scope, scope, resource, interaction, (narrow, wide, on, what) => {
      fc.pre(isWithin(narrow, [wide]));
      expect(covers([narrow], asked(on, what)) && !covers([wide], asked(on, what))).toBe(false);
    }),
  );
});

import { isDeepStrictEqual } from 'node:util';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { extensions, identifierTypes } from '../vocabulary.ts';
import { childrenOf, codingsIn, stepsOf } from './path.ts';

/** An invariant: whether the element obeys it. */
type Rule = (element: JsonObject, resource: JsonObject) => boolean;

const listed = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : value === undefined ? [] : [value];

const named = (element: Json, name: string, url: string) =>
  listed(isObject(element) ? element[name] : undefined).find((one) => isObject(one) && one['url'] === url);

/** Whether the patient's identity is validated. FR Core, fr-core-identity-reliability. */
function isValidated(patient: JsonObject): boolean {
  return listed(patient['extension'])
    .filter((one) => isObject(one) && one['url'] === extensions.identityReliability)
    .some((one) => {
      const status = named(one, 'extension', 'identityStatus');
      return isObject(status) && codingsIn(status['valueCoding'] ?? '').some(({ code }) => code === 'VALI');
    });
}

const officialIdentifiers = (patient: JsonObject) =>
  listed(patient['identifier']).filter((one): one is JsonObject => isObject(one) && one['use'] === 'official');

function isOfIns({ system, type }: JsonObject): boolean {
  const kind = typeof system === 'string' ? identifierTypes.ofPatient[system.replace('urn:oid:', '')] : undefined;
  if (kind === 'INS-NIR') return codingsIn(type ?? '').some(({ code }) => code === kind);
  return kind !== undefined && kind !== 'INS-C';
}

const inseeCode = stepsOf('extension(place).value[x].extension(insee).valueCoding', {
  place: extensions.birthPlace,
  insee: extensions.inseeCode,
});

const rules = {
  /** IHE BALP, val-audit-source: the recording agent is the source. */
  'val-audit-source': (agent, { source }) =>
    isObject(source) && isDeepStrictEqual(agent['who'] ?? null, source['observer'] ?? null),
  /** FR Core 2.2.0, fr-core-patient-ins. */
  'fr-core-1': (patient) => !isValidated(patient) || officialIdentifiers(patient).some(isOfIns),
  'fr-core-2': (patient) => !isValidated(patient) || officialIdentifiers(patient).length === 1,
  'fr-core-3': (patient) => {
    const found = inseeCode.reduce(
      (all, step) => all.flatMap((one) => childrenOf(one, step)),
      [{ value: patient as Json, at: '' }],
    );
    return !isValidated(patient) || found.every(({ value }) => codingsIn(value).every(({ code }) => code !== '99999'));
  },
  /** IHE PDQm 3.2.0, IHE.PDQm.Patient. */
  'iti-pdqm-linkstatus': ({ link, active }) => link === undefined || active !== undefined,
  'iti-pdqm-patname': (name) => {
    const said = name['family'] !== undefined || name['given'] !== undefined || name['text'] !== undefined;
    return said !== (named(name, 'extension', extensions.dataAbsentReason) !== undefined);
  },
  /** PDSm 3.1.1 asks for an authenticator; nobody authenticates what the patient himself deposits. */
  'pdsm-authenticator': (document) => {
    const patients = listed(document['contained'])
      .filter(isObject)
      .filter(({ resourceType }) => resourceType === 'Patient');
    const ids = new Set(patients.map(({ id }) => (typeof id === 'string' ? `#${id}` : '')));
    const byPatient = listed(document['author']).some(
      (author) => isObject(author) && typeof author['reference'] === 'string' && ids.has(author['reference']),
    );
    return byPatient || document['authenticator'] !== undefined;
  },
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof rules;

/** Whether an element keeps the rule. @param resource what holds it, for rules that look around */
export function isObeyed(name: RuleName, element: JsonObject, resource: JsonObject): boolean {
  return rules[name](element, resource);
}

import type { ConsentProvision, FhirResource, Period } from 'fhir/r4.js';
import type { ConsentActor, ConsentStatement } from '../../domain/consent.ts';
import { visibilitySystem } from '../../domain/document.ts';
import type { Term } from '../../usecases/consent-form.ts';
import { readDate } from '../search-values.ts';
import { consent, systemOf } from '../vocabulary.ts';
import { actorIn } from './consent-actor.ts';
import { type Place, report } from './consent-place.ts';

/** What a provision states, and which one it is: the root, or an exception below it by its index. */
export type StatedTerm = Term & { readonly exception: number | undefined };

/** What one provision states: nothing when something is wrong with it, two when it opposes two purposes. */
export function statementsOf(
  provision: ConsentProvision,
  place: Place,
  contained: readonly FhirResource[],
  exception: number | undefined,
  treatingDoctor: boolean,
): StatedTerm[] {
  const before = place.problems.length;
  checkUnkept(provision, place);
  const actor = actorIn(provision.actor, contained, place);
  const period = periodIn(provision.period, place);
  const purposes = purposesIn(provision, place);
  if (place.problems.length > before || provision.type === undefined) return [];
  const stated = decided(provision, actor, purposes, exception !== undefined, treatingDoctor);
  if (typeof stated === 'string') report(place, 'consentNotEnforceable', '', stated);
  else if (stated.some(({ kind }) => kind === 'opening') && period.until !== undefined)
    report(place, 'openingNotEnded', 'period.end', '');
  else return stated.map((statement) => ({ statement, exception, ...period }));
  return [];
}

function checkUnkept(provision: ConsentProvision, place: Place): void {
  for (const element of ['class', 'code', 'data', 'dataPeriod'] as const)
    if (provision[element] !== undefined)
      report(place, 'consentNotEnforceable', element, 'documents are masked one by one, by their securityLabel');
  for (const [i, { system, code }] of (provision.securityLabel ?? []).entries())
    if (systemOf(system ?? '') !== visibilitySystem || code !== 'MASQUE_PS')
      report(place, 'consentNotEnforceable', `securityLabel[${i}]`, 'MASQUE_PS alone is kept', code);
}

type Purpose = 'TREAT' | 'BTG' | 'ETREAT';

function purposesIn({ purpose = [] }: ConsentProvision, place: Place): ReadonlySet<Purpose> {
  const read = new Set<Purpose>();
  for (const [i, { system, code }] of purpose.entries())
    if (system === consent.purposes && (code === 'TREAT' || code === 'BTG' || code === 'ETREAT')) read.add(code);
    else report(place, 'consentNotEnforceable', `purpose[${i}]`, 'TREAT, BTG and ETREAT are told apart', code);
  return read;
}

const opposable = { BTG: 'breakGlass', ETREAT: 'emergencyCentre' } as const;

/** What the provision means here, or why it means nothing. Access policy, FHIR shapes of consents. */
function decided(
  { type, securityLabel }: ConsentProvision,
  actor: ConsentActor | undefined,
  purposes: ReadonlySet<Purpose>,
  isException: boolean,
  treatingDoctor: boolean,
): readonly ConsentStatement[] | string {
  const isUsual = [...purposes].every((purpose) => purpose === 'TREAT');
  if (type === 'deny') {
    if (securityLabel !== undefined) return 'a denial of labelled documents: they are masked one by one';
    if (actor !== undefined)
      return purposes.size === 0 ? [{ kind: 'block', actor }] : 'a block holds for every purpose';
    if (purposes.size === 0 || purposes.has('TREAT')) return 'a denial names an actor, or the purposes BTG or ETREAT';
    return (['BTG', 'ETREAT'] as const)
      .filter((p) => purposes.has(p))
      .map((p) => ({ kind: 'opposition', to: opposable[p] }));
  }
  if (securityLabel !== undefined) {
    const inEmergency = purposes.size === 2 && !purposes.has('TREAT') && actor === undefined;
    return inEmergency
      ? [{ kind: 'maskedInEmergency' }]
      : 'masked documents are opened to nobody but by BTG and ETREAT together';
  }
  if (!isUsual) return 'emergency access is open unless it is denied';
  if (actor !== undefined) return [{ kind: 'authorisation', actor, treatingDoctor }];
  return isException ? 'an exception names an actor or a purpose' : [{ kind: 'opening' }];
}

/** The end of a period is in it: the first instant after. FHIR R4 datatypes.html#Period. */
function periodIn(period: Period | undefined, place: Place): Pick<Term, 'from' | 'until'> {
  const instant = (name: 'start' | 'end') => {
    const text = period?.[name];
    const date = text === undefined ? undefined : readDate(text);
    if (text !== undefined && date === undefined)
      report(place, 'elementMalformed', `period.${name}`, 'no such date', text);
    return date;
  };
  const from = instant('start')?.from;
  const until = instant('end')?.to;
  if (from !== undefined && until !== undefined && until <= from)
    report(place, 'consentRuleBroken', 'period', 'it ends before it begins');
  return { ...(from !== undefined && { from }), ...(until !== undefined && { until }) };
}

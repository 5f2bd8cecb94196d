import type { Action } from '../action.ts';
import { type Caller, profession } from '../actor.ts';
import type { Permit } from '../decision.ts';
import type { DocumentEntry, VisibilityCode } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { Identifier } from '../identifier.ts';
import { isLotSignature } from '../rules/lot-signature.ts';
import { isOfPatient } from '../rules/patient-documents.ts';
import type { Known } from '../surrounding.ts';
import { differenceOf } from './difference.ts';
import type { Operation } from './operation.ts';

/** What an operation is called by those who judge and trace it. */
export type Deed = { readonly action: Action; readonly operation: Operation };

/**
 * The actions that operations amount to. Where visibility codes count, each of them that comes or goes is an action of its own; hiding a visible
 * document from the patient or representatives is none that anybody may do. Access policy, changes; DMP TD3.3a to d.
 */
export function deedsOf(operations: readonly Operation[], codesCount: boolean): { deeds: Deed[]; problems: Problem[] } {
  const deeds: Deed[] = [];
  const problems: Problem[] = [];
  for (const operation of operations) {
    const found = actionsOf(operation, codesCount);
    if ('name' in found) problems.push(found);
    else deeds.push(...found.map((action) => ({ action, operation })));
  }
  return { deeds, problems };
}

const whenAdded: { readonly [C in VisibilityCode]?: Action } = { MASQUE_PS: 'mask' };
const whenRemoved: Readonly<Record<VisibilityCode, Action>> = {
  MASQUE_PS: 'unmask',
  INVISIBLE_PATIENT: 'announce',
  INVISIBLE_REPRESENTANTS_LEGAUX: 'revealToRepresentatives',
};

function actionsOf(operation: Operation, codesCount: boolean): readonly Action[] | Problem {
  if (operation.kind === 'entryStatus') {
    if (operation.to === 'deleted') return ['deleteDocument'];
    if (operation.to === 'archived') return ['archive'];
    return [operation.from === 'archived' ? 'unarchive' : 'updateDocument'];
  }
  if (operation.kind !== 'entry' || !codesCount) return ['updateDocument'];
  const { before, draft } = operation;
  const { added, removed, other } = differenceOf(before.entry, draft);
  const [shown] = removed;
  if (shown !== undefined && isLotSignature(before.entry))
    return problem('visibilityNotAllowed', {
      object: draft.id,
      value: draft.confidentialityCodes?.map(({ code }) => code).join(', ') ?? '',
      detail: `${shown} stays on a signature, which names documents that are hidden`,
    });
  const actions: Action[] = removed.map((code) => whenRemoved[code]);
  for (const code of added) {
    const action = whenAdded[code];
    if (action === undefined)
      return problem('visibilityNotAllowed', {
        object: draft.id,
        value: code,
        detail: 'a document is hidden when it is deposited',
      });
    actions.push(action);
  }
  return other || actions.length === 0 ? [...actions, 'updateDocument'] : actions;
}

/** Whether nothing but visibility changes. */
export function changesVisibilityAlone({ before, draft }: Extract<Operation, { kind: 'entry' }>): boolean {
  const { added, removed, other } = differenceOf(before.entry, draft);
  return !other && added.length + removed.length > 0;
}

/** Who asks, and whose record it is. */
export type Judged = { readonly caller: Caller; readonly permit: Permit; readonly holder: readonly Identifier[] };

/** Whether the action is the caller's on this one object, beyond what the decision said of the whole record. */
export function rightProblems({ action, operation }: Deed, judged: Judged): Problem[] {
  if (judged.permit.ground === 'systemRight' || judged.permit.ground === 'openDomain') return [];
  const target = targetOf(operation);
  return isAllowed(action, target, judged)
    ? []
    : [problem('changeNotYours', { object: target.object, detail: reasons[action] ?? 'its author alone changes it' })];
}

type Target = { readonly object: string; readonly own: boolean; readonly entry?: DocumentEntry };

const reasons: { readonly [A in Action]?: string } = {
  revealToRepresentatives: 'its author, the treating doctor or the minor lifts this',
  unmask: 'its author, the treating doctor or the patient unmasks it',
  archive: 'its author or the treating doctor archives it, documents of the patient the patient too',
  unarchive: 'its author or the treating doctor takes it out of the archive, documents of the patient the patient too',
  deleteDocument: 'its author or his structure deletes it, documents of the patient the patient or the treating doctor',
};

function isAllowed(action: Action, target: Target, judged: Judged): boolean {
  const condition = conditions[action];
  return condition === undefined ? target.own : condition(target, judged);
}

type Condition = (target: Target, judged: Judged) => boolean;

const anybody: Condition = () => true;
const authorOrTreatingOrHolder: Condition = ({ own }, judged) => own || isTreating(judged) || isHolder(judged);
const archivist: Condition = (target, judged) => {
  if (isOfPatientHimself(target, judged)) return isTreating(judged) || isHolder(judged);
  return target.own || isTreating(judged) || isEmergencyDoctor(judged.caller);
};

/** Beyond the decision; of any other action the author alone. */
const conditions: { readonly [A in Action]?: Condition } = {
  announce: anybody,
  mask: anybody,
  unmask: authorOrTreatingOrHolder,
  revealToRepresentatives: authorOrTreatingOrHolder,
  archive: archivist,
  unarchive: archivist,
  deleteDocument: (target, judged) =>
    isOfPatientHimself(target, judged)
      ? isTreating(judged) || isHolder(judged)
      : target.own || judged.permit.visibility.only === 'ownStructure',
};

function isTreating({ permit }: Judged): boolean {
  return permit.ground === 'treatingDoctor';
}

function isHolder({ permit }: Judged): boolean {
  return permit.ground === 'holder';
}

function isOfPatientHimself({ entry }: Target, { holder }: Judged): boolean {
  return entry !== undefined && isPatientDocument(entry, holder);
}

/** A doctor in emergency archives what stands in the way. DMP functional rights matrix, TD3.3d. */
function isEmergencyDoctor({ actor, mode }: Caller): boolean {
  return mode !== 'normal' && 'profession' in actor && actor.profession === profession.doctor && actor.card === 'CPS';
}

/** The patient's own expression, by its type or its author. */
function isPatientDocument(entry: DocumentEntry, holder: readonly Identifier[]): boolean {
  return (
    isOfPatient(entry) ||
    entry.authors.some(({ person }) =>
      holder.some(({ value, oid }) => person?.id === value && person.authority?.oid === oid),
    )
  );
}

/** The object whose author counts: of an association, the document at its source. */
function targetOf(operation: Operation): Target {
  switch (operation.kind) {
    case 'entry':
      return { object: operation.draft.id, ...ofKnown(operation.before) };
    case 'folder':
      return { object: operation.draft.id, own: operation.before.own };
    case 'entryStatus':
      return { object: operation.object, ...ofKnown(operation.of) };
    case 'folderStatus':
      return { object: operation.object, own: operation.of.own };
    case 'associationStatus':
      return { object: operation.object, own: operation.own };
    case 'association':
      return { object: operation.draft.id, own: operation.source.kind === 'folder' || operation.source.own };
  }
}

function ofKnown({ entry, own }: Known): { entry: DocumentEntry; own: boolean } {
  return { entry, own };
}

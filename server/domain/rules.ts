import type { AffinityDomain, OptionalRule } from './affinity-domain.ts';
import type { Submission } from './document.ts';
import type { Problem } from './error.ts';
import type { Transaction } from './event.ts';
import { associationEnds } from './rules/association-ends.ts';
import { associationKinds } from './rules/association-kinds.ts';
import { attributeFormats } from './rules/attribute-formats.ts';
import { authorIsCaller } from './rules/author-is-caller.ts';
import { authorNamed } from './rules/author-named.ts';
import { classOfType } from './rules/class-of-type.ts';
import { confidentiality } from './rules/confidentiality.ts';
import { documentsAndEntries } from './rules/documents-and-entries.ts';
import { entryLimit } from './rules/entry-limit.ts';
import { entryUuidsFree } from './rules/entry-uuids-free.ts';
import type { MessageFacts, RegistryFacts } from './rules/facts.ts';
import { hashAndSize } from './rules/hash-and-size.ts';
import { hiddenFromOneself } from './rules/hidden-from-oneself.ts';
import { idsUnique } from './rules/ids-unique.ts';
import { maskedAndHidden } from './rules/masked-and-hidden.ts';
import { membersOfSet } from './rules/members-of-set.ts';
import { mimeTypes } from './rules/mime-types.ts';
import { noAppendToTransform } from './rules/no-append-to-transform.ts';
import { onePatient } from './rules/one-patient.ts';
import { oneSubmissionSet } from './rules/one-submission-set.ts';
import { patientAuthority } from './rules/patient-authority.ts';
import { patientDocuments } from './rules/patient-documents.ts';
import { patientIns } from './rules/patient-ins.ts';
import { replacedByAuthor } from './rules/replaced-by-author.ts';
import { requiredAttributes } from './rules/required-attributes.ts';
import { secretSession } from './rules/secret-session.ts';
import { serviceTimeOrder } from './rules/service-time-order.ts';
import { stableEntries } from './rules/stable-entries.ts';
import { strictCx } from './rules/strict-cx.ts';
import { targetsApproved } from './rules/targets-approved.ts';
import { uniqueIdsFree } from './rules/unique-ids-free.ts';
import { uniqueIdsOnce } from './rules/unique-ids-once.ts';
import { valueSets } from './rules/value-sets.ts';

type Row<F> = readonly [check: (submission: Submission, facts: F) => Problem[], transactions: readonly Transaction[]];

/** Provide and Register, and what we deposit ourselves. */
const provide: readonly Transaction[] = ['ITI-41', 'internal'];

/** Checks of the message alone, in the order in which their problems are told. */
const ofMessage: readonly Row<MessageFacts>[] = [
  [oneSubmissionSet, provide],
  [entryLimit, provide],
  [idsUnique, provide],
  [requiredAttributes, provide],
  [attributeFormats, provide],
  [authorNamed, provide],
  [serviceTimeOrder, provide],
  [stableEntries, provide],
  [uniqueIdsOnce, provide],
  [onePatient, provide],
  [strictCx, provide],
  [patientAuthority, provide],
  [patientIns, provide],
  [valueSets, provide],
  [classOfType, provide],
  [mimeTypes, provide],
  [documentsAndEntries, provide],
  [hashAndSize, provide],
  [membersOfSet, provide],
  [confidentiality, provide],
  [maskedAndHidden, provide],
  [hiddenFromOneself, provide],
  [secretSession, provide],
  [patientDocuments, provide],
];

/** Checks against what is registered. */
const ofRegistry: readonly Row<RegistryFacts>[] = [
  [authorIsCaller, provide],
  [associationEnds, provide],
  [associationKinds, provide],
  [targetsApproved, provide],
  [noAppendToTransform, provide],
  [replacedByAuthor, provide],
  [uniqueIdsFree, provide],
  [entryUuidsFree, provide],
];

/** The rules that a domain can leave out, by the names that its data gives them. */
const optional: Readonly<Record<OptionalRule, unknown>> = {
  authorIsCaller,
  confidentiality,
  hiddenFromOneself,
  maskedAndHidden,
  patientDocuments,
  replacedByAuthor,
  secretSession,
};

/**
 * All that is wrong with a message of this transaction, as far as the message itself tells.
 * @throws TypeError for a transaction that submits nothing: an unchecked submission would be worse.
 */
export function messageProblems(transaction: Transaction, submission: Submission, facts: MessageFacts): Problem[] {
  return run(ofMessage, transaction, submission, facts);
}

/** All that is wrong with it, message and registry together. @throws TypeError as `messageProblems`. */
export function submissionProblems(transaction: Transaction, submission: Submission, facts: RegistryFacts): Problem[] {
  return [...run(ofMessage, transaction, submission, facts), ...run(ofRegistry, transaction, submission, facts)];
}

function run<F extends MessageFacts>(
  table: readonly Row<F>[],
  transaction: Transaction,
  submission: Submission,
  facts: F,
): Problem[] {
  const rows = table.filter(([, transactions]) => transactions.includes(transaction));
  if (rows.length === 0) throw new TypeError(`No rules are known for submissions by ${transaction}`);
  return rows.flatMap(([check]) => (isLeftOut(check, facts.domain) ? [] : check(submission, facts)));
}

function isLeftOut(check: unknown, { leavesOut }: AffinityDomain): boolean {
  return leavesOut.some((name) => optional[name] === check);
}

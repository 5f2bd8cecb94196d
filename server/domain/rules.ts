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
import { knownSource } from './rules/known-source.ts';
import { lotManifest } from './rules/lot-manifest.ts';
import { lotSigned } from './rules/lot-signed.ts';
import { maskedAndHidden } from './rules/masked-and-hidden.ts';
import { membersOfSet } from './rules/members-of-set.ts';
import { mimeTypes } from './rules/mime-types.ts';
import { noAppendToTransform } from './rules/no-append-to-transform.ts';
import { onDemandEntries } from './rules/on-demand-entries.ts';
import { onePatient } from './rules/one-patient.ts';
import { oneSubmissionSet } from './rules/one-submission-set.ts';
import { ownRepository } from './rules/own-repository.ts';
import { patientAuthority } from './rules/patient-authority.ts';
import { patientDocuments } from './rules/patient-documents.ts';
import { patientIns, sourceIns } from './rules/patient-ins.ts';
import { registeredContent } from './rules/registered-content.ts';
import { replacedByAuthor } from './rules/replaced-by-author.ts';
import { requiredAttributes } from './rules/required-attributes.ts';
import { secretSession } from './rules/secret-session.ts';
import { serviceTimeOrder } from './rules/service-time-order.ts';
import { signatureHidden } from './rules/signature-hidden.ts';
import { stableEntries } from './rules/stable-entries.ts';
import { strictCx, strictSourceCx } from './rules/strict-cx.ts';
import { targetsApproved } from './rules/targets-approved.ts';
import { uniqueIdsFree } from './rules/unique-ids-free.ts';
import { uniqueIdsOnce } from './rules/unique-ids-once.ts';
import { valueLengths } from './rules/value-lengths.ts';
import { valueSets } from './rules/value-sets.ts';

type Row<F> = readonly [check: (submission: Submission, facts: F) => Problem[], transactions: readonly Transaction[]];

/** Provide and Register, and what we deposit ourselves. */
const provide: readonly Transaction[] = ['ITI-41', 'ITI-65', 'ITI-105', 'ITI-106', 'ORU', 'MDM', 'internal'];
/** Whatever brings new objects. */
const bring: readonly Transaction[] = [...provide, 'ITI-42', 'ITI-61'];
const update: readonly Transaction[] = ['ITI-57', 'ITI-92'];
const all: readonly Transaction[] = [...bring, ...update];

/** Checks of the message alone, in the order in which their problems are told. */
const ofMessage: readonly Row<MessageFacts>[] = [
  [oneSubmissionSet, all],
  [entryLimit, all],
  [idsUnique, all],
  [requiredAttributes, all],
  [registeredContent, ['ITI-42', 'ITI-57']],
  [ownRepository, ['ITI-42']],
  [attributeFormats, all],
  [valueLengths, provide.filter((transaction) => transaction !== 'ITI-41')],
  [authorNamed, all],
  [serviceTimeOrder, all],
  [stableEntries, [...provide, 'ITI-42']],
  [onDemandEntries, ['ITI-61']],
  [knownSource, ['ITI-61']],
  [uniqueIdsOnce, all],
  [onePatient, bring],
  [strictCx, all.filter((transaction) => transaction !== 'internal')],
  [strictSourceCx, ['ITI-41', 'ITI-42', 'ITI-61']],
  [patientAuthority, all],
  [patientIns, all],
  [sourceIns, bring],
  [valueSets, bring],
  [classOfType, bring],
  [mimeTypes, bring],
  [documentsAndEntries, provide],
  [lotSigned, ['ITI-41', 'ITI-65']],
  [lotManifest, provide],
  [hashAndSize, provide],
  [membersOfSet, bring],
  [confidentiality, all],
  [maskedAndHidden, all],
  [signatureHidden, bring],
  [hiddenFromOneself, provide],
  [secretSession, provide],
  [patientDocuments, provide],
];

/** Checks against what is registered. Of an update, the names alone: what it changes is decoded with what is registered (`update/`). */
const ofRegistry: readonly Row<RegistryFacts>[] = [
  [authorIsCaller, [...provide, ...update]],
  [associationEnds, bring],
  [associationKinds, bring],
  [targetsApproved, bring],
  [noAppendToTransform, bring],
  [replacedByAuthor, bring],
  [uniqueIdsFree, all],
  [entryUuidsFree, all],
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
  signatureHidden,
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
  return [...messageProblems(transaction, submission, facts), ...registryProblems(transaction, submission, facts)];
}

/** What is wrong with it as far as the registry tells. @throws TypeError as `messageProblems`. */
export function registryProblems(transaction: Transaction, submission: Submission, facts: RegistryFacts): Problem[] {
  return run(ofRegistry, transaction, submission, facts);
}

/** What an update changes is in the value sets of the domain and of a type that is the caller's; what it leaves alone may be older than they are. */
export function valueProblems(submission: Submission, facts: MessageFacts): Problem[] {
  return [valueSets, classOfType, mimeTypes, patientDocuments].flatMap((check) =>
    isLeftOut(check, facts.domain) ? [] : check(submission, facts),
  );
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

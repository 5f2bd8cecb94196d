import type { Action } from './action.ts';
import type { Actor, Mode, SystemRight } from './actor.ts';

/** In what capacity someone acts on a record: the columns of the functional rights matrix. */
export type Capacity =
  | 'otherProfessional'
  | 'doctor'
  | 'occupationalDoctor'
  | 'treatingDoctor'
  | 'secretary'
  | 'structure'
  | 'patient'
  | 'representative';

/** The modes in which a cell allows an action: n normal, r emergency centre (régulation), b break-glass; `-` none. */
type Cell = '-' | 'n' | 'r' | 'nr' | 'nb' | 'nrb';

const columns = [
  'otherProfessional',
  'doctor',
  'occupationalDoctor',
  'treatingDoctor',
  'secretary',
  'structure',
  'patient',
  'representative',
] as const satisfies readonly Capacity[];

type Cells = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell];
const nobody: Cells = ['-', '-', '-', '-', '-', '-', '-', '-'];

/**
 * Who may do what in principle; on which documents is the visibility's part, and conditions on the single document (its author, its
 * structure) are the use case's. DMP functional rights matrices 526 and 606, columns in their order; the two last are the access policy's.
 */
// biome-ignore format: a table is read in columns
const matrix: { readonly [A in Action]: Cells } = {
  //                        PS     MED    TRAV   MT     CPE    ES     holder representative
  testExistence:           ['nrb', 'nrb', 'n'  , 'nb' , 'n'  , 'nr' , 'n'  , 'n'],
  readPatient:             ['nrb', 'nrb', 'n'  , 'nb' , 'n'  , 'nr' , 'n'  , 'n'],
  searchPatients:          ['r'  , 'r'  , '-'  , '-'  , '-'  , 'r'  , '-'  , '-'],
  readDirectory:           ['nrb', 'nrb', 'n'  , 'nb' , 'n'  , 'nr' , '-'  , '-'],
  resolveIdentifiers:      ['nrb', 'nrb', 'n'  , 'nb' , 'n'  , 'nr' , 'n'  , 'n'],
  searchDocuments:         ['nrb', 'nrb', 'n'  , 'nb' , '-'  , '-'  , 'n'  , 'n'],
  lookUpDocuments:         ['nrb', 'nrb', 'n'  , 'nb' , 'n'  , 'nr' , 'n'  , 'n'],
  retrieveDocuments:       ['nrb', 'nrb', 'n'  , 'nb' , '-'  , '-'  , 'n'  , 'n'],
  submitDocuments:         ['nrb', 'nrb', 'n'  , 'nb' , 'n'  , 'nr' , 'n'  , 'n'],
  stageContent:            ['nrb', 'nrb', 'n'  , 'nb' , 'n'  , 'nr' , 'n'  , 'n'],
  readHistory:             ['n'  , 'n'  , 'n'  , 'n'  , '-'  , '-'  , 'n'  , 'n'],
  readConsents:            ['n'  , 'n'  , 'n'  , 'n'  , '-'  , '-'  , 'n'  , 'n'],
  declareAuthorisation:    ['n'  , 'n'  , '-'  , 'n'  , 'n'  , '-'  , '-'  , '-'],
  withdrawAuthorisation:   ['n'  , 'n'  , '-'  , 'n'  , '-'  , '-'  , '-'  , '-'],
  changeConsent:           ['-'  , '-'  , '-'  , '-'  , '-'  , '-'  , 'n'  , 'n'],
  createRecord:            ['n'  , 'n'  , '-'  , '-'  , '-'  , '-'  , '-'  , '-'],
  closeRecord:             ['n'  , 'n'  , '-'  , 'n'  , '-'  , '-'  , 'n'  , '-'],
  reopenRecord:            ['n'  , 'n'  , '-'  , 'n'  , '-'  , '-'  , 'n'  , '-'],
  destroyRecord:           ['-'  , '-'  , '-'  , '-'  , '-'  , '-'  , 'n'  , '-'],
  announce:                ['n'  , 'n'  , 'n'  , 'n'  , '-'  , '-'  , '-'  , '-'],
  revealToRepresentatives: ['n'  , 'n'  , 'n'  , 'n'  , '-'  , '-'  , 'n'  , '-'],
  mask:                    ['n'  , 'n'  , 'n'  , 'n'  , '-'  , '-'  , 'n'  , '-'],
  unmask:                  ['n'  , 'n'  , 'n'  , 'n'  , '-'  , '-'  , 'n'  , '-'],
  archive:                 ['n'  , 'nrb', 'n'  , 'nb' , '-'  , '-'  , 'n'  , '-'],
  unarchive:               ['n'  , 'nrb', 'n'  , 'nb' , '-'  , '-'  , 'n'  , '-'],
  deleteDocument:          ['nrb', 'nrb', 'n'  , 'nb' , 'n'  , 'nr' , 'n'  , '-'],
  updateDocument:          ['n'  , 'n'  , 'n'  , 'n'  , '-'  , '-'  , 'n'  , '-'],
  subscribe:               ['n'  , 'n'  , 'n'  , 'n'  , '-'  , '-'  , 'n'  , 'n'],
  notifySubscriber:        ['n'  , 'n'  , 'n'  , 'n'  , '-'  , '-'  , 'n'  , 'n'],
  manageSubscriptions:     ['nrb', 'nrb', 'n'  , 'nb' , 'n'  , 'nr' , 'n'  , 'n'],
  identify: nobody,
  feedIdentities: nobody,
  registerDocuments: nobody,
  registerOnDemand: nobody,
  queryAcrossPatients: nobody,
  subscribeAcrossPatients: nobody,
  removeDocuments: nobody,
  restrictedUpdate: nobody,
  feedAudit: nobody,
};

/** Identified by the structure's certificate (AIR), a professional has his own column save these rows. Matrix 606. */
const air: { readonly [A in Action]?: Cell } = {
  submitDocuments: '-',
  stageContent: '-',
  archive: 'n',
  unarchive: 'n',
};

/** The right that a partner's system needs; `none` for what every identified system may. Nothing else is open to one. */
const systems: { readonly [A in Action]?: SystemRight | 'none' } = {
  testExistence: 'none',
  readDirectory: 'none',
  readPatient: 'feed',
  searchPatients: 'feed',
  resolveIdentifiers: 'feed',
  feedIdentities: 'feed',
  registerDocuments: 'register',
  registerOnDemand: 'onDemand',
  queryAcrossPatients: 'multiPatient',
  removeDocuments: 'remove',
  restrictedUpdate: 'restrictedUpdate',
  updateDocument: 'restrictedUpdate',
  feedAudit: 'auditFeed',
  subscribe: 'multiPatient',
  subscribeAcrossPatients: 'multiPatient',
  notifySubscriber: 'multiPatient',
  manageSubscriptions: 'none',
};

/** What the house does by itself, with conditions of time that the decision adds. */
const ownJobs: readonly Action[] = ['createRecord', 'announce', 'destroyRecord'];

const letters: { readonly [M in Mode]: string } = { normal: 'n', emergencyCentre: 'r', breakGlass: 'b' };

/** Whether a capacity may do an action in a mode, in principle. */
export function mayInPrinciple(action: Action, capacity: Capacity, mode: Mode, kind: Actor['kind']): boolean {
  const cell = (kind === 'air' ? air[action] : undefined) ?? matrix[action][columns.indexOf(capacity)] ?? '-';
  return cell.includes(letters[mode]);
}

/** Whether a system may do an action: a partner's by a right of its own, the house's jobs by their list. */
export function systemMay(action: Action, rights: readonly SystemRight[], ownJob: boolean): boolean {
  const needed = systems[action];
  return (ownJob && ownJobs.includes(action)) || needed === 'none' || (needed !== undefined && rights.includes(needed));
}

import { nameProfessionals } from './directory.ts';
import type { Database } from './driver.ts';
import { nameHolders } from './holders.ts';

/** The data folder was written by a newer server. */
export class StoreTooNew extends Error {
  override readonly name = 'StoreTooNew';
}

/** SQL, and what SQL cannot do after it. */
type Migration = string | { readonly sql: string; readonly fill: (database: Database) => void };

/**
 * Every change that the tables ever saw, in order; number 1 is the first. A migration that ran anywhere is never edited: a new one is added.
 * Each runs once, in its own transaction. docs/store.md shows the tables with rows.
 */
const migrations: readonly Migration[] = [
  `
  CREATE TABLE record (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, json BLOB NOT NULL);
  CREATE TABLE identifier (
    value TEXT NOT NULL, oid TEXT NOT NULL, record INTEGER NOT NULL REFERENCES record,
    PRIMARY KEY (value, oid)
  ) WITHOUT ROWID;
  CREATE INDEX identifier_record ON identifier (record);
  CREATE TABLE consent (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record INTEGER NOT NULL REFERENCES record, json BLOB NOT NULL
  );
  CREATE INDEX consent_record ON consent (record);

  CREATE TABLE name (
    uuid BLOB NOT NULL, kind INTEGER NOT NULL, key INTEGER NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (uuid, kind)
  ) WITHOUT ROWID;
  CREATE TABLE unique_id (
    hash INTEGER NOT NULL, kind INTEGER NOT NULL, key INTEGER NOT NULL, record INTEGER NOT NULL,
    PRIMARY KEY (hash, kind, key)
  ) WITHOUT ROWID;

  CREATE TABLE document (
    position INTEGER PRIMARY KEY, registered INTEGER NOT NULL, sha256 BLOB,
    segment INTEGER, start INTEGER, length INTEGER, file TEXT, json BLOB NOT NULL
  );
  CREATE INDEX document_file ON document (file) WHERE file IS NOT NULL;
  CREATE TABLE search (
    record INTEGER NOT NULL, position INTEGER NOT NULL, status INTEGER NOT NULL, on_demand INTEGER NOT NULL,
    flags INTEGER NOT NULL, logical BLOB NOT NULL, created INTEGER, started INTEGER, stopped INTEGER,
    class TEXT NOT NULL, type TEXT NOT NULL, format TEXT NOT NULL, setting TEXT NOT NULL, facility TEXT NOT NULL,
    event TEXT NOT NULL, confidentiality TEXT NOT NULL, reference TEXT NOT NULL, authors TEXT NOT NULL, owners TEXT NOT NULL,
    PRIMARY KEY (record, position)
  ) WITHOUT ROWID;
  CREATE TABLE submission_set (key INTEGER PRIMARY KEY, owners TEXT NOT NULL, json BLOB NOT NULL);
  CREATE TABLE folder (key INTEGER PRIMARY KEY, json BLOB NOT NULL);
  CREATE TABLE association (
    key INTEGER PRIMARY KEY, record INTEGER NOT NULL, source BLOB NOT NULL, target BLOB NOT NULL, json BLOB NOT NULL
  );
  CREATE INDEX association_source ON association (source);
  CREATE INDEX association_target ON association (target);

  CREATE TABLE event (
    sequence INTEGER PRIMARY KEY, record INTEGER, at INTEGER NOT NULL, actors TEXT NOT NULL, hash BLOB NOT NULL, json BLOB NOT NULL
  );
  CREATE INDEX event_record ON event (record) WHERE record IS NOT NULL;
  CREATE TABLE job (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, record INTEGER NOT NULL, event INTEGER);
  CREATE TABLE spent (key INTEGER PRIMARY KEY, until INTEGER NOT NULL, digests BLOB NOT NULL);
  CREATE TABLE shred (record TEXT PRIMARY KEY) WITHOUT ROWID;
  `,
  `
  ALTER TABLE search ADD COLUMN latest INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE folder ADD COLUMN record INTEGER;
  ALTER TABLE folder ADD COLUMN logical BLOB;
  UPDATE folder SET record = n.record, logical = unhex(replace(substr(CAST(folder.json AS TEXT) ->> '$.logicalID', 10), '-', ''))
    FROM name n WHERE n.kind = 2 AND n.key = folder.key;
  CREATE INDEX folder_record ON folder (record);
  `,
  `
  ALTER TABLE search ADD COLUMN offline INTEGER NOT NULL DEFAULT 0;
  UPDATE search SET offline = 1
    WHERE position IN (SELECT position FROM document WHERE instr(CAST(json AS TEXT), '"documentAvailability":"offline"') > 0);
  ALTER TABLE submission_set ADD COLUMN record INTEGER;
  UPDATE submission_set SET record = n.record FROM name n WHERE n.kind = 1 AND n.key = submission_set.key;
  CREATE INDEX submission_set_record ON submission_set (record);
  `,
  `
  ALTER TABLE record ADD COLUMN merged INTEGER;
  CREATE INDEX record_merged ON record (merged) WHERE merged IS NOT NULL;
  ALTER TABLE document ADD COLUMN sealed_for TEXT;
  `,
  `
  CREATE TABLE removed (
    uuid BLOB PRIMARY KEY, record INTEGER NOT NULL, flags INTEGER NOT NULL, type TEXT NOT NULL, owners TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX removed_record ON removed (record);
  `,
  `
  CREATE TABLE queued_job (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, record INTEGER, event INTEGER, json TEXT,
    queued INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0
  );
  INSERT INTO queued_job (number, kind, record, event, queued, due)
    SELECT j.number, j.kind, j.record, j.event, ifnull(e.at, 0), ifnull(e.at, 0) FROM job j LEFT JOIN event e ON e.sequence = j.event;
  DROP TABLE job;
  ALTER TABLE queued_job RENAME TO job;
  CREATE INDEX job_due ON job (kind, due);
  `,
  `
  ALTER TABLE search ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE search ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
  UPDATE search SET changed = (SELECT registered FROM document d WHERE d.position = search.position);
  UPDATE search SET revision = (
      SELECT count(*) FROM search o WHERE o.record = search.record AND o.logical = search.logical AND o.position <= search.position)
    WHERE record IN (SELECT record FROM search WHERE latest = 0);
  CREATE TABLE past (
    position INTEGER NOT NULL, revision INTEGER NOT NULL, status INTEGER NOT NULL, changed INTEGER NOT NULL,
    PRIMARY KEY (position, revision)
  ) WITHOUT ROWID;
  INSERT INTO past (position, revision, status, changed) SELECT position, revision, 0, changed FROM search WHERE latest = 0;
  `,
  `
  ALTER TABLE consent ADD COLUMN grouped TEXT NOT NULL DEFAULT '';
  UPDATE consent SET grouped = id;
  CREATE INDEX consent_grouped ON consent (grouped);
  CREATE TABLE consent_version (
    position INTEGER PRIMARY KEY, grouped TEXT NOT NULL, version INTEGER NOT NULL, record INTEGER NOT NULL REFERENCES record,
    at INTEGER NOT NULL, json BLOB NOT NULL, form TEXT, UNIQUE (grouped, version)
  );
  CREATE INDEX consent_version_record ON consent_version (record);
  INSERT INTO consent_version (grouped, version, record, at, json)
    SELECT id, CAST(json AS TEXT) ->> '$.version', record, CAST(json AS TEXT) ->> '$.statedAt', CAST('[' || CAST(json AS TEXT) || ']' AS BLOB)
    FROM consent ORDER BY key;
  `,
  `
  CREATE TABLE staged (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL, size INTEGER NOT NULL, file TEXT NOT NULL, json TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX staged_owner ON staged (owner);
  CREATE INDEX staged_until ON staged (until);
  CREATE INDEX staged_file ON staged (file);
  `,
  `
  CREATE TABLE shared (key INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
  `,
  `
  CREATE TABLE erasable (number INTEGER PRIMARY KEY, segment INTEGER, start INTEGER, length INTEGER NOT NULL, file TEXT);
  `,
  {
    sql: `
  CREATE TABLE holder (
    family TEXT NOT NULL, born INTEGER NOT NULL, record INTEGER NOT NULL REFERENCES record, givens TEXT NOT NULL, gender TEXT NOT NULL,
    PRIMARY KEY (family, born, record)
  ) WITHOUT ROWID;
  CREATE INDEX holder_born ON holder (born);
  CREATE INDEX holder_record ON holder (record);
  CREATE INDEX identifier_oid ON identifier (oid);
  `,
    fill: nameHolders,
  },
  `
  ALTER TABLE search ADD COLUMN relates INTEGER NOT NULL DEFAULT 0;
  UPDATE search SET relates = 1
    WHERE position IN (SELECT n.key FROM association a JOIN name n ON n.uuid = a.source AND n.kind = 0);
  `,
  `
  CREATE TABLE subscription (
    id TEXT PRIMARY KEY, revision INTEGER NOT NULL, owner TEXT NOT NULL, record INTEGER REFERENCES record, live INTEGER NOT NULL,
    pushed INTEGER NOT NULL, failing INTEGER NOT NULL, cursor INTEGER NOT NULL, due INTEGER, json TEXT NOT NULL
  );
  CREATE INDEX subscription_owner ON subscription (owner);
  CREATE INDEX subscription_live ON subscription (record) WHERE live = 1;
  CREATE INDEX subscription_due ON subscription (due) WHERE due IS NOT NULL;
  CREATE TABLE change (
    position INTEGER PRIMARY KEY AUTOINCREMENT, record INTEGER NOT NULL REFERENCES record, object INTEGER NOT NULL, name BLOB NOT NULL,
    kind INTEGER NOT NULL, at INTEGER NOT NULL, more TEXT
  );
  CREATE INDEX change_record ON change (record, position);
  CREATE TABLE notice (
    subscription TEXT NOT NULL, number INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (subscription, number)
  ) WITHOUT ROWID;
  `,
  `
  ALTER TABLE record ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
  UPDATE record SET changed = ifnull(CAST(json AS TEXT) ->> '$.createdAt', 0);
  `,
  {
    sql: `
  CREATE TABLE directory (
    key INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id TEXT NOT NULL, professional TEXT, json TEXT NOT NULL, UNIQUE (kind, id, json)
  );
  CREATE INDEX directory_professional ON directory (professional) WHERE professional IS NOT NULL;
  `,
    fill: nameProfessionals,
  },
  `
  DROP INDEX event_record;
  CREATE INDEX event_record ON event (record, at) WHERE record IS NOT NULL;
  `,
  `
  ALTER TABLE removed ADD COLUMN named INTEGER;
  CREATE INDEX removed_named ON removed (named) WHERE named IS NOT NULL;
  `,
  `
  ALTER TABLE event ADD COLUMN told BLOB;
  CREATE UNIQUE INDEX event_told ON event (told) WHERE told IS NOT NULL;
  `,
  `
  CREATE INDEX document_segment ON document (segment) WHERE segment IS NOT NULL;
  CREATE TABLE emptied (segment INTEGER PRIMARY KEY);
  `,
  `
  CREATE TABLE moved (
    number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, logical BLOB NOT NULL, record INTEGER NOT NULL REFERENCES record,
    UNIQUE (kind, logical, record)
  );
  CREATE INDEX moved_record ON moved (record);
  `,
];

/** The wrapped keys of records live in a file of their own, with short-lived backups of its own. */
const keyMigrations: readonly string[] = [
  'CREATE TABLE wrapped_key (record TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;',
];

/** @throws StoreTooNew */
export function migrate(database: Database, folder: string): void {
  run(database, folder, migrations);
}

/** @throws StoreTooNew */
export function migrateKeys(database: Database, folder: string): void {
  run(database, folder, keyMigrations);
}

function run(database: Database, folder: string, steps: readonly Migration[]): void {
  database.exec('CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY)');
  const { latest } = database
    .prepare<{ latest: number }>('SELECT ifnull(max(number), 0) AS latest FROM migration')
    .get() ?? {
    latest: 0,
  };
  if (latest > steps.length)
    throw new StoreTooNew(
      `The data in ${folder} has format ${latest}; this server knows formats up to ${steps.length}. Start a newer server on it.`,
    );
  steps.slice(latest).forEach((step, done) => {
    database.transaction(() => {
      database.exec(typeof step === 'string' ? step : step.sql);
      if (typeof step !== 'string') step.fill(database);
      database.prepare('INSERT INTO migration (number) VALUES (?)').run(latest + done + 1);
    });
  });
}

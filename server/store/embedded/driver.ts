import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

export type Value = SQLInputValue;

/** A prepared statement; `Row` is what its columns are known to hold. Integers beyond 2^53 throw. */
export type Statement<Row> = {
  /** No other statement of the process has the same. */
  readonly number: number;
  /** How many rows changed, and the integer key of the row inserted last. */
  run(...values: readonly Value[]): { readonly changes: number; readonly key: number };
  get(...values: readonly Value[]): Row | undefined;
  all(...values: readonly Value[]): Row[];
};

/** All that the store asks of an SQL engine. Calls block the thread. */
export type Database = {
  exec(sql: string): void;
  /** The same statement for the same text; those used longest ago are forgotten. Rows are objects, or arrays, which cost less. */
  prepare<Row = unknown>(sql: string, rows?: 'objects' | 'arrays'): Statement<Row>;
  /** All of the body sees and changes one state of the database; rolled back when it throws. */
  transaction<T>(body: () => T): T;
  /** False after an error that made the engine roll back by itself. */
  inTransaction(): boolean;
  close(): void;
};

/** Opens a database file in WAL mode, made when absent unless `readOnly`; `wait` in milliseconds for a lock that another one holds. */
export function openDatabase(path: string, { readOnly = false, wait = 5000 } = {}): Database {
  const connection = new DatabaseSync(path, { readOnly, timeout: wait });
  if (!readOnly) connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  const statements = new Map<string, Statement<unknown>>();
  const begin = connection.prepare('BEGIN');
  const commit = connection.prepare('COMMIT');
  return {
    exec: (sql) => connection.exec(sql),
    prepare<Row>(sql: string, rows: 'objects' | 'arrays' = 'objects') {
      const name = `${rows} ${sql}`;
      const known = statements.get(name) ?? statementOf(connection.prepare(sql), rows);
      statements.delete(name);
      statements.set(name, known);
      if (statements.size > 300) statements.delete(statements.keys().next().value ?? '');
      // What a row holds is known by whoever wrote the SQL.
      return known as Statement<Row>;
    },
    transaction(body) {
      begin.run();
      try {
        const result = body();
        commit.run();
        return result;
      } catch (error) {
        if (connection.isTransaction) connection.exec('ROLLBACK');
        throw error;
      }
    },
    inTransaction: () => connection.isTransaction,
    close: () => connection.close(),
  };
}

let prepared = 0;

function statementOf(statement: StatementSync, rows: 'objects' | 'arrays'): Statement<unknown> {
  statement.setReturnArrays(rows === 'arrays');
  return {
    number: prepared++,
    run: (...values) => {
      const { changes, lastInsertRowid } = statement.run(...values);
      return { changes: Number(changes), key: Number(lastInsertRowid) };
    },
    get: (...values) => statement.get(...values),
    all: (...values) => statement.all(...values),
  };
}

/** The primary result code of an engine's error. https://www.sqlite.org/rescode.html */
function codeOf(error: unknown): number | undefined {
  return Error.isError(error) && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined;
}

/** SQLITE_FULL: no room on the disk, or the page ceiling was reached. */
export function isDiskFull(error: unknown): boolean {
  return codeOf(error) === 13;
}

/** SQLITE_BUSY: another connection holds the lock. */
export function isLocked(error: unknown): boolean {
  return codeOf(error) === 5;
}

/** SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_NOMEM: nothing can be relied on afterwards. */
export function isEngineFailure(error: unknown): boolean {
  return [7, 8, 10, 11, 14, 26].includes(codeOf(error) ?? 0);
}

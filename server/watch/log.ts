import { type Logger, pino } from 'pino';

/**
 * The log: JSON lines with chosen fields only. Callers pass request ids, route names, statuses, durations and errors of our own making;
 * never identifiers of patients, names, query strings, credentials or bodies.
 */
export type Log = {
  readonly info: (fields: LogFields, message: string) => void;
  readonly warn: (fields: LogFields, message: string) => void;
  /** `cause` is written with its stack, which shows code and never data. */
  readonly error: (fields: LogFields, message: string, cause?: unknown) => void;
};
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes to standard output at the level given. */
export function openLog(level: string): Log {
  const out: Logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  return {
    info: (fields, message) => out.info(fields, message),
    warn: (fields, message) => out.warn(fields, message),
    error: (fields, message, cause) => out.error({ ...fields, ...described(cause) }, message),
  };
}

function described(cause: unknown): { error?: string; code?: string; stack?: string } {
  if (!Error.isError(cause)) return cause === undefined ? {} : { error: typeof cause };
  const code: unknown = 'code' in cause ? cause.code : undefined;
  const frames = cause.stack
    ?.split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 8)
    .join('\n');
  return {
    error: cause.name,
    ...(typeof code === 'string' && { code }),
    ...(frames !== undefined && { stack: frames }),
  };
}

/** A scope of SMART App Launch 2.2: for whom, on which type, and the permissions among `cruds`. */
export type SmartScope = {
  readonly context: 'patient' | 'user' | 'system';
  readonly type: string;
  readonly can: string;
};

const form = /^(?<context>patient|user|system)\/(?<type>[A-Za-z]+|\*)\.(?<can>read|write|\*|c?r?u?d?s?)$/;

/** Permissions by the words of version 1. */
const versionOne: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/** Reads a scope of version 1 or 2; undefined for others, and for one narrowed by search parameters, which is not known here. */
export function smartOf(scope: string): SmartScope | undefined {
  const { context, type, can } = form.exec(scope)?.groups ?? {};
  if (type === undefined || can === undefined || can === '') return undefined;
  if (context !== 'patient' && context !== 'user' && context !== 'system') return undefined;
  return { context, type, can: versionOne[can] ?? can };
}

/** Whether a scope opens nothing that one of these does not open alone. */
export function isWithin(scope: string, allowed: readonly string[]): boolean {
  if (allowed.includes(scope)) return true;
  const asked = smartOf(scope);
  return (
    asked !== undefined &&
    allowed.some((one) => {
      const open = smartOf(one);
      return (
        open?.context === asked.context &&
        (open.type === '*' || open.type === asked.type) &&
        [...asked.can].every((letter) => open.can.includes(letter))
      );
    })
  );
}

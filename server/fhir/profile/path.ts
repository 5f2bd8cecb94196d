import { isObject, type Json } from '../json.ts';

/** An element of a resource and its FHIRPath. */
export type Found = { readonly value: Json; readonly at: string };

/** One step of a path: which children. */
export type Step = {
  readonly name: string;
  /** A choice of types: every `name` with a type behind it. */
  readonly choice: boolean;
  /** Children alone in which one of these values stands under the keys. */
  readonly filters: readonly { readonly keys: readonly string[]; readonly values: readonly string[] }[];
};

const stepForm = /^([A-Za-z_]\w*)(\[x\])?(?:\((\w+)\))?((?:\[[^\]=]+=[^\]]+\])*)$/;

/**
 * Reads a path of the table of constraints: names of elements with `.` between them. `[key=a|b]` chooses children in which that key has one of
 * these values, or a code among them; `[x]` is a choice of types; `extension(name)` are extensions of the address of that name.
 * @throws TypeError for what is no such path
 */
export function stepsOf(path: string, extensions: Readonly<Record<string, string>>): readonly Step[] {
  if (path === '') return [];
  return path.split(/\.(?![^[]*\])/).map((text) => {
    const [, name, choice, extension, filters = ''] = stepForm.exec(text) ?? [];
    const url = extension === undefined ? undefined : extensions[extension];
    if (name === undefined || (extension !== undefined && url === undefined)) throw new TypeError(`no path: ${path}`);
    const written = [...filters.matchAll(/\[([^\]=]+)=([^\]]+)\]/g)].map(([, key = '', values = '']) => ({
      keys: key.split('.'),
      values: values.split('|'),
    }));
    return {
      name,
      choice: choice !== undefined,
      filters: url === undefined ? written : [{ keys: ['url'], values: [url] }, ...written],
    };
  });
}

/** Every element that the steps lead to. */
export function follow(from: readonly Found[], steps: readonly Step[]): readonly Found[] {
  return steps.reduce((found, step) => found.flatMap((one) => childrenOf(one, step)), from);
}

/** The children of an element by one step. */
export function childrenOf({ value, at }: Found, { name, choice, filters }: Step): readonly Found[] {
  if (!isObject(value)) return [];
  const keys = choice ? Object.keys(value).filter((key) => isChoice(key, name)) : [name];
  return keys.flatMap((key) => {
    const child = Object.hasOwn(value, key) ? value[key] : undefined;
    if (child === undefined) return [];
    const place = `${at}.${choice ? name : key}`;
    const all = Array.isArray(child)
      ? (child as readonly Json[]).map((one, i) => ({ value: one, at: `${place}[${i}]` }))
      : [{ value: child, at: place }];
    return filters.length === 0 ? all : all.filter((one) => filters.every((filter) => meets(one.value, filter)));
  });
}

function isChoice(key: string, name: string): boolean {
  const first = key[name.length];
  return key.startsWith(name) && first !== undefined && first >= 'A' && first <= 'Z';
}

function meets(value: Json, { keys, values }: Step['filters'][number]): boolean {
  const inside = keys.reduce<Json | undefined>(
    (outer, key) => (outer !== undefined && isObject(outer) && Object.hasOwn(outer, key) ? outer[key] : undefined),
    value,
  );
  return inside !== undefined && codingsIn(inside).some(({ code }) => code !== undefined && values.includes(code));
}

type Code = { readonly code?: string; readonly system?: string; readonly display?: string };

/** The codes of a code, Coding, CodeableConcept or list of such. */
export function codingsIn(value: Json): readonly Code[] {
  if (typeof value === 'string') return [{ code: value }];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(codingsIn);
  if (!isObject(value)) return [];
  if (value['coding'] !== undefined) return codingsIn(value['coding']);
  const text = (key: string) => (typeof value[key] === 'string' ? { [key]: value[key] } : {});
  return [{ ...text('code'), ...text('system'), ...text('display') }];
}

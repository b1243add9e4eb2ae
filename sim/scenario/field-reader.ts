import { ScenarioFault, unexpected } from './scenario-fault.ts';

/**
 * Reads one value of a JSON document. `fallback` is what holds where the document says nothing;
 * without one the field must be there.
 */
export type FieldReader<T> = (
  value: unknown,
  path: string,
  fallback: T | undefined,
) => T | ScenarioFault;

/** A reader that is never given a fallback. */
type VariantReader<T> = (value: unknown, path: string, fallback: undefined) => T | ScenarioFault;

/** For each field of `T` what reads it. */
export type FieldReaders<T> = { readonly [Name in keyof T]-?: FieldReader<T[Name]> };

interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
  /** The least value itself is not allowed. */
  readonly above?: boolean;
}

export function number(range: NumberRange): FieldReader<number> {
  const { min, max, whole = false, above = false } = range;
  const from = above ? `above ${min} up to` : `from ${min} to`;
  const expected = `a ${whole ? 'whole ' : ''}number ${from} ${max}`;
  return required((value, path) => {
    const isNumber = typeof value === 'number' && value <= max && value >= min;
    const isGood = isNumber && !(above && value === min) && (!whole || Number.isInteger(value));
    return isGood ? value : unexpected(path, expected, value);
  });
}

export function wholeNumber(min: number, max: number): FieldReader<number> {
  return number({ min, max, whole: true });
}

export const share: FieldReader<number> = number({ min: 0, max: 1 });

export const boolean: FieldReader<boolean> = required((value, path) =>
  typeof value === 'boolean' ? value : unexpected(path, 'true or false', value),
);

/** Text on one line. */
export function text(charactersMax: number): FieldReader<string> {
  const expected = `text of 1 to ${charactersMax} characters on one line`;
  return required((value, path) => {
    const isGood = typeof value === 'string' && value.length > 0 && value.length <= charactersMax;
    return isGood && !/\p{Cc}/u.test(value) ? value : unexpected(path, expected, value);
  });
}

export function choice<T extends string>(...names: readonly T[]): FieldReader<T> {
  return required((value, path) => {
    const found = names.find((name) => name === value);
    return found ?? unexpected(path, `one of ${names.join(', ')}`, value);
  });
}

export function list<T>(item: FieldReader<T>, itemsMax: number): FieldReader<readonly T[]> {
  return required<readonly T[]>((value, path) => {
    if (!Array.isArray(value) || value.length > itemsMax) {
      return unexpected(path, `a list of at most ${itemsMax}`, value);
    }
    const result: T[] = [];
    for (const [i, one] of value.entries()) {
      const read = item(one, `${path}[${i}]`, undefined);
      if (read instanceof ScenarioFault) return read;
      result.push(read);
    }
    return result;
  });
}

/** Fields that are absent keep their fallback; fields that nobody knows are refused. */
export function record<T extends object>(fields: FieldReaders<T>): FieldReader<T> {
  const known = Object.keys(fields) as (keyof T & string)[];
  return (value, path, fallback) => {
    if (value === undefined && fallback !== undefined) return fallback;
    if (!isRecord(value)) return unexpected(path, 'an object', value);
    const stranger = Object.keys(value).find((name) => !known.includes(name as keyof T & string));
    if (stranger !== undefined) {
      const place = path === '' ? 'a scenario' : path;
      return new ScenarioFault(
        inside(path, stranger),
        `there is no such field; ${place} has ${known.join(', ')}`,
      );
    }
    const result: Partial<T> = {};
    for (const name of known) {
      const read = fields[name](value[name], inside(path, name), fallback?.[name]);
      if (read instanceof ScenarioFault) return read;
      result[name] = read;
    }
    return result as T;
  };
}

/** One of several records, told apart by the field `by`. Nothing is taken over from another one. */
export function oneOf<T extends object>(
  by: keyof T & string,
  variants: Readonly<Record<string, VariantReader<T>>>,
): FieldReader<T> {
  const names = Object.keys(variants);
  return (value, path, fallback) => {
    if (value === undefined && fallback !== undefined) return fallback;
    if (!isRecord(value)) return unexpected(path, 'an object', value);
    const name = value[by];
    const variant = typeof name === 'string' && names.includes(name) ? variants[name] : undefined;
    if (variant === undefined) {
      return unexpected(inside(path, by), `one of ${names.join(', ')}`, name);
    }
    return variant(value, path, undefined);
  };
}

/** Absent or null: none. */
export function optional<T>(reader: FieldReader<T>): FieldReader<T | undefined> {
  return (value, path, fallback) => {
    if (value === null) return undefined;
    if (value === undefined) return fallback;
    return reader(value, path, fallback);
  };
}

/** Takes `otherwise` where a field is absent that has no fallback. */
export function withDefault<T>(reader: FieldReader<T>, otherwise: T): FieldReader<T> {
  return (value, path, fallback) => reader(value, path, fallback ?? otherwise);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function required<T>(read: (value: unknown, path: string) => T | ScenarioFault): FieldReader<T> {
  return (value, path, fallback) =>
    value === undefined && fallback !== undefined ? fallback : read(value, path);
}

function inside(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

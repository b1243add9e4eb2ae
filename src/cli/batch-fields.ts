import { parseUtcTime } from '../overlay-config/date-time.ts';

/** A field of a batch case that is not what it must be. */
export class BatchFieldFault extends Error {}

/** Reads the fields of one JSON object; each method throws BatchFieldFault for a wrong type. */
export class CaseFields {
  private readonly fields: Readonly<Record<string, unknown>>;
  /** The id as text, where it is text or a number. */
  readonly id: string | undefined;
  private readonly isObject: boolean;

  constructor(value: unknown) {
    this.isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    this.fields = this.isObject ? { ...(value as Record<string, unknown>) } : {};
    const { id } = this.fields;
    this.id = typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
  }

  text(name: string): string | undefined {
    const value = this.field(name);
    if (value === undefined || typeof value === 'string') return value;
    throw new BatchFieldFault(`${name}: expected a string`);
  }

  /** An array of strings; absent is empty. */
  texts(name: string): string[] {
    const value = this.field(name) ?? [];
    if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string')) {
      return value;
    }
    throw new BatchFieldFault(`${name}: expected an array of strings`);
  }

  /** An array of dotted decimals; absent is empty. */
  objectIdentifiers(name: string): string[] {
    const values = this.texts(name);
    const wrong = values.find((value) => !OBJECT_IDENTIFIER.test(value));
    if (wrong === undefined) return values;
    throw new BatchFieldFault(`${name}: expected object identifiers, got ${wrong}`);
  }

  /** Absent is false. */
  flag(name: string): boolean {
    const value = this.field(name) ?? false;
    if (typeof value === 'boolean') return value;
    throw new BatchFieldFault(`${name}: expected true or false`);
  }

  count(name: string): number | undefined {
    const value = this.field(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
    throw new BatchFieldFault(`${name}: expected a number from 0`);
  }

  oneOf<const T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = allowed.find((one) => one === value);
    if (found !== undefined) return found;
    throw new BatchFieldFault(`${name}: expected ${allowed.join(', ')}, got ${value}`);
  }

  object(name: string): CaseFields | undefined {
    const value = this.field(name);
    return value === undefined ? undefined : new CaseFields(value);
  }

  /** RFC 3339, in ms since 1970. */
  time(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const [, local, offset = 'Z', sign, hours, minutes] = RFC_3339.exec(value) ?? [];
    const localUnixMs = local === undefined ? undefined : parseUtcTime(`${local}Z`);
    if (localUnixMs === undefined) {
      throw new BatchFieldFault(`${name}: expected RFC 3339, got ${value}`);
    }
    if (offset.toUpperCase() === 'Z') return localUnixMs;
    const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
    return sign === '-' ? localUnixMs + offsetMs : localUnixMs - offsetMs;
  }

  /** null is as good as absent. */
  private field(name: string): unknown {
    if (!this.isObject) throw new BatchFieldFault('expected an object');
    return this.fields[name] ?? undefined;
  }
}

const OBJECT_IDENTIFIER = /^[0-2](\.(0|[1-9]\d*))+$/;

/** A local time as `parseUtcTime` reads it, and the offset from UTC. */
const RFC_3339 = /^([^+]{10}T[^+-]*?)([Zz]|([+-])(\d{2}):(\d{2}))$/i;

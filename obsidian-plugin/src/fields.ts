/** Reading of unknown JSON field by field; every mismatch names the place it was found. Never imports obsidian. */

/** The daemon sent a document of another shape than the one agreed on. */
export class ContractError extends Error {
  override readonly name = "ContractError";
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

export function asString(value: unknown, where: string): string {
  if (typeof value !== "string") throw new ContractError(`${where}: expected a string, got ${kindOf(value)}`);
  return value;
}

export function asNumber(value: unknown, where: string): number {
  if (typeof value !== "number") throw new ContractError(`${where}: expected a number, got ${kindOf(value)}`);
  return value;
}

export function asArray(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) throw new ContractError(`${where}: expected an array, got ${kindOf(value)}`);
  return value;
}

/** The fields of a document whose values are of a kind: no other can be asked for, as the compiler sees. */
type Of<T, V> = { [K in keyof T & string]-?: T[K] extends V ? K : never }[keyof T & string];
/** A value that is to be a T, and has not been looked at. */
export interface Unread<T> { readonly unread?: T }
type Item<T> = T extends readonly (infer E)[] ? E : never;

/** T: the document as the daemon describes it, see contract.gen.ts. */
export class Fields<T> {
  private constructor(
    private readonly values: Record<string, unknown>,
    private readonly where: string,
  ) {}

  static of<T>(unread: Unread<T>, where: string): Fields<T> {
    const value: unknown = unread;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ContractError(`${where}: expected an object, got ${kindOf(value)}`);
    }
    return new Fields<T>(value as Record<string, unknown>, where);
  }

  string(key: Of<T, string>): string {
    return asString(this.values[key], this.at(key));
  }

  number(key: Of<T, number>): number {
    return asNumber(this.values[key], this.at(key));
  }

  boolean(key: Of<T, boolean>): boolean {
    const value = this.values[key];
    if (typeof value !== "boolean") throw new ContractError(`${this.at(key)}: expected a boolean, got ${kindOf(value)}`);
    return value;
  }

  stringOrNull(key: Of<T, string | null>): string | null {
    return this.values[key] == null ? null : asString(this.values[key], this.at(key));
  }

  numberOrNull(key: Of<T, number | null>): number | null {
    return this.values[key] == null ? null : asNumber(this.values[key], this.at(key));
  }

  /** allowed: each value that the daemon may send, none left out. */
  oneOf<K extends Of<T, string>>(key: K, allowed: Record<T[K] & string, true>): T[K] {
    const value = asString(this.values[key], this.at(key));
    if (!Object.hasOwn(allowed, value)) {
      throw new ContractError(`${this.at(key)}: ${value} is not one of ${Object.keys(allowed).join(", ")}`);
    }
    return value as T[K];
  }

  object<K extends Of<T, object>>(key: K): Fields<T[K]> {
    return Fields.of<T[K]>(this.values[key] as Unread<T[K]>, this.at(key));
  }

  nullable<K extends Of<T, object | null>, R>(key: K, read: (fields: Fields<NonNullable<T[K]>>) => R): R | null {
    const value = this.values[key];
    return value == null ? null : read(Fields.of<NonNullable<T[K]>>(value, this.at(key)));
  }

  list<K extends Of<T, readonly unknown[]>, R>(key: K, read: (value: Unread<Item<T[K]>>, where: string) => R): R[] {
    return asArray(this.values[key], this.at(key)).map((one, index) =>
      read(one as Unread<Item<T[K]>>, `${this.at(key)}[${String(index)}]`),
    );
  }

  strings(key: Of<T, readonly string[]>): string[] {
    return asArray(this.values[key], this.at(key)).map((one, index) => asString(one, `${this.at(key)}[${String(index)}]`));
  }

  numbers(key: Of<T, readonly number[]>): number[] {
    return asArray(this.values[key], this.at(key)).map((one, index) => asNumber(one, `${this.at(key)}[${String(index)}]`));
  }

  /** Whether the field was sent at all: an older daemon does not know the newer ones. */
  has(key: keyof T & string): boolean {
    return this.values[key] !== undefined;
  }

  private at(key: string): string {
    return `${this.where}.${key}`;
  }
}

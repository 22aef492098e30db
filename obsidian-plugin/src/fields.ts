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

export class Fields {
  private constructor(
    private readonly values: Record<string, unknown>,
    private readonly where: string,
  ) {}

  static of(value: unknown, where: string): Fields {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ContractError(`${where}: expected an object, got ${kindOf(value)}`);
    }
    return new Fields(value as Record<string, unknown>, where);
  }

  string(key: string): string {
    return asString(this.values[key], this.at(key));
  }

  number(key: string): number {
    return asNumber(this.values[key], this.at(key));
  }

  boolean(key: string): boolean {
    const value = this.values[key];
    if (typeof value !== "boolean") throw new ContractError(`${this.at(key)}: expected a boolean, got ${kindOf(value)}`);
    return value;
  }

  stringOrNull(key: string): string | null {
    return this.values[key] == null ? null : this.string(key);
  }

  numberOrNull(key: string): number | null {
    return this.values[key] == null ? null : this.number(key);
  }

  oneOf<T extends string>(key: string, allowed: readonly T[]): T {
    const value = this.string(key);
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw new ContractError(`${this.at(key)}: ${value} is not one of ${allowed.join(", ")}`);
    return found;
  }

  object(key: string): Fields {
    return Fields.of(this.values[key], this.at(key));
  }

  nullable<T>(key: string, read: (fields: Fields) => T): T | null {
    return this.values[key] == null ? null : read(this.object(key));
  }

  list<T>(key: string, read: (value: unknown, where: string) => T): T[] {
    return asArray(this.values[key], this.at(key)).map((one, index) => read(one, `${this.at(key)}[${String(index)}]`));
  }

  strings(key: string): string[] {
    return this.list(key, asString);
  }

  numbers(key: string): number[] {
    return this.list(key, asNumber);
  }

  private at(key: string): string {
    return `${this.where}.${key}`;
  }
}

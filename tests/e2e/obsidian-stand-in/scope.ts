/** Keys that a dialog listens to besides its own. */

type Listener = (event: KeyboardEvent, context: never) => false | unknown;
export type Modifier = "Mod" | "Ctrl" | "Meta" | "Shift" | "Alt";
export interface KeymapEventHandler { scope: Scope; modifiers: string | null; key: string | null }

const HELD: Record<Modifier, keyof KeyboardEvent> = { Mod: "ctrlKey", Ctrl: "ctrlKey", Meta: "metaKey", Shift: "shiftKey", Alt: "altKey" };

export class Scope {
  private keys: { handler: KeymapEventHandler; modifiers: Modifier[]; listener: Listener }[] = [];

  register(modifiers: Modifier[] | null, key: string | null, listener: Listener): KeymapEventHandler {
    const handler = { scope: this, modifiers: modifiers?.join(",") ?? null, key };
    this.keys.push({ handler, modifiers: modifiers ?? [], listener });
    return handler;
  }

  unregister(handler: KeymapEventHandler): void {
    this.keys = this.keys.filter((one) => one.handler !== handler);
  }

  /** Gives a key to whoever asked for it with exactly these modifiers; returns whether that was the end of it. */
  hears(event: KeyboardEvent): boolean {
    const names = ["Ctrl", "Meta", "Shift", "Alt"] as const;
    for (const { modifiers, handler: { key }, listener } of this.keys) {
      const wanted = new Set(modifiers.map((name) => HELD[name]));
      const isHeld = names.every((name) => Boolean(event[HELD[name]]) === wanted.has(HELD[name]));
      if (event.key === key && isHeld && listener(event, undefined as never) === false) return true;
    }
    return false;
  }
}

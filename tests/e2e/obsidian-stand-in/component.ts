/** Events and Component: who listens, and the undoing of all of it at unload. */

export interface EventRef { off(): void }

export class Events {
  private readonly listeners = new Map<string, Set<(...data: unknown[]) => unknown>>();

  on(name: string, callback: (...data: never[]) => unknown): EventRef {
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set);
    const listener = callback as (...data: unknown[]) => unknown;
    set.add(listener);
    return { off: () => set.delete(listener) };
  }

  trigger(name: string, ...data: unknown[]): void {
    for (const listener of this.listeners.get(name) ?? []) listener(...data);
  }

  /** How many listen; a plugin that was unloaded must leave none behind. */
  count(): number {
    return [...this.listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }
}

export class Component {
  private undoing: (() => unknown)[] = [];

  load(): void {
    void this.onload();
  }

  onload(): void | Promise<void> {
    return undefined;
  }

  unload(): void {
    this.onunload();
    for (const undo of this.undoing.splice(0).reverse()) undo();
  }

  onunload(): void {
    return undefined;
  }

  register(callback: () => unknown): void {
    this.undoing.push(callback);
  }

  registerEvent(ref: EventRef): void {
    this.register(() => { ref.off(); });
  }

  registerDomEvent<K extends keyof WindowEventMap>(el: Window, type: K, callback: (event: WindowEventMap[K]) => unknown): void;
  registerDomEvent<K extends keyof HTMLElementEventMap>(
    el: HTMLElement, type: K, callback: (event: HTMLElementEventMap[K]) => unknown,
  ): void;
  registerDomEvent(el: Window | HTMLElement, type: string, callback: (event: never) => unknown): void {
    el.addEventListener(type, callback as EventListener);
    this.register(() => { el.removeEventListener(type, callback as EventListener); });
  }

  registerInterval(id: number): number {
    this.register(() => { window.clearInterval(id); });
    return id;
  }
}

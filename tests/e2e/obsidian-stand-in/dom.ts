/** Obsidian's additions to the DOM, as its published types declare them: only those the plugin uses. */

type Info = DomElementInfo | string | undefined;

function fill(el: HTMLElement, info: Info): void {
  if (info === undefined) return;
  if (typeof info === "string") {
    el.className = info;
    return;
  }
  if (info.cls) el.className = Array.isArray(info.cls) ? info.cls.join(" ") : info.cls;
  if (info.text !== undefined) el.append(info.text);
  if (info.title) el.title = info.title;
  if (info.placeholder) el.setAttribute("placeholder", info.placeholder);
  if (info.type) el.setAttribute("type", info.type);
  for (const [name, value] of Object.entries(info.attr ?? {})) if (value !== null) el.setAttribute(name, String(value));
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, info?: Info): HTMLElementTagNameMap[K] {
  const el = document.createElement(tag);
  fill(el, info);
  return el;
}

function define(prototype: object, methods: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
}

export function installDom(): void {
  define(Node.prototype, {
    createEl<K extends keyof HTMLElementTagNameMap>(this: Node, tag: K, info?: Info) {
      return this.appendChild(make(tag, info));
    },
    createDiv(this: Node, info?: Info) {
      return this.appendChild(make("div", info));
    },
    createSpan(this: Node, info?: Info) {
      return this.appendChild(make("span", info));
    },
    empty(this: Node) {
      while (this.firstChild) this.removeChild(this.firstChild);
    },
    appendText(this: Node, text: string) {
      this.appendChild(document.createTextNode(text));
    },
    detach(this: Node) {
      this.parentNode?.removeChild(this);
    },
  });
  define(Element.prototype, {
    setText(this: Element, text: string) {
      this.textContent = text;
    },
    addClass(this: Element, ...names: string[]) {
      this.classList.add(...names);
    },
    removeClass(this: Element, ...names: string[]) {
      this.classList.remove(...names);
    },
    removeClasses(this: Element, names: string[]) {
      this.classList.remove(...names);
    },
    toggleClass(this: Element, name: string, on: boolean) {
      this.classList.toggle(name, on);
    },
    setAttr(this: Element, name: string, value: string) {
      this.setAttribute(name, value);
    },
  });
  define(HTMLElement.prototype, {
    toggle(this: HTMLElement, show: boolean) {
      this.style.display = show ? "" : "none";
    },
    show(this: HTMLElement) {
      this.style.display = "";
    },
    hide(this: HTMLElement) {
      this.style.display = "none";
    },
  });
  define(window, {
    createDiv: (info?: Info) => make("div", info),
    createSpan: (info?: Info) => make("span", info),
    createEl: make,
    activeDocument: document,
    activeWindow: window,
    sleep: (ms: number) => new Promise((resolve) => { window.setTimeout(resolve, ms); }),
  });
}

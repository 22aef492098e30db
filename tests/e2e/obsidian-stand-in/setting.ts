/** Setting rows and the tab that holds them. */

import type { App } from "./app";

class ValueControl<E extends HTMLInputElement | HTMLSelectElement, V> {
  constructor(
    protected readonly el: E,
    private readonly convert: (text: string) => V,
  ) {}

  setValue(value: V): this {
    this.el.value = String(value);
    return this;
  }

  getValue(): V {
    return this.convert(this.el.value);
  }

  onChange(callback: (value: V) => unknown): this {
    this.el.addEventListener("input", () => callback(this.getValue()));
    return this;
  }
}

export class TextComponent extends ValueControl<HTMLInputElement, string> {
  readonly inputEl: HTMLInputElement;

  constructor(parent: HTMLElement) {
    const el = parent.createEl("input", { type: "text" });
    super(el, (text) => text);
    this.inputEl = el;
  }

  setPlaceholder(text: string): this {
    this.inputEl.placeholder = text;
    return this;
  }
}

export class SliderComponent extends ValueControl<HTMLInputElement, number> {
  constructor(parent: HTMLElement) {
    super(parent.createEl("input", { type: "range" }), Number);
  }

  setLimits(min: number, max: number, step: number): this {
    Object.assign(this.el, { min: String(min), max: String(max), step: String(step) });
    return this;
  }
}

export class DropdownComponent extends ValueControl<HTMLSelectElement, string> {
  constructor(parent: HTMLElement) {
    super(parent.createEl("select"), (text) => text);
  }

  addOptions(options: Record<string, string>): this {
    for (const [value, text] of Object.entries(options)) this.el.createEl("option", { text, attr: { value } });
    return this;
  }
}

export class ToggleComponent {
  private readonly el: HTMLInputElement;

  constructor(parent: HTMLElement) {
    this.el = parent.createEl("input", { type: "checkbox" });
  }

  setValue(on: boolean): this {
    this.el.checked = on;
    return this;
  }

  onChange(callback: (value: boolean) => unknown): this {
    this.el.addEventListener("input", () => callback(this.el.checked));
    return this;
  }
}

export class ButtonComponent {
  readonly buttonEl: HTMLButtonElement;

  constructor(parent: HTMLElement) {
    this.buttonEl = parent.createEl("button");
  }

  setButtonText(text: string): this {
    this.buttonEl.setText(text);
    return this;
  }

  onClick(callback: (event: MouseEvent) => unknown): this {
    this.buttonEl.addEventListener("click", callback);
    return this;
  }
}

export class Setting {
  readonly settingEl: HTMLElement;
  readonly nameEl: HTMLElement;
  readonly descEl: HTMLElement;
  readonly controlEl: HTMLElement;

  constructor(containerEl: HTMLElement) {
    this.settingEl = containerEl.createDiv({ cls: "setting-item" });
    const info = this.settingEl.createDiv({ cls: "setting-item-info" });
    this.nameEl = info.createDiv({ cls: "setting-item-name" });
    this.descEl = info.createDiv({ cls: "setting-item-description" });
    this.controlEl = this.settingEl.createDiv({ cls: "setting-item-control" });
  }

  setName(name: string): this {
    this.nameEl.setText(name);
    return this;
  }

  setDesc(description: string): this {
    this.descEl.setText(description);
    return this;
  }

  setHeading(): this {
    this.settingEl.addClass("setting-item-heading");
    return this;
  }

  addText(callback: (text: TextComponent) => unknown): this {
    callback(new TextComponent(this.controlEl));
    return this;
  }

  addSlider(callback: (slider: SliderComponent) => unknown): this {
    callback(new SliderComponent(this.controlEl));
    return this;
  }

  addToggle(callback: (toggle: ToggleComponent) => unknown): this {
    callback(new ToggleComponent(this.controlEl));
    return this;
  }

  addButton(callback: (button: ButtonComponent) => unknown): this {
    callback(new ButtonComponent(this.controlEl));
    return this;
  }

  addDropdown(callback: (dropdown: DropdownComponent) => unknown): this {
    callback(new DropdownComponent(this.controlEl));
    return this;
  }
}

export abstract class PluginSettingTab {
  readonly containerEl = createDiv({ cls: "setting-tab" });

  constructor(
    readonly app: App,
    _plugin: unknown,
  ) {}

  abstract display(): void;
}

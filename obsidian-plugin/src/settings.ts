/** What the person can set. The address and the numbers lie in data.json; the token never does, because vaults are synced. */

import { type App, type Plugin, PluginSettingTab, Setting } from "obsidian";
import type { SearchMode } from "./contract";

export interface Settings { url: string; sources: number; related: number; mode: SearchMode }

const DEFAULTS: Settings = { url: "", sources: 6, related: 10, mode: "hybrid" };
const SECRET = "pai-daemon-token";
const MODES: Record<SearchMode, string> = { hybrid: "Meaning and words", semantic: "Meaning only", text: "Words only" };

export interface SettingsOwner extends Plugin {
  settings: Settings;
  saveSettings(): Promise<void>;
  settingsChanged(): void;
}

function whole(value: unknown, fallback: number, max: number): number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max ? value : fallback;
}

/** Returns what data.json holds, with the default for whatever is missing or wrong. */
export function readSettings(data: unknown): Settings {
  const raw = (typeof data === "object" && data !== null ? data : {}) as Partial<Record<keyof Settings, unknown>>;
  return {
    url: typeof raw.url === "string" ? raw.url : DEFAULTS.url,
    sources: whole(raw.sources, DEFAULTS.sources, 20),
    related: whole(raw.related, DEFAULTS.related, 50),
    mode: raw.mode === "semantic" || raw.mode === "text" ? raw.mode : DEFAULTS.mode,
  };
}

/** Returns the pasted token, or an empty string. Obsidian keeps secrets outside the vault. */
export function readToken(app: App): string {
  return app.secretStorage.getSecret(SECRET) ?? "";
}

export class SettingsTab extends PluginSettingTab {
  constructor(
    app: App,
    private readonly owner: SettingsOwner,
  ) {
    super(app, owner);
  }

  override display(): void {
    const { containerEl } = this;
    containerEl.empty();
    this.drawConnection();
    this.drawAnswers();
  }

  private drawConnection(): void {
    new Setting(this.containerEl).setName("Connection").setHeading();
    new Setting(this.containerEl)
      .setName("Address")
      .setDesc("Leave empty to find the daemon that serves this vault. Only addresses of this machine are accepted.")
      .addText((text) =>
        text
          .setPlaceholder("http://127.0.0.1:8377")
          .setValue(this.owner.settings.url)
          .onChange((value) => this.change({ url: value.trim() })),
      );
    new Setting(this.containerEl)
      .setName("Token")
      .setDesc(
        "Leave empty to read it from your configuration folder. " +
          "A pasted token is kept in this app's secret storage, never in the vault.",
      )
      .addText((text) => {
        text.inputEl.type = "password";
        text
          .setPlaceholder("Found automatically")
          .setValue(readToken(this.app))
          .onChange((value) => {
            this.app.secretStorage.setSecret(SECRET, value.trim());
            this.owner.settingsChanged();
          });
      });
  }

  private drawAnswers(): void {
    new Setting(this.containerEl).setName("Answers and links").setHeading();
    this.addNumber("Sources for an answer", "How many passages an answer may rest on.", "sources", 20);
    this.addNumber("Related notes", "How many notes the side panel lists.", "related", 50);
    new Setting(this.containerEl)
      .setName("Search mode")
      .setDesc("What the search command looks at.")
      .addDropdown((dropdown) =>
        dropdown
          .addOptions(MODES)
          .setValue(this.owner.settings.mode)
          .onChange((value) => this.change({ mode: readSettings({ mode: value }).mode })),
      );
  }

  private addNumber(name: string, description: string, key: "sources" | "related", max: number): void {
    new Setting(this.containerEl)
      .setName(name)
      .setDesc(description)
      .addSlider((slider) =>
        slider
          .setLimits(1, max, 1)
          .setValue(this.owner.settings[key])
          .onChange((value) => this.change({ [key]: value })),
      );
  }

  private async change(part: Partial<Settings>): Promise<void> {
    this.owner.settings = { ...this.owner.settings, ...part };
    await this.owner.saveSettings();
    this.owner.settingsChanged();
  }
}

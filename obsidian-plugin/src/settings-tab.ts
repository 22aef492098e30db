/** The plugin's page in Obsidian's settings. */

import { type App, type Plugin, PluginSettingTab, Setting } from "obsidian";
import { asDaemonError, type Host } from "./host";
import { keepToken, MOST_RELATED, MOST_SOURCES, readSettings, readToken } from "./settings";
import { say } from "./words";

export class SettingsTab extends PluginSettingTab {
  constructor(
    app: App,
    plugin: Plugin,
    private readonly host: Host,
  ) {
    super(app, plugin);
  }

  override display(): void {
    this.containerEl.empty();
    this.drawConnection();
    this.drawAnswers();
    this.drawSwitches();
  }

  private drawConnection(): void {
    this.row(say.connection).setHeading();
    const test = this.row(say.test, "");
    test.addButton((button) => button.setButtonText(say.testNow).onClick(() => this.test(test)));
    this.row(say.address, say.addressWhy).addText((text) =>
      text
        .setPlaceholder("http://127.0.0.1:8377")
        .setValue(this.host.settings.url)
        .onChange((value) => this.host.change({ url: value.trim() })),
    );
    this.row(say.token, say.tokenWhy).addText((text) => {
      text.inputEl.type = "password";
      text
        .setPlaceholder(say.tokenHint)
        .setValue(readToken(this.app))
        .onChange((value) => {
          keepToken(this.app, value.trim());
          void this.host.feed.refresh();
        });
    });
  }

  private async test(row: Setting): Promise<void> {
    row.setDesc(say.bar.connecting);
    try {
      const { vaultName, notes } = await this.host.daemon.status();
      row.setDesc(say.testGood(vaultName, notes.toLocaleString()));
    } catch (error) {
      row.setDesc(asDaemonError(error).advice);
    }
  }

  private drawAnswers(): void {
    this.row(say.answersAndLinks).setHeading();
    this.addNumber(say.sourcesSetting, say.sourcesWhy, "sources", MOST_SOURCES);
    this.addNumber(say.relatedSetting, say.relatedWhy, "related", MOST_RELATED);
    this.row(say.mode, say.modeWhy).addDropdown((dropdown) =>
      dropdown
        .addOptions(say.modes)
        .setValue(this.host.settings.mode)
        .onChange((value) => this.host.change({ mode: readSettings({ mode: value }).mode })),
    );
    void this.drawRefused(this.row(say.refused));
  }

  /** Says how many links were refused, once the daemon has told, and offers to forget them. */
  private async drawRefused(row: Setting): Promise<void> {
    try {
      const pairs = await this.host.daemon.refused();
      row.setDesc(say.refusedWhy(pairs.length));
      if (pairs.length === 0) return;
      row.addButton((button) =>
        button.setButtonText(say.forget).onClick(async () => {
          row.setDesc(say.refusedWhy((await this.host.daemon.refuse(pairs, { undo: true })).length));
          button.buttonEl.detach();
        }),
      );
    } catch (error) {
      row.setDesc(asDaemonError(error).advice);
    }
  }

  private drawSwitches(): void {
    this.row(say.inThisVault, say.inThisVaultWhy).setHeading();
    this.addSwitch(say.statusBar, say.barWhy, "statusBar");
    this.addSwitch(say.relatedAtStart, say.relatedAtStartWhy, "relatedAtStart");
    this.addSwitch(say.underline, say.underlineWhy, "underline");
    this.row(say.trigger, say.triggerWhy).addText((text) =>
      text.setValue(this.host.settings.trigger).onChange((value) => this.host.change({ trigger: value.trim() })),
    );
  }

  private row(name: string, description?: string): Setting {
    const row = new Setting(this.containerEl).setName(name);
    return description === undefined ? row : row.setDesc(description);
  }

  private addSwitch(name: string, description: string, key: "statusBar" | "relatedAtStart" | "underline"): void {
    this.row(name, description).addToggle((toggle) =>
      toggle.setValue(this.host.settings[key]).onChange((value) => this.host.change({ [key]: value })),
    );
  }

  private addNumber(name: string, description: string, key: "sources" | "related", max: number): void {
    this.row(name, description).addSlider((slider) =>
      slider
        .setLimits(1, max, 1)
        .setValue(this.host.settings[key])
        .onChange((value) => this.host.change({ [key]: value })),
    );
  }
}

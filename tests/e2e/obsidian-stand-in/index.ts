/**
 * A stand-in of the module `obsidian`, so that the plugin as shipped runs in a
 * browser. It follows the published types in what the plugin uses, and is no
 * substitute for trying the plugin in the app.
 */

export * from "./app";
export { Component, Events } from "./component";
export { Modal, Notice, SuggestModal } from "./dialogs";
export { Editor, type EditorPosition } from "./editor";
export { Scope } from "./scope";
export { PluginSettingTab, Setting } from "./setting";
export { EditorSuggest, type EditorSuggestContext, type EditorSuggestTriggerInfo } from "./suggest";
export { FileSystemAdapter, TFile, Vault } from "./vault";
export { ItemView, type MarkdownFileInfo, MarkdownView, View, WorkspaceLeaf } from "./views";
export { Workspace } from "./workspace";

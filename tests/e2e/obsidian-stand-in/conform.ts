/**
 * Fails the type check where the stand-in has left the published types of
 * `obsidian`. Compiled, never run. What returns `this` is left to the plugin's own
 * compilation against the stand-in.
 */

import type * as Published from "../../../obsidian-plugin/node_modules/obsidian/obsidian";
import type * as StandIn from "./index";

type Follows<Part extends Whole, Whole> = Part;

export type Conforms = [
  Follows<
    StandIn.Editor,
    Pick<
      Published.Editor,
      "focus" | "getCursor" | "getLine" | "getSelection" | "getValue" | "lineCount" | "offsetToPos" | "posToOffset" | "replaceRange"
      | "replaceSelection" | "setCursor" | "setSelection" | "transaction"
    >
  >,
  Follows<StandIn.Component, Pick<Published.Component, "load" | "onload" | "onunload" | "register" | "registerInterval" | "unload">>,
  Follows<StandIn.Modal, Pick<Published.Modal, "close" | "contentEl" | "modalEl" | "onClose" | "open" | "titleEl">>,
  Follows<StandIn.Notice, Pick<Published.Notice, "hide" | "messageEl">>,
  Follows<StandIn.TFile, Pick<Published.TFile, "basename" | "extension" | "name" | "path">>,
  Follows<StandIn.FileSystemAdapter, Pick<Published.FileSystemAdapter, "getBasePath">>,
  Follows<StandIn.Setting, Pick<Published.Setting, "controlEl" | "descEl" | "nameEl" | "settingEl">>,
  Follows<StandIn.ItemView, Pick<Published.ItemView, "contentEl" | "getDisplayText" | "getIcon" | "getViewType" | "navigation">>,
  Follows<
    StandIn.SuggestModal<string>,
    Pick<
      Published.SuggestModal<string>,
      "emptyStateText" | "getSuggestions" | "inputEl" | "limit" | "onChooseSuggestion" | "renderSuggestion" | "resultContainerEl" | "selectActiveSuggestion" | "selectSuggestion" | "setInstructions" | "setPlaceholder"
    >
  >,
  Follows<StandIn.Scope, Pick<Published.Scope, "register">>,
  Follows<StandIn.EditorSuggest<string>, Pick<Published.EditorSuggest<string>, "close" | "limit" | "renderSuggestion" | "selectSuggestion" | "setInstructions">>,
  Follows<StandIn.App["secretStorage"], Pick<Published.SecretStorage, "getSecret" | "setSecret">>,
];

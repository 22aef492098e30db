/** What a person types to search: words, and filters such as `path:Journal` or `tag:"a b"`. Never imports obsidian. */

/** The filters by the names that the API has for them. */
export interface Filters { path?: string; tag?: string[]; property?: string[]; since?: string; before?: string }

export interface Query { words: string; filters: Filters }

const FILTER = /(?:^|\s)(path|tag|property|since|before):(?:"([^"]*)"?|(\S*))(?=\s|$)/g;

/** Returns the words without the filters, and the filters; one that is still empty counts for nothing. */
export function parseQuery(text: string): Query {
  const filters: Filters = {};
  const words = text.replace(FILTER, (_whole, name: keyof Filters, quoted?: string, bare?: string) => {
    const value = (quoted ?? bare ?? "").trim();
    if (value) add(filters, name, value);
    return " ";
  });
  return { words: words.replace(/\s+/g, " ").trim(), filters };
}

function add(filters: Filters, name: keyof Filters, value: string): void {
  if (name === "tag") filters.tag = [...(filters.tag ?? []), value.replace(/^#/, "")];
  else if (name === "property") filters.property = [...(filters.property ?? []), value];
  else filters[name] = value;
}

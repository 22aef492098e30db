/** The harness server, which alone reads the disk: the test's vault and its configuration folder. */

export interface ProxyReply { status: number; text: string; error?: string }

function sync(path: string, query: Record<string, string>): unknown {
  const request = new XMLHttpRequest();
  request.open("GET", `/_harness/${path}?${new URLSearchParams(query).toString()}`, false);
  request.send();
  return JSON.parse(request.responseText) as unknown;
}

async function post(path: string, body: unknown): Promise<unknown> {
  const reply = await fetch(`/_harness/${path}`, { method: "POST", body: JSON.stringify(body) });
  return reply.json();
}

interface Found { value: string | string[] | null }

function required(name: string, path: string): string | string[] {
  const { value } = sync(name, { path }) as Found;
  if (value === null) throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
  return value;
}

export interface Setup { vault: string; vaultName: string; config: string; home: string; files: string[]; data: unknown }

export const server = {
  setup: (): Setup => sync("setup", {}) as Setup,
  read: (path: string): string => required("read", path) as string,
  list: (path: string): string[] => required("list", path) as string[],
  realPath: (path: string): string => required("realpath", path) as string,
  sha256: (text: string): string => (sync("sha256", { text }) as Found).value as string,
  proxy: async (request: unknown): Promise<ProxyReply> => (await post("proxy", request)) as ProxyReply,
  saveData: async (data: unknown): Promise<void> => {
    await post("data", data);
  },
};

/** The parts of Node that a desktop plugin reaches with require, answered by the harness server. */

import { server, type Setup } from "./server";

export function nodeModules(setup: Setup): Record<string, unknown> {
  const realpathSync = Object.assign((path: string) => server.realPath(path), { native: (path: string) => server.realPath(path) });
  return {
    fs: {
      readFileSync: (path: string) => server.read(path),
      readdirSync: (path: string) => server.list(path),
      realpathSync,
    },
    child_process: {
      /** Starts nothing: tells the test what would have been started. */
      spawn: (program: string, args: string[]) => {
        const page = window as unknown as { spawned?: string[][] };
        page.spawned = [...(page.spawned ?? []), [program, ...args]];
        return { once: () => undefined, unref: () => undefined };
      },
    },
    os: { homedir: () => setup.home, platform: () => "linux" },
    path: { join: (...parts: string[]) => parts.filter(Boolean).join("/").replace(/\/{2,}/g, "/") },
    crypto: {
      createHash: () => {
        let text = "";
        const hash = {
          update: (more: string) => {
            text += more;
            return hash;
          },
          digest: () => server.sha256(text),
        };
        return hash;
      },
    },
  };
}

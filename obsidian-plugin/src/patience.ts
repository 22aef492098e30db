/**
 * Patience with a busy daemon: what it refuses for now (429) is asked again, a few times and ever more
 * calmly, before a person hears of it. Never imports obsidian.
 */

import type { After, Send } from "./daemon";

const WAITS_MS = [1000, 2000, 4000];

/** Returns a Send that comes again; `dice` gives 0 to 1, so that not all who were refused come together. */
export function patiently(send: Send, after: After, dice: () => number = Math.random): Send {
  return async (request) => {
    for (const wait of WAITS_MS) {
      const reply = await send(request);
      if (reply.status !== 429) return reply;
      await new Promise<void>((resolve) => { after(wait * (1 + dice() / 2), resolve); });
    }
    return send(request);
  };
}

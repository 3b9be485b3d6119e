import { isClawError } from "@claw/core/protocol";
import type { Host } from "./host.ts";
import { hint } from "./terminal.ts";
import { valueOfPayload } from "./values.ts";

/** What an example's `firstLook` gets; examples declare the part of it that they use. */
interface Scene {
  readonly url: string;
  readonly secret: string;
  readonly outcome: (run: string, timeoutMs: number) => Promise<RunLine | null>;
  readonly runs: (workflow: string) => Promise<readonly RunLine[]>;
  readonly say: (line: string) => void;
}

interface RunLine {
  readonly id: string;
  readonly workflow: string;
  readonly status: string;
  readonly output: unknown;
}

const RUNS_MAX = 20;

/** Lets an example show itself: calls the `firstLook` that one of its modules exports. */
export async function firstLook(
  host: Host,
  secret: string,
  modules: readonly object[],
): Promise<void> {
  for (const module of modules) {
    const { firstLook: look } = module as { firstLook?: (scene: Scene) => Promise<void> };
    if (typeof look === "function") await look(sceneOf(host, secret));
  }
}

function sceneOf(host: Host, secret: string): Scene {
  const line = async (run: string): Promise<RunLine | null> => {
    const record = await host.claw.find(run);
    if (record === null) return null;
    const { id, workflow, status, output } = record;
    return { id, workflow, status, output: valueOfPayload(output) };
  };
  return {
    url: host.url,
    secret,
    outcome: async (run, timeoutMs) => {
      if (timeoutMs > 0) await untilEnd(host, run, timeoutMs);
      return line(run);
    },
    runs: async (workflow) => {
      const found = await host.claw.list({ workflow, limit: RUNS_MAX });
      const lines = await Promise.all(found.map(({ id }) => line(id)));
      return lines.filter((one) => one !== null);
    },
    say: hint,
  };
}

// A run that goes on is no failure of a first look.
async function untilEnd(host: Host, run: string, timeoutMs: number): Promise<void> {
  try {
    await host.claw.run(run).ended({ timeout: timeoutMs });
  } catch (error) {
    if (!isClawError(error, "CLAW-2012")) throw error;
  }
}

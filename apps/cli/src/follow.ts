import { ClawError, ERRORS, type ErrorCode } from "@claw/core/protocol";
import type { Problem } from "@claw/gateway";
import type { Config } from "./config.ts";
import type { Owner } from "./owner-file.ts";
import { hint } from "./terminal.ts";

/** A server-sent event: what it is called, and its data. */
interface Frame {
  readonly event: string;
  readonly data: unknown;
}

/**
 * Follows a feed of a store's owner, until it has ended.
 * Errors: those that the owner answers; CLAW-5006 when it goes away before the end.
 */
export async function* followOwner<Item>(
  owner: Owner,
  path: string,
  { verbose }: Pick<Config, "verbose">,
): AsyncGenerator<Item> {
  const response = await reach(owner, path);
  if (!response.ok) throw asError((await response.json()) as Partial<Problem>);
  if (verbose) hint(`following at process ${owner.pid}`);
  for await (const { event, data } of framesOf(owner, response)) {
    if (event === "end") return;
    if (event === "problem") throw asError(data as Partial<Problem>);
    yield data as Item;
  }
  throw gone(owner);
}

async function reach(owner: Owner, path: string): Promise<Response> {
  try {
    const headers = { authorization: `Bearer ${owner.token}` };
    return await fetch(`${owner.url}${path}`, { headers });
  } catch (cause) {
    throw gone(owner, cause);
  }
}

function gone({ pid, url }: Owner, cause?: unknown): ClawError {
  return new ClawError("CLAW-5006", `Process ${pid} does not answer at ${url} any more`, { cause });
}

function asError({ code, detail, details }: Partial<Problem>): Error {
  if (code === undefined || !Object.hasOwn(ERRORS, code)) {
    return new Error(`the owner answered: ${detail ?? ""}`);
  }
  return new ClawError(code satisfies ErrorCode, detail, details === undefined ? {} : { details });
}

// HTML standard, section "Server-sent events", as far as the gateway writes them.
async function* framesOf(owner: Owner, response: Response): AsyncGenerator<Frame> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes as Uint8Array, { stream: true });
      const frames = text.split("\n\n");
      text = frames.pop() ?? "";
      for (const frame of frames) {
        const event = /^event: (.*)$/m.exec(frame)?.[1];
        const data = /^data: (.*)$/m.exec(frame)?.[1];
        if (event !== undefined && data !== undefined) {
          yield { event, data: JSON.parse(data) as unknown };
        }
      }
    }
  } catch (cause) {
    if (cause instanceof SyntaxError) throw cause;
    throw gone(owner, cause);
  }
}

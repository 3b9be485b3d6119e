import { ClawError, isClawError } from "@claw/core/protocol";
import type { Problem } from "@claw/gateway";
import type {
  Claw,
  ExportSelection,
  ImportOptions,
  ImportReport,
  MoveProgress,
} from "@claw/runtime";
import { openAlone, type Scope } from "./compose.ts";
import { ownerFor, problemError, streamFrom } from "./control.ts";
import type { Owner } from "./owner-file.ts";
import { logFrom } from "./terminal.ts";

/** Moves runs through the process that owns a store, else as its owner for this command. */
export interface MoveControl {
  /** `path` is absolute. */
  importFile(path: string, options: ImportOptions): Promise<ImportReport>;
  /** Runs with their payloads opened, by whoever has the keys. */
  exportPlain(selection: ExportSelection): AsyncIterable<string>;
  close(): Promise<void>;
}

/** Errors: CLAW-5006, CLAW-5071, those of a store. */
export async function openMoves(scope: Scope): Promise<MoveControl> {
  const owner = await ownerFor(scope);
  if (owner !== null) return through(owner);
  try {
    return alone(await openAlone(scope, logFrom("error")));
  } catch (cause) {
    if (!isClawError(cause, "CLAW-4001")) throw cause;
    const detail = `A process owns ${scope.store.name} but does not answer`;
    throw new ClawError("CLAW-5006", detail, { cause });
  }
}

function alone(claw: Claw): MoveControl {
  return {
    importFile: async (path, options) => {
      const { exportFile } = await import("@claw/runtime");
      return claw.importRuns(exportFile(path), options);
    },
    exportPlain: (selection) => claw.exportRuns(selection, { plain: true }),
    close: () => claw.stop(),
  };
}

function through(owner: Owner): MoveControl {
  return {
    importFile: async (path, { onProgress, ...options }) => {
      let rest = "";
      for await (const text of streamFrom(owner, "/v1/import", { path, ...options })) {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const report = outcomeOf(line, onProgress);
          if (report !== null) return report;
        }
      }
      throw new ClawError("CLAW-5006", `Process ${owner.pid} ended before it had imported all`);
    },
    exportPlain: (selection) => streamFrom(owner, "/v1/export", { ...selection, plain: true }),
    close: async () => {},
  };
}

function outcomeOf(
  line: string,
  onProgress: ((progress: MoveProgress) => void) | undefined,
): ImportReport | null {
  const said = JSON.parse(line) as {
    readonly progress?: MoveProgress | null;
    readonly report?: ImportReport;
    readonly problem?: Problem;
  };
  if (said.problem !== undefined) throw problemError(said.problem);
  if (said.progress) onProgress?.(said.progress);
  return said.report ?? null;
}

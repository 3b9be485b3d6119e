import { childrenOf, type OnParentEnd, type RunRecord } from "@claw/core/protocol";
import type { Reader } from "./compose.ts";

/** Children of one run that are shown; the newest. */
const SHOWN_MAX = 20;

/** An attached child as `claw show` tells of it. */
export interface ShownChild {
  readonly id: string;
  /** The call of the parent that started it. */
  readonly call: string;
  readonly workflow: string;
  /** "gone" when retention has removed it. */
  readonly status: string;
  readonly onParentEnd: OnParentEnd;
}

/** The newest attached children of a run, of all its generations, oldest first. */
export async function childrenShown(reader: Reader, run: RunRecord): Promise<ShownChild[]> {
  const earlier = (run.generations ?? []).flatMap(({ journal }) => journal);
  const children = [...childrenOf([...earlier, ...run.journal])].slice(-SHOWN_MAX);
  const shown: ShownChild[] = [];
  for (const [call, { run: id, onParentEnd }] of children) {
    const child = await reader.find(id);
    const { workflow, status } = child ?? { workflow: "", status: "gone" };
    shown.push({ id, call, workflow, status, onParentEnd });
  }
  return shown;
}

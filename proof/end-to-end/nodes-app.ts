// One node of several: a runtime on a schema that it shares with others. It does what its parent asks, and writes each body that it
// begins to the witness: "S node run/call time".
import { isClawError } from "@claw/core/protocol";
import { openRuntime } from "@claw/runtime";
import { postgresStore } from "@claw/store-postgres";
import type { Answer, Asked, NodePlan } from "./nodes-process.ts";
import { nodeWorkflows } from "./nodes-workflows.ts";
import { openWitness } from "./witness.ts";

const plan = JSON.parse(process.argv[2] ?? "") as NodePlan;
const { url, schema, leaseMs, name } = plan;
const claw = await openRuntime({
  store: postgresStore({ url, schema, leaseMs, alone: false }),
  workflows: nodeWorkflows(plan, openWitness(plan.witness)),
  // Whoever waits stays in memory: that is what must be taken over.
  limits: { parkGraceMs: 3_600_000 },
  node: { name },
});
process.send?.("works");
process.once("SIGTERM", () => {
  void claw.stop({ drain: "5s" }).then(() => process.exit(0));
});
process.on("message", (asked: Asked) => {
  void carryOut(asked).then((answer) => process.send?.(answer));
});

async function carryOut(asked: Asked): Promise<Answer> {
  const { id } = asked;
  try {
    return { id, ok: true, value: await act(asked) };
  } catch (error) {
    const { code = "", message } = error as { code?: string; message: string };
    return { id, ok: false, code, message, retryable: isClawError(error) && error.retryable };
  }
}

async function act(asked: Asked): Promise<unknown> {
  switch (asked.op) {
    case "start": {
      const run = await claw.start(asked.workflow, asked.key, { idempotencyKey: asked.key });
      return run.id;
    }
    case "signal":
      return claw.signal(asked.run, "note", asked.value, { id: `${asked.run}.${asked.value}` });
    case "result":
      return claw.run(asked.run).result({ timeout: "5s" });
    case "query":
      return claw.query(asked.run, "seen");
    case "nodes":
      return claw.nodes();
    default:
      return claw.stats();
  }
}

import type { Decision } from "@claw/core/protocol";
import type { Claw } from "@claw/runtime";
import type { Host } from "../host.ts";
import { PEOPLE } from "../statements/approval.ts";
import type { Desk } from "./desk.ts";

/** Not open any more, or its time is over · decided already · nobody that was asked · not of the form. */
const DECLARED = ["CLAW-3012", "CLAW-3013", "CLAW-3014", "CLAW-1004"];

/** People who decide approvals: now and then the wrong ones, twice, or what no form takes. */
export class Approvers {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Somebody looks at the list and decides one of them. */
  act(host: Host, claw: Claw): void {
    const { dice, world } = this.#desk;
    const asked = claw.approvals({ limit: 50 });
    this.#desk.asked(host, "approvals", asked, (list) => {
      for (const { run } of list) {
        const { namespace } = world.disk.runs.get(run) ?? world.disk.closed.get(run) ?? {};
        world.ledger.check(
          "nothing crosses a namespace",
          namespace === host.namespace,
          () => `${host.name} of ${host.namespace} lists an approval of ${run} of ${namespace}`,
        );
      }
      if (list.length > 0) this.decide(host, dice.pick(list));
    });
  }

  /** Decides one, by anybody. */
  decide(
    host: Host,
    { run, call, expiresAt }: { run: string; call: string; expiresAt: number | null },
  ): void {
    const { dice, world } = this.#desk;
    const n = this.#desk.next();
    const isBad = dice.chance(0.1);
    const decision: Decision = {
      decision: dice.chance(0.8) ? "approve" : "reject",
      by: dice.pick(PEOPLE),
      value: isBad ? { n: "none" } : { n },
    };
    const attempt = (on: Host): void => {
      this.#desk.asked(
        on,
        "approve",
        on.claw?.approve(run, call, decision),
        () => {
          world.ledger.check("a form is kept", !isBad, () => `${run} ${call}`);
          this.#desk.mustHold(run, (text) => text.includes(`"n":${n}`), `decision ${n}`);
          world.approvals.acknowledged(run, call, n);
        },
        {
          codes: DECLARED,
          failed: (code) => world.ledger.count(`refused ${code}`),
        },
      );
    };
    // Now, or in the moment in which its time is over.
    const wait = expiresAt !== null && dice.chance(0.3) ? expiresAt - host.now : 0;
    if (wait > 0) world.scheduler.later(host, wait - dice.below(2), () => attempt(host));
    else attempt(host);
    if (dice.chance(0.3)) this.#desk.again(attempt);
  }
}

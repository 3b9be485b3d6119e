import type { Command } from "commander";
import { type Act, examples, GROUPS } from "./declaring.ts";
import type { TraceFlags } from "./verbs/trace.ts";
import type { StreamFlags } from "./verbs/stream.ts";

const RUN = "id, unique beginning of one, or @last";

/** Declares what shows a run while it goes on. */
export function declareFeeds(program: Command, act: Act): void {
  program
    .command("stream")
    .helpGroup(GROUPS.look)
    .argument("<run>", RUN)
    .argument("[name]", "the stream (default: all streams of the run)")
    .description("print what a run wrote to its streams")
    .option("--from <cursor>", "only what comes after this number", "0")
    .option("--follow", "go on as chunks come, until the stream is closed or the run has ended")
    .addHelpText(
      "after",
      examples("claw stream @last answer --follow", "claw stream run_01jd4 --from 120 -o jsonl"),
    )
    .action(
      act(async (config, run: string, name: string | undefined, options: StreamFlags) =>
        (await import("./verbs/stream.ts")).stream(config, run, name, options),
      ),
    );
  program
    .command("watch")
    .helpGroup(GROUPS.look)
    .argument("<run>", RUN)
    .description("print the entries of a run's journal as they come, until it has ended")
    .option("--from <cursor>", "only what comes after this entry", "0")
    .addHelpText("after", examples("claw watch @last", "claw watch @last --from 12 -o jsonl"))
    .action(
      act(async (config, run: string, options: { from: string }) =>
        (await import("./verbs/watch.ts")).watch(config, run, options),
      ),
    );
  program
    .command("trace")
    .helpGroup(GROUPS.look)
    .argument("<run>", RUN)
    .description("print where a run and those that it started spent their time")
    .option("--alone", "only this run, without those that it started")
    .addHelpText(
      "after",
      examples("claw trace @last", "claw trace run_01jd4 -o json   # OpenTelemetry (OTLP)"),
    )
    .action(
      act(async (config, run: string, options: TraceFlags) =>
        (await import("./verbs/trace.ts")).trace(config, run, options),
      ),
    );
}

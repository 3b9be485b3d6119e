import { workflow } from "@claw/sdk";
import * as v from "valibot";
import { PushData, Pushes } from "./events.ts";

const Commit = v.object({ id: v.string(), files: v.array(v.string()) });

/** Looks at one commit; a run of its own, so that it is seen and retried alone. */
export const commitReview = workflow("commit-review", { input: Commit }, async (ctx, commit) => {
  const areas = await ctx.run("areas", () => [
    ...new Set(commit.files.map((file) => file.split("/").slice(0, -1)[0] ?? "root")),
  ]);
  return { id: commit.id, files: commit.files.length, areas };
});

/** Fans a push out into one child run for each commit. */
export const pushReview = workflow(
  "push-review",
  { on: Pushes, input: PushData },
  async (ctx, { ref, commits }) => {
    const reviews = await ctx.map("commits", commits, { concurrency: 4 }, (ctx, commit) =>
      ctx.child(commitReview, {
        id: commit.id,
        files: [...commit.added, ...commit.modified, ...commit.removed],
      }),
    );
    return {
      ref,
      commits: reviews.length,
      files: reviews.reduce((sum, { files }) => sum + files, 0),
    };
  },
);

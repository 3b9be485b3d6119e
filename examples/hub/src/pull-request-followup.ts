import { workflow } from "@claw/sdk";
import { DigestDue, PullRequestData, PullRequests, Reviews } from "./events.ts";

/** Follows a pull request: tells the reviewers, waits for a review, then for the merge. */
export const pullRequestFollowup = workflow(
  "pull-request-followup",
  { on: PullRequests, where: { action: "opened" }, input: PullRequestData },
  async (ctx, { repository, pull_request: pull }) => {
    const reviewers = pull.requested_reviewers.map(({ login }) => login ?? "a team");
    const told = await ctx.map("reviewers", reviewers, (ctx, reviewer) =>
      ctx.run("tell", () => `${reviewer} was told`),
    );
    const same = { "repository.id": repository.id, "pull_request.number": pull.number };
    const review = { match: { ...same, action: "submitted" }, timeout: "7d" } as const;
    const closing = { match: { ...same, action: "closed" }, timeout: "30d" } as const;

    // A pull request may be closed before anybody reviews it: whatever comes first.
    const first = await ctx.race("first", [
      async (ctx) => ({ step: "review", found: await ctx.waitFor(Reviews, review) }) as const,
      async (ctx) =>
        ({ step: "closing", found: await ctx.waitFor(PullRequests, closing) }) as const,
    ]);
    if (first.step === "closing") {
      return { outcome: first.found.ok ? "closed unseen" : "stale", told };
    }
    const verdict = first.found.ok ? first.found.value.review.state : "none";
    const closed = await ctx.waitFor(PullRequests, closing);
    if (!closed.ok) return { outcome: "stale", told, verdict };
    if (!closed.value.pull_request.merged) return { outcome: "refused", told, verdict };
    await ctx.emit(DigestDue, {
      run: ctx.info.id,
      repository: repository.full_name,
      title: `Pull request ${pull.number}: ${pull.title}`,
      lines: [`merged by ${closed.value.sender.login}`, `review: ${verdict}`],
    });
    return { outcome: "merged", told, verdict };
  },
);

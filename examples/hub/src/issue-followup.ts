import { workflow } from "@claw/sdk";
import { teamOf } from "./desks.ts";
import { DigestDue, IssueData, Issues } from "./events.ts";

/** Follows an issue from its opening to its closing: one team for each label, then it waits. */
export const issueFollowup = workflow(
  "issue-followup",
  { on: Issues, where: { action: "opened" }, input: IssueData },
  async (ctx, { repository, issue }) => {
    const teams = await ctx.map("labels", issue.labels, (ctx, label) =>
      ctx.run("assign", () => teamOf(label.name)),
    );
    const closed = await ctx.waitFor(Issues, {
      match: { action: "closed", "repository.id": repository.id, "issue.number": issue.number },
      timeout: "30d",
    });
    if (!closed.ok) return { outcome: "stale", teams };
    const by = closed.value.sender.login;
    await ctx.emit(DigestDue, {
      run: ctx.info.id,
      repository: repository.full_name,
      title: `Issue ${issue.number}: ${issue.title}`,
      lines: [`closed by ${by}`, `teams: ${teams.join(", ") || "none"}`],
    });
    return { outcome: "closed", by, teams };
  },
);

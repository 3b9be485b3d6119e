/** Who looks after which events; what is not named goes to the front desk. */
const EVENTS_OF_DESKS: Readonly<Record<string, readonly string[]>> = {
  code: [
    "branch_protection_rule",
    "commit_comment",
    "create",
    "delete",
    "fork",
    "merge_group",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
    "push",
  ],
  planning: [
    "discussion",
    "discussion_comment",
    "issue_comment",
    "issues",
    "label",
    "milestone",
    "project",
    "project_card",
    "project_column",
    "projects_v2_item",
  ],
  delivery: [
    "check_run",
    "check_suite",
    "deployment",
    "deployment_review",
    "deployment_status",
    "package",
    "page_build",
    "release",
    "status",
    "workflow_dispatch",
    "workflow_job",
    "workflow_run",
  ],
  security: [
    "code_scanning_alert",
    "dependabot_alert",
    "deploy_key",
    "repository_vulnerability_alert",
    "security_advisory",
  ],
  people: ["member", "membership", "org_block", "organization", "team", "team_add"],
};

const DESK_OF_EVENT = new Map(
  Object.entries(EVENTS_OF_DESKS).flatMap(([desk, events]) => events.map((name) => [name, desk])),
);

/** The desk for an event, whatever its action: deletions are everybody's concern. */
export function deskOf(event: string, action: string | undefined): string {
  if (action === "deleted") return "records";
  return DESK_OF_EVENT.get(event) ?? "front";
}

const TEAMS: Readonly<Record<string, string>> = { bug: "repair", documentation: "writing" };

/** The team that a label stands for. */
export function teamOf(label: string): string {
  return TEAMS[label.toLowerCase()] ?? "triage";
}

// What the hub must come to, counted from the raw payloads alone: this file imports nothing of the
// house, so that a wrong workflow cannot agree with itself. Prints JSON.
import { createRequire } from "node:module";

const definitions = createRequire(import.meta.url)("@octokit/webhooks-examples");
const payloads = definitions.flatMap(({ name, examples }) =>
  examples.map((payload) => ({ name, payload })),
);

function count(keyOf) {
  const counts = {};
  for (const one of payloads) {
    const key = String(keyOf(one));
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function topicOf({ name, payload }) {
  return payload.action === undefined ? name : `${name}.${payload.action}`;
}

// The same item: same repository and number, later in the corpus.
function laterOf(index, name, action, field) {
  const { payload } = payloads[index];
  const item = payload.issue ?? payload.pull_request;
  return payloads.findIndex(
    (other, at) =>
      at > index &&
      other.name === name &&
      other.payload.action === action &&
      other.payload.repository?.id === payload.repository.id &&
      other.payload[field].number === item.number,
  );
}

function issueOutcomes() {
  return opened("issues", (index) =>
    laterOf(index, "issues", "closed", "issue") < 0 ? "waiting" : "closed",
  );
}

function pullRequestOutcomes() {
  return opened("pull_request", (index) => {
    const review = laterOf(index, "pull_request_review", "submitted", "pull_request");
    const closing = laterOf(index, "pull_request", "closed", "pull_request");
    if (closing < 0) return "waiting";
    if (review < 0 || closing < review) return "closed unseen";
    return payloads[closing].payload.pull_request.merged ? "merged" : "refused";
  });
}

function opened(name, outcomeOf) {
  const counts = {};
  payloads.forEach((one, index) => {
    if (one.name !== name || one.payload.action !== "opened") return;
    const outcome = outcomeOf(index);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  });
  return counts;
}

const issues = issueOutcomes();
const pullRequests = pullRequestOutcomes();
const pushes = payloads.filter(({ name }) => name === "push");

console.log(
  JSON.stringify(
    {
      payloads: payloads.length,
      events: definitions.length,
      byTopic: count(topicOf),
      byRepository: count(({ payload }) => payload.repository?.full_name ?? null),
      bySenderType: count(({ payload }) => payload.sender?.type ?? null),
      retried: payloads.filter((one) => topicOf(one).length % 4 === 0).length,
      pushes: pushes.length,
      commits: pushes.reduce((sum, { payload }) => sum + payload.commits.length, 0),
      issues,
      pullRequests,
      digests: (issues.closed ?? 0) + (pullRequests.merged ?? 0),
    },
    null,
    2,
  ),
);

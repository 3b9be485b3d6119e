import { event } from "@claw/sdk";
import * as v from "valibot";

const Repository = v.looseObject({ id: v.number(), full_name: v.string() });
const Sender = v.looseObject({ login: v.string(), type: v.string() });
const Label = v.looseObject({ name: v.string() });

/** What all deliveries have; `event` was added by the gateway, the rest is GitHub's. */
export const Delivery = v.looseObject({
  event: v.string(),
  action: v.optional(v.string()),
  repository: v.optional(Repository),
  organization: v.optional(v.looseObject({ login: v.string() })),
  sender: v.optional(Sender),
});

/** Any delivery. */
export const AnyDelivery = event("com.github.*");

/** Data of Issues. */
export const IssueData = v.looseObject({
  action: v.string(),
  repository: Repository,
  sender: Sender,
  issue: v.looseObject({
    number: v.number(),
    title: v.string(),
    labels: v.optional(v.array(Label), []),
  }),
});

/** Something happened to an issue. */
export const Issues = event("com.github.issues", IssueData);

const PullRequest = v.looseObject({
  number: v.number(),
  title: v.string(),
  requested_reviewers: v.optional(v.array(v.looseObject({ login: v.optional(v.string()) })), []),
});

/** Data of PullRequests. */
export const PullRequestData = v.looseObject({
  action: v.string(),
  repository: Repository,
  sender: Sender,
  pull_request: v.looseObject({ ...PullRequest.entries, merged: v.nullish(v.boolean(), false) }),
});

/** Something happened to a pull request. */
export const PullRequests = event("com.github.pull_request", PullRequestData);

const ReviewData = v.looseObject({
  action: v.string(),
  repository: Repository,
  sender: Sender,
  review: v.looseObject({ state: v.string() }),
  pull_request: v.looseObject({ number: v.number() }),
});

/** Somebody reviewed a pull request. */
export const Reviews = event("com.github.pull_request_review", ReviewData);

/** Data of Pushes. */
export const PushData = v.looseObject({
  ref: v.string(),
  repository: Repository,
  commits: v.array(
    v.looseObject({
      id: v.string(),
      message: v.string(),
      added: v.array(v.string()),
      removed: v.array(v.string()),
      modified: v.array(v.string()),
    }),
  ),
});

/** Commits or a tag came in. */
export const Pushes = event("com.github.push", PushData);

/** Data of DigestDue. */
export const DigestData = v.object({
  /** Which run tells it; makes the file's name. */
  run: v.string(),
  repository: v.string(),
  title: v.string(),
  lines: v.array(v.string()),
});

/** The hub's own event: something came to its end and is worth a line. */
export const DigestDue = event("com.example.hub.digest.due", DigestData);

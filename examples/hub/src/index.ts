export { digest } from "./digest.ts";
export { firstLook } from "./first-look.ts";
export { intake } from "./intake.ts";
export { issueFollowup } from "./issue-followup.ts";
export { pullRequestFollowup } from "./pull-request-followup.ts";
export { commitReview, pushReview } from "./push-review.ts";

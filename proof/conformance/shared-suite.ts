import { describe } from "node:test";
import { proveHolding } from "./nodes/holding.ts";
import { proveMeeting } from "./nodes/meeting.ts";
import type { SharedPlaceMaker } from "./nodes/place.ts";
import { provePost } from "./nodes/post.ts";
import { proveTaskClaims } from "./nodes/tasks.ts";
import { proveTakeover } from "./nodes/takeover.ts";

/** The contract of a store that several nodes share, sentence by sentence, held against one store. */
export function sharedSuite(name: string, make: SharedPlaceMaker): void {
  describe(`${name}: holding`, () => proveHolding(make));
  describe(`${name}: takeover`, () => proveTakeover(make));
  describe(`${name}: post`, () => provePost(make));
  describe(`${name}: standalone tasks`, () => proveTaskClaims(make));
  describe(`${name}: commits that meet`, () => proveMeeting(make));
}

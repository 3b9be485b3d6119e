import { describe } from "node:test";
import { proveApprovals } from "./store/approvals.ts";
import { proveAttributes } from "./store/attributes.ts";
import { proveBlobs } from "./store/blobs.ts";
import { proveChildren } from "./store/children.ts";
import { proveEvents } from "./store/events.ts";
import { proveInbox } from "./store/inbox.ts";
import { proveKeys } from "./store/keys.ts";
import { proveLifecycle } from "./store/lifecycle.ts";
import { proveNamespaces } from "./store/namespaces.ts";
import { proveOperations } from "./store/operations.ts";
import type { PlaceMaker } from "./store/place.ts";
import { provePoison } from "./store/poison.ts";
import { proveReading } from "./store/reading.ts";
import { proveRenewing } from "./store/renewing.ts";
import { proveReplacing } from "./store/replacing.ts";
import { proveRequests } from "./store/requests.ts";
import { proveStreams } from "./store/streams.ts";
import { proveTasks } from "./store/tasks.ts";
import { proveRetention } from "./store/retention.ts";
import { proveTraces } from "./store/traces.ts";
import { proveTransitions } from "./store/transitions.ts";
import { proveUpkeep } from "./store/upkeep.ts";

/** The contract of the store port, sentence by sentence, held against one store. */
export function storeSuite(name: string, make: PlaceMaker): void {
  describe(`${name}: transitions`, () => proveTransitions(make));
  describe(`${name}: children`, () => proveChildren(make));
  describe(`${name}: inbox`, () => proveInbox(make));
  describe(`${name}: events`, () => proveEvents(make));
  describe(`${name}: namespaces`, () => proveNamespaces(make));
  describe(`${name}: idempotency keys`, () => proveRequests(make));
  describe(`${name}: operations`, () => proveOperations(make));
  describe(`${name}: poison`, () => provePoison(make));
  describe(`${name}: approvals`, () => proveApprovals(make));
  describe(`${name}: replaced entries`, () => proveReplacing(make));
  describe(`${name}: generations`, () => proveRenewing(make));
  describe(`${name}: attributes`, () => proveAttributes(make));
  describe(`${name}: large payloads`, () => proveBlobs(make));
  describe(`${name}: streams`, () => proveStreams(make));
  describe(`${name}: traces`, () => proveTraces(make));
  describe(`${name}: standalone tasks`, () => proveTasks(make));
  describe(`${name}: keys`, () => proveKeys(make));
  describe(`${name}: reading`, () => proveReading(make));
  describe(`${name}: retention`, () => proveRetention(make));
  describe(`${name}: opening and closing`, () => proveLifecycle(make));
  describe(`${name}: check and backup`, () => proveUpkeep(make));
}

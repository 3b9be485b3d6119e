import type { StoreInfo } from "@claw/core/ports";

/** What an export says of the store that it came from. */
export function storeName({
  kind,
  schemaVersion,
}: Pick<StoreInfo, "kind" | "schemaVersion">): string {
  return `${kind} ${schemaVersion}`;
}

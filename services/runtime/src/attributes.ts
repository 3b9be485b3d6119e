import { type AttributeChanges, checkName, ClawError, limits } from "@claw/core/protocol";

/** Checks what an author sets as attributes. Errors: CLAW-1005, CLAW-1008. */
export function checkAttributes(values: AttributeChanges): AttributeChanges {
  if (typeof values !== "object" || values === null) {
    throw new ClawError("CLAW-1005", "attributes must be an object");
  }
  const entries = Object.entries(values);
  if (entries.length > limits.ATTRIBUTES_MAX) {
    throw new ClawError("CLAW-1005", `A run has at most ${limits.ATTRIBUTES_MAX} attributes`);
  }
  for (const [name, value] of entries) {
    checkName(name, "The attribute");
    if (!isAttribute(value)) {
      const { ATTRIBUTE_CHARS_MAX } = limits;
      throw new ClawError(
        "CLAW-1005",
        `The attribute "${name}" is no number, boolean or text of up to ${ATTRIBUTE_CHARS_MAX} characters`,
      );
    }
  }
  return Object.fromEntries(entries);
}

function isAttribute(value: unknown): boolean {
  if (value === null || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "string" || value.length > limits.ATTRIBUTE_CHARS_MAX) return false;
  return value.isWellFormed() && !value.includes("\0");
}

/** For people: `node:sqlite` without a warning and stable type stripping begin with 24.15. */
export const NODE_WANTED = "24.15 or newer (an even major)";

/**
 * Whether this version, as in `process.versions.node`, can run the product.
 * Odd majors are left out: they are never supported for long, and none is tested.
 */
export function canRunProduct(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major === 24) return minor >= 15;
  return major >= 26 && major % 2 === 0;
}

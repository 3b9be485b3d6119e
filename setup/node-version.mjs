/** The oldest Node that runs the product: `node:sqlite` without a warning, stable type stripping. */
export const NODE_WANTED = "24.15 or newer of 24, or 26 and newer";

/**
 * Whether this version, as in `process.versions.node`, can run the product.
 * Odd majors are left out: they are never supported for long, and none is tested.
 */
export function canRunProduct(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major === 24) return minor >= 15;
  return major >= 26;
}

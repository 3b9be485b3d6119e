import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ClawError } from "@claw/core/protocol";

const LOOPBACK_NAMES: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Compares two texts in a time that tells nothing about where they differ. */
export function sameSecret(given: string, expected: string): boolean {
  // Digests have one length, so that not even the length of the secret shows.
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** True for a host to listen on that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === "::1" || host.startsWith("127.") || host === "localhost";
}

/**
 * Refuses requests that a browser page of another origin may have made: a name that was made to
 * point here (Host), or a page that says so itself (Origin, Sec-Fetch-Site).
 * Errors: CLAW-5007.
 */
export function checkOrigin(headers: IncomingHttpHeaders, hostNames: readonly string[]): void {
  const host = headers.host ?? "";
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (!LOOPBACK_NAMES.includes(name) && !hostNames.includes(name)) {
    throw new ClawError("CLAW-5007", "The Host header does not name this machine");
  }
  const { origin } = headers;
  if (origin !== undefined && !isSameHost(origin, host)) {
    throw new ClawError("CLAW-5007", "The request comes from a page of another origin");
  }
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    throw new ClawError("CLAW-5007", "The request comes from a page of another site");
  }
}

function isSameHost(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

/** Errors: CLAW-5007 unless the request carries the token. */
export function checkToken(headers: IncomingHttpHeaders, token: string): void {
  const given = /^Bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1];
  if (given === undefined) throw new ClawError("CLAW-5007", "The request has no bearer token");
  if (!sameSecret(given, token)) {
    throw new ClawError("CLAW-5007", "The bearer token is not the one of this process");
  }
}

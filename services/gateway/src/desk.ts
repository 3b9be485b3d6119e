import type { Log } from "@claw/core/ports";
import type { Claw } from "@claw/runtime";
import type { GithubOptions } from "./github.ts";

/** What a gateway is made of. */
export interface GatewayOptions {
  /** The runtime behind it, or a function that is asked for it at each request (it may throw CLAW-3005). */
  readonly claw: Claw | (() => Claw);
  /** Address to listen on. Default "127.0.0.1". */
  readonly host?: string;
  /** Default 7420; 0 takes a free one. */
  readonly port?: number;
  /** The bearer token of everything but webhooks and health. At least 16 characters. */
  readonly token: string;
  /** Receives GitHub's webhooks. Default: deliveries are refused. */
  readonly github?: GithubOptions;
  /** Takes events without the token; only where the address is loopback. Default false. */
  readonly openIngress?: boolean;
  /** Names besides the loopback ones that the Host header may have. Default none. */
  readonly hostNames?: readonly string[];
  /** Bytes of one request's body. Default 25 MiB, what GitHub sends at most. */
  readonly bodyBytesMax?: number;
  /** Requests under way at once; more are answered CLAW-3005. Default 1,000. */
  readonly requestsMax?: number;
  /** Version to tell in `GET /v1/status`. Default "0.0.0". */
  readonly version?: string;
  /** Where log lines go. Default: nowhere. */
  readonly log?: Log;
}

/** What the routes share. */
export interface Desk {
  /** The runtime. Errors: CLAW-3005 while there is none. */
  readonly claw: () => Claw;
  readonly options: GatewayOptions;
  /** Aborted when the gateway stops; long waits end with it. */
  readonly stopping: AbortSignal;
}

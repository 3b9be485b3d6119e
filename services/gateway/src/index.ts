export type { GatewayOptions } from "./desk.ts";
export { signBody, type GithubOptions } from "./github.ts";
export type { Problem } from "./problem.ts";
export { startGateway, type Gateway } from "./start-gateway.ts";
export type { EntryView, RunView, StatusView } from "./wire.ts";

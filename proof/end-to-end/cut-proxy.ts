import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a server that a test can cut. */
export interface CutProxy {
  /** The URL with the proxy in place of the server. */
  readonly url: string;
  /** Breaks all connections; new ones are taken again at once. */
  cut(): void;
  close(): void;
}

/** Opens a proxy in front of the server of a URL. */
export async function cutProxy(target: string): Promise<CutProxy> {
  const to = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const there = connect(Number(to.port), to.hostname);
    for (const [one, other] of [
      [from, there],
      [there, from],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    cut,
    close: () => {
      server.close();
      cut();
    },
  };
}

import type { FastifyInstance } from "fastify";

/** Gives every body of this room as its bytes, whatever its content type. */
export function takeRawBodies(room: FastifyInstance): void {
  room.removeAllContentTypeParsers();
  room.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
}

/** The bytes of a request in such a room; none when it had no body. */
export function bytesOf(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array();
}

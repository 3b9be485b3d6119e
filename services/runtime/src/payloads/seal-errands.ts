import type { Errand, SharedStore } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import { errandPlace } from "./places.ts";
import type { SealedBlob, Sealer } from "./sealer.ts";

/**
 * What nodes ask each other holds payloads of clients: it is sealed as those are. A damaged one is left out; its
 * sender asks again, or gives up. Errors: CLAW-1005 for what would be a blob, which nobody would remove.
 */
export function sealedErrands(
  shared: SharedStore,
  sealer: Sealer,
): Pick<SharedStore, "send" | "reply" | "collect"> {
  const seal = async (id: string, body: string): Promise<string> => {
    const blobs: SealedBlob[] = [];
    const sealed = await sealer.seal(body, errandPlace(id), blobs);
    if (blobs.length > 0) throw new ClawError("CLAW-1005", "It is too large for another node");
    return sealed;
  };
  const open = async <T extends Pick<Errand, "id" | "body">>(some: readonly T[]): Promise<T[]> => {
    const opened: T[] = [];
    for (const one of some) {
      try {
        opened.push({ ...one, body: await sealer.open(one.body, errandPlace(one.id)) });
      } catch {
        continue;
      }
    }
    return opened;
  };
  return {
    send: async (errand) => shared.send({ ...errand, body: await seal(errand.id, errand.body) }),
    reply: async (to, { id, body }) => shared.reply(to, { id, body: await seal(id, body) }),
    collect: async () => {
      const { runs, errands, replies } = await shared.collect();
      return { runs, errands: await open(errands), replies: await open(replies) };
    },
  };
}

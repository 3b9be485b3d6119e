import { publicApi, referencePages, stalePages } from "../api/reference.ts";
import { undocumented } from "../api/undocumented.ts";
import type { Gate } from "./gate.ts";

/** Everything public has a doc comment, and `docs/reference` says what they say. */
export const reference: Gate = {
  name: "reference",
  check: async (root) => {
    const api = publicApi(root);
    const lines = [...undocumented(api), ...stalePages(root, referencePages(api))];
    return { ok: lines.length === 0, report: lines.join("\n") };
  },
  canary: {
    plants: {
      "authoring/testkit/src/index.ts": `
        export { planted, type PlantedOptions, PlantedClass } from "./planted.ts";
      `,
      "authoring/testkit/src/planted.ts": `
        import type { Deep } from "./planted-deep.ts";
        export function planted(options: PlantedOptions): void {}
        /** It has words. */
        export interface PlantedOptions {
          /** So has this. */
          readonly known: string;
          readonly kind: "planted";
          readonly silent: number;
          /** Its type is not exported by the door. */
          readonly deep: Deep;
        }
        /** A class. */
        export class PlantedClass {
          #hidden = 1;
          constructor() {}
          mute(): number { return this.#hidden; }
        }
      `,
      "authoring/testkit/src/planted-deep.ts": `
        /** Reached through another type. */
        export interface Deep { readonly below: string }
      `,
      "docs/reference/nobody.md": "# nobody\n",
    },
    caught: [
      ["authoring/testkit/src/planted.ts:3", "planted has no doc comment"],
      ["PlantedOptions.silent has no doc comment"],
      ["PlantedClass.mute has no doc comment"],
      ["authoring/testkit/src/planted-deep.ts:3", "Deep.below"],
      ["docs/reference/testkit.md", "npm run format"],
      ["docs/reference/nobody.md", "npm run format"],
    ],
  },
};

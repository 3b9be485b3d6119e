/**
 * THE TABLE: every root script, what it needs (installs of `packages.mjs`) and the command that it
 * ends in. Arguments given by the user follow the command's own.
 */
export const SCRIPTS = {
  start: {
    needs: ["product"],
    command: ["apps/cli/src/main.ts", "start", "--example", "hub"],
  },
  claw: { needs: ["product"], command: ["apps/cli/src/main.ts"] },
  test: { needs: ["all"], command: ["tools/run-tests.ts"] },
  "test:services": {
    needs: ["all", "servers"],
    command: ["tools/run-tests.ts", "--services"],
  },
  check: { needs: ["all", "tools"], command: ["tools/check.ts"] },
  format: { needs: ["all", "tools"], command: ["tools/format.ts"] },
  sim: { needs: ["all"], command: ["proof/simulator/main.ts"] },
  bench: { needs: ["all"], command: ["proof/benchmarks/main.ts"] },
  "bench:peers": { needs: ["all"], command: ["proof/benchmarks/peers/main.ts"] },
  pack: { needs: ["all"], command: ["apps/cli/scripts/pack.ts"] },
};

import fs from "node:fs";

/** Lines that a process writes about what it does, outside of the store that is under test. */
export interface Witness {
  /** Hands one line to the operating system before it returns: kill -9 cannot take it back. */
  write(line: string): void;
}

/** Opens the file of a witness for writing at its end. */
export function openWitness(path: string): Witness {
  const handle = fs.openSync(path, "a");
  return {
    write: (line) => {
      fs.writeSync(handle, `${line}\n`);
    },
  };
}

/** Gives the lines of a witness file in portions; an unfinished last line waits for the next one. */
export function followWitness(path: string): { next(): string[] } {
  let offset = 0;
  return {
    next: () => {
      const handle = fs.openSync(path, "r");
      try {
        const bytes = Buffer.alloc(Math.max(0, fs.fstatSync(handle).size - offset));
        const read = fs.readSync(handle, bytes, 0, bytes.length, offset);
        const end = bytes.subarray(0, read).lastIndexOf("\n") + 1;
        offset += end;
        return bytes.toString("utf8", 0, end).split("\n").filter(Boolean);
      } finally {
        fs.closeSync(handle);
      }
    },
  };
}

import { sqliteStore } from "@claw/store-sqlite";

// Tries to own the store named by the first argument, says what became of it, and with "stay" lives on.
const [path = "", stay] = process.argv.slice(2);
const store = sqliteStore({ path });
try {
  const { incarnation } = await store.open();
  process.send?.(`open ${incarnation}`);
} catch (error) {
  process.send?.((error as { code?: string }).code ?? String(error));
}
if (stay === undefined) process.disconnect();
else process.on("message", () => void store.close());

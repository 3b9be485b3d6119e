import { resolve } from "node:path";
import { packProduct } from "./pack-product.ts";

const tarball = await packProduct(resolve("dist"));
process.stdout.write(`${tarball}\n`);

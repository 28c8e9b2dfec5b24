// Reads an AsyncAPI document as AsyncAPI's own parser does: `node validate.mjs FILE`. Says on stdout what is in it, as
// JSON, and on stderr what is wrong with it, in which case it ends with 1.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const source = process.argv[2];
const { document, diagnostics } = await new Parser().parse(await readFile(source, "utf8"), { source });
// 0 is an error, 1 a warning; the others are advice.
const faults = diagnostics.filter(({ severity }) => severity <= 1);
for (const { code, message, path } of faults) {
  console.error(`${code}: ${message} (${path.join(".")})`);
}
if (!document || faults.length > 0) {
  process.exit(1);
}
const channels = document.channels().all().map((channel) => ({
  address: channel.address(),
  operations: channel.operations().all().map((operation) => operation.action()).sort(),
  messages: channel.messages().all().map((message) => ({
    name: message.name(),
    headers: message.headers()?.required() ?? [],
    required: message.payload()?.required() ?? [],
    key: message.bindings().get("kafka")?.value()?.key !== undefined,
  })),
}));
console.log(JSON.stringify(channels));

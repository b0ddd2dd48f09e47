import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as BotsFolder from "./src/BotsFolder.ts"
import { CompletionProvider } from "./src/CompletionProvider.ts"
import * as EmbeddedProvider from "./src/EmbeddedProvider.ts"
import * as Migrations from "./src/sql/Migrations.ts"
import * as NodeSqlite from "./src/sql/NodeSqlite.ts"
import * as Tokenizer from "./src/Tokenizer.ts"
import { BotId } from "@effect-chatbot/schema/Ids"
import * as BotRouter from "./src/BotRouter.ts"
import fs from "node:fs"
const A = process.argv.includes("-A")
const lines = fs.readFileSync(0, "utf8").split("\n").filter((l) => l.trim() !== "")
const trace = process.argv.includes("-t")
const L = Layer.mergeAll(EmbeddedProvider.layer, BotRouter.layer, BotsFolder.layer()).pipe(
  Layer.provide([NodeFileSystem.layer, NodePath.layer, Tokenizer.layer]),
  Layer.provideMerge(Migrations.layer), Layer.provideMerge(NodeSqlite.layer({ filename: ":memory:" })))
await Effect.runPromise(Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const p = yield* CompletionProvider
  const bots = new Map((yield* sql<any>`SELECT id, code, display_name FROM bots`).map((b: any) => [b.code, b]))
  const docs = new Map((yield* sql<any>`SELECT id, path FROM documents`).map((b: any) => [b.id, b.path]))
  let history: any[] = []
  for (const line of lines) {
    let [, code, cont, q] = /^(\w+)(\+?):\s*(.*)$/.exec(line) as any
    if (!cont) history = []
    let b = bots.get(code) as any
    if (A) { const r = yield* (yield* BotRouter.BotRouter).route(b.id, q, history.at(-1)?.userMessage); b = [...bots.values()].find((x: any) => x.id === r.botId); code += '->' + (b as any).code + ' by ' + r.reason }
    const t0 = performance.now()
    const a = yield* p.complete({ bot: { id: BotId.make(b.id), displayName: b.displayName, baseSystemMessage: "x", modelName: "embedded", openAiServiceId: undefined }, userMessage: q, history, userSystemMessage: undefined })
    const ms = performance.now() - t0
    history = [...history, { userMessage: q, assistantMessage: a.assistantMessage }]
    console.log(`\n\x1b[1m${code}${cont}: ${q}\x1b[0m  [${a.tags}] ${a.sources.map((s) => docs.get(s))} ${ms.toFixed(1)}ms p${a.promptTokens} c${a.completionTokens}\n${a.assistantMessage}`)
    if (trace) console.log("\x1b[2m" + a.trace.join("\n") + "\x1b[0m")
  }
}).pipe(Effect.provide(L)) as any)

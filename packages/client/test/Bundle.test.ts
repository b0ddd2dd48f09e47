/**
 * What comes along with each public module: nothing of a server, and nothing of Node but with the transport for it. The published code is
 * bundled by programs that run in browsers and workers.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { globSync, readFileSync } from "node:fs"
import { basename, resolve } from "node:path"
import { gzipSync } from "node:zlib"
import { type OutputChunk, rolldown } from "rolldown"

const root = resolve(import.meta.dirname, "../../..")
const sources = resolve(import.meta.dirname, "../src")

const entries = globSync("*.ts", { cwd: sources }).toSorted()

/**
 * How much an entry may bring, with effect, in KiB: 75, but for those that have a transport too or workflows, and of the index what is off by
 * default.
 */
const budgets: { readonly [entry: string]: number } = { "Activities.ts": 79, "index.ts": 90, "PromiseClient.ts": 85 }

interface Bundle {
  /** What is imported from elsewhere. */
  readonly imports: ReadonlyArray<string>
  /** Every module of which something is in the bundle, with the names of what is. */
  readonly modules: ReadonlyMap<string, ReadonlyArray<string>>
  readonly gzipped: number
}

const bundle = (input: string, platform: "browser" | "node" = "browser") =>
  Effect.promise(async (): Promise<Bundle> => {
    const build = await rolldown({ input, platform, logLevel: "silent" })
    const { output } = await build.generate({ format: "esm", minify: true })
    await build.close()
    const chunks = output.filter((part): part is OutputChunk => part.type === "chunk")
    const files = new Set(chunks.map(({ fileName }) => fileName))
    return {
      imports: chunks
        .flatMap(({ dynamicImports, imports }) => [...imports, ...dynamicImports])
        .filter((name) => !files.has(name)),
      modules: new Map(
        chunks
          .flatMap(({ modules }) => Object.entries(modules))
          .filter(([, { renderedLength }]) => renderedLength > 0)
          .map(([id, { renderedExports }]) => [
            id.replace(`${root}/`, "").replace(/^.*node_modules\//, ""),
            renderedExports
          ])
      ),
      gzipped: chunks.reduce((sum, { code }) => sum + gzipSync(code).length, 0)
    }
  })

/** What is on the other side of the wire, and what writes the OpenAPI document. */
const foreign = ({ modules }: Bundle): ReadonlyArray<string> => [
  ...[...modules.keys()].filter((id) =>
    /^packages\/(?!client|api|schema)|^effect\/dist\/http-api\/HttpApi(Builder|Client|Scalar|Swagger|Test)|^effect\/dist\/http\/(HttpServer\b|HttpStaticServer|Multipart)/.test(
      id
    )
  ),
  ...(modules.get("effect/dist/http-api/OpenApi.js") ?? []).filter((name) => name === "fromApi")
]

describe("the entry points", () => {
  it("are all that package.json opens", () => {
    const { exports } = JSON.parse(readFileSync(resolve(sources, "../package.json"), "utf8"))
    assert.deepStrictEqual(exports, {
      ".": "./src/index.ts",
      "./promise": "./src/PromiseClient.ts",
      "./*": "./src/*.ts",
      "./internal/*": null,
      "./index": null,
      "./PromiseClient": null
    })
    assert.include(entries, "ChatbotClient.ts")
  })

  it.live.each(entries.filter((entry) => entry !== "NodeTransport.ts"))(
    "%s runs anywhere and brings nothing of a server",
    (entry) =>
      Effect.gen(function* () {
        const result = yield* bundle(resolve(sources, entry))
        assert.deepStrictEqual(result.imports, [])
        assert.deepStrictEqual(foreign(result), [])
        assert.isBelow(result.gzipped, (budgets[entry] ?? 75) * 1024)
        yield* Console.log(
          `${basename(entry, ".ts").padEnd(16)} ${(result.gzipped / 1024).toFixed(1).padStart(6)} KiB gzipped`
        )
      })
  )

  it.effect("NodeTransport.ts brings Node and of the client only its limits of time", () =>
    Effect.gen(function* () {
      const result = yield* bundle(resolve(sources, "NodeTransport.ts"), "node")
      assert.isTrue(result.imports.some((name) => name.startsWith("node:")))
      assert.deepStrictEqual(
        [...result.modules.keys()].filter((id) => id.startsWith("packages/")).toSorted(),
        ["NodeTransport.ts", "Timeouts.ts", "internal/connectTimedOut.ts", "internal/undici.ts"].map(
          (module) => `packages/client/src/${module}`
        )
      )
    })
  )

  it.effect("bring no telemetry but with the module that switches it on", () =>
    Effect.gen(function* () {
      const told = ["internal/telemetry.ts", "internal/metrics.ts"].map((module) => `packages/client/src/${module}`)
      const without = yield* bundle(resolve(sources, "ChatbotClient.ts"))
      const on = yield* bundle(resolve(sources, "Telemetry.ts"))
      for (const module of told) {
        assert.notInclude([...without.modules.keys()], module)
        assert.include([...on.modules.keys()], module)
      }
    })
  )

  it.effect("bring nothing of workflows but with the module of their activities", () =>
    Effect.gen(function* () {
      const workflow = (result: Bundle) =>
        [...result.modules.keys()].filter((id) => id.startsWith("effect/dist/workflow/"))
      assert.deepStrictEqual(workflow(yield* bundle(resolve(sources, "index.ts"))), [])
      assert.isNotEmpty(workflow(yield* bundle(resolve(sources, "Activities.ts"))))
    })
  )

  it.effect("would be found out", () =>
    Effect.gen(function* () {
      const document = yield* bundle(resolve(root, "packages/api/src/Document.ts"))
      assert.include(foreign(document), "fromApi")
      const builder = yield* bundle(resolve(root, "node_modules/effect/dist/http-api/HttpApiBuilder.js"))
      assert.include(foreign(builder), "effect/dist/http-api/HttpApiBuilder.js")
    })
  )
})

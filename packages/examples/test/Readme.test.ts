import { assert, describe, it } from "@effect/vitest"
import { globSync, readdirSync, readFileSync } from "node:fs"

const root = new URL("../../../", import.meta.url)
const src = new URL("../src/", import.meta.url)

const readme = readFileSync(new URL("README.md", root), "utf8")

describe("the README", () => {
  it.each(readdirSync(src))("lists %s among the examples", (name) => {
    assert.include(readme, `](packages/examples/src/${name})`)
  })

  it("names no example that is not there", () => {
    for (const [, name = ""] of readme.matchAll(/\]\((packages\/examples\/[^)]+)\)/g)) {
      assert.lengthOf(globSync(name, { cwd: root }), 1, name)
    }
  })
})

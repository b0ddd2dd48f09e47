import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"

const read = (file: string) => readFileSync(new URL(file, import.meta.url), "utf8")

describe("the README", () => {
  it.each(["readme/Support.ts", "readme/Support.test.ts", "readme/Backend.test.ts"])(
    "shows %s, which the tests run",
    (file) => {
      const program = read(file).replace(/^\/\/ oxlint-.*\n/, "")
      assert.include(read("../../../README.md"), program)
      if (file === "readme/Support.test.ts") assert.isBelow(program.trimEnd().split("\n").length, 15)
    }
  )
})

import { assert, describe, it } from "@effect/vitest"
import { prefers } from "../src/http/Accept.ts"
import { attachment, parseRange } from "../src/http/Content.ts"

describe("prefers", () => {
  it.each([
    [undefined, false],
    ["", false],
    ["*/*", false],
    ["application/json", false],
    ["text/plain", true],
    ["text/plain, application/json", false],
    ["text/plain;q=0.5, application/json;q=0.4", true],
    ["text/*;q=0.2, */*;q=0.1", true],
    ["text/plain;q=0, */*", false],
    ["TEXT/PLAIN", true],
    ["text/plain;q=nonsense", false]
  ])("%s: %s", (accept, expected) => {
    assert.strictEqual(prefers(accept, "text/plain"), expected)
    assert.strictEqual(prefers(accept?.replace(/plain/i, "event-stream"), "text/event-stream"), expected)
  })
})

describe("parseRange", () => {
  it.each([
    [undefined, undefined],
    ["bytes=0-0", { start: 0, end: 0 }],
    ["bytes=2-", { start: 2, end: 9 }],
    ["bytes=-3", { start: 7, end: 9 }],
    ["bytes=-30", { start: 0, end: 9 }],
    ["bytes=5-50", { start: 5, end: 9 }],
    ["BYTES=1-2", { start: 1, end: 2 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=3-2", undefined],
    ["bytes=-", undefined],
    ["bytes=0-1,3-4", undefined],
    ["items=0-1", undefined],
    ["bytes=0x1-2", undefined],
    ["bytes=99999999999999999999-", undefined]
  ] as const)("%s", (header, expected) => {
    assert.deepStrictEqual(parseRange(header, 10), expected)
  })

  it("of nothing is never satisfiable", () => {
    assert.strictEqual(parseRange("bytes=0-", 0), "unsatisfiable")
    assert.strictEqual(parseRange("bytes=-1", 0), "unsatisfiable")
  })
})

describe("attachment", () => {
  it("keeps every character of a name, and none that could end the header", () => {
    assert.strictEqual(attachment("a.md"), "attachment; filename=\"a.md\"; filename*=UTF-8''a.md")
    assert.strictEqual(
      attachment("ü\"\r\n(1)'.md"),
      "attachment; filename=\"____(1)'.md\"; filename*=UTF-8''%C3%BC%22%0D%0A%281%29%27.md"
    )
  })
})

import * as Sources from "@effect-chatbot/client/Sources"
import type { InformationSource } from "@effect-chatbot/schema/Chat"
import { assert, describe, it } from "@effect/vitest"

const source = (url?: string): InformationSource => ({ ...(url !== undefined && { url }) })

describe("the path of a source", () => {
  it.each([
    ["/api/chats/c/downloads/guide/deep%20folder/a%20%26%20b%3F.md", "guide/deep folder/a & b?.md"],
    ["https://chatbot.test/base/api/chats/c/downloads/a.md?ticket=t#top", "a.md"],
    ["/api/chats/c/downloads/", undefined],
    ["/api/chats/c/downloads/%E0%A4%A", undefined],
    ["https://elsewhere.test/a.md", undefined],
    [undefined, undefined]
  ])("of %s is %s", (url, path) => {
    assert.strictEqual(Sources.pathOf(source(url)), path)
  })
})

import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Render from "../src/Render.ts"

describe("clean", () => {
  it("takes out what a terminal would obey", () => {
    assert.strictEqual(Render.clean("a\u001b[2Jb\u001b]0;title\u0007c\u0008d\u009b31me"), "abcde")
    assert.strictEqual(Render.clean("user\u202egnp.exe"), "usergnp.exe")
  })

  it("keeps line breaks of every kind as line feeds", () => {
    assert.strictEqual(Render.clean("a\r\nb\rc\u2028d\u0085e\tf"), "a\nb\nc\nd\ne f")
  })

  it("keeps other letters and pictures", () => {
    assert.strictEqual(Render.clean("Grüße, 世界 👩‍👩‍👧"), "Grüße, 世界 👩‍👩‍👧")
  })
})

describe("fold", () => {
  it("puts a text on one line", () => {
    assert.strictEqual(Render.fold("  one \r\n\r\n two\n- three\n"), "one two - three")
  })

  it("leaves blanks within a line alone", () => {
    assert.strictEqual(Render.fold("a  b"), "a  b")
  })
})

describe("width", () => {
  it("counts columns, not code units", () => {
    assert.strictEqual(Render.width("abc"), 3)
    assert.strictEqual(Render.width("世界"), 4)
    assert.strictEqual(Render.width("e\u0301"), 1)
    assert.strictEqual(Render.width("👩‍👩‍👧"), 2)
    assert.strictEqual(Render.width(Render.coloured.strong("abc")), 3)
  })
})

describe("shorten", () => {
  it("cuts at a column and says so", () => {
    assert.strictEqual(Render.shorten("abcdef", 6), "abcdef")
    assert.strictEqual(Render.shorten("abcdef", 5), "abcd…")
    assert.strictEqual(Render.shorten("世界", 3), "世…")
    assert.strictEqual(Render.shorten("abc", 0), "")
  })
})

describe("wrap", () => {
  it("breaks between words", () => {
    assert.deepStrictEqual(Render.wrap("the quick brown fox", 9), ["the quick", "brown fox"])
  })

  it("fills a line to its last column and no further", () => {
    assert.deepStrictEqual(Render.wrap("aaaa bbbb", 9), ["aaaa bbbb"])
    assert.deepStrictEqual(Render.wrap("aaaa bbbb", 8), ["aaaa", "bbbb"])
  })

  it("keeps the lines of the text", () => {
    assert.deepStrictEqual(Render.wrap("one\n\ntwo", 80), ["one", "", "two"])
  })

  it("indents", () => {
    assert.deepStrictEqual(Render.wrap("aa bb cc", 7, "  "), ["  aa bb", "  cc"])
    assert.deepStrictEqual(Render.wrap("aa bb cc", 7, "  ", "- "), ["- aa bb", "  cc"])
  })

  it("breaks a word that is too long, but not a URL", () => {
    assert.deepStrictEqual(Render.wrap("abcdef gh", 4), ["abcd", "ef", "gh"])
    assert.deepStrictEqual(Render.wrap("世界世界", 5), ["世界", "世界"])
    assert.deepStrictEqual(Render.wrap("see http://127.0.0.1/x now", 8), ["see", "http://127.0.0.1/x", "now"])
  })

  it("makes do with no room at all", () => {
    assert.deepStrictEqual(Render.wrap("ab", 0), ["a", "b"])
  })
})

describe("table", () => {
  const columns = [{ title: "bot" }, { title: "tokens", align: "right" }, { title: "about" }] as const

  it("aligns its columns", () => {
    assert.deepStrictEqual(
      Render.table(
        columns,
        [
          ["Guide", "7", "everything"],
          ["世界", "1234567", ""]
        ],
        { columns: 80, indent: "  " }
      ),
      ["  bot     tokens  about", "  Guide        7  everything", "  世界   1234567"]
    )
  })

  it("shortens the last column to fit", () => {
    assert.deepStrictEqual(Render.table(columns, [["Guide", "7", "everything there is"]], { columns: 23 }), [
      "bot    tokens  about",
      "Guide       7  everyth…"
    ])
  })

  it("shows its heading when it is empty", () => {
    assert.deepStrictEqual(Render.table([{ title: "a" }, { title: "b" }], [], { columns: 80 }), ["a  b"])
  })
})

describe("words", () => {
  it("counts things", () => {
    assert.deepStrictEqual(
      [0, 1, 2].map((number) => Render.count(number, "bot")),
      ["0 bots", "1 bot", "2 bots"]
    )
    assert.strictEqual(Render.count(2, "query", "queries"), "2 queries")
  })

  it("tells sizes and times", () => {
    assert.deepStrictEqual([0, 999, 1024, 1_500_000].map(Render.bytes), ["0 B", "999 B", "1 KiB", "1.4 MiB"])
    assert.strictEqual(Render.seconds(Duration.millis(1249)), "1.2 s")
  })
})

describe("prose", () => {
  it("wraps paragraphs, keeps code, and hangs list items", () => {
    const text =
      'One two three four.\n\n```ts\nconst a = { long: "line" }\n\n  indented()\n```\n- first item of a list\n  1. an inner one'
    assert.deepStrictEqual(Render.prose(text, 14), [
      "One two three",
      "four.",
      "",
      '  const a = { long: "line" }',
      "",
      "    indented()",
      "- first item",
      "  of a list",
      "  1. an inner",
      "     one"
    ])
  })

  it("takes out what a terminal would obey, in code too", () => {
    assert.deepStrictEqual(Render.prose("a\u001b[2J\n```\n\u001b]52;c;x\u0007b\n```", 20), ["a", "  b"])
  })
})

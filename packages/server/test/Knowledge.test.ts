import * as Knowledge from "@effect-chatbot/server/Knowledge"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as FastCheck from "fast-check"
import * as TestDatabase from "./support/TestDatabase.ts"

describe("Knowledge.split", () => {
  const split = (text: string) => Knowledge.split(text, "Untitled")

  it("makes a passage of each section, under its headings", () => {
    assert.deepStrictEqual(
      split(
        "Before.\n\n# Title\n\nIntro.\n\n## One\n\nFirst.\n\nSecond.\n\n### Deep\n\nThird.\n\n## Two *bold* [link](x)\n\nFourth."
      ),
      [
        { heading: "Title", text: "Before." },
        { heading: "Title", text: "Intro." },
        { heading: "Title › One", text: "First.\n\nSecond." },
        { heading: "Title › One › Deep", text: "Third." },
        { heading: "Title › Two bold link", text: "Fourth." }
      ]
    )
  })

  it("gives a text without headings the title it was given, and an empty one no passage", () => {
    assert.deepStrictEqual(split("Plain text\nin two lines."), [
      { heading: "Untitled", text: "Plain text\nin two lines." }
    ])
    assert.deepStrictEqual(split("\n \n# Only a heading\n"), [])
  })

  it("leaves out front matter, comments and rules", () => {
    assert.deepStrictEqual(split("---\na: 1\n---\n# T\n\n<!-- no\n-->Text.\n\n***\n"), [
      { heading: "T", text: "Text." }
    ])
  })

  it("keeps code whole, with the paragraph that leads to it, and reads no headings in it", () => {
    const code = `\`\`\`sh\n# not a heading\n${"echo one two three\n".repeat(60)}\`\`\``
    assert.deepStrictEqual(split(`# T\n\nRun this:\n\n${code}\n\nThen that.`), [
      { heading: "T", text: `Run this:\n\n${code}` },
      { heading: "T", text: "Then that." }
    ])
    assert.deepStrictEqual(split("~~~\n```\n# x\n~~~"), [{ heading: "Untitled", text: "~~~\n```\n# x\n~~~" }])
    assert.deepStrictEqual(split("```\nnever closed"), [{ heading: "Untitled", text: "```\nnever closed\n```" }])
  })

  it("cuts what is too long at sentences, items and rows, and repeats the header of a table", () => {
    const sentences = Array.from({ length: 60 }, (_, i) => `This is sentence number ${i} of a long paragraph.`)
    const paragraph = split(sentences.join(" "))
    assert.isAbove(paragraph.length, 1)
    for (const { text } of paragraph) assert.match(text, /^This .*paragraph\.$/s)
    assert.strictEqual(paragraph.map((_) => _.text).join(" "), sentences.join(" "))

    const list = split(Array.from({ length: 100 }, (_, i) => `- item ${i} of a list that goes on`).join("\n"))
    assert.isAbove(list.length, 1)
    for (const { text } of list)
      for (const line of text.split("\n")) assert.match(line, /^- item \d+ of a list that goes on$/)

    const table = split(
      `| a | b |\n| --- | --- |\n${Array.from({ length: 100 }, (_, i) => `| ${i} | a cell of row ${i} |`).join("\n")}`
    )
    assert.isAbove(table.length, 1)
    for (const { text } of table) assert.isTrue(text.startsWith("| a | b |\n| --- | --- |\n| "))

    const code = split(`\`\`\`ts\n${"const line = 1\n".repeat(1000)}\`\`\``)
    assert.isAbove(code.length, 1)
    for (const { text } of code) assert.match(text, /^```ts\n(?:const line = 1\n)+```$/)
  })

  it("bounds every passage, whatever the text", () => {
    const piece = FastCheck.constantFrom(
      "# h\n",
      "```\n",
      "~~~~\n",
      "- x\n",
      "1. x\n",
      "| a | b |\n",
      "|-|-|\n",
      "word ",
      "\n\n",
      ". ",
      "<!--",
      "-->",
      "\r\n",
      "---\n",
      "é",
      "x".repeat(900),
      "x y ".repeat(900)
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(piece, { maxLength: 60 }), (pieces) => {
        for (const section of split(pieces.join(""))) {
          assert.isAtMost(section.text.length, 8200)
          assert.notStrictEqual(section.text.trim(), "")
        }
      }),
      { numRuns: 300 }
    )
  })

  it("loses no word", () => {
    const between = FastCheck.constantFrom(
      " ",
      " ",
      " ",
      ". ",
      "\n",
      "\n\n",
      "\n- ",
      "\n  - ",
      "\n1. ",
      "\n> ",
      "\r\n",
      "\n```\n",
      "\n\n    ",
      " | ",
      "\n***\n"
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(between, { maxLength: 400 }), (separators) => {
        const text = separators.map((separator, index) => `${separator}w${index}`).join("")
        const found = new Set(split(text).flatMap((section) => section.text.match(/w\d+/g) ?? []))
        assert.strictEqual(found.size, separators.length)
      }),
      { numRuns: 300 }
    )
  })
})

/** Two bots with a passage for each text; the heading stands before ` :: `. */
const seed = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const botId of ["one", "two"]) {
    yield* sql`INSERT INTO bots ${sql.insert({
      id: botId,
      code: botId,
      implementationType: "Facts",
      displayName: botId,
      searchName: botId,
      searchText: botId,
      isActive: 1,
      isPublic: 1,
      isOpen: 0,
      isUserSystemMessageSupported: 0,
      createdUtc: "",
      updatedUtc: ""
    })}`
  }
  const texts = [
    "Fruit › Apples :: An apple is a round fruit. Apples grow on trees.",
    "Fruit › Pears :: A pear is a fruit too, not quite as round as an apple.",
    "Fruit › Storage :: Keep them cool. Some keep them in the cellar.",
    "Drinks :: Cider is made of apples and perry of pears.",
    "Settings :: The folder is named in CHATBOT_DATA_DIR. Data of others is in another dir.",
    " :: Café crème is a coffee with cream.",
    "Airships :: The zeppelin has its name from Count Zeppelin.",
    "Baskets :: A round basket once flew in a zeppelin over the lake on a quiet day in the long summer of that year.",
    'Strange :: NOT AND OR NEAR are operators; so are quotes " and stars *.'
  ]
  const rows = texts.map((content, ordinal) => {
    const [heading, text] = content.split(" :: ")
    return { botId: "one", ordinal, heading, text }
  })
  const other = { botId: "two", ordinal: 0, heading: "", text: "The other bot knows an apple too." }
  yield* sql`INSERT INTO passages ${sql.insert([other, ...rows])}`
})

layer(Layer.provideMerge(Layer.effectDiscard(seed), Layer.provideMerge(Knowledge.layer, TestDatabase.layer)))(
  "Knowledge.search",
  (it) => {
    const search = (text: string, limit = 10, botIds: ReadonlyArray<string> = ["one"]) =>
      Effect.flatMap(Knowledge.Knowledge, (knowledge) => knowledge.search(botIds, text, limit))
    const headings = (text: string, limit?: number) =>
      Effect.map(search(text, limit), ({ passages }) => passages.map((_) => _.heading))

    it.effect("finds other forms of a word, in any case and without accents", () =>
      Effect.gen(function* () {
        assert.include(yield* headings("TREES"), "Fruit › Apples")
        assert.deepStrictEqual(
          (yield* search("creme, CAFE?")).passages.map((_) => _.text),
          ["Café crème is a coffee with cream."]
        )
      })
    )

    it.effect("puts first what has more of the words, and a word in the heading above one in the text", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* headings("What is a round apple?"))[0], "Fruit › Apples")
        assert.strictEqual((yield* headings("Are apples and pears in cider?"))[0], "Drinks")
        assert.strictEqual((yield* headings("storage"))[0], "Fruit › Storage")
        // One word of the two, however often it is there, is less than both.
        assert.deepStrictEqual((yield* headings("a round zeppelin")).slice(0, 2), ["Baskets", "Airships"])
        const { passages } = yield* search("a round apple on trees")
        assert.deepStrictEqual(
          passages.map((_) => _.score),
          passages.map((_) => _.score).toSorted((a, b) => b - a)
        )
        assert.strictEqual(passages[0]?.coverage, 1)
        assert.isBelow(passages.at(-1)?.coverage ?? 1, 1)
      })
    )

    it.effect("weighs rare words more than common ones", () =>
      Effect.gen(function* () {
        const { terms } = yield* search("fruit cellar")
        const weight = (word: string) => terms.find((_) => _.word === word)?.weight ?? 0
        assert.isAbove(weight("cellar"), weight("fruit"))
      })
    )

    it.effect("looks for a name of several words as a whole", () =>
      Effect.map(headings("What is CHATBOT_DATA_DIR?"), (found) => assert.deepStrictEqual(found, ["Settings"]))
    )

    it.effect("finds nothing for a question without a word of its own, and no passage of other bots", () =>
      Effect.gen(function* () {
        for (const text of ["", "?!", "What is that?", "\0", "*", '"', "🙂"]) {
          assert.deepStrictEqual(yield* search(text), { terms: [], passages: [] })
        }
        assert.deepStrictEqual(yield* search("apple", 10, []), { terms: [], passages: [] })
        assert.deepStrictEqual((yield* search("apple", 10, ["nobody"])).passages, [])
        assert.deepStrictEqual(
          (yield* search("apple", 10, ["two"])).passages.map((_) => _.botId),
          ["two"]
        )
        assert.sameMembers(
          (yield* search("apple", 10, ["one", "two"])).passages.map((_) => _.botId),
          ["one", "one", "one", "two"]
        )
      })
    )

    it.effect("bounds the results, the terms and the length of a question", () =>
      Effect.gen(function* () {
        assert.lengthOf((yield* search("apple", 2)).passages, 2)
        assert.lengthOf((yield* search("apple", 0)).passages, 1)
        assert.lengthOf((yield* search("apple", -5)).passages, 1)
        assert.lengthOf((yield* search("apple", Number.MAX_SAFE_INTEGER)).passages, 3)
        const many = Array.from({ length: 500 }, (_, i) => `w${i}`).join(" ")
        assert.lengthOf((yield* search(many)).terms, Knowledge.limits.terms)
        const far = `${"x ".repeat(Knowledge.limits.questionCharacters)} apple`
        assert.deepStrictEqual((yield* search(far)).passages, [])
      })
    )

    it.effect("takes any text for a question and never fails", () =>
      Effect.gen(function* () {
        const { search } = yield* Knowledge.Knowledge
        const operator = FastCheck.constantFrom(
          "AND",
          "OR",
          "NOT",
          "NEAR(",
          "NEAR/2",
          ")",
          "(",
          '"',
          "'",
          "*",
          "^",
          ":",
          "{heading}",
          "-",
          "+",
          "\0",
          "apple",
          ";--",
          "\\",
          "\ud800",
          "ﬁ",
          "ſ",
          "İ",
          "٣"
        )
        const text = FastCheck.oneof(
          FastCheck.string({ unit: "binary" }),
          FastCheck.string({ unit: "grapheme" }),
          FastCheck.array(operator).map((parts) => parts.join(" ")),
          FastCheck.array(operator).map((parts) => parts.join(""))
        )
        const texts = FastCheck.sample(text, 300)
        for (const text of texts) {
          const { passages, terms } = yield* search(["one"], text, 5)
          assert.isAtMost(passages.length, 5)
          for (const term of terms) assert.isTrue(Number.isFinite(term.weight) && term.weight > 0)
          for (const { coverage, score } of passages) {
            assert.isTrue(Number.isFinite(score))
            assert.isTrue(coverage >= 0 && coverage <= 1)
          }
        }
      })
    )
  }
)

describe("words", () => {
  it.effect("are stemmed as the full-text index stems them", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const forms =
        `caresses ponies cats feed agreed plastered motoring sing conflated troubled sized hopping tanned falling hissing
        fizzed failing filing happy sky relational conditional rational digitizer operator feudalism decisiveness hopefulness formalize
        electrical hopeful goodness revival allowance inference airliner gyroscopic adjustable replacement adjustment dependent adoption
        communism activate homologous effective probate rate cease controlling rolls keys yes by buying dying logs biology possibly
        documents environment variables endpoint statistics configuration questions answers databases indices queries`.split(
          /\s+/
        )
      const indexed = sql.onDialectOrElse({
        // The stemmer of PostgreSQL is the first one of Porter: he has changed what becomes of -bly and -logy since.
        pg: () =>
          sql<{ term: string; form: string }>`SELECT form, (ts_lexize('chatbot_stem', form))[1] AS term
            FROM jsonb_array_elements_text(CAST(${JSON.stringify(forms)} AS JSONB)) AS form`.pipe(
            Effect.map((rows) => rows.filter(({ form }) => !/bly$|log(?:y|ies)$/.test(form)))
          ),
        orElse: () =>
          Effect.gen(function* () {
            yield* sql.unsafe(
              "CREATE VIRTUAL TABLE forms USING fts5 (form, tokenize = 'porter unicode61 remove_diacritics 2')"
            )
            yield* sql.unsafe("CREATE VIRTUAL TABLE stems USING fts5vocab (forms, instance)")
            for (const form of forms) yield* sql`INSERT INTO forms ${sql.insert({ form })}`
            return yield* sql<{ term: string; form: string }>`
              SELECT s.term, f.form FROM stems s JOIN forms f ON f.rowid = s.doc`
          })
      })
      const inserted = yield* indexed
      assert.isAtLeast(inserted.length, forms.length - 3)
      const knowledge = yield* Knowledge.Knowledge
      for (const { form, term } of inserted) {
        const { terms } = yield* knowledge.search(["nobody"], form, 1)
        // A stop word is no term.
        if (terms[0] !== undefined) assert.strictEqual(terms[0].stem, term, form)
      }
    }).pipe(Effect.provide(Layer.provideMerge(Knowledge.layer, TestDatabase.layer)))
  )
})

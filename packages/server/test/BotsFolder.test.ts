import type { BotId } from "@effect-chatbot/schema/Ids"
import { BotAdministration } from "@effect-chatbot/server/BotAdministration"
import { BotFacts } from "@effect-chatbot/server/BotFacts"
import * as BotsFolder from "@effect-chatbot/server/BotsFolder"
import * as BotsSync from "@effect-chatbot/server/BotsSync"
import { AdminBotRepository } from "@effect-chatbot/server/repositories/AdminBotRepository"
import { BotFactRepository } from "@effect-chatbot/server/repositories/BotFactRepository"
import { OpenAiServiceRepository } from "@effect-chatbot/server/repositories/OpenAiServiceRepository"
import { Transactions } from "@effect-chatbot/server/repositories/Transactions"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { createHash } from "node:crypto"
import * as TestDatabase from "./support/TestDatabase.ts"

const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3])
const gif = new TextEncoder().encode("GIF89a...")

const platform = Layer.mergeAll(
  NodeFileSystem.layer,
  NodePath.layer,
  Digest.layerWebCrypto,
  SecureRandom.layerWebCrypto
)
/** A file's content; a string that begins with `->` is the target of a symbolic link. */
type Files = Readonly<Record<string, string | Uint8Array>>

const write = Effect.fnUntraced(function* (folder: string, files: Files) {
  const fs = yield* FileSystem.FileSystem
  for (const [name, content] of Object.entries(files)) {
    const file = `${folder}/${name}`
    yield* fs.makeDirectory(file.slice(0, file.lastIndexOf("/")), { recursive: true })
    if (typeof content !== "string") yield* fs.writeFile(file, content)
    else if (content.startsWith("->")) yield* fs.symlink(content.slice(2), file)
    else yield* fs.writeFileString(file, content)
  }
})

const folderOf = Effect.fnUntraced(function* (files: Files) {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  yield* write(folder, files)
  return folder
})

const bot = (code: string, more = ""): string =>
  `code: ${code}\nimplementationType: Facts\ndisplayName: ${code} bot\n${more}`

const start = (code: string, links: string, more = ""): string =>
  `code: ${code}\nimplementationType: Start\ndisplayName: ${code}\n${more}links:\n${links}`

const mistakesOf = (files: Files) =>
  Effect.gen(function* () {
    const error = yield* folderOf(files).pipe(Effect.orDie, Effect.flatMap(BotsFolder.load), Effect.flip)
    return error.mistakes.map(
      ({ column, file, line, message }) => `${[file, line, column].filter((_) => _ !== undefined).join(":")} ${message}`
    )
  }).pipe(Effect.scoped, Effect.provide(platform))

/** Exactly one mistake, at this place, that says this. */
const refuses = (files: Files, place: string, says: string) =>
  Effect.map(mistakesOf(files), (mistakes) => {
    assert.lengthOf(mistakes, 1, mistakes.join("\n"))
    assert.isTrue(mistakes[0]?.startsWith(`${place} `), mistakes[0])
    assert.include(mistakes[0], says)
  })

describe("BotsFolder.load", () => {
  it.effect("reads bots with their facts, links, documents and images", () =>
    Effect.gen(function* () {
      const folder = yield* folderOf({
        "one/bot.yaml": start(
          "guide",
          "  - code: help\n    keywords: [how to, install]\n    isDefault: true\n",
          "isOpen: true\nisPublic: true\n"
        ),
        "two/bot.yaml": [
          "# a comment",
          "code: help",
          "implementationType: Facts",
          "displayName: Help",
          "displayMessage: |",
          "  Hello.",
          "  Ask me.",
          "description: Helps",
          'sampleQuestions: [How?, "Why: what?"]',
          "baseSystemMessage: Be kind",
          "isUserSystemMessageSupported: true",
          "modelName: gpt",
          "language: en",
          "facts:",
          "  - The sky is blue.",
          "  - text: Grass was green.",
          "    isActive: false"
        ].join("\n"),
        "two/knowledge/b.md": "# Second\n\nText.",
        "two/knowledge/deep/er/a_plain-file.TXT": "Just text.",
        "two/knowledge/data.bin": new Uint8Array([0, 255]),
        "two/knowledge/.hidden": "no",
        "two/image.png": png,
        ".git/config": "no",
        "README.md": "About these bots."
      })
      const loaded = yield* BotsFolder.load(folder)
      assert.deepStrictEqual(
        loaded.bots.map((_) => _.code),
        ["guide", "help"]
      )
      const [guide, help] = loaded.bots
      assert.deepStrictEqual(guide?.links, [{ code: "help", keywords: ["how to", "install"], isDefault: true }])
      assert.isTrue(guide?.isOpen && guide.isPublic && guide.isActive)
      assert.strictEqual(guide?.modelName, "embedded")
      assert.strictEqual(help?.displayMessage, "Hello.\nAsk me.\n")
      assert.deepStrictEqual(help?.sampleQuestions, ["How?", "Why: what?"])
      assert.deepStrictEqual(help?.facts, [
        { text: "The sky is blue.", isActive: true },
        { text: "Grass was green.", isActive: false }
      ])
      assert.isFalse(help?.isPublic)
      assert.strictEqual(help?.language, "en")
      assert.deepStrictEqual(
        help?.documents.map(({ mediaType, path, text, title }) => ({ mediaType, path, text, title })),
        [
          { mediaType: "text/markdown; charset=utf-8", path: "b.md", text: "# Second\n\nText.", title: "Second" },
          { mediaType: "application/octet-stream", path: "data.bin", text: undefined, title: "data" },
          {
            mediaType: "text/plain; charset=utf-8",
            path: "deep/er/a_plain-file.TXT",
            text: "Just text.",
            title: "a plain file"
          }
        ]
      )
      assert.strictEqual(help?.documents[2]?.etag, createHash("sha256").update("Just text.").digest("hex"))
      assert.strictEqual(help?.image?.mediaType, "image/png")
    }).pipe(Effect.scoped, Effect.provide(platform))
  )

  it.effect("tells the type of an image by its content", () =>
    Effect.gen(function* () {
      const folder = yield* folderOf({ "a/bot.yaml": bot("a"), "a/image.jpg": gif })
      assert.strictEqual((yield* BotsFolder.load(folder)).bots[0]?.image?.mediaType, "image/gif")
    }).pipe(Effect.scoped, Effect.provide(platform))
  )

  it.effect("has a fingerprint that changes with what matters, and with nothing else", () =>
    Effect.gen(function* () {
      const fingerprint = (files: Files) =>
        Effect.map(Effect.flatMap(folderOf(files), BotsFolder.load), (_) => _.fingerprint)
      const files = { "a/bot.yaml": bot("a", "facts: [x]\n"), "a/knowledge/a.md": "A", "a/image.png": png }
      const first = yield* fingerprint(files)
      assert.strictEqual(yield* fingerprint({ ...files, "a/bot.yaml": bot("a", "facts:\n  - x # same\n") }), first)
      for (const other of [
        { "a/bot.yaml": bot("a", "facts: [y]\n") },
        { "a/knowledge/a.md": "B" },
        { "a/knowledge/b.md": "A" },
        { "a/image.png": new Uint8Array([...png, 4]) }
      ]) {
        assert.notStrictEqual(yield* fingerprint({ ...files, ...other }), first)
      }
    }).pipe(Effect.scoped, Effect.provide(platform))
  )

  describe("refuses", () => {
    it.effect("a folder that is missing, empty, or the folder of one bot", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(BotsFolder.load("/nowhere/at/all")).pipe(Effect.provide(platform))
        assert.include(error.message, `The bots folder "/nowhere/at/all" has a mistake:`)
        assert.include(error.message, "there is no such folder")
        yield* refuses({ ".keep": "" }, "", "holds no bots")
        const mistakes = yield* mistakesOf({ "bot.yaml": bot("a") })
        assert.lengthOf(mistakes, 1)
        assert.include(mistakes[0], "is the folder of one bot")
      })
    )

    it.effect("fields that are unknown, missing or of the wrong type, all at once and each with its line", () =>
      Effect.gen(function* () {
        const mistakes = yield* mistakesOf({
          "a/bot.yaml": [
            "code: has spaces",
            "implementationType: Fact",
            "displayMesage: Hi",
            "isActive: yes",
            "sampleQuestions: [a, b, c]",
            "facts:",
            "  - fine",
            "  - 42",
            "  - txt: x",
            "colour: red"
          ].join("\n")
        })
        assert.deepStrictEqual(
          mistakes.map((_) => _.slice(0, 80)),
          [
            'a/bot.yaml:1:1 the field "displayName" is missing: add the name people see: text',
            'a/bot.yaml:1:7 "code" must be the short name of the bot: letters, digits, dashes',
            'a/bot.yaml:2:21 "implementationType" must be `Facts` (answers from its facts and',
            'a/bot.yaml:3:1 unknown field "displayMesage": did you mean "displayMessage"?',
            'a/bot.yaml:4:11 "isActive" must be true or false',
            'a/bot.yaml:5:1 "sampleQuestions" must be a list of at most 2 questions',
            'a/bot.yaml:8:5 "facts.1" must be a fact: text of 1 to 4000 characters, or `text:',
            'a/bot.yaml:9:5 unknown field "txt": did you mean "text"?',
            'a/bot.yaml:9:5 the field "text" is missing: add the fact: text of 1 to 4000 char',
            'a/bot.yaml:10:1 unknown field "colour": remove it, or use one of code, implement'
          ]
        )
      })
    )

    it.effect("broken YAML, aliases, and nesting without end", () =>
      Effect.gen(function* () {
        yield* refuses({ "a/bot.yaml": 'code: a\ndisplayName: "open\nfacts: []\n' }, "a/bot.yaml:4:1", "not valid YAML")
        yield* refuses({ "a/bot.yaml": `${bot("a")}code: b\n` }, "a/bot.yaml:4:1", "there twice")
        yield* refuses({ "a/bot.yaml": `${bot("a")}facts: &x [a]\nlinks: *x\n` }, "a/bot.yaml:5:8", `the alias "*x"`)
        yield* refuses({ "a/bot.yaml": "" }, "a/bot.yaml:1:1", "the file must be")
        yield* refuses({ "a/bot.yaml": "[".repeat(10_000) }, "a/bot.yaml:1:1", "nested too deeply")
      })
    )

    it.effect("bots that do not go together", () =>
      Effect.gen(function* () {
        const open = "isOpen: true\nisPublic: true\n"
        yield* refuses({ "a/bot.yaml": bot("x"), "b/bot.yaml": bot("X") }, "b/bot.yaml:1:7", "taken by a/bot.yaml")
        yield* refuses(
          { "a/bot.yaml": bot("a", open), "b/bot.yaml": bot("b", open) },
          "b/bot.yaml:4:9",
          "only one bot may be open, and a/bot.yaml is"
        )
        yield* refuses({ "a/bot.yaml": bot("a", "isOpen: true\n") }, "a/bot.yaml:4:9", "must be public")
        yield* refuses({ "a/bot.yaml": bot("a", "facts: [x, y, x]\n") }, "a/bot.yaml:4:15", "said in line 4")
        yield* refuses(
          { "a/bot.yaml": bot("a", "links:\n  - code: a\n    isDefault: true\n") },
          "a/bot.yaml:4:1",
          "only a bot with"
        )
      })
    )

    it.effect("start bots without proper links", () =>
      Effect.gen(function* () {
        const others = { "h/bot.yaml": bot("help"), "o/bot.yaml": bot("off", "isActive: false\n") }
        const cases: ReadonlyArray<readonly [links: string, line: string, says: string]> = [
          [
            "  - code: nobody\n    isDefault: true\n",
            "5:11",
            `no bot "nobody" in this folder: use one of help, off, s`
          ],
          ["  - code: Help\n    isDefault: true\n", "5:11", `no bot "Help" in this folder: use one of help`],
          ["  - code: help\n", "4:1", "no link is the default"],
          ["  - {code: help, isDefault: true}\n  - {code: off, isDefault: true}\n", "6:28", "only one link"],
          ["  - {code: help, isDefault: true}\n  - {code: help}\n", "6:12", "linked twice"],
          ["  - {code: s, isDefault: true}\n", "5:12", "is a start bot itself"],
          ["  - {code: off, isDefault: true}\n", "5:12", "is not active"],
          ['  - {code: help, isDefault: true, keywords: ["a, b"]}\n', "5:46", "without commas"],
          ["  []\n", "4:1", "needs links"]
        ]
        for (const [links, line, says] of cases) {
          const mistakes = yield* mistakesOf({ ...others, "s/bot.yaml": start("s", links) })
          assert.isTrue(
            mistakes.some((_) => _.startsWith(`s/bot.yaml:${line} `) && _.includes(says)),
            `${says}\n${mistakes.join("\n")}`
          )
        }
      })
    )

    it.effect("files that do not belong to a bot or cannot be used", () =>
      Effect.gen(function* () {
        const a = { "a/bot.yaml": bot("a") }
        yield* refuses({ ...a, "b/knowledge/x.md": "x" }, "b", "has no bot.yaml")
        yield* refuses({ ...a, "a/knowlege/x.md": "x" }, "a/knowlege", "does not belong here")
        yield* refuses({ ...a, "a/knowledge/x.md": " \n" }, "a/knowledge/x.md", "is empty")
        yield* refuses(
          { ...a, "a/knowledge/x.md": new Uint8Array([65, 10, 66, 10, 0xff, 10]) },
          "a/knowledge/x.md:3",
          "not UTF-8"
        )
        yield* refuses({ ...a, "a/knowledge/x.txt": "a\nb\0" }, "a/knowledge/x.txt:2", "zero byte")
        yield* refuses({ "a/bot.yaml": new Uint8Array([0xc3]) }, "a/bot.yaml:1", "not UTF-8")
        yield* refuses(
          { ...a, "a/knowledge/x.md": "x".repeat(BotsFolder.limits.textBytes + 1) },
          "a/knowledge/x.md",
          "1 MiB are allowed"
        )
        yield* refuses({ ...a, "a/image.png": new TextEncoder().encode("<svg/>") }, "a/image.png", "is not a PNG")
        yield* refuses({ ...a, "a/image.png": png, "a/image.gif": gif }, "a/image.png", "is a second image")
        yield* refuses(
          { ...a, "a/image.png": new Uint8Array(BotsFolder.limits.imageBytes + 1) },
          "a/image.png",
          "too large"
        )
        const both = yield* mistakesOf({ "a/bot.yml": bot("a") })
        assert.lengthOf(both, 2)
        assert.include(both[1], "must be named bot.yaml")
      })
    )

    it.effect("links out of the folder and links in a circle, but follows links inside", () =>
      Effect.gen(function* () {
        const a = { "a/bot.yaml": bot("a") }
        yield* refuses(
          { ...a, "a/knowledge/x.md": "->/etc/hostname" },
          "a/knowledge/x.md",
          "is a link out of the bots folder"
        )
        yield* refuses({ ...a, b: "->/etc" }, "b", "is a link out of the bots folder")
        yield* refuses({ ...a, "a/knowledge/x.md": "->missing.md" }, "a/knowledge/x.md", "cannot be read (NotFound)")
        const loop = yield* mistakesOf({ ...a, "a/knowledge/x.md": "x", "a/knowledge/again": "->." })
        assert.include(loop[0], "nested too deeply")
        const folder = yield* folderOf({ "a/..data/bot.yaml": bot("a"), "a/bot.yaml": "->..data/bot.yaml" })
        assert.strictEqual((yield* BotsFolder.load(folder)).bots[0]?.code, "a")
      }).pipe(Effect.scoped, Effect.provide(platform))
    )
  })
})

describe("BotsSync.sync", () => {
  const files: Files = {
    "g/bot.yaml": start(
      "guide",
      "  - code: help\n    keywords: [install]\n    isDefault: true\n",
      "isOpen: true\nisPublic: true\n"
    ),
    "h/bot.yaml": bot(
      "help",
      "language: en\nfacts:\n  - Alpha is first.\n  - text: Beta is second.\n    isActive: false\n"
    ),
    "h/image.png": png,
    "h/knowledge/a.md": "# Doc A\n\nGamma text.\n\n## Part\n\nDelta text.",
    "h/knowledge/b.txt": "Epsilon text.",
    "h/knowledge/c.bin": new Uint8Array([1, 2])
  }

  const dump = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return {
      bots: yield* sql`SELECT * FROM bots ORDER BY code`,
      facts: yield* sql`SELECT * FROM bot_facts ORDER BY fact_text`,
      documents: yield* sql`SELECT * FROM documents ORDER BY path`,
      passages:
        yield* sql`SELECT id, bot_id, document_id, bot_fact_id, ordinal, heading, text FROM passages ORDER BY id`,
      links: yield* sql`SELECT * FROM bot_links`
    }
  })

  /** What the full-text index finds, by the text of the passages. */
  const finds = Effect.fnUntraced(function* (word: string) {
    const sql = yield* SqlClient.SqlClient
    yield* TestDatabase.checkIndex
    const rows = yield* sql.onDialectOrElse({
      pg: () =>
        sql<{ text: string }>`SELECT text FROM passages WHERE search @@ websearch_to_tsquery('chatbot', ${word})`,
      orElse: () => sql<{ text: string }>`
        SELECT p.text FROM passages_search s JOIN passages p ON p.id = s.rowid WHERE passages_search MATCH ${word}`
    })
    return rows.map((_) => _.text)
  })

  const bringIn = (files: Files, options?: BotsSync.Options) =>
    folderOf(files).pipe(
      Effect.flatMap(BotsFolder.load),
      Effect.flatMap((folder) => BotsSync.sync(folder, options))
    )
  const test = <A, E>(
    effect: Effect.Effect<A, E, Layer.Success<typeof platform> | SqlClient.SqlClient | Scope.Scope>
  ) => effect.pipe(Effect.scoped, Effect.provide(Layer.merge(platform, TestDatabase.layer)))

  it.effect("fills a new database", () =>
    test(
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2026, 10, 23, 10))
        assert.deepStrictEqual(yield* bringIn(files), {
          changed: true,
          added: ["guide", "help"],
          updated: [],
          deactivated: []
        })
        const sql = yield* SqlClient.SqlClient
        const [guide, help] = yield* sql<Record<string, unknown>>`SELECT * FROM bots ORDER BY code`
        assert.match(String(help?.["id"]), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        assert.deepStrictEqual(
          { ...help, id: "" },
          {
            id: "",
            code: "help",
            implementationType: "Facts",
            displayName: "help bot",
            displayMessage: null,
            description: null,
            searchName: "help bot",
            searchText: "help bot",
            sampleQuestion1: null,
            sampleQuestion2: null,
            baseSystemMessage: null,
            isActive: 1,
            isPublic: 0,
            isOpen: 0,
            isUserSystemMessageSupported: 0,
            openAiServiceId: null,
            modelName: "embedded",
            image: png,
            imageType: "image/png",
            imageEtag: createHash("sha256").update(png).digest("hex"),
            createdUtc: "2026-11-23T10:00:00.000Z",
            updatedUtc: "2026-11-23T10:00:00.000Z",
            displayNameDe: null,
            displayMessageDe: null,
            descriptionDe: null,
            sampleQuestion1De: null,
            sampleQuestion2De: null,
            userLogins: null,
            adminLogins: null,
            contributorLogins: null,
            listedLogins: "",
            configuration: null,
            editedUtc: null,
            deletedUtc: null
          }
        )
        assert.deepStrictEqual(yield* sql`SELECT * FROM bot_links`, [
          { startBotId: guide?.["id"], botId: help?.["id"], isDefault: 1, keywords: "install" }
        ])
        assert.deepStrictEqual(
          yield* sql`SELECT path, title, language, media_type, size FROM documents ORDER BY path`,
          [
            { path: "a.md", title: "Doc A", language: "en", mediaType: "text/markdown; charset=utf-8", size: 42 },
            { path: "b.txt", title: "b", language: "en", mediaType: "text/plain; charset=utf-8", size: 13 },
            { path: "c.bin", title: "c", language: "en", mediaType: "application/octet-stream", size: 2 }
          ]
        )
        assert.deepStrictEqual(yield* sql`SELECT ordinal, heading, text FROM passages ORDER BY id`, [
          { ordinal: 0, heading: "", text: "Alpha is first." },
          { ordinal: 0, heading: "Doc A", text: "Gamma text." },
          { ordinal: 1, heading: "Doc A › Part", text: "Delta text." },
          { ordinal: 0, heading: "b", text: "Epsilon text." }
        ])
        assert.deepStrictEqual(yield* finds("delta"), ["Delta text."])
        assert.deepStrictEqual(yield* finds("beta"), [])
      })
    )
  )

  it.effect("writes nothing when nothing changed", () =>
    test(
      Effect.gen(function* () {
        yield* bringIn(files)
        const before = yield* dump
        yield* TestClock.adjust("1 day")
        assert.deepStrictEqual(yield* bringIn(files), { changed: false, added: [], updated: [], deactivated: [] })
        assert.deepStrictEqual(yield* dump, before)
      })
    )
  )

  it.effect("keeps ids, touches only what changed, and removes what went", () =>
    test(
      Effect.gen(function* () {
        yield* bringIn(files)
        const before = yield* dump
        yield* TestClock.adjust("1 day")
        const synced = yield* bringIn({
          ...files,
          "h/bot.yaml": bot("help", "language: en\nfacts:\n  - text: Beta is second.\n  - Zeta is last.\n"),
          "h/knowledge/b.txt": "Eta text.",
          "h/knowledge/c.bin": "->../../g/bot.yaml"
        })
        assert.deepStrictEqual(synced, { changed: true, added: [], updated: ["help"], deactivated: [] })
        const after = yield* dump
        assert.deepStrictEqual(
          after.bots.map((_) => _["id"]),
          before.bots.map((_) => _["id"])
        )
        assert.deepStrictEqual(after.bots[0], before.bots[0])
        assert.notStrictEqual(after.bots[1]?.["updatedUtc"], before.bots[1]?.["updatedUtc"])
        assert.deepStrictEqual(
          after.documents.map((_) => _["id"]),
          before.documents.map((_) => _["id"])
        )
        assert.deepStrictEqual(after.documents[0], before.documents[0])
        // The passages of the document that stayed as it was are the very same rows.
        const ofA = before.passages.filter((_) => _["documentId"] === before.documents[0]?.["id"])
        assert.lengthOf(ofA, 2)
        assert.deepStrictEqual(
          after.passages.filter((_) => _["documentId"] === before.documents[0]?.["id"]),
          ofA
        )
        assert.deepStrictEqual(
          after.facts.map((_) => [_["factText"], _["isActive"]]),
          [
            ["Beta is second.", 1],
            ["Zeta is last.", 1]
          ]
        )
        assert.strictEqual(after.facts[0]?.["id"], before.facts[1]?.["id"])
        assert.deepStrictEqual(yield* finds("alpha OR epsilon"), [])
        assert.sameMembers(yield* finds("beta OR zeta OR eta"), ["Beta is second.", "Zeta is last.", "Eta text."])
        yield* bringIn({ "g/bot.yaml": files["g/bot.yaml"] ?? "", "h/bot.yaml": bot("help") })
        const last = yield* dump
        assert.deepStrictEqual([last.documents, last.passages, last.facts], [[], [], []])
        assert.deepStrictEqual(yield* finds("beta OR delta OR eta"), [])
      })
    )
  )

  it.effect("deactivates a bot that went and takes it back with its id", () =>
    test(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* bringIn(files)
        // A bot that came from elsewhere is not the folder's to deactivate.
        yield* sql`INSERT INTO bots (id, code, implementation_type, display_name, search_name, search_text, is_active, is_public,
        is_open, is_user_system_message_supported, created_utc, updated_utc)
        VALUES ('x', 'other', 'Facts', 'Other', 'other', 'other', 1, 1, 0, 0, '', '')`
        const [guide] = yield* sql<{ id: string }>`SELECT id FROM bots WHERE code = 'guide'`
        const without = { "h/bot.yaml": files["h/bot.yaml"] ?? "" }
        assert.deepStrictEqual((yield* bringIn(without)).deactivated, ["guide"])
        assert.deepStrictEqual(yield* sql`SELECT code, is_active, is_open FROM bots ORDER BY code`, [
          { code: "guide", isActive: 0, isOpen: 0 },
          { code: "help", isActive: 1, isOpen: 0 },
          { code: "other", isActive: 1, isOpen: 0 }
        ])
        assert.deepStrictEqual(yield* bringIn(without), { changed: false, added: [], updated: [], deactivated: [] })
        assert.deepStrictEqual((yield* bringIn(files)).updated, ["guide", "help"])
        assert.deepStrictEqual(yield* sql`SELECT id, is_active, is_open FROM bots WHERE code = 'guide'`, [
          { id: guide?.id, isActive: 1, isOpen: 1 }
        ])
      })
    )
  )

  /** The folder, with something new in every bot. */
  const changedFiles: Files = {
    ...files,
    "g/bot.yaml": start(
      "guide",
      "  - code: help\n    keywords: [setup]\n    isDefault: true\n",
      "isOpen: true\nisPublic: true\ndescription: New.\n"
    ),
    "h/bot.yaml": bot("help", "language: en\ndescription: New.\nfacts:\n  - Omega is new.\n"),
    "h/knowledge/b.txt": "Epsilon is new."
  }

  /** The admins of bots, on the database of the test. */
  const admins = Layer.mergeAll(BotAdministration.layer, BotFacts.layer).pipe(
    Layer.provide([
      AdminBotRepository.layer,
      BotFactRepository.layer,
      OpenAiServiceRepository.layer,
      SecureRandom.layerWebCrypto,
      Transactions.layer
    ])
  )

  const idOf = Effect.fnUntraced(function* (code: string) {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ id: BotId }>`SELECT id FROM bots WHERE code = ${code}`
    return row?.id ?? assert.fail(`There is no bot ${code}.`)
  })

  it.effect("keeps what an admin changed of a bot, and follows the folder in the rest", () =>
    Effect.gen(function* () {
      yield* bringIn(files)
      const sql = yield* SqlClient.SqlClient
      const facts = yield* BotFacts
      const help = yield* idOf("help")
      yield* facts.create(help, { factText: "Iota is an admin's.", isActive: true })
      const { added, deactivated, updated } = yield* bringIn(changedFiles)
      assert.deepStrictEqual(
        { added, updated, deactivated },
        { added: [], updated: ["guide", "help"], deactivated: [] }
      )
      // The facts and texts of the one are the admin's, its documents and the other bot are those of the folder.
      assert.sameMembers(yield* finds("alpha OR iota OR omega"), ["Alpha is first.", "Iota is an admin's."])
      assert.deepStrictEqual(yield* finds("epsilon"), ["Epsilon is new."])
      assert.deepStrictEqual(yield* sql`SELECT code, description FROM bots ORDER BY code`, [
        { code: "guide", description: "New." },
        { code: "help", description: null }
      ])
      assert.deepStrictEqual(yield* sql`SELECT keywords FROM bot_links`, [{ keywords: "setup" }])
      // Not in the folder any more, but an admin's.
      yield* bringIn({ "o/bot.yaml": bot("other") })
      assert.deepStrictEqual(yield* sql`SELECT code FROM bots WHERE is_active = 1 ORDER BY code`, [
        { code: "help" },
        { code: "other" }
      ])
    }).pipe(Effect.provide(admins), test)
  )

  it.effect("does not bring back what an admin deleted, nor take over what one made", () =>
    Effect.gen(function* () {
      yield* bringIn(files)
      const sql = yield* SqlClient.SqlClient
      const bots = yield* BotAdministration
      yield* bots.delete(yield* idOf("help"))
      yield* bots.create({
        code: "late",
        displayNameTv: { value: "An admin's" },
        isActive: true,
        isPublic: true
      })
      const more = {
        ...changedFiles,
        "l/bot.yaml": bot("late", "facts:\n  - Lambda.\n"),
        "l/knowledge/l.md": "Lambda."
      }
      assert.deepStrictEqual((yield* bringIn(more)).added, [])
      assert.deepStrictEqual(yield* sql`SELECT code, display_name FROM bots WHERE deleted_utc IS NULL ORDER BY code`, [
        { code: "guide", displayName: "guide" },
        { code: "late", displayName: "An admin's" }
      ])
      assert.deepStrictEqual(yield* sql`SELECT * FROM bot_links`, [])
      assert.deepStrictEqual(yield* finds("lambda OR omega OR delta"), [])

      assert.deepStrictEqual((yield* bringIn(more, { overwrite: true })).added, ["help"])
      assert.deepStrictEqual(yield* sql`SELECT code, display_name FROM bots WHERE deleted_utc IS NULL ORDER BY code`, [
        { code: "guide", displayName: "guide" },
        { code: "help", displayName: "help bot" },
        { code: "late", displayName: "late bot" }
      ])
      assert.deepStrictEqual(yield* sql`SELECT bot_id FROM bot_links`, [{ botId: yield* idOf("help") }])
      assert.includeMembers(yield* finds("omega OR delta"), ["Omega is new.", "Delta text."])
    }).pipe(Effect.provide(admins), test)
  )

  it.effect("overwrites what admins changed when it is told to, and no more than the folder can say", () =>
    Effect.gen(function* () {
      yield* bringIn(files)
      const sql = yield* SqlClient.SqlClient
      const bots = yield* BotAdministration
      const facts = yield* BotFacts
      const help = yield* idOf("help")
      const before = yield* dump
      yield* bots.update(help, {
        code: "help",
        displayNameTv: { value: "Changed", valueDe: "Anders" },
        isActive: false,
        isPublic: true,
        modelName: "gpt",
        userLogins: "ann"
      })
      for (const factText of ["Alpha is first.", "Iota is an admin's."])
        yield* facts.create(help, { factText, isActive: true })
      assert.deepStrictEqual((yield* bringIn(files)).changed, false)
      assert.deepStrictEqual((yield* bringIn(files, { overwrite: true })).updated, ["help"])
      const after = yield* dump
      const [, bot] = after.bots
      assert.deepStrictEqual(
        { ...bot, updatedUtc: "" },
        {
          ...before.bots[1],
          displayNameDe: "Anders",
          userLogins: "ann",
          listedLogins: "\nann\n",
          updatedUtc: ""
        }
      )
      assert.deepStrictEqual(after.facts, before.facts)
      assert.deepStrictEqual(yield* finds("alpha OR iota"), ["Alpha is first."])
      // It is the folder's again.
      yield* bringIn(changedFiles)
      assert.deepStrictEqual(yield* sql`SELECT description FROM bots WHERE code = 'help'`, [{ description: "New." }])
    }).pipe(Effect.provide(admins), test)
  )

  it.effect("writes nothing at all when the folder has a mistake or the database refuses", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const broken = yield* folderOf({ ...files, "z/bot.yaml": "code: z" })
      const error = yield* Effect.flip(Layer.build(BotsSync.layer(broken)))
      assert.strictEqual(error._tag, "BotsFolderInvalid")
      yield* TestDatabase.refuse("passages", "new.text LIKE 'Epsilon%'")
      assert.strictEqual((yield* Effect.flip(bringIn(files)))._tag, "SqlError")
      assert.deepStrictEqual(yield* sql`SELECT * FROM bots`, [])
      assert.deepStrictEqual(yield* sql`SELECT * FROM settings`, [])
    }).pipe(test)
  )

  it.effect("brings in the folder that ships with the server, twice the same", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* Layer.build(BotsSync.layer())
      const before = yield* dump
      yield* Layer.build(Layer.fresh(BotsSync.layer()))
      assert.deepStrictEqual(yield* dump, before)
      const open = yield* sql<{
        code: string
      }>`SELECT code FROM bots WHERE is_open = 1 AND is_public = 1 AND is_active = 1`
      assert.deepStrictEqual(open, [{ code: "guide" }])
      assert.deepStrictEqual(yield* sql`SELECT code FROM bots WHERE image IS NULL`, [])
    }).pipe(test)
  )
})

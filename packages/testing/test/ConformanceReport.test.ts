import * as ConformanceReport from "@effect-chatbot/testing/ConformanceReport"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

const result = (
  check: string,
  title: string,
  operation: string,
  outcome: ConformanceReport.Outcome
): ConformanceReport.Result => ({
  check,
  group: check.startsWith("adminBots.") ? "administration" : "core",
  operations: [operation],
  title,
  source: "AiChatBot.Api 1.0",
  outcome,
  millis: 12
})

const getChat = "GET /api/chats/{chatId}"

const report: ConformanceReport.Report = {
  backend: "http://127.0.0.1:8080",
  prefix: "conformance-1f-",
  startedUtc: DateTime.makeUnsafe("2026-01-02T03:04:05.000Z"),
  results: [
    result("chats.create/answers-as-described", "A new chat is answered with its id", "POST /api/chats", {
      _tag: "Passed"
    }),
    result("chats.get/answers-as-described", "A chat is answered with its bot", getChat, {
      _tag: "Failed",
      request: "GET /api/chats/1 as user",
      expected: "status 200",
      actual: "500 text/html <html>\n\t<h1>Oops\u001b[31m</h1>"
    }),
    result("chats.get/misses-with-404", "A chat that does not exist is 404", getChat, {
      _tag: "Skipped",
      reason: "give the token of a user (--user-token)"
    }),
    result("adminBots.get/answers-as-described", "A bot is answered with its id", "GET /api/admin/bots/{botId}", {
      _tag: "Blocked",
      reason: "POST /api/admin/bots as admin: expected status 200, came 403"
    })
  ],
  leftovers: [{ what: "chat 1", reason: "DELETE /api/chats/1 as user answered 500" }]
}

/** The text of {@link report}. */
const expected = `Conformance of http://127.0.0.1:8080

core

  POST /api/chats
    ✓ A new chat is answered with its id

  GET /api/chats/{chatId}
    ✗ A chat is answered with its bot
        request  GET /api/chats/1 as user
        expected status 200
        came     500 text/html <html> <h1>Oops [31m</h1>
        rule     AiChatBot.Api 1.0
        check    chats.get/answers-as-described
    – A chat that does not exist is 404
        skipped  give the token of a user (--user-token)

administration

  GET /api/admin/bots/{botId}
    ! A bot is answered with its id
        blocked  POST /api/admin/bots as admin: expected status 200, came 403
        check    adminBots.get/answers-as-described

to mend
    ✗ chats.get/answers-as-described  GET /api/chats/{chatId}
    ! adminBots.get/answers-as-described  GET /api/admin/bots/{botId}

left on the backend
    chat 1: DELETE /api/chats/1 as user answered 500

core            1 passed, 1 failed, 1 skipped
administration  0 passed, 1 blocked
all             1 passed, 1 failed, 1 blocked, 1 skipped
`

/** The attributes of the elements of a document; fails where that is not well-formed. */
const elementsOf = (xml: string): Effect.Effect<ReadonlyArray<Readonly<Record<string, string>>>, Xml.XmlError> =>
  Stream.make(xml).pipe(
    Stream.pipeThroughChannel(Xml.decodeString()),
    Stream.filter((event) => event._tag === "StartElement"),
    Stream.runCollect,
    Effect.map((events) => Array.from(events, ({ attributes }) => attributes))
  )

describe("a report", () => {
  it("is read by people, without marks where there is no terminal", () => {
    assert.strictEqual(ConformanceReport.text(report), expected)
  })

  it("has marks on a terminal, and the same text", () => {
    const text = ConformanceReport.text(report, { style: ConformanceReport.coloured })
    assert.include(text, "\u001b[31m✗\u001b[39m")
    // oxlint-disable-next-line no-control-regex -- marks are what is looked for
    assert.strictEqual(text.replace(/\u001b\[\d+m/g, ""), expected)
  })

  it("is JSON that can be read again", () => {
    const read = Schema.decodeUnknownSync(Schema.fromJsonString(ConformanceReport.Report))
    assert.deepStrictEqual(read(ConformanceReport.json(report)), report)
  })

  it.effect("is JUnit XML with a suite a group, where what is blocked and left are errors", () =>
    Effect.gen(function* () {
      const [all, ...elements] = yield* elementsOf(yield* ConformanceReport.junit(report))
      assert.deepStrictEqual(all, {
        name: "conformance",
        tests: "5",
        failures: "1",
        errors: "2",
        skipped: "1",
        time: "0.048"
      })
      assert.deepStrictEqual(
        elements.flatMap(({ name, tests }) => (tests === undefined ? [] : name)),
        ["core", "administration", "leftovers"]
      )
    })
  )

  it.effect.prop(
    "is well-formed XML, whatever a backend has said",
    { actual: Arbitrary.schema(Schema.String) },
    ({ actual }) =>
      Effect.gen(function* () {
        const said = result("chats.get/said", "Said", getChat, { _tag: "Failed", expected: "words", actual })
        const left = { what: "chat", reason: actual }
        const elements = yield* elementsOf(
          yield* ConformanceReport.junit({ ...report, results: [said], leftovers: [left] })
        )
        assert.lengthOf(elements, 7)
      })
  )

  it.effect.each(["]]>", "</failure>", "&amp;&lt;", "\u0000\u0008\uffff\ud800", '"><x/>'])(
    "bears %j in XML",
    (actual) =>
      Effect.gen(function* () {
        const said = result("chats.get/said", actual, getChat, { _tag: "Failed", expected: "words", actual })
        assert.lengthOf(yield* elementsOf(yield* ConformanceReport.junit({ ...report, results: [said] })), 7)
      })
  )
})

import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import { send } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"

const spans: Array<Tracer.NativeSpan> = []
const recorder = Tracer.make({
  span: (options) => {
    const span = new Tracer.NativeSpan(options)
    spans.push(span)
    return span
  }
})

layer(Layer.provide(TestBackend.layer, Layer.succeed(Tracer.Tracer, recorder)), { excludeTestServices: true })(
  "the spans of the backend",
  (it) => {
    it.effect("tell of a request, and no token, ticket or question", () =>
      Effect.gen(function* () {
        const { tokenOf } = yield* TestBackend
        const token = yield* tokenOf("spy")
        const chat = yield* send("POST", "/api/chats/create/bybotcode", { token, body: { botCode: "client" } })
        const { chatId } = chat.json()
        const question = "How do I page through a list of platypuses?"
        const answer = yield* send("POST", `/api/chats/${chatId}/completions`, {
          token,
          body: { userMessage: question }
        })
        const [source] = answer.json().metaData.sources
        const ticket = (yield* send("POST", source.createTicketUrl, { token })).json()
        for (const status of [200, 401]) {
          assert.strictEqual((yield* send("GET", `${source.url}?Ticket=${ticket}`)).status, status)
        }

        // What an exporter tells of a span; of how it ended, only what it failed with.
        const told = spans
          .map(({ attributes, name, status }) =>
            inspect(
              [name, attributes, status._tag === "Ended" && Exit.isFailure(status.exit) ? status.exit.cause : "ok"],
              { depth: 20 }
            )
          )
          .join("\n")
        assert.include(told, `${source.url}?Ticket=REDACTED`)
        assert.include(told, "ChatService.createByBotCode")
        for (const secret of [Redacted.value(token), ticket, "platypuses"]) assert.notInclude(told, secret)
      })
    )
  }
)

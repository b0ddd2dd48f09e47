import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Check, checksOf, contract, decision } from "./Check.ts"
import { ask } from "./exchange.ts"
import { conforms, equals, fields, hasStatus, holds, ok, prepared, success } from "./expect.ts"
import * as Given from "./given.ts"
import { Target } from "./Target.ts"

const check = checksOf("core")

/** An id that nothing has. */
const nothing = "00000000-0000-7000-8000-000000000000"

/** The checks of what users and admins need of a backend. */
export const core: ReadonlyArray<Check> = [
  check(
    "chats.create/answers-as-described",
    {
      title: "A new chat is answered with its id, as the contract describes it",
      source: contract,
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const { bot } = yield* Target
      const { botId } = yield* bot
      const { answer } = yield* Given.createdChat("user", ask("chats.create", { payload: { botId } }))
      yield* conforms(answer)
      const created = yield* fields(answer, { botId: Schema.String })
      yield* equals(answer, "botId", created.botId, botId)
    })
  ),
  check(
    "chats.get/answers-as-described",
    { title: "A chat is answered as the contract describes it", source: contract, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const answer = yield* success("chats.get", { params: { chatId } })
      const chat = yield* fields(answer, { chatId: Schema.String })
      yield* equals(answer, "chatId", chat.chatId, chatId)
    })
  ),
  check(
    "chats.get/misses-with-404",
    { title: "A chat that does not exist is 404", source: decision, needs: ["user"] },
    Effect.flatMap(ask("chats.get", { params: { chatId: nothing } }), (answer) => hasStatus(answer, 404))
  ),
  check(
    "chats.rename/is-kept",
    { title: "A chat that is renamed has its new name", source: contract, needs: ["user", "bot"], also: ["chats.get"] },
    Effect.gen(function* () {
      const { name } = yield* Target
      const { chatId } = yield* Given.chat()
      const displayName = name("renamed")
      yield* success("chats.rename", { params: { chatId }, payload: { displayName } })
      const read = yield* prepared(ok("chats.get", { params: { chatId } }))
      const chat = yield* prepared(fields(read, { displayName: Schema.NullOr(Schema.String) }))
      yield* equals(read, "displayName", chat.displayName, displayName)
    })
  ),
  check(
    "chats.delete/removes",
    { title: "A chat that is deleted is gone", source: contract, needs: ["user", "bot"], also: ["chats.get"] },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      yield* success("chats.delete", { params: { chatId } })
      const read = yield* prepared(ask("chats.get", { params: { chatId } }))
      yield* holds(read, read.status !== 200, "no chat")
    })
  )
]

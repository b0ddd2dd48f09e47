import { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as EventLog from "../src/EventLog.ts"
import * as Tails from "../src/internal/tails.ts"
import { CompletionLogRepository } from "../src/repositories/CompletionLogRepository.ts"
import { CompletionRunRepository } from "../src/repositories/CompletionRunRepository.ts"
import { Signals } from "../src/Signals.ts"
import * as TestDatabase from "./support/TestDatabase.ts"

const layer = Layer.mergeAll(CompletionLogRepository.layer, CompletionRunRepository.layer, Signals.layer).pipe(
  Layer.provide(TestDatabase.layer)
)

it.effect.each([0, 3])(
  "tells a reader who has %i events that the chat is gone, whatever was read of its run",
  (after) =>
    Effect.gen(function* () {
      const tails = yield* Tails.make
      const chunks = yield* Stream.runCollect(tails.read(ChatId.make("chat"), CompletionId.make("run"), after))
      const text = Buffer.concat(chunks).toString()
      assert.match(text, new RegExp(`^id: ${after + 1}$`, "m"))
      const events = yield* EventLog.decode(Buffer.from(text))
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        ["Failed"]
      )
    }).pipe(Effect.provide(layer))
)

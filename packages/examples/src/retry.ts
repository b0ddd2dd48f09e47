/**
 * Retries: a policy for all calls, another one for a single call, and the story of a call that failed in the end.
 *
 * ```sh
 * node packages/examples/src/retry.ts
 * CHATBOT_BASE_URL=http://127.0.0.1:9 node packages/examples/src/retry.ts
 * ```
 */
import { CallStory, ChatbotClient, RetryPolicy } from "@effect-chatbot/client"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer, Option } from "effect"

/** More attempts than the three of `standard`, and shorter waits. */
const persistent: RetryPolicy.RetryPolicy = {
  ...RetryPolicy.standard,
  attempts: 5,
  backoff: RetryPolicy.fullJitter({ initial: "50 millis", max: "1 second" })
}

const program = Effect.gen(function* () {
  const { chats, system } = yield* ChatbotClient

  // For one call: what only decorates is asked for once, and done without.
  const status = yield* system.status.pipe(
    Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none),
    Effect.orElseSucceed(() => "Nothing is known of its status.")
  )
  yield* Console.log(status === "" ? "All is well." : status)

  const { openChatBotId } = yield* chats.openBot
  yield* Console.log(`The open bot is ${openChatBotId}.`)
}).pipe(
  // Every attempt with its outcome, and why there was no other.
  Effect.tapError((error) =>
    Console.error(Option.match(CallStory.of(error), { onNone: () => error.message, onSome: CallStory.format }))
  )
)

// For all calls of this client.
const Client = ChatbotClient.layerConfig.pipe(
  Layer.provide([NodeTransport.layer, Layer.succeed(RetryPolicy.RetryPolicy, persistent)])
)

program.pipe(Effect.provide(Client), (program) => NodeRuntime.runMain(program, { disableErrorReporting: true }))

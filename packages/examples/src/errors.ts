/**
 * Errors: by tag, by kind, and all the others. What a call can fail with stands in its type, and what is handled leaves it.
 *
 * ```sh
 * node packages/examples/src/errors.ts ID-OF-A-CHAT
 * ```
 */
import { ChatbotClient, Predicates } from "@effect-chatbot/client"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import { ChatId } from "@effect-chatbot/schema/Ids"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Duration, Effect, Layer, Match } from "effect"

const [, , id = "no-such-chat"] = process.argv

// The type says that nothing is left to fail with: leave an error out below, and this does not compile.
const program: Effect.Effect<void, never, ChatbotClient> = Effect.gen(function* () {
  const { chats } = yield* ChatbotClient
  const { completions, displayName } = yield* chats.get(ChatId.make(id))
  yield* Console.log(`${displayName}: ${completions.length} answers`)
}).pipe(
  // By tag, with what each error knows.
  Effect.catchTags({
    ChatNotFound: ({ requestId = "unknown" }) => Console.error(`There is no such chat (request ${requestId}).`),
    // The client has waited and tried again by itself, as far as its policy goes.
    RateLimited: ({ retryAfter = Duration.seconds(30) }) => Console.error(`Try in ${Duration.format(retryAfter)}.`)
  }),
  // By kind, where it does not matter which.
  Effect.catchIf(Predicates.isAuth, () => Console.error("Set CHATBOT_TOKEN to a token that is valid.")),
  // And each of the others.
  Effect.catch((error) =>
    Console.error(
      Match.valueTags(error, {
        InvalidRequest: ({ issues }) => issues.map(({ message, path }) => `${path.join(".")}: ${message}`).join("\n"),
        Unavailable: ({ message }) => message,
        CircuitOpen: ({ message }) => message,
        // For those who run the backend: its log has the rest under this.
        InternalError: ({ ref }) => `The backend failed, see ${ref} in its log.`,
        TransportFailed: ({ reason }) => `No answer came: ${reason}.`,
        RequestTimedOut: ({ duration, limit }) => `The limit "${limit}" of ${Duration.format(duration)} was reached.`,
        UnexpectedStatus: ({ status }) => `This is no backend of chatbots: it answers ${status}.`,
        InvalidResponse: ({ message }) => `This is no backend of chatbots: ${message}`
      })
    )
  )
)

const Client = ChatbotClient.layerConfig.pipe(Layer.provide(NodeTransport.layer))

program.pipe(Effect.provide(Client), NodeRuntime.runMain)

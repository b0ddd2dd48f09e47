/**
 * Streaming: prints an answer while it is made. Ctrl-C stops the answer, and so does a reader of the pipe who has enough.
 *
 * ```sh
 * node packages/examples/src/streaming.ts "How do I page through a list?"
 * node packages/examples/src/streaming.ts "How do I page through a list?" | head -c 80
 * ```
 */
import { ChatbotClient, type Completion } from "@effect-chatbot/client"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeStdio from "@effect/platform-node/NodeStdio"
import { Console, Effect, Layer, Stdio, Stream } from "effect"

/** What an event adds to the output: on a terminal also what the answer is drawn from, in a pipe its text alone. */
const shown = (event: Completion.Event, isTerminal: boolean): string => {
  switch (event._tag) {
    case "Delta":
      return event.text
    case "Sources":
      return isTerminal
        ? `\n\u001b[2m${event.metaData.sources.map(({ fileName }) => fileName).join(", ")}\u001b[0m`
        : ""
    case "Completed":
    case "Stopped":
      return "\n"
    default:
      return ""
  }
}

const program = Effect.gen(function* () {
  const { chats } = yield* ChatbotClient
  const { args, stdout, stdoutIsTerminal } = yield* Stdio.Stdio
  const [question = "How do I page through a list?"] = yield* args
  const isTerminal = yield* stdoutIsTerminal
  const { chatId } = yield* chats.createByBotCode("guide")
  // Without `onInterrupt`, leaving the stream would let the answer be finished and stored.
  yield* chats.stream(chatId, question, { onInterrupt: "stop" }).pipe(
    Stream.map((event) => shown(event, isTerminal)),
    Stream.run(stdout())
  )
}).pipe(
  Effect.catchTag("PlatformError", () => Console.error("Nobody reads any more.")),
  // What is in the pipe is the answer alone.
  Effect.tapError(({ message }) => Console.error(message)),
  Effect.onInterrupt(() => Console.error("\nStopped."))
)

const Client = ChatbotClient.layerConfig.pipe(Layer.provide(NodeTransport.layer))

program.pipe(Effect.provide([Client, NodeStdio.layer]), (program) =>
  NodeRuntime.runMain(program, { disableErrorReporting: true })
)

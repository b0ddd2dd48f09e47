/**
 * The worker: all of the client is here, with its connections, decoding and retries. See `worker/main.ts` for how to run it.
 */
import { ChatbotClient, Chats, Completion } from "@effect-chatbot/client"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeWorkerRunner from "@effect/platform-node/NodeWorkerRunner"
import { Effect, Layer, Stream } from "effect"
import { RpcServer } from "effect/rpc"
import { Answers, NotAnswered } from "./Answers.ts"

const Handlers = Answers.toLayer(
  Effect.gen(function* () {
    const chats = yield* Chats
    return {
      // When the main thread leaves the stream, it is interrupted here, and that stops the answer.
      Ask: ({ question }) =>
        Stream.fromEffect(chats.createByBotCode("guide")).pipe(
          Stream.flatMap(({ chatId }) => chats.stream(chatId, question, { onInterrupt: "stop" })),
          Completion.text,
          Stream.mapError(({ _tag, message }) => new NotAnswered({ reason: _tag, message }))
        )
    }
  })
)

const Client = ChatbotClient.layerConfig.pipe(Layer.provide(NodeTransport.layer))

RpcServer.layer(Answers).pipe(
  Layer.provide(Handlers),
  // By itself: the thread ends when the fiber that builds this does.
  Layer.provide(RpcServer.layerProtocolWorkerRunner),
  Layer.provide([Client, NodeWorkerRunner.layer]),
  Layer.launch,
  NodeRuntime.runMain
)

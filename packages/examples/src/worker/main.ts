/**
 * A worker: the client runs in a thread of its own, and the main thread gets the text of answers as a stream. Ctrl-C stops the answer.
 *
 * ```sh
 * node packages/examples/src/worker/main.ts "How do I page through a list?"
 * ```
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeStdio from "@effect/platform-node/NodeStdio"
import * as NodeWorker from "@effect/platform-node/NodeWorker"
import { Console, Effect, Layer, Stdio, Stream } from "effect"
import { RpcClient } from "effect/rpc"
import { Worker } from "node:worker_threads"
import { Answers } from "./Answers.ts"

const program = Effect.gen(function* () {
  const answers = yield* RpcClient.make(Answers)
  const { args, stdout } = yield* Stdio.Stdio
  const [question = "How do I page through a list?"] = yield* args
  yield* answers.Ask({ question }).pipe(Stream.concat(Stream.make("\n")), Stream.run(stdout()))
}).pipe(
  Effect.scoped,
  Effect.tapError((error) =>
    Console.error(error._tag === "NotAnswered" ? `${error.message} (${error.reason})` : error.message)
  ),
  Effect.onInterrupt(() => Console.error("\nStopped."))
)

const Thread = RpcClient.layerProtocolWorker({ size: 1 }).pipe(
  Layer.provide(NodeWorker.layer(() => new Worker(new URL("worker.ts", import.meta.url))))
)

program.pipe(Effect.provide([Thread, NodeStdio.layer]), (program) =>
  NodeRuntime.runMain(program, { disableErrorReporting: true })
)

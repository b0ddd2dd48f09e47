/**
 * Paging: all items as a stream, some of them, and page by page.
 *
 * ```sh
 * CHATBOT_TOKEN="$(cat .chatbot/admin-token)" node packages/examples/src/paging.ts
 * ```
 */
import { ChatbotClient } from "@effect-chatbot/client"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer, Stream } from "effect"

const program = Effect.gen(function* () {
  const { bots } = yield* ChatbotClient

  // All of them, whatever the size of a page.
  const count = yield* Stream.runCount(bots.items())
  yield* Console.log(`There are ${count} bots.`)

  // As many as are wanted: pages after those of the first three are never asked for.
  yield* bots.items({ pageSize: 2, orderBy: "code" }).pipe(
    Stream.take(3),
    Stream.runForEach(({ code }) => Console.log(`- ${code}`))
  )

  // One page with its place in the list, as for a table with a button for the next one.
  const { items, pageNumber, totalPageCount } = yield* bots.list({ pageSize: 2, pageNumber: 2, orderBy: "code" })
  yield* Console.log(`Page ${pageNumber} of ${totalPageCount}: ${items.map(({ code }) => code).join(", ")}`)

  // Page after page, as for writing them in batches.
  yield* bots.items({ pageSize: 2, orderBy: "code" }).pipe(
    Stream.chunks,
    Stream.runForEach((page) => Console.log(`A page of ${page.length}`))
  )
})

const Client = ChatbotClient.layerConfig.pipe(Layer.provide(NodeTransport.layer))

program.pipe(Effect.provide(Client), NodeRuntime.runMain)

import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { send } from "./raw.ts"
import { exchange, head, open, type RawAnswer } from "./sockets.ts"
import { TestBackend } from "./TestBackend.ts"

let logins = 0

/**
 * What comes of one ticket of the backend that so many use at once. Every one has a connection that is open before the first asks; with
 * `baseUrls` they share themselves out among several processes of the backend.
 */
export const redeemAtOnce = (
  count: number,
  baseUrls: ReadonlyArray<string> = []
): Effect.Effect<ReadonlyArray<RawAnswer>, never, TestBackend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { baseUrl, tokenOf } = yield* TestBackend
      const token = yield* tokenOf(`redeems-${++logins}`)
      const chat = yield* send("POST", "/api/chats/create/bybotcode", { token, body: { botCode: "client" } })
      const body = { userMessage: "How do I page through a list?" }
      const answer = yield* send("POST", `/api/chats/${chat.json().chatId}/completions`, { token, body })
      const [source] = answer.json().metaData.sources
      assert.isDefined(source)
      const ticket = (yield* send("POST", source.createTicketUrl, { token })).json()

      const urls = baseUrls.length === 0 ? [baseUrl] : baseUrls
      const sockets = yield* Effect.forEach(
        Array.from({ length: count }, (_, index) => urls[index % urls.length] ?? baseUrl),
        open,
        { concurrency: 100 }
      )
      const request = head("GET", `${source.url}?ticket=${ticket}`)
      return yield* Effect.forEach(sockets, (socket) => exchange(socket, request), { concurrency: "unbounded" })
    })
  )

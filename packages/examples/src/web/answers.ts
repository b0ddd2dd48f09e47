/**
 * Handlers without Effect: functions of the web from `Request` to `Response`, over the client of promises. `web/hono.ts` serves them with
 * Hono, and `web/app` has them as the route handlers of Next.js; Bun, Deno and workers at the edge take them as they are.
 *
 * ```sh
 * curl http://127.0.0.1:3000/api/answer -d '{ "question": "How do I page through a list?" }'
 * curl -N http://127.0.0.1:3000/api/answer/stream -d '{ "question": "How do I page through a list?" }'
 * ```
 */
import * as Predicates from "@effect-chatbot/client/Predicates"
import { createChatbotClient } from "@effect-chatbot/client/promise"
import { Duration } from "effect"

/** One client for all requests: it keeps the connections and the budget for retries. */
export const client = createChatbotClient({
  baseUrl: process.env["CHATBOT_BASE_URL"] ?? "http://127.0.0.1:8080",
  token: process.env["CHATBOT_TOKEN"]
})

const refused = (status: number, error: string, retryAfter?: Duration.Duration) =>
  Response.json(
    { error },
    {
      status,
      headers: retryAfter === undefined ? {} : { "retry-after": `${Math.ceil(Duration.toSeconds(retryAfter))}` }
    }
  )

/** What the caller is told of an error, by its tag. What is not the caller's fault is told without its details. */
const refusal = (error: unknown): Response => {
  if (!Predicates.isChatbotError(error)) throw error
  switch (error._tag) {
    case "InvalidRequest":
      return refused(400, error.message)
    case "PayloadTooLarge":
      return refused(413, error.message)
    case "RateLimited":
      return refused(429, error.message, error.retryAfter)
    case "BotsStopped":
    case "Unavailable":
      return refused(503, error.message, error.retryAfter)
    default:
      return refused(Predicates.isRetryable(error) ? 503 : 502, "The bot cannot be asked.")
  }
}

type Handler = (question: string, signal: AbortSignal) => Promise<Response>

const asking =
  (handle: Handler) =>
  async (request: Request): Promise<Response> => {
    const body: unknown = await request.json().catch(() => undefined)
    const question = typeof body === "object" && body !== null && "question" in body ? body.question : undefined
    if (typeof question !== "string") return refused(400, "The body must be { question: string }.")
    return handle(question, request.signal).catch((error: unknown) =>
      // Nobody is there any more to be told. 499 is what nginx writes into its log then.
      request.signal.aborted ? new Response(null, { status: 499 }) : refusal(error)
    )
  }

/** Answers with JSON when the bot has answered. The call ends with the request, and the answer is stored all the same. */
export const answer = asking(async (question, signal) => {
  const { chatId } = await client.chats.createByBotCode("guide", { signal })
  const { assistantMessage, metaData } = await client.chats.complete(chatId, question, { signal })
  return Response.json({ text: assistantMessage, documents: metaData?.sources.map(({ fileName }) => fileName) })
})

/** Answers with the text as it is made. Who leaves stops the answer. */
export const answerStream = asking(async (question, signal) => {
  const { chatId } = await client.chats.createByBotCode("guide", { signal })
  const answer = client.chats.stream(chatId, question, { signal, onInterrupt: "stop" })
  return new Response(await answer.body(), { headers: { "content-type": "text/plain; charset=utf-8" } })
})

/** A backend of a few answers, a screen that keeps what is shown, and a keyboard that types a script. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Backend } from "../../src/Backend.ts"
import { Keyboard } from "../../src/Keyboard.ts"
import * as Render from "../../src/Render.ts"
import { Screen } from "../../src/Screen.ts"

/** What a request is answered with: a body for status 200, or a response. `undefined` is a 404 of a bot. */
export type Answer = (body: Record<string, unknown>) => unknown

/** Answers of a backend by method and path. */
export type Routes = Record<string, Answer>

/** A problem of the contract. */
export const problem = (tag: string, status: number, detail: string, fields: object = {}) =>
  Response.json(
    { type: `urn:effect-chatbot:problem:${tag}`, title: tag, status, detail, ...fields },
    {
      status,
      headers: { "content-type": "application/problem+json" }
    }
  )

/** A page of a list. */
export const page = (...items: ReadonlyArray<unknown>) => ({
  items,
  pageNumber: 1,
  pageSize: 20,
  totalPageCount: 1,
  totalItemCount: items.length,
  hasPrevious: false,
  hasNext: false
})

/** A backend with one open bot that says back what it is asked. */
export const echo: Routes = {
  "GET /api/chats/OpenChatBotId": () => ({ openChatBotId: "echo", isPublic: true }),
  "POST /api/chats": ({ botId }) => ({
    chatId: "chat-1",
    botId,
    botDisplayName: "Echo",
    botDisplayMessage: "I say what you say.",
    botSampleQuestion1: "Is anybody there?",
    botSampleQuestion2: "What did you say?"
  }),
  "POST /api/chats/chat-1/completions": ({ userMessage }) => ({
    completionId: "completion-1",
    chatId: "chat-1",
    botId: "echo",
    botDisplayName: "Echo",
    userMessage,
    assistantMessage: `You said:\n${String(userMessage)}`
  })
}

const utf8 = new TextDecoder()

/** The real client over a transport that answers by `routes`; `requests` fills with method and path of each request. */
export const backend = (routes: Routes) => {
  const requests: Array<string> = []
  const transport = HttpClient.make((request, url) =>
    Effect.sync(() => {
      const name = `${request.method} ${url.pathname}`
      requests.push(name)
      const body = request.body._tag === "Uint8Array" ? JSON.parse(utf8.decode(request.body.body)) : {}
      const answer = routes[name]?.(body)
      return HttpClientResponse.fromWeb(
        request,
        answer instanceof Response
          ? answer
          : answer === undefined
            ? problem("BotNotFound", 404, "There is no such bot.")
            : Response.json(answer)
      )
    })
  )
  const client = ChatbotClient.layer({ baseUrl: "http://chatbot.test", token: "secret" }).pipe(
    Layer.provide(Layer.succeed(HttpClient.HttpClient, transport))
  )
  const backend = Layer.succeed(Backend, {
    baseUrl: "http://chatbot.test",
    token: Option.none(),
    isTemporary: false,
    lost: Effect.never
  })
  return { layer: Layer.merge(client, backend), requests }
}

/** A screen without colours, of 80 columns by default; `text` gives what was shown. */
export const screen = (options: { readonly canAnimate?: boolean; readonly columns?: number } = {}) => {
  let shown = ""
  const show = (text: string) => Effect.sync(() => void (shown += text))
  const layer = Layer.succeed(Screen, {
    style: Render.plain,
    canAnimate: options.canAnimate ?? false,
    columns: Effect.succeed(options.columns ?? 80),
    show,
    lines: (...lines) => show(lines.map((line) => `${line}\n`).join(""))
  })
  return { layer, text: () => shown, lines: () => shown.split("\n") }
}

/** A person who types these lines and leaves. */
export const keyboard = (...lines: ReadonlyArray<string>) => {
  const left = [...lines]
  return Layer.succeed(Keyboard, { ask: () => Effect.sync(() => Option.fromUndefinedOr(left.shift())) })
}

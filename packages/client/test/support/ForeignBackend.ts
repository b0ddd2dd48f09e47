/**
 * A backend as the ASP.NET original of the contract is one: it writes texts, nothing, flags, times and problems as that framework does, and
 * knows nothing of what this project adds. It is made from the documents of the contract alone, and uses nothing of the packages.
 */
import * as Effect from "effect/Effect"
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

type Json = boolean | number | string | null | undefined | ReadonlyArray<Json> | Dto

interface Dto {
  readonly [field: string]: Json
}

/** How answers are written, where versions and configurations of the framework differ. */
export interface Mood {
  /** What becomes of the fields that an answer can do without. Where that leaves nothing and they are `null`, the answer is 204. */
  readonly fields: "all" | "null" | "missing"
  /** The type of objects, which is negotiated. */
  readonly json: string
  readonly byteOrderMark: boolean
  /** Whether a bare text is written as it is; else it is JSON. */
  readonly isTextBare: boolean
  readonly truth: { readonly type: string; readonly body: string }
  /** The status of an answer that has nothing to say. */
  readonly nothing: 200 | 204
}

/** An answer as it is sent. */
export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A request as it came. */
export interface Asked {
  readonly method: string
  /** As it stands in the request line, with its query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Times as the framework writes those of several kinds: up to seven digits, and an offset only where it knows one. */
export const times = {
  created: "2026-01-02T03:04:05.1234567",
  accessed: "2026-01-02T04:04:06.250+01:00",
  asked: "2026-01-02T03:04:07"
}

/** What there is at the beginning. */
export const seed = {
  botId: "bot 1",
  botCode: "guide",
  chatId: "chat/1",
  completionId: "c?1",
  openAiServiceId: "s#1",
  userSystemMessageId: "ü1",
  path: "docs/a b?.md",
  ticket: "t&1"
}

/** The id under which the backend has logged a request. */
export const traceId = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"

const titles: Readonly<Record<number, string>> = {
  400: "One or more validation errors occurred.",
  404: "Not Found",
  415: "Unsupported Media Type"
}

/** A problem of the framework's own; one of status 400 quotes what it was sent. */
export const problem = (status: number, errors?: Readonly<Record<string, ReadonlyArray<string>>>): Reply => ({
  status,
  headers: { "content-type": "application/problem+json; charset=utf-8" },
  body: JSON.stringify({
    type: "https://tools.ietf.org/html/rfc9110#section-15.5",
    title: titles[status] ?? "An error occurred while processing your request.",
    status,
    detail: null,
    errors,
    traceId
  })
})

/** A page of what stands before the backend. */
export const html = (status: number, text: string): Reply => ({
  status,
  headers: { "content-type": "text/html; charset=utf-8", server: "nginx" },
  body: `<html>\r\n<head><title>${text}</title></head>\r\n<body><h1>${text}</h1></body>\r\n</html>\r\n`
})

/** A status and no more. */
export const bare = (status: number): Reply => ({
  status,
  headers: { "content-length": "0", ...(status === 401 ? { "www-authenticate": "Bearer" } : undefined) }
})

const notFound = problem(404)
const invalid = (field: string) => problem(400, { [field]: [`The ${field} field is required.`] })

interface Completion {
  readonly completionId: string
  readonly userMessage: string
  readonly assistantMessage: string
}

interface Chat {
  readonly chatId: string
  readonly botId: string
  displayName: string
  isFavorite: boolean
  userSystemMessageId: string | undefined
  completions: Array<Completion>
}

interface Named {
  displayName: string
  readonly [field: string]: Json
}

/** What an action is given: the parameters of its path in their order, the query and the body. */
interface Request {
  readonly path: ReadonlyArray<string>
  readonly query: ReadonlyMap<string, string>
  readonly body: Dto
}

type Action = (request: Request) => Reply

/** The actions of the backend, by their routes as the document has them, over a state of their own. */
const actionsOf = (mood: Mood): Readonly<Record<string, Action>> => {
  let made = 0
  const newId = (kind: string) => `${kind}-${++made}`
  const chats = new Map<string, Chat>()
  const messages = new Map<string, Named>()
  const services = new Map<string, Named>()
  const tickets = new Set([seed.ticket])
  let status = "up"
  let user: Dto = { isTermsAccepted: false, isKeepChatHistory: true, keepChatHistoryForDays: 30 }

  const mark = mood.byteOrderMark ? "\ufeff" : ""
  const json = (value: Json): Reply => ({
    status: 200,
    headers: { "content-type": mood.json },
    body: mark + JSON.stringify(value)
  })
  /** An object: what it cannot do without, and the rest. */
  const dto = (needed: Dto, rest: Dto): Dto => ({
    ...(mood.fields === "all"
      ? rest
      : mood.fields === "null"
        ? Object.fromEntries(Object.keys(rest).map((field) => [field, null]))
        : {}),
    ...needed
  })
  const object = (needed: Dto, rest: Dto): Reply =>
    mood.fields === "null" && Object.keys(needed).length === 0 ? { status: 204 } : json(dto(needed, rest))
  const text = (value: string): Reply =>
    mood.isTextBare
      ? { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: mark + value }
      : json(value)
  const nothing: Reply = mood.nothing === 204 ? { status: 204 } : bare(200)

  const bot = { botDisplayName: "Guide", botDisplayMessage: "Hello!", botDescription: "Knows the product." }
  const greeting = { ...bot, botSampleQuestion1: "What is a page?", botSampleQuestion2: null }
  const botItem = dto(
    { botId: seed.botId },
    {
      code: seed.botCode,
      displayName: "Guide",
      displayMessage: "Hello!",
      sampleQuestion1: "What is a page?",
      sampleQuestion2: null,
      description: "Knows the product.",
      modelName: "gpt-4o",
      isStartBot: true,
      createdUtc: times.created,
      updatedUtc: times.accessed
    }
  )

  const page = (all: Iterable<Json>, { query }: Request): Reply => {
    const items = [...all]
    const size = Number(query.get("pagesize") ?? 20)
    const number = Number(query.get("pagenumber") ?? 1)
    if (!Number.isInteger(size)) return problem(400, { PageSize: ["The value is not valid."] })
    if (!Number.isInteger(number)) return problem(400, { PageNumber: ["The value is not valid."] })
    const pages = Math.ceil(items.length / size)
    const shown = items.slice((number - 1) * size, number * size)
    return json(
      dto(shown.length === 0 ? {} : { items: shown }, {
        pageNumber: number,
        totalPageCount: pages,
        pageSize: size,
        totalItemCount: items.length,
        hasPrevious: number > 1,
        hasNext: number < pages,
        items: shown
      })
    )
  }

  const nameOf = (messageId: string | undefined) => messages.get(messageId ?? "")?.displayName ?? null
  const metaData = { tags: ["answer"], sources: [{ id: "d-1", fileName: "a b?.md", url: null, language: null }] }

  const chatItem = ({ botId, chatId, displayName, isFavorite, userSystemMessageId: messageId }: Chat) =>
    dto(
      { chatId },
      {
        displayName,
        lastAccessedUtc: times.accessed,
        botId,
        botDisplayName: "Guide",
        userSystemMessageId: messageId ?? null,
        userSystemMessageDisplayName: nameOf(messageId),
        isFavorite
      }
    )

  const newChat = (botId: string, chatId = newId("chat")): Chat => {
    const chat = {
      chatId,
      botId,
      displayName: "New chat",
      isFavorite: false,
      userSystemMessageId: undefined,
      completions: []
    }
    chats.set(chatId, chat)
    return chat
  }
  const created = ({ botId, chatId }: Chat) =>
    json(dto({ chatId }, { botId, ...greeting, isUserSystemMessageSupported: true }))

  /** Does something with the chat that a path names. */
  const inChat =
    (use: (chat: Chat, request: Request) => Reply): Action =>
    (request) => {
      const chat = chats.get(request.path[0]!)
      return chat === undefined ? notFound : use(chat, request)
    }
  const deleteChats = (which: (chat: Chat) => boolean, keepFavorites = ""): Reply => {
    // A flag in a path is read in any case.
    if (!/^(true|false)$/i.test(keepFavorites)) return problem(400, { keepfavorites: ["The value is not valid."] })
    for (const chat of chats.values()) {
      if (which(chat) && !(chat.isFavorite && /^t/i.test(keepFavorites))) chats.delete(chat.chatId)
    }
    return nothing
  }
  const listChats = (which: (chat: Chat) => boolean, request: Request): Reply => {
    const onlyFavorites = /^true$/i.test(request.query.get("onlyfavorites") ?? "")
    return page(
      [...chats.values()].filter((chat) => which(chat) && (chat.isFavorite || !onlyFavorites)).map(chatItem),
      request
    )
  }
  const deleteChat = inChat(({ chatId }) => {
    chats.delete(chatId)
    return nothing
  })
  const edit =
    (all: Map<string, Named>): Action =>
    ({ body, path }) => {
      const id = path[0]!
      if (!all.has(id)) return notFound
      all.set(id, { displayName: "", ...all.get(id), ...body })
      return nothing
    }
  const remove =
    (all: Map<string, unknown>): Action =>
    ({ path }) =>
      all.delete(path[0]!) ? nothing : notFound

  messages.set(seed.userSystemMessageId, { displayName: "Short", systemMessage: "Be brief." })
  services.set(seed.openAiServiceId, { displayName: "Azure", isActive: true, azureOpenAiEndpoint: "https://e" })
  const first = newChat(seed.botId, seed.chatId)
  first.userSystemMessageId = seed.userSystemMessageId
  first.completions.push({
    completionId: seed.completionId,
    userMessage: "What is a page?",
    assistantMessage: "A part of a list."
  })

  return {
    "GET /api/admin/openAiServices": (request) =>
      page(
        [...services].map(([id, { displayName, isActive }]) => dto({ id }, { displayName, isActive })),
        request
      ),
    "POST /api/admin/openAiServices": ({ body }) => {
      const id = newId("service")
      services.set(id, { displayName: "", ...body })
      return text(id)
    },
    "GET /api/admin/openAiServices/{openAiServiceId}": ({ path }) => {
      const service = services.get(path[0]!)
      if (service === undefined) return notFound
      const { azureOpenAiEndpoint, displayName, isActive } = service
      return object({}, { displayName, isActive, isAzureOpenAiSet: true, azureOpenAiEndpoint })
    },
    "PUT /api/admin/openAiServices/{openAiServiceId}": edit(services),
    "DELETE /api/admin/openAiService/{openAiServiceId}": remove(services),

    "POST /api/bots/{botId}/search": ({ body }) => (body["userMessage"] ? text(seed.botId) : invalid("UserMessage")),
    "GET /api/bots": (request) => page([botItem], request),
    "GET /api/bots/bystartbot/{startBotId}": (request) => page([botItem], request),
    "GET /api/bots/startbots": (request) => page([botItem], request),
    "GET /api/bots/botimage/{botId}": ({ path }) =>
      path[0] === seed.botId ? { status: 200, headers: { "content-type": "image/png" }, body: "png" } : notFound,
    "GET /api/bots/stop": () => ({ status: 200, headers: { "content-type": mood.truth.type }, body: mood.truth.body }),

    "DELETE /cache": () => object({}, {}),

    "POST /api/chats": ({ body }) => (body["botId"] === seed.botId ? created(newChat(seed.botId)) : notFound),
    "POST /api/chats/create/bybotcode": ({ body }) =>
      body["botCode"] === seed.botCode ? created(newChat(seed.botId)) : notFound,
    "POST /api/chats/{chatId}/completions": inChat((chat, { body: { userMessage } }) => {
      if (typeof userMessage !== "string" || userMessage === "") return invalid("UserMessage")
      const completionId = newId("completion")
      const assistantMessage = `You said: ${userMessage}`
      chat.completions.push({ completionId, userMessage, assistantMessage })
      chat.displayName = userMessage
      return json(
        dto(
          { completionId },
          {
            chatId: chat.chatId,
            userMessage,
            assistantMessage,
            promptTokens: 3,
            completionTokens: 2,
            totalTokens: 5,
            botId: chat.botId,
            ...bot,
            chatDisplayName: chat.displayName,
            metaData,
            traceLog: null
          }
        )
      )
    }),
    "GET /api/chats/{chatId}": inChat(({ completions, displayName, ...chat }) =>
      json(
        dto(
          {
            chatId: chat.chatId,
            ...(completions.length === 0
              ? undefined
              : {
                  completions: completions.map(({ completionId, ...asked }) =>
                    dto({ completionId }, { ...asked, createdUtc: times.asked, metaData })
                  )
                })
          },
          {
            displayName,
            createdUtc: times.created,
            lastAccessedUtc: times.accessed,
            botId: chat.botId,
            ...greeting,
            completions: [],
            isFavorite: chat.isFavorite,
            isUserSystemMessageSupported: true,
            userSystemMessageId: chat.userSystemMessageId ?? null,
            userSystemMessageDisplayName: nameOf(chat.userSystemMessageId)
          }
        )
      )
    ),
    "DELETE /api/chats/{chatId}": deleteChat,
    "POST /api/chats/{chatId}/feedback": inChat(() => json({ feedbackId: newId("feedback") })),
    "GET /api/chats/OpenChatBotId": () => object({}, { openChatBotId: seed.botId, isPublic: true }),
    "PUT /api/chats/{chatId}/displayName": inChat((chat, { body: { displayName } }) => {
      chat.displayName = String(displayName)
      return nothing
    }),
    "PUT /api/chats/{chatId}/userSystemMessage": inChat((chat, { body: { userSystemMessageId } }) => {
      if (typeof userSystemMessageId !== "string" || !messages.has(userSystemMessageId)) return notFound
      chat.userSystemMessageId = userSystemMessageId
      return nothing
    }),
    "DELETE /api/chats/{chatId}/userSystemMessage": inChat((chat) => {
      chat.userSystemMessageId = undefined
      return nothing
    }),
    "POST /api/chats/{chatId}/tickets": inChat(() => {
      const ticket = newId("ticket")
      tickets.add(ticket)
      return text(ticket)
    }),
    "GET /api/chats/{chatId}/downloads/{path}": inChat((_, { path, query }) => {
      if (!tickets.delete(query.get("ticket") ?? "")) return bare(401)
      if (path[1] !== seed.path) return notFound
      return {
        status: 200,
        headers: {
          "content-type": "text/markdown",
          "content-disposition": "attachment; filename=a_b.md; filename*=UTF-8''a%20b%3F.md"
        },
        body: "# A page"
      }
    }),

    "PUT /api/statistic": () => nothing,
    "GET /api/statistic/tokenUsageStatistic": (request) =>
      page(
        [
          dto(
            {},
            {
              requestDate: "2026-01-02T00:00:00",
              botId: seed.botId,
              botDisplayName: "Guide",
              tokenUsageTypeId: 17,
              userCount: 1,
              requestCount: 2,
              promptTokens: 30,
              completionTokens: 12,
              totalTokens: 42
            }
          )
        ],
        request
      ),

    "GET /api/System/status/current": () => object({}, { value: status }),
    "PUT /api/System/status/current": ({ body: { value } }) => {
      status = String(value)
      return nothing
    },

    "GET /api/users/current": () =>
      json(dto({ id: 7 }, { login: "ann", roles: ["User"], isKeepFavoritesForever: true, ...user })),
    "PUT /api/users/current": ({ body }) => {
      user = { ...user, ...body }
      return nothing
    },
    "PUT /api/users/current/acceptTerms": () => {
      user = { ...user, isTermsAccepted: true }
      return nothing
    },
    "DELETE /api/users/current/chats/all/{keepfavorites}": ({ path }) => deleteChats(() => true, path[0]),
    "DELETE /api/users/current/chats/byid/{chatid}": deleteChat,
    "DELETE /api/users/current/chats/{chatid}/completion/{completionid}": inChat((chat, { path }) => {
      const left = chat.completions.filter(({ completionId }) => completionId !== path[1])
      if (left.length === chat.completions.length) return notFound
      chat.completions = left
      return nothing
    }),
    "DELETE /api/users/current/chats/bybot/{botid}/{keepfavorites}": ({ path }) =>
      deleteChats(({ botId }) => botId === path[0], path[1]),
    "DELETE /api/users/current/chats/bybot/{botid}/{systemmessageid}/{keepfavorites}": ({ path }) =>
      deleteChats((chat) => chat.botId === path[0] && chat.userSystemMessageId === path[1], path[2]),
    "GET /api/users/current/chats/{botid}": (request) => listChats(({ botId }) => botId === request.path[0], request),
    "GET /api/users/current/chats/{botid}/{usersystempromptid}": (request) =>
      listChats((chat) => chat.botId === request.path[0] && chat.userSystemMessageId === request.path[1], request),
    "GET /api/users/current/chats": (request) => listChats(() => true, request),
    "PUT /api/users/current/chats/{chatid}/isfavorite": inChat((chat, { body: { isFavorite } }) => {
      chat.isFavorite = isFavorite === true
      return nothing
    }),
    "GET /api/users/current/userSystemMessage": (request) =>
      page(
        [...messages].map(([userSystemMessageId, { displayName }]) => dto({ userSystemMessageId }, { displayName })),
        request
      ),
    "POST /api/users/current/userSystemMessage": ({ body }) => {
      const id = newId("message")
      messages.set(id, { displayName: "", ...body })
      return text(id)
    },
    "GET /api/users/current/userSystemMessage/{userSystemMessageId}": ({ path }) => {
      const [userSystemMessageId = ""] = path
      const message = messages.get(userSystemMessageId)
      return message === undefined ? notFound : json(dto({ userSystemMessageId }, message))
    },
    "PUT /api/users/current/userSystemMessage/{userSystemMessageId}": edit(messages),
    "DELETE /api/users/current/userSystemMessage/{userSystemMessageId}": remove(messages),
    "GET /api/users/current/userSystemMessageCount": () => object({}, { systemMessageCount: messages.size })
  }
}

/** Routes match in any case; of several, that with the literal where the other has a parameter. */
const routesOf = (actions: Readonly<Record<string, Action>>) =>
  Object.entries(actions)
    .map(([route, action]) => {
      const pattern = route.replace("{path}", "(.+)").replaceAll(/\{\w+\}/g, "([^/]+)")
      return { action, pattern: new RegExp(`^${pattern}$`, "i"), rank: route.replaceAll(/\{\w+\}/g, "\uffff") }
    })
    .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))

const answerTo = (routes: ReturnType<typeof routesOf>, { body, headers, method, url }: Asked): Reply => {
  const [path = "", query = ""] = url.split("?")
  const hasLength = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined
  // The web server in front of it wants that of these two, with a body or without.
  if (/^(POST|PUT)$/.test(method) && !hasLength) return html(411, "Length Required")
  for (const { action, pattern } of routes) {
    const match = pattern.exec(`${method} ${path}`)
    if (match === null) continue
    if (body !== "" && !/^(application|text)\/([\w.-]+\+)?json\b/.test(headers["content-type"] ?? ""))
      return problem(415)
    return action({
      path: match.slice(1).map(decodeURIComponent),
      query: new Map([...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value])),
      body: body === "" ? {} : JSON.parse(body)
    })
  }
  // A route that there is not has no problem.
  return bare(404)
}

const send = (reply: Reply, response: ServerResponse) => {
  response.writeHead(reply.status, reply.headers)
  response.end(reply.body)
}

const bodyOf = (incoming: IncomingMessage, then: (body: string) => void) => {
  const chunks: Array<Buffer> = []
  incoming.on("data", (chunk) => chunks.push(chunk))
  incoming.on("end", () => then(Buffer.concat(chunks).toString()))
}

/** The routes of the backend, as the document has them. */
export const routes = (mood: Mood): ReadonlyArray<string> => Object.keys(actionsOf(mood))

/** A backend on a free port, with a state of its own. */
export const foreignBackend = (mood: Mood) =>
  Effect.gen(function* () {
    const routes = routesOf(actionsOf(mood))
    const asked: Array<Asked> = []
    let instead: ((asked: Asked) => Reply | "lost" | undefined) | undefined
    const server = createServer((incoming, response) =>
      bodyOf(incoming, (body) => {
        const { headers, method = "", url = "" } = incoming
        const request = { method, url, headers, body }
        asked.push(request)
        const other = instead?.(request)
        const reply = typeof other === "object" ? other : answerTo(routes, request)
        if (other === "lost") response.destroy()
        else send(reply, response)
      })
    )
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return {
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      /** What it was asked, the first first. */
      asked,
      /** From now on it answers this where it is something; what is `lost` is done, and the answer does not come. */
      answerInstead: (reply: typeof instead) => {
        instead = reply
      }
    }
  })

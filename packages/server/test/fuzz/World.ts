/** What the texts between `§` stand for: things of a user, of an admin and of nobody, made over the API. */
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { type Options, sendTo } from "../support/raw.ts"

/** What there is. */
export interface World {
  /** Makes everything anew, for what was made before may have been deleted. Dies when the backend refuses that. */
  readonly refresh: Effect.Effect<void>
  /** A text with what stands between `§` replaced; also one of bytes, a character each. */
  readonly fill: (text: string) => string
}

/** The world of a backend whose admin and whose user have these tokens. */
export const make = (baseUrl: string, tokens: { readonly admin: string; readonly user: string }): World => {
  const things = new Map<string, string>([
    ["admin.token", tokens.admin],
    ["user.token", tokens.user],
    ["user.login", "fuzz"]
  ])
  let made = 0

  const call = Effect.fnUntraced(function* (method: string, path: string, options: Options) {
    const answer = yield* sendTo(baseUrl, method, path, options)
    if (answer.status !== 200) return yield* Effect.die(new Error(`${method} ${path}: ${answer.status} ${answer.text}`))
    return answer.text === "" ? undefined : answer.json()
  })

  const refresh = Effect.gen(function* () {
    const [admin, user] = [{ token: tokens.admin }, { token: tokens.user }]
    yield* call("PUT", "/api/admin/bots/stop/false", admin)
    const bot = (isPublic: boolean, implementationType: string) => {
      const code = `fuzz-${++made}`
      const body = { code, displayNameTv: { value: "Fuzz" }, isActive: true, isPublic, implementationType }
      return Effect.map(call("POST", "/api/admin/bots", { ...admin, body }), ({ botId }) => ({ code, botId }))
    }
    const [theirs, hidden, start] = [yield* bot(true, "Facts"), yield* bot(false, "Facts"), yield* bot(true, "Start")]
    const at = `/api/admin/bots/${hidden.botId}`
    const fact = { factText: "Zebras are striped.", isActive: true }
    const { botFactId } = yield* call("POST", `${at}/facts`, { ...admin, body: fact })
    yield* call("POST", `/api/admin/bots/${start.botId}/bots/${hidden.botId}`, { ...admin, body: {} })
    const service = { displayName: "Fuzz", isActive: true, azureOpenAiEndpoint: "http://127.0.0.1:9" }
    things.set("admin.service", yield* call("POST", "/api/admin/openAiServices", { ...admin, body: service }))

    const message = { displayName: "Brief", systemMessage: "Be brief." }
    for (const [who, options, named] of [
      ["user", user, { botCode: "client" }],
      ["admin", admin, { botCode: hidden.code }],
      ["nobody", {}, { botCode: "guide" }]
    ] as const) {
      const { botId, chatId } = yield* call("POST", "/api/chats/create/bybotcode", { ...options, body: named })
      const chat = `/api/chats/${chatId}`
      const body = { userMessage: "How do I page through a list?" }
      const { completionId, metaData } = yield* call("POST", `${chat}/completions`, { ...options, body })
      const said = { voteId: 1, userComment: "Fuzz" }
      const { feedbackId } = yield* call("POST", `${chat}/feedback`, { ...options, body: said })
      things.set(`${who}.chat`, chatId)
      things.set(`${who}.completion`, completionId)
      things.set(`${who}.feedback`, feedbackId)
      things.set(`${who}.bot`, botId)
      things.set(`${who}.ticket`, yield* call("POST", `${chat}/tickets`, options))
      things.set(`${who}.path`, String(metaData.sources[0]?.url ?? "").split("/downloads/")[1] ?? "nothing.md")
      if (who === "nobody") continue
      things.set(
        `${who}.message`,
        yield* call("POST", "/api/users/current/userSystemMessage", { ...options, body: message })
      )
    }
    things.set("user.bot", theirs.botId)
    things.set("user.botCode", theirs.code)
    things.set("user.feedback", things.get("admin.feedback") ?? "")
    things.set("admin.botCode", hidden.code)
    things.set("admin.botFact", botFactId)
    things.set("admin.startBot", start.botId)
    things.set("missing", randomUUID())
  })

  const fill = (text: string) =>
    text.replaceAll(/\u00c2?\u00a7([a-z]+(?:\.[a-zA-Z]+)?)\u00c2?\u00a7/g, (_, name: string) =>
      name === "new" ? `new-${++made}` : (things.get(name) ?? name)
    )

  return { refresh, fill }
}

/** A bot of a backend in a process of its own, answered by a model at some provider. */
import * as Effect from "effect/Effect"
import { sendTo } from "./raw.ts"

/** How the bot is set up. */
export interface Options {
  readonly baseUrl: string
  /** The token of an admin. */
  readonly token: string
  /** Where the provider is. */
  readonly provider: string
  readonly apiKey?: string
  readonly baseSystemMessage?: string
}

const post = ({ baseUrl, token }: Pick<Options, "baseUrl" | "token">, path: string, body: unknown) =>
  Effect.flatMap(sendTo(baseUrl, "POST", path, { token, body }), (answer) =>
    answer.status === 200 ? Effect.sync(answer.json) : Effect.die(new Error(`${path}: ${answer.text}`))
  )

/** Makes the bot `model`, open to everybody. */
export const makeBot = Effect.fnUntraced(function* (options: Options) {
  const openAiServiceId = yield* post(options, "/api/admin/openAiServices", {
    displayName: "Models",
    isActive: true,
    azureOpenAiEndpoint: options.provider,
    azureOpenAiApiKey: options.apiKey ?? "sk-a-key-of-the-tests"
  })
  yield* post(options, "/api/admin/bots", {
    code: "model",
    displayNameTv: { value: "Model" },
    isActive: true,
    isPublic: true,
    implementationType: "Facts",
    baseSystemMessage: options.baseSystemMessage ?? "Answer.",
    openAiServiceId,
    modelName: "llama3.2"
  })
})

/** A new chat with the bot; its id. */
export const makeChat = (options: Pick<Options, "baseUrl" | "token">): Effect.Effect<string> =>
  Effect.map(post(options, "/api/chats/create/bybotcode", { botCode: "model" }), ({ chatId }) => chatId)

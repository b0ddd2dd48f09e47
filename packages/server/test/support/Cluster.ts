/** Several processes on one PostgreSQL, with bots that answer through a provider which the test leads word by word. */
import * as Base64 from "effect/encoding/Base64"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import type { Socket } from "node:net"
import * as FakeProvider from "./FakeProvider.ts"
import { sendTo } from "./raw.ts"
import * as ServerProcess from "./ServerProcess.ts"
import { postgresUrl } from "./TestDatabase.ts"

/** The token of an admin. */
export const token = "a-token-of-our-own"

const secretKey = Base64.encode(new Uint8Array(32).fill(9))

/** A process of the cluster. */
export interface Member extends ServerProcess.ServerProcess {
  readonly url: string
}

/** A database, and how to start processes on it. */
export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const databaseUrl = yield* postgresUrl()
  const botsDir = yield* ServerProcess.dataDir
  yield* fs.makeDirectory(`${botsDir}/helper`)
  yield* fs.writeFileString(
    `${botsDir}/helper/bot.yaml`,
    "code: helper\nimplementationType: Facts\ndisplayName: Helper\nisPublic: true\nfacts:\n  - A ticket opens one download.\n"
  )
  const env = (dataDir: string): Record<string, string> => ({
    CHATBOT_PORT: "0",
    CHATBOT_DATA_DIR: dataDir,
    CHATBOT_BOTS_DIR: botsDir,
    CHATBOT_ADMIN_TOKEN: token,
    CHATBOT_LOG_LEVEL: "Error",
    CHATBOT_DATABASE_URL: Redacted.value(databaseUrl),
    CHATBOT_DATABASE_CONNECTIONS: "8",
    CHATBOT_CLUSTER: "true",
    CHATBOT_SECRET_KEY: secretKey
  })
  /** Starts a process. */
  const begin = (more: Record<string, string> = {}) =>
    Effect.flatMap(ServerProcess.dataDir, (dataDir) => ServerProcess.start({ ...env(dataDir), ...more }))
  /** Starts a process, and waits until it listens. */
  const start = (more?: Record<string, string>) =>
    Effect.gen(function* () {
      const server = yield* begin(more)
      return { ...server, url: yield* server.listening } satisfies Member
    })
  return { databaseUrl, env, begin, start }
})

const call = (method: string, url: string, path: string, body?: unknown) =>
  Effect.map(sendTo(url, method, path, { token, body }), (answer) => {
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.text === "" ? undefined : answer.json()
  })

/** Calls a process as the admin, and dies unless the answer is 200. */
export const get = (member: Member, path: string) => call("GET", member.url, path)
export const post = (member: Member, path: string, body: unknown) => call("POST", member.url, path, body)
export const put = (member: Member, path: string, body?: unknown) => call("PUT", member.url, path, body)
export const del = (member: Member, path: string) => call("DELETE", member.url, path)

/** Runs `pnpm access-token` beside the processes, and gives what it prints. */
export const accessToken = (cluster: Effect.Success<typeof make>, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { code, stderr, stdout } = yield* ServerProcess.accessToken(
      cluster.env(yield* ServerProcess.dataDir),
      ...args
    )
    if (code !== 0) return yield* Effect.die(new Error(stderr))
    return stdout
  })

/** What the provider is about to say to one question. */
export interface Asked {
  readonly question: string
  /** 1 for the first time this question was asked. */
  readonly time: number
  readonly key: string
  /** Says words of the answer. */
  readonly say: (...words: ReadonlyArray<string>) => void
  /** Says the last of the answer. */
  readonly finish: () => void
  readonly socket: Socket
  /** Waits until nobody listens any more. */
  readonly gone: Effect.Effect<void>
}

/** A provider that begins every answer as the test says, and a bot that answers through it. */
export const model = Effect.fnUntraced(function* (member: Member, begin: (asked: Asked) => void) {
  const provider = yield* FakeProvider.make
  const asked: Array<Asked> = []
  const waiting = new Set<() => void>()
  /** What was asked with this question, so many times; waits for it. */
  const askedFor = (question: string, time = 1) =>
    Effect.callback<Asked>((resume) => {
      const look = () => {
        const found = asked.find((one) => one.question === question && one.time === time)
        if (found === undefined) return
        waiting.delete(look)
        resume(Effect.succeed(found))
      }
      waiting.add(look)
      look()
      return Effect.sync(() => waiting.delete(look))
    })
  provider.answer((socket, { body, headers }) => {
    const question = String(body.messages.at(-1).content)
    const one: Asked = {
      question,
      time: asked.filter((other) => other.question === question).length + 1,
      key: String(headers["authorization"]),
      socket,
      gone: Effect.callback<void>((resume) => {
        if (socket.destroyed) return resume(Effect.void)
        socket.once("close", () => resume(Effect.void))
      }),
      say: (...words) => {
        socket.write(words.map((content) => FakeProvider.chunk({ content })).join(""))
      },
      finish: () => {
        socket.end(`${FakeProvider.chunk({}, "stop")}${FakeProvider.usage(11, 7)}${FakeProvider.event("[DONE]")}`)
      }
    }
    asked.push(one)
    socket.write(FakeProvider.eventsHead)
    begin(one)
    for (const look of Array.from(waiting)) look()
  })
  const openAiServiceId = yield* post(member, "/api/admin/openAiServices", {
    displayName: "Models",
    isActive: true,
    azureOpenAiEndpoint: `${provider.url}/v1`,
    azureOpenAiApiKey: "sk-first"
  })
  const { botId } = yield* post(member, "/api/admin/bots", {
    code: "model",
    displayNameTv: { value: "Model" },
    isActive: true,
    isPublic: true,
    implementationType: "Facts",
    openAiServiceId,
    modelName: "llama3.2"
  })
  return { provider, asked, askedFor, botId: String(botId), openAiServiceId: String(openAiServiceId) }
})

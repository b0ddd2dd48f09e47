import * as ChatbotMcp from "@effect-chatbot/ai/ChatbotMcp"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import { assert, describe, it, layer } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { served, server } from "./support/Sockets.ts"

const program = fileURLToPath(new URL("../src/mcp.ts", import.meta.url))

const seed: ChatbotTest.Options = {
  bots: {
    payments: {
      displayName: "Payments",
      description: "All about paying",
      documents: { "cards.md": "# Cards\n\nWe take cards." }
    },
    guide: { displayName: "Guide", links: { payments: ["cards"] } },
    secret: { isPublic: false }
  },
  chats: { other: { bot: "payments", user: "grace", questions: ["Mine?"] } },
  answers: ({ history, userMessage }) => {
    if (userMessage === "fail") return Stream.die(new Error("a defect"))
    return { text: `${history.length}: ${userMessage}`, sources: userMessage === "Cards?" ? ["cards.md"] : [] }
  }
}

/** What a promise of the SDK was rejected with. */
class Rejected extends Data.TaggedError("Rejected")<{ readonly message: string }> {}

/** A call of the SDK, which is cancelled when it is interrupted. */
const sdk = <A>(call: (signal: AbortSignal) => Promise<A>) =>
  Effect.tryPromise({
    try: call,
    catch: (error) => new Rejected({ message: error instanceof Error ? error.message : String(error) })
  })

/** A client of the SDK, as an agent has one. */
class Agent extends Context.Service<Agent, Client>()("test/Agent") {
  static readonly over = (transport: StdioClientTransport | StreamableHTTPClientTransport) =>
    Effect.acquireRelease(
      Effect.gen(function* () {
        const client = new Client({ name: "test", version: "1.0.0" })
        // The types of the SDK are not made for `exactOptionalPropertyTypes`.
        yield* Effect.orDie(sdk(() => client.connect(transport as never)))
        return client
      }),
      (client) => Effect.ignore(sdk(() => client.close()))
    )

  /** Over a real child process. */
  static readonly stdio = Layer.effect(
    Agent,
    Effect.gen(function* () {
      const { baseUrl, tokenOf } = yield* ChatbotTest.Backend
      return yield* Agent.over(
        new StdioClientTransport({
          command: process.execPath,
          args: [program],
          env: { CHATBOT_BASE_URL: baseUrl, CHATBOT_TOKEN: Redacted.value(yield* tokenOf("user")) }
        })
      )
    })
  )

  /** Over HTTP, with the token that this client has. */
  static readonly http = Layer.effect(
    Agent,
    Effect.gen(function* () {
      const { tokenOf } = yield* ChatbotTest.Backend
      return yield* Endpoint.agent(`Bearer ${Redacted.value(yield* tokenOf("user"))}`)
    })
  )
}

/** The MCP server over HTTP. */
class Endpoint extends Context.Service<Endpoint, string>()("test/Endpoint") {
  static readonly layer = Layer.effect(
    Endpoint,
    Effect.map(HttpServer.HttpServer, ({ address }) => `${HttpServer.formatAddress(address)}/mcp`)
  ).pipe(
    Layer.provideMerge(
      Layer.unwrap(
        Effect.map(ChatbotTest.Backend, ({ baseUrl }) =>
          HttpRouter.serve(ChatbotMcp.layerHttp({ baseUrl }), { disableLogger: true, disableListenLog: true })
        )
      )
    ),
    Layer.provide([Layer.fresh(server), NodeTransport.layer])
  )

  static readonly agent = (authorization: string | undefined) =>
    Effect.flatMap(Endpoint, (url) =>
      Agent.over(
        new StreamableHTTPClientTransport(new URL(url), {
          requestInit: { headers: authorization === undefined ? {} : { authorization } }
        })
      )
    )
}

/** What the tools answer, all of them together. */
interface Value {
  readonly answer: string
  readonly botDisplayName: string
  readonly bots: ReadonlyArray<{ readonly code: string }>
  readonly chatId: string
  readonly chats: ReadonlyArray<object>
  readonly code: string
  readonly completionId: string
  readonly completions: ReadonlyArray<object>
  readonly description: string
  readonly displayName: string
  readonly isComplete: boolean
  readonly questionCount: number
  readonly sources: ReadonlyArray<{ readonly fileName: string }>
  readonly totalItemCount: number
}

const callAs = (client: Client, name: string, args: Record<string, unknown> = {}) =>
  Effect.map(
    sdk((signal) => client.callTool({ name, arguments: args }, undefined, { signal })),
    (result) => {
      const [content] = result.content as ReadonlyArray<{ readonly text: string }>
      return { isError: result.isError === true, text: content?.text ?? "", value: result.structuredContent as Value }
    }
  )

const call = (name: string, args?: Record<string, unknown>) =>
  Effect.flatMap(Agent, (client) => callAs(client, name, args))

const forms: ReadonlyArray<readonly [name: string, agent: Layer.Layer<Agent, never, ChatbotTest.Backend>]> = [
  ["over standard input and output", Agent.stdio],
  ["over HTTP", Layer.provideMerge(Agent.http, Layer.orDie(Endpoint.layer))]
]

describe.each(forms)("the MCP server %s, with the client of the SDK", (_, agent) => {
  layer(Layer.provideMerge(agent, served(seed)), { excludeTestServices: true })((it) => {
    it.effect("tells what its tools do, and which of them destroy", () =>
      Effect.gen(function* () {
        const client = yield* Agent
        assert.strictEqual(client.getServerVersion()?.name, "effect-chatbot")
        const { tools } = yield* sdk(() => client.listTools())
        const named = (hint: "readOnlyHint" | "destructiveHint") =>
          tools.filter(({ annotations }) => annotations?.[hint] === true).map(({ name }) => name)
        assert.sameMembers(named("readOnlyHint"), ["list_bots", "find_bot", "list_chats", "read_chat"])
        assert.sameMembers(named("destructiveHint"), ["stop_answer", "delete_chat"])
        const asking = tools.find(({ name }) => name === "ask_bot")
        assert.deepStrictEqual(asking?.inputSchema.required, ["question"])
        assert.deepInclude(asking?.inputSchema.properties?.["question"], { type: "string", description: "What to ask" })
        assert.strictEqual(asking?.outputSchema?.type, "object")
      })
    )

    it.effect("lists the bots of the caller, and finds the one for a question", () =>
      Effect.gen(function* () {
        const { value } = yield* call("list_bots")
        assert.sameMembers(
          value.bots.map(({ code }) => code),
          ["payments", "guide"]
        )
        const { value: found } = yield* call("find_bot", { question: "Do you take cards?" })
        assert.deepInclude(found, { code: "payments", displayName: "Payments", description: "All about paying" })
      })
    )

    it.effect("asks in a new chat, goes on in it, reads it and deletes it", () =>
      Effect.gen(function* () {
        const client = yield* Agent
        const { value: first } = yield* call("ask_bot", { botCode: "payments", question: "Cards?" })
        assert.deepInclude(first, { answer: "0: Cards?", isComplete: true, botDisplayName: "Payments" })
        assert.strictEqual(first.sources[0]?.fileName, "cards.md")
        const { chatId } = first
        const { value: second } = yield* call("ask_bot", { chatId, question: "Cash?" })
        assert.strictEqual(second.answer, "1: Cash?")
        const { value: chats } = yield* call("list_chats")
        assert.deepInclude(chats.chats[0] ?? {}, { chatId, botDisplayName: "Payments", isFavorite: false })
        const { value: read } = yield* call("read_chat", { chatId, latest: 1 })
        assert.strictEqual(read.questionCount, 2)
        assert.deepInclude(read.completions[0] ?? {}, { question: "Cash?", answer: "1: Cash?" })
        const { contents } = yield* sdk(() => client.readResource({ uri: `chatbot://chats/${chatId}` }))
        assert.include((contents[0] as { readonly text: string }).text, "**You:** Cards?\n\n**Payments:** 0: Cards?")
        assert.isFalse((yield* call("stop_answer", { chatId, completionId: second.completionId })).isError)
        assert.isFalse((yield* call("delete_chat", { chatId })).isError)
        assert.include((yield* call("read_chat", { chatId })).text, "ChatNotFound")
        const failure = yield* Effect.flip(sdk(() => client.readResource({ uri: `chatbot://chats/${chatId}` })))
        assert.include(failure.message, "ChatNotFound")
      })
    )

    it.effect("gives the bots as a resource", () =>
      Effect.gen(function* () {
        const client = yield* Agent
        const { resources } = yield* sdk(() => client.listResources())
        assert.deepStrictEqual(
          resources.map(({ uri }) => uri),
          ["chatbot://bots"]
        )
        const { resourceTemplates } = yield* sdk(() => client.listResourceTemplates())
        assert.deepStrictEqual(
          resourceTemplates.map(({ uriTemplate }) => uriTemplate),
          ["chatbot://chats/{chatId}"]
        )
        const { contents } = yield* sdk(() => client.readResource({ uri: "chatbot://bots" }))
        assert.lengthOf(JSON.parse((contents[0] as { readonly text: string }).text), 2)
      })
    )

    it.effect("answers what goes wrong as errors of the tool, and goes on", () =>
      Effect.gen(function* () {
        const other = yield* (yield* ChatbotTest.Backend).chatId("other")
        const failures = yield* Effect.forEach(
          [
            ["ask_bot", { question: "Hello?" }, "either botCode"],
            ["ask_bot", { question: "Hello?", botCode: "nobody" }, "Ask list_bots"],
            ["ask_bot", { question: "Hello?", botCode: "secret" }, "Ask list_bots"],
            ["ask_bot", { question: " ", botCode: "payments" }, "userMessage"],
            ["ask_bot", { question: "fail", botCode: "payments" }, "InternalError"],
            ["ask_bot", { question: 1 }, 'at ["question"]'],
            ["ask_bot", { question: "", botCode: "payments" }, 'at ["question"]'],
            ["read_chat", { chatId: "" }, 'at ["chatId"]'],
            ["stop_answer", { chatId: other, completionId: "" }, 'at ["completionId"]'],
            ["read_chat", { chatId: other }, "ChatNotFound"],
            ["delete_chat", { chatId: other }, "ChatNotFound"],
            ["find_bot", { question: "Hello?", startBotId: "nobody" }, "Ask list_bots"]
          ] as const,
          ([name, args, says]) => Effect.map(call(name, args), (result) => ({ ...result, name, says }))
        )
        for (const { isError, name, says, text } of failures) {
          assert.isTrue(isError, name)
          assert.include(text, says)
        }
        assert.match((yield* Effect.flip(call("no_such_tool"))).message, /no_such_tool/)
        // Of a new chat whose question failed nothing is left.
        assert.strictEqual((yield* call("list_chats")).value.totalItemCount, 0)
      })
    )

    it.effect("stops the answer of a call that is cancelled", () =>
      Effect.gen(function* () {
        const client = yield* Agent
        const { answer } = yield* ChatbotTest.Backend
        const begun = yield* Deferred.make<void>()
        const left = yield* Deferred.make<void>()
        yield* answer(() =>
          Stream.fromEffect(Effect.as(Deferred.succeed(begun, undefined), "Hel")).pipe(
            Stream.concat(Stream.never),
            Stream.ensuring(Deferred.succeed(left, undefined))
          )
        )
        const asking = yield* Effect.forkChild(callAs(client, "ask_bot", { question: "Hello?", botCode: "payments" }))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(asking)
        yield* Deferred.await(left)
        yield* answer(seed.answers!)
      })
    )
  })
})

layer(Layer.provideMerge(Endpoint.layer, served(seed)), { excludeTestServices: true })(
  "the MCP server over HTTP",
  (it) => {
    it.effect("gives each caller what its own token gives, and tells nobody a token", () =>
      Effect.gen(function* () {
        const { chatId: chatIdOf, tokenOf } = yield* ChatbotTest.Backend
        const chatId = yield* chatIdOf("other")
        const token = Redacted.value(yield* tokenOf("grace"))
        const grace = yield* Endpoint.agent(`Bearer ${token}`)
        assert.strictEqual((yield* callAs(grace, "read_chat", { chatId })).value.questionCount, 1)
        const nobody = yield* Endpoint.agent(undefined)
        const refused = yield* callAs(nobody, "list_bots", {})
        assert.isTrue(refused.isError)
        assert.include(refused.text, "Unauthorized")
        const stranger = yield* Endpoint.agent("Bearer no-such-token")
        const unknown = yield* callAs(stranger, "list_bots", {})
        assert.isTrue(unknown.isError)
        assert.include(unknown.text, "Unauthorized")
        assert.notInclude(unknown.text, "no-such-token")
        assert.notInclude((yield* callAs(grace, "read_chat", { chatId: "none" })).text, token)
      })
    )

    it.effect("is of no use to a web page", () =>
      Effect.gen(function* () {
        const url = yield* Endpoint
        const response = yield* sdk(() =>
          fetch(url, {
            method: "POST",
            headers: {
              origin: "https://evil.example",
              "content-type": "application/json",
              accept: "application/json, text/event-stream"
            },
            body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" })
          })
        )
        assert.strictEqual(response.status, 403)
      })
    )

    it.effect("reads no body without an end", () =>
      Effect.gen(function* () {
        const url = yield* Endpoint
        const response = yield* sdk(() =>
          fetch(url, {
            method: "POST",
            headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
            body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping", params: { text: "x".repeat(2 ** 21) } })
          })
        )
        assert.include(yield* sdk(() => response.text()), '"error":{"code":-32700')
      })
    )
  }
)

describe("the MCP server over standard input and output", () => {
  it.effect("says so of a line that is no JSON, or too much of it, and reads on", () =>
    Effect.gen(function* () {
      const said = yield* Queue.unbounded<string | Uint8Array>()
      const long = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "x".repeat(2 ** 24) })
      const lines = ["no JSON\n \r\n", `${long}\n`, '{"jsonrpc":"2.0","id":1,"method":"pi', 'ng"}\n\n{"jsonrpc"\n']
      const stdio = Stdio.layerTest({
        stdin: Stream.encodeText(Stream.fromIterable(lines)).pipe(Stream.rechunk(1), Stream.concat(Stream.never)),
        stdout: () => Sink.forEach((text) => Queue.offer(said, text))
      })
      yield* Effect.forkScoped(Layer.launch(Layer.provide(ChatbotMcp.layerStdio, [stdio, ChatbotTest.mock({})])))
      const answers = (yield* Queue.takeN(said, 4)).map((line) => JSON.parse(String(line)))
      const parseError = { jsonrpc: "2.0", id: null, error: { code: -32700, message: "Parse error" } }
      assert.sameDeepMembers(answers, [parseError, parseError, { jsonrpc: "2.0", id: 1, result: {} }, parseError])
    })
  )
})

describe("the program of the MCP server", () => {
  /** Runs it with nothing on its standard input. */
  const run = (env: Record<string, string>) =>
    Effect.callback<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resume) => {
      const child = execFile(process.execPath, [program], { env }, (error, stdout, stderr) =>
        resume(Effect.succeed({ code: Number(error?.code ?? 0), stdout, stderr }))
      )
      child.stdin?.end()
      return Effect.sync(() => child.kill())
    })

  it.live("ends with its standard input", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run({}), { code: 0, stdout: "", stderr: "" })
    })
  )

  it.live("says what is wrong with its settings, and not on standard output", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run({ CHATBOT_BASE_URL: "ftp://user:secret@127.0.0.1" })
      assert.deepStrictEqual([code, stdout], [1, ""])
      assert.include(stderr, "CHATBOT_BASE_URL")
      assert.notInclude(stderr, "secret")
    })
  )

  it.live("says why it cannot listen", () =>
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const { port } = new URL(HttpServer.formatAddress(address))
      const { code, stderr } = yield* run({ CHATBOT_MCP_PORT: port })
      assert.strictEqual(code, 1)
      assert.include(stderr, `address already in use 127.0.0.1:${port}`)
    }).pipe(Effect.provide(server))
  )
})

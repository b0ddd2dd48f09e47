/**
 * `pnpm mcp`: a backend as an MCP server, for an agent that starts it and speaks over standard input and output; with `CHATBOT_MCP_PORT`,
 * over HTTP at that port of `CHATBOT_MCP_HOST` (127.0.0.1). The backend is at `CHATBOT_BASE_URL`; over standard input and output it is called
 * with `CHATBOT_TOKEN`, over HTTP with the token of each request.
 */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeStdio from "@effect/platform-node/NodeStdio"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import { createServer } from "node:http"
import * as ChatbotMcp from "./ChatbotMcp.ts"

const config = Config.all({
  baseUrl: Config.String("CHATBOT_BASE_URL").pipe(Config.withDefault("http://127.0.0.1:8080")),
  host: Config.String("CHATBOT_MCP_HOST").pipe(Config.withDefault("127.0.0.1")),
  port: Config.option(Config.Port("CHATBOT_MCP_PORT"))
})

const stdio = ChatbotMcp.layerStdio.pipe(
  Layer.provide(NodeStdio.layer),
  Layer.provide(Layer.provide(ChatbotClient.layerConfig, NodeTransport.layer))
)

/** Where it listens is written on standard error, as is everything that is no message of the protocol. */
const listening = Layer.effectDiscard(
  Effect.flatMap(HttpServer.HttpServer, ({ address }) =>
    Console.error(`Listening on ${HttpServer.formatAddress(address)}/mcp`)
  )
)

const http = (baseUrl: string, host: string, port: number) =>
  HttpRouter.serve(ChatbotMcp.layerHttp({ baseUrl }), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.merge(listening),
    Layer.provide(NodeHttpServer.layer(createServer, { host, port })),
    Layer.provide(NodeTransport.layer)
  )

const server = Layer.unwrap(
  Effect.map(config, ({ baseUrl, host, port }) => (Option.isSome(port) ? http(baseUrl, host, port.value) : stdio))
)

NodeRuntime.runMain(
  Layer.launch(server).pipe(
    Effect.tapErrorTag("ConfigError", ({ message }) => Console.error(`chatbot: ${message}`)),
    Effect.tapErrorTag("ServeError", ({ cause }) =>
      Console.error(`chatbot: cannot listen on CHATBOT_MCP_PORT of CHATBOT_MCP_HOST: ${String(cause)}`)
    ),
    Effect.provide(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]))
  ),
  {
    disableErrorReporting: true,
    // That the agent closes its standard input, or sends a signal, is how this program is meant to end.
    teardown: (exit, onExit) =>
      Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)
  }
)

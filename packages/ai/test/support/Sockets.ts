/** The backend in memory on a port, for programs of other processes and of other makers. */
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { createServer } from "node:http"

/** A server of Node on a free port. */
export const server = NodeHttpServer.layer(createServer, {
  port: 0,
  host: "127.0.0.1",
  gracefulShutdownTimeout: "100 millis"
})

/** The backend in memory, and where it can be called. */
export const served = (options: ChatbotTest.Options) =>
  ChatbotTest.layerServed(options).pipe(Layer.provide([Layer.fresh(server), Logger.layer([])]))

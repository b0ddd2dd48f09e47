/**
 * The backend, put together: the contract on HTTP over the services over the database.
 */
import { Api } from "@effect-chatbot/api/Api"
import type * as ByteSize from "effect/ByteSize"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Admin from "./handlers/Admin.ts"
import * as Bots from "./handlers/Bots.ts"
import * as Cache from "./handlers/Cache.ts"
import * as Chats from "./handlers/Chats.ts"
import * as Statistics from "./handlers/Statistics.ts"
import * as System from "./handlers/System.ts"
import * as Users from "./handlers/Users.ts"
import * as Authorization from "./http/Authorization.ts"
import * as Edge from "./http/Edge.ts"
import * as ProblemResponses from "./http/ProblemResponses.ts"

const handlers = Layer.mergeAll(
  Admin.layer,
  Bots.layer,
  Cache.layer,
  Chats.layer,
  Statistics.layer,
  System.layer,
  Users.layer
)

/** The routes of the contract, and its document at `/openapi.json`. */
const routes = HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
  Layer.provide(handlers),
  Layer.provide([Authorization.layer, ProblemResponses.layer])
)

/** Serves the contract on the `HttpServer` provided. */
export const serve = (options: { readonly maxBodySize: ByteSize.ByteSize }) =>
  HttpRouter.serve(Layer.merge(routes, Edge.layer(options)), {
    // Paths of downloads are long.
    routerConfig: { maxParamLength: 2048 },
    disableLogger: true,
    disableListenLog: true
  }).pipe(Layer.provide(SecureRandom.layerWebCrypto))

/**
 * The backend, put together: the contract on HTTP over the services over the database.
 */
import { Api } from "@effect-chatbot/api/Api"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as UrlParams from "effect/http/UrlParams"
import * as Layer from "effect/Layer"
import * as Admin from "./handlers/Admin.ts"
import * as AdminBots from "./handlers/AdminBots.ts"
import * as Bots from "./handlers/Bots.ts"
import * as Cache from "./handlers/Cache.ts"
import * as Chats from "./handlers/Chats.ts"
import * as Statistics from "./handlers/Statistics.ts"
import * as System from "./handlers/System.ts"
import * as Users from "./handlers/Users.ts"
import * as Authorization from "./http/Authorization.ts"
import * as Draining from "./http/Draining.ts"
import * as Edge from "./http/Edge.ts"
import * as HealthRoutes from "./http/HealthRoutes.ts"
import * as IdempotencyKeys from "./http/IdempotencyKeys.ts"
import { Methods } from "./http/Methods.ts"
import * as Observing from "./http/Observing.ts"
import * as OpenAiFacade from "./http/OpenAiFacade.ts"
import * as ProblemResponses from "./http/ProblemResponses.ts"
import { type RateLimitOptions, RateLimits } from "./http/RateLimits.ts"
import { tell } from "./http/RequestStory.ts"

const handlers = Layer.mergeAll(
  Admin.layer,
  AdminBots.layer,
  Bots.layer,
  Cache.layer,
  Chats.layer,
  Statistics.layer,
  System.layer,
  Users.layer
)

/** The document of the contract. It is generated when it is first asked for: that takes longer than a start should. */
const document = HttpRouter.add(
  "GET",
  "/openapi.json",
  Effect.map(
    Effect.andThen(
      tell({ operation: "openapi" }),
      Effect.promise(() => import("@effect-chatbot/api/Document"))
    ),
    ({ document }) => HttpServerResponse.jsonUnsafe(document)
  )
)

/** The routes of the contract. */
const routes = HttpApiBuilder.layer(Api).pipe(
  Layer.provide(handlers),
  Layer.provide([Authorization.layer, IdempotencyKeys.layer, ProblemResponses.layer])
)

/** A ticket is a secret, and would else stand in the span of its request. */
const redacted = Layer.effect(
  UrlParams.CurrentRedactedNames,
  Effect.map(UrlParams.CurrentRedactedNames, (names) => [...names, "ticket"])
)

/** What an operator may choose about the server. */
export interface Options extends Edge.EdgeOptions {
  /** How many requests one user and one address may make. Default any number. */
  readonly rateLimits?: RateLimitOptions | undefined
}

/** All routes on the `HttpRouter` provided, in their middleware: the one that is provided last is the outermost. */
export const app = (options: Options) =>
  Layer.mergeAll(routes, document, HealthRoutes.layer, OpenAiFacade.layer).pipe(
    Layer.provideMerge(Draining.layer),
    Layer.provideMerge(Edge.layer(options)),
    Layer.provideMerge(Observing.layer),
    Layer.provide(Methods.layer),
    Layer.provide([redacted, SecureRandom.layerWebCrypto, RateLimits.layer(options.rateLimits ?? {})])
  )

/** What the `HttpRouter` must know of the routes: the paths of downloads are long. */
export const routerConfig = { maxParamLength: 2048 }

/** Serves the contract on the `HttpServer` provided. */
export const serve = (options: Options) =>
  HttpRouter.serve(app(options), { routerConfig, disableLogger: true, disableListenLog: true }).pipe(
    // The span of a request is made before it comes to the routes.
    Layer.provide(redacted)
  )

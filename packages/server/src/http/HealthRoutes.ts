/**
 * `/health/live` and `/health/ready`, for whoever watches over the process. They need no token and are not part of the contract.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { Health } from "../Health.ts"
import { tell } from "./RequestStory.ts"

/** The folder of the routes: what begins with it is answered at any time. */
export const prefix = "/health/"

const headers = { "cache-control": "no-store" }

const alive = HttpServerResponse.jsonUnsafe({ status: "ok" }, { headers })

const live = HttpRouter.add("GET", "/health/live", Effect.as(tell({ operation: "health.live" }), alive))

const ready = HttpRouter.use((router) =>
  Effect.flatMap(Health, (health) =>
    router.add(
      "GET",
      "/health/ready",
      Effect.map(Effect.andThen(tell({ operation: "health.ready" }), health.ready), ({ checks, isReady }) =>
        HttpServerResponse.jsonUnsafe(
          { status: isReady ? "ok" : "failed", checks },
          { status: isReady ? 200 : 503, headers }
        )
      )
    )
  )
)

/** Both routes. */
export const layer = Layer.mergeAll(live, ready)

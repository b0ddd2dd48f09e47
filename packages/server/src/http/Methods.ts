/**
 * Which methods a path has, for the answer to any other one (RFC 9110, 15.5.6).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FindMyWay from "effect/http/FindMyWay"
import * as HttpMethod from "effect/http/HttpMethod"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"

/** The methods of the paths that there are. */
export class Methods extends Context.Service<
  Methods,
  {
    /** Those of the path of this URL; none where there is no such path. */
    readonly of: (url: string) => ReadonlyArray<HttpMethod.HttpMethod>
  }
>()("@effect-chatbot/server/http/Methods") {
  /** Knows the routes that are added to the router it gives, which is the one provided. */
  static readonly layer: Layer.Layer<Methods | HttpRouter.HttpRouter, never, HttpRouter.HttpRouter> =
    Layer.effectContext(
      Effect.gen(function* () {
        const router = yield* HttpRouter.HttpRouter
        const paths = FindMyWay.make<true>(yield* HttpRouter.RouterConfig)
        const noted = HttpRouter.HttpRouter.of({
          ...router,
          add: (method, path, handler, options) => {
            paths.on(method, path, true)
            return router.add(method, path, handler, options)
          },
          addAll: (routes) => {
            for (const { method, path } of routes) paths.on(method, path, true)
            return router.addAll(routes)
          }
        })
        // What answers GET answers HEAD.
        const has = (method: HttpMethod.HttpMethod, url: string) =>
          paths.find(method === "HEAD" ? "GET" : method, url) !== undefined
        return Context.make(HttpRouter.HttpRouter, noted).pipe(
          Context.add(Methods, { of: (url) => [...HttpMethod.all].filter((method) => has(method, url)) })
        )
      })
    )
}

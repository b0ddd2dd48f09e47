/**
 * How requests travel to the providers: by undici, over connections of their own. Redirects are not followed, and the variables of proxies
 * in the environment are not heeded.
 *
 * Where a name leads is looked at when the connection is made: what was harmless when an admin saved it may point elsewhere since.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import { lookup } from "node:dns"
import type { LookupFunction } from "node:net"
import { isRefusedAddress } from "./internal/metadataAddresses.ts"
import { ProviderPolicy } from "./ProviderPolicy.ts"
import { ServerOptions } from "./ServerOptions.ts"

class AddressRefused extends Error {
  override readonly name = "AddressRefused"
  readonly code = "ERR_ADDRESS_REFUSED"
}

const refusal = "The name of the host leads to addresses that are refused"

/** Leaves out the addresses that are refused; a host on a local network often has a link-local one beside its own. */
const guarded =
  (resolve: LookupFunction): LookupFunction =>
  (hostname, options, callback) =>
    resolve(hostname, options, (error, found, family) => {
      if (error !== null) return callback(error, found, family)
      if (typeof found === "string" && !isRefusedAddress(found)) return callback(null, found, family)
      const kept = typeof found === "string" ? [] : found.filter(({ address }) => !isRefusedAddress(address))
      return kept.length === 0 ? callback(new AddressRefused(refusal), "", 0) : callback(null, kept)
    })

/**
 * Requests to providers, with names resolved by `resolve`. A name that has only link-local addresses, or those
 * of metadata services, is refused unless `ServerOptions` allow them.
 */
export const layerWith = (resolve: LookupFunction): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.gen(function* () {
      const { allowLinkLocalProviders = false } = yield* ServerOptions
      const { connect } = yield* ProviderPolicy
      const scope = yield* Effect.scope
      const undici = NodeHttpClient.layerUndiciOptions({
        allowH2: false,
        connect: {
          lookup: allowLinkLocalProviders ? resolve : guarded(resolve),
          timeout: Duration.toMillis(Duration.fromInputUnsafe(connect))
        }
      })
      // Undici is loaded for the first request: it takes longer than a start should, and many a backend has no model.
      const client = yield* Layer.buildWithScope(undici, scope).pipe(
        Effect.map(Context.get(HttpClient.HttpClient)),
        Effect.uninterruptible,
        Effect.cached
      )
      return HttpClient.makeWith<HttpClientError, never, HttpClientError, never>(
        (request) => Effect.flatMap(client, ({ postprocess }) => postprocess(request)),
        Effect.succeed
      )
    })
  )

/** Requests to providers, with names resolved by the system. */
export const layer: Layer.Layer<HttpClient.HttpClient> = layerWith(lookup)

/**
 * How requests travel to the providers: by undici, over connections of their own. Redirects are not followed, and the variables of proxies
 * in the environment are not heeded.
 *
 * Where a name leads is looked at when the connection is made: what was harmless when an admin saved it may point elsewhere since.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { lookup } from "node:dns"
import type { LookupFunction } from "node:net"
import { isRefusedAddress } from "./internal/metadataAddresses.ts"
import { ProviderPolicy } from "./ProviderPolicy.ts"
import { ServerOptions } from "./ServerOptions.ts"

/** The name of a host leads to an address where no provider is, see {@link layerWith}. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused"
  readonly code = "ERR_ADDRESS_REFUSED"
}

const guarded =
  (resolve: LookupFunction): LookupFunction =>
  (hostname, options, callback) =>
    resolve(hostname, options, (error, address, family) => {
      const found = typeof address === "string" ? [address] : (address ?? []).map((each) => each.address)
      if (error === null && found.some(isRefusedAddress)) {
        callback(new AddressRefused("The name of the host leads to an address that is refused"), "", 0)
      } else callback(error, address, family)
    })

/**
 * Requests to providers, with names resolved by `resolve`. A name with a link-local address, or that of a metadata service, is refused
 * unless `ServerOptions` allow it.
 */
export const layerWith = (resolve: LookupFunction): Layer.Layer<HttpClient.HttpClient> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { allowLinkLocalProviders = false } = yield* ServerOptions
      const { connect } = yield* ProviderPolicy
      return NodeHttpClient.layerUndiciOptions({
        allowH2: false,
        connect: {
          lookup: allowLinkLocalProviders ? resolve : guarded(resolve),
          timeout: Duration.toMillis(Duration.fromInputUnsafe(connect))
        }
      })
    })
  )

/** Requests to providers, with names resolved by the system. */
export const layer: Layer.Layer<HttpClient.HttpClient> = layerWith(lookup)

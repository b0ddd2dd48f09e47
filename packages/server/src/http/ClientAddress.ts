/**
 * From which address a request comes.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"

/** What one caller has of the addresses of IPv6 (RFC 6177): counted one by one, they never end. */
const ipv6Prefix = 64

/** An address as it is counted: one of IPv4 as it is, one of IPv6 by its network of 64 bits. */
export const counted = (address: string): string => {
  const parsed = NetAddress.ipFromString(address)
  if (Result.isFailure(parsed)) return address
  const ip = NetAddress.toCanonical(parsed.success)
  return NetAddress.isIpv4Address(ip)
    ? NetAddress.formatIp(ip)
    : IpNetwork.format(IpNetwork.fromAddressUnsafe(ip, ipv6Prefix))
}

/** The address of the caller: of the connection, or what a trusted proxy says. Empty where there is none, as on a Unix socket. */
export const clientAddress: Effect.Effect<string, never, HttpServerRequest.HttpServerRequest> = Effect.map(
  HttpServerRequest.HttpServerRequest,
  ({ remoteAddress }) => Option.getOrElse(remoteAddress, () => "")
)

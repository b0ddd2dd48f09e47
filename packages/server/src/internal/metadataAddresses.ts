/**
 * Addresses that no provider has: link-local ones, and those where clouds tell a machine its own credentials. An endpoint there would hand
 * these to whoever may name endpoints.
 */
import { BlockList, isIP } from "node:net"

/** Link-local, and what AWS, Azure, Google, Alibaba and Oracle have outside of that. */
const ipv4: ReadonlyArray<readonly [address: string, prefix: number]> = [
  ["169.254.0.0", 16],
  ["168.63.129.16", 32],
  ["100.100.100.200", 32],
  ["192.0.0.192", 32]
]

const ipv6: ReadonlyArray<readonly [address: string, prefix: number]> = [
  ["fe80::", 10],
  ["fd00:ec2::254", 128],
  ["fd20:ce::254", 128]
]

const names: ReadonlySet<string> = new Set([
  "instance-data",
  "instance-data.ec2.internal",
  "metadata",
  "metadata.goog",
  "metadata.google.internal"
])

/** The first 48 bits of the 6to4 addresses of an IPv4 address. */
const sixToFour = (address: string): string => {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number)
  return `2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::`
}

const refused = new BlockList()
for (const [address, prefix] of ipv4) {
  // With this an address is known in its IPv4-mapped form too (`::ffff:`), but not in those of translators and tunnels.
  refused.addSubnet(address, prefix)
  for (const translated of ["::", "64:ff9b::", "::ffff:0:"]) {
    refused.addSubnet(`${translated}${address}`, 96 + prefix, "ipv6")
  }
  refused.addSubnet(sixToFour(address), 16 + prefix, "ipv6")
}
for (const [address, prefix] of ipv6) refused.addSubnet(address, prefix, "ipv6")

/** Whether this is such an address; what is no address is none. */
export const isRefusedAddress = (address: string): boolean => {
  // A system may name the interface of a link-local address behind it.
  const [bare = ""] = address.split("%")
  const version = isIP(bare)
  return version !== 0 && refused.check(bare, version === 4 ? "ipv4" : "ipv6")
}

/** Whether the host of a URL is such an address, or the name of one. */
export const isRefusedHost = (hostname: string): boolean => {
  const host = hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.+$/, "")
  return names.has(host.toLowerCase()) || isRefusedAddress(host)
}

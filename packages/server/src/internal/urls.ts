/** Whether a text is an http or https URL. */
export const isHttpUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === "https:" || url.protocol === "http:")
}

/** A URL that may be shown: without a user, a query and a fragment, any of which may hold a secret. */
export const displayUrl = (text: string): string | undefined => {
  const url = isHttpUrl(text) ? URL.parse(text) : null
  return url === null ? undefined : `${url.origin}${url.pathname}`
}

/**
 * Where the blobs are that a connection string of Azure Storage leads to, or a URL with a signature. Absent when it is neither.
 */
export const blobUri = (connection: string): string | undefined => {
  const fields = new Map(
    connection.split(";").map((part) => {
      const at = part.indexOf("=")
      return [part.slice(0, Math.max(at, 0)).trim().toLowerCase(), part.slice(at + 1).trim()] as const
    })
  )
  const endpoint = fields.get("blobendpoint")
  if (endpoint !== undefined) return displayUrl(endpoint)
  const name = fields.get("accountname")
  if (name === undefined) {
    return fields.get("usedevelopmentstorage") === "true"
      ? "http://127.0.0.1:10000/devstoreaccount1"
      : displayUrl(connection.trim())
  }
  const protocol = fields.get("defaultendpointsprotocol") ?? "https"
  const suffix = fields.get("endpointsuffix") ?? "core.windows.net"
  return /^[a-z0-9]{3,24}$/.test(name) && /^[a-z0-9.-]+$/i.test(suffix)
    ? displayUrl(`${protocol}://${name}.blob.${suffix}/`)
    : undefined
}

/**
 * Stored bytes as answers: entity tags and ranges (RFC 9110, 13 and 14).
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Stream from "effect/Stream"
import * as ProblemResponse from "./ProblemResponse.ts"

/** A range of bytes; both ends are part of it. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Bytes that are stored, and what is known about them. */
export interface StoredContent {
  readonly mediaType: string
  readonly size: number
  /** The opaque part of a strong entity tag, without its quotes. */
  readonly etag: string
  readonly bytes: (range: ByteRange) => Stream.Stream<Uint8Array>
}

/**
 * The one range that a `Range` header asks for. Several ranges, other units and what cannot be read are ignored, as RFC 9110, 14.2 allows;
 * `undefined` then means all of it.
 */
export const parseRange = (header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined => {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.trim() ?? "")
  const [, from = "", to = ""] = match ?? []
  if (match === null || (from === "" && to === "")) return undefined
  if (from === "") {
    const suffix = Math.min(Number(to), size)
    return suffix === 0 ? "unsatisfiable" : { start: size - suffix, end: size - 1 }
  }
  const start = Number(from)
  const end = to === "" ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== "" && Number(to) < start) return undefined
  return start >= size ? "unsatisfiable" : { start, end }
}

const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === "*" || header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag))

/** Answers stored bytes: 304 when the caller has them, 206 or 416 for a range, else all of them, as a stream. */
export const content = (
  stored: StoredContent,
  headers: Record<string, string>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest> =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const etag = `"${stored.etag}"`
    const common = { ...headers, etag, "accept-ranges": "bytes" }
    if (matches(request.headers["if-none-match"], etag)) {
      return HttpServerResponse.empty({ status: 304, headers: common })
    }
    const ifRange = request.headers["if-range"]
    const range =
      ifRange === undefined || ifRange === etag ? parseRange(request.headers["range"], stored.size) : undefined
    if (range === "unsatisfiable") {
      return yield* ProblemResponse.blank(416, "Range Not Satisfiable", `There are ${stored.size} bytes.`, {
        ...common,
        "content-range": `bytes */${stored.size}`
      })
    }
    const { end, start } = range ?? { start: 0, end: stored.size - 1 }
    const contentLength = end - start + 1
    if (request.method === "HEAD" || contentLength === 0) {
      return HttpServerResponse.empty({
        status: 200,
        headers: { ...common, "content-type": stored.mediaType, "content-length": String(stored.size) }
      })
    }
    return HttpServerResponse.stream(stored.bytes({ start, end }), {
      status: range === undefined ? 200 : 206,
      contentType: stored.mediaType,
      contentLength,
      headers: range === undefined ? common : { ...common, "content-range": `bytes ${start}-${end}/${stored.size}` }
    })
  })

/** A `Content-Disposition` that saves the bytes under a name (RFC 6266), whatever characters it has. */
export const attachment = (fileName: string): string => {
  const ascii = fileName.replace(/[^\x20-\x7e]|["\\%]/g, "_")
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

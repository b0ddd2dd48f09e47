// RFC 6266: parameters are tokens or quoted strings; `filename*` is percent-encoded UTF-8 or Latin-1 (RFC 8187) and comes first.
const parameter = /;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/g
const extended = /^(utf-8|iso-8859-1)'[^']*'(.*)$/i

const decodeExtended = (value: string): string | undefined => {
  const [, charset, text] = extended.exec(value) ?? []
  if (charset === undefined || text === undefined) return undefined
  if (charset.toLowerCase() === "iso-8859-1") {
    return text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  }
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/**
 * The file name of a `Content-Disposition`, without what would make it a path (RFC 6266, 4.3) and without characters that
 * control how it shows.
 */
export const fileNameOf = (header: string | undefined): string | undefined => {
  const names = new Map<string, string>()
  for (const [, name = "", quoted, token = ""] of (header ?? "").matchAll(parameter)) {
    names.set(name.toLowerCase(), quoted === undefined ? token : quoted.replace(/\\(.)/g, "$1"))
  }
  const full = decodeExtended(names.get("filename*") ?? "") ?? names.get("filename")
  const bare = full
    ?.replace(/[\p{Cc}\p{Bidi_Control}]/gu, "")
    .split(/[/\\]/)
    .at(-1)
    ?.trim()
  return bare === "" || bare === "." || bare === ".." ? undefined : bare
}

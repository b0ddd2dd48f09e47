/**
 * Lists of logins, as admins write them into a text: separated by commas or line breaks. A login is the same only letter by letter.
 */

const separator = /[,\r\n]/

/** The logins in a text, each once. */
export const parse = (text: string | undefined): ReadonlyArray<string> =>
  Array.from(new Set((text ?? "").split(separator).map((login) => login.trim()))).filter((login) => login !== "")

/** The logins of some texts in one line each, with a line break before and behind every one; empty when there are none. */
export const listed = (...texts: ReadonlyArray<string | undefined>): string => {
  const logins = parse(texts.map((text) => text ?? "").join("\n"))
  return logins.length === 0 ? "" : `\n${logins.join("\n")}\n`
}

/** What stands in a text of {@link listed} if the login is there; absent for a login that no list can name. */
export const line = (login: string): string | undefined =>
  login === "" || login !== login.trim() || separator.test(login) ? undefined : `\n${login}\n`

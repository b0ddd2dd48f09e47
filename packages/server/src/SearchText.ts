/**
 * The form in which texts are stored and looked up for a search that ignores case, in every language.
 *
 * The same function must have made the stored text and the text searched for; then a plain substring test is enough, on SQLite and
 * PostgreSQL alike, and a search text needs no escaping.
 */

/** A text as it is compared: composed (NFC) and in lower case. */
export const fold = (text: string): string => text.normalize("NFC").toLowerCase()

/** Several texts as one; what is absent is left out. A line break keeps the end of one from meeting the start of the next. */
export const foldAll = (texts: ReadonlyArray<string | null | undefined>): string =>
  texts
    .filter((text) => text !== undefined && text !== null && text !== "")
    .map((text) => fold(text ?? ""))
    .join("\n")

import type { RequestIssue } from "@effect-chatbot/schema/Errors"
import * as Array from "effect/Array"
import * as Equal from "effect/Equal"
import * as SchemaIssue from "effect/SchemaIssue"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** What a schema found wrong and where, below `prefix`. It names what was expected and never what was there: that may be a secret. */
export const issuesOf = (issue: SchemaIssue.Issue, prefix: ReadonlyArray<string> = []): ReadonlyArray<RequestIssue> =>
  // Two checks of a schema can say the same.
  Array.dedupeWith(
    format(issue).issues.map(({ message, path = [] }) => ({
      path: [...prefix, ...path.map((key) => (typeof key === "number" ? key : String(key)))],
      message
    })),
    Equal.equals
  )

const pathOf = (path: RequestIssue["path"]): string =>
  path.map((key, i) => (typeof key === "number" ? `[${key}]` : i === 0 ? key : `.${key}`)).join("")

/** Issues in words: `payload.userMessage: Missing key; query.pageSize: Expected an integer`. */
export const inWords = (issues: ReadonlyArray<RequestIssue>): string =>
  issues.map(({ message, path }) => (path.length === 0 ? message : `${pathOf(path)}: ${message}`)).join("; ")

/**
 * What to tell a person about an error.
 */
import * as CliError from "effect/cli/CliError"
import * as Config from "effect/Config"
import * as Predicate from "effect/Predicate"
import * as Render from "./Render.ts"

const text = (error: object, field: string): string | undefined => {
  const value: unknown = Predicate.hasProperty(error, field) ? error[field] : undefined
  return typeof value === "string" && value !== "" ? Render.fold(value) : undefined
}

const issues = (error: object): ReadonlyArray<string> =>
  Predicate.hasProperty(error, "issues") && Array.isArray(error.issues)
    ? error.issues.flatMap((issue: unknown) => {
        const message = Predicate.isObject(issue) ? text(issue, "message") : undefined
        const path = Predicate.hasProperty(issue, "path") && Array.isArray(issue.path) ? issue.path.join(".") : ""
        return message === undefined ? [] : [path === "" ? message : `${path}: ${Render.fold(message)}`]
      })
    : []

/**
 * An error in one line: what happened, what was wrong with the request, and in brackets the tag to look for and the id of the request to
 * quote. An error that says itself what to tell a person is taken at its word.
 */
export const explain = (error: unknown): string => {
  if (!Predicate.isObject(error)) return Render.fold(String(error))
  if (Predicate.hasProperty(error, CliError.userMessage)) return String(error[CliError.userMessage])
  if (error instanceof Config.ConfigError) return `A setting is not valid: ${Render.fold(error.cause.message)}`
  const requestId = text(error, "requestId")
  const names = [text(error, "_tag") ?? text(error, "name"), requestId && `request ${requestId}`]
  const what = [text(error, "message") ?? "Something went wrong.", ...issues(error)].join(" ")
  return `${what} (${names.filter(Predicate.isNotUndefined).join(", ")})`
}

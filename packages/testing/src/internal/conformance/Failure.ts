import * as Schema from "effect/Schema"

/** The backend broke the rule of a check. */
export class Violation extends Schema.TaggedError<Violation>()("Violation", {
  /** What the rule wants. */
  expected: Schema.String,
  /** What was there instead. */
  actual: Schema.String,
  /** The request that it was the answer to, as `GET /api/chats/1 as user`. */
  request: Schema.optional(Schema.String)
}) {
  override get message() {
    return [
      `expected ${this.expected}`,
      `came ${this.actual}`,
      ...(this.request === undefined ? [] : [this.request])
    ].join("\n")
  }
}

/** It cannot be told whether the rule holds: what the check needs beforehand could not be made. */
export class Blocked extends Schema.TaggedError<Blocked>()("Blocked", {
  message: Schema.String
}) {}

/** The rule was not looked at: what it needs was not given. */
export class Skipped extends Schema.TaggedError<Skipped>()("Skipped", {
  /** What to give. */
  message: Schema.String
}) {}

import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"

/** What a transport fails with where no connection came about in time. */
export class ConnectTimedOut extends Data.TaggedError("ConnectTimedOut")<{ readonly duration: Duration.Duration }> {}

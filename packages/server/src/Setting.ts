/**
 * Settings: variables of the environment, with what there is to say about each.
 */
import * as ByteSize from "effect/ByteSize"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/** A setting of the backend: a variable of the environment. */
export interface Setting<A = unknown> {
  /** The name of the variable. */
  readonly name: string
  /** What it is for, as half a sentence. */
  readonly about: string
  /** The value it has when it is not set. */
  readonly fallback: A
  /** The default for people; empty when there is none. */
  readonly default: string
  /** Whether its value must not be shown. */
  readonly isSecret: boolean
  /** Reads it. */
  readonly config: Config.Config<A>
}

const units = [
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1000, "second"],
  [1, "milli"]
] as const

/** As it can be set. */
const durationToText = (duration: Duration.Duration): string => {
  const millis = Duration.toMillis(duration)
  const [size, unit] = units.find(([size]) => millis % size === 0) ?? [1, "milli"]
  return `${millis / size} ${unit}${millis === size ? "" : "s"}`
}

/** A value as it can be set. */
const toText = (value: unknown): string => {
  if (value === undefined) return ""
  if (Duration.isDuration(value)) return durationToText(value)
  return ByteSize.isByteSize(value) ? ByteSize.format(value) : String(value)
}

/** A setting that is read by `read`, or else is `fallback`. Say what stands for the default where the value does not tell. */
export const setting = <A, D>(
  name: string,
  read: (name: string) => Config.Config<A>,
  fallback: D,
  about: string,
  options?: { readonly default?: string; readonly isSecret?: boolean }
): Setting<A | D> => ({
  name,
  about,
  fallback,
  default: options?.default ?? toText(fallback),
  isSecret: options?.isSecret ?? Object.is(read, Config.Redacted),
  config: Config.withDefault(read(name), fallback)
})

/** Reads a whole number from `minimum` to `maximum`. */
export const integer = (minimum: number, maximum: number) => (name: string) =>
  Config.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })), name)

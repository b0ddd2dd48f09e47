/**
 * Whether the bots may answer at all. The database has it, so it holds for every process and over restarts.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SettingsRepository } from "./repositories/SettingsRepository.ts"

const key = "botsStopped"

/** Whether the bots are stopped: while they are, no completion is begun. */
export class StopFlag extends Context.Service<
  StopFlag,
  {
    readonly get: Effect.Effect<boolean>
    readonly set: (isStopped: boolean) => Effect.Effect<void>
  }
>()("@effect-chatbot/server/StopFlag") {
  /** The flag in the database. */
  static readonly layer: Layer.Layer<StopFlag, never, SettingsRepository> = Layer.effect(
    StopFlag,
    Effect.map(SettingsRepository, (settings) => ({
      get: Effect.map(settings.get(key), (value) => value === "true"),
      set: (isStopped) => settings.set(key, String(isStopped))
    }))
  )
}

/**
 * The text shown to users about the state of the system.
 */
import type { InvalidRequest } from "@effect-chatbot/schema/Errors"
import type { SystemMessage } from "@effect-chatbot/schema/SystemMessage"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SettingsRepository } from "./repositories/SettingsRepository.ts"
import * as TextLimits from "./TextLimits.ts"

const key = "systemStatus"

/** The text shown to users about the state of the system; empty when all is well. */
export class SystemStatus extends Context.Service<
  SystemStatus,
  {
    readonly get: Effect.Effect<SystemMessage>
    readonly set: (status: SystemMessage) => Effect.Effect<void, InvalidRequest>
  }
>()("@effect-chatbot/server/SystemStatus") {
  /** The status in the database. */
  static readonly layer: Layer.Layer<SystemStatus, never, SettingsRepository> = Layer.effect(
    SystemStatus,
    Effect.map(SettingsRepository, (settings) => ({
      get: Effect.map(settings.get(key), (value) => ({ value: value ?? "" })),
      set: ({ value = "" }) => Effect.andThen(TextLimits.check({ value }), settings.set(key, value))
    }))
  )
}

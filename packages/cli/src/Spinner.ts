/**
 * A sign that something is going on.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { Screen } from "./Screen.ts"

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

// Back to the first column, and erase the line (ECMA-48, 8.3.41).
const home = "\r\u001b[2K"

/**
 * Shows a turning sign and a label while an effect runs, and takes both away afterwards. Where nobody watches it shows nothing. It
 * appears after 120 milliseconds, so that what is quick does not flicker.
 */
export const spin =
  (label: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Screen> =>
    Effect.flatMap(Screen, (screen) => {
      if (!screen.canAnimate) return self
      let turn = 0
      const frame = Effect.suspend(() =>
        screen.show(`${home}${screen.style.accent(frames[turn++ % frames.length] ?? "")} ${screen.style.faint(label)}`)
      )
      const turning = frame.pipe(
        Effect.repeat(Schedule.spaced("80 millis")),
        Effect.delay("120 millis"),
        Effect.onExit(() => (turn === 0 ? Effect.void : screen.show(home)))
      )
      return Effect.acquireUseRelease(Effect.forkChild(turning), () => self, Fiber.interrupt)
    })

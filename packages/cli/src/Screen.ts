/**
 * What is shown on standard output.
 */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Terminal from "effect/Terminal"
import * as Render from "./Render.ts"

/** The columns of what is no terminal: a file, a pipe. */
const defaultColumns = 80

/** Standard output, as something people look at. */
export class Screen extends Context.Service<
  Screen,
  {
    /** How texts are set off there; not at all where nobody sees colours. */
    readonly style: Render.Style
    /** Whether somebody watches, so that something may move. */
    readonly canAnimate: boolean
    /** How wide a line may be; at most 100, for longer ones are hard to read. */
    readonly columns: Effect.Effect<number>
    /** Shows a text as it is. */
    readonly show: (text: string) => Effect.Effect<void>
    /** Shows lines, each with a line break after it. */
    readonly lines: (...lines: ReadonlyArray<string>) => Effect.Effect<void>
  }
>()("@effect-chatbot/cli/Screen") {
  /** Standard output by way of the `Terminal`. That it is closed or full is for the program to find out; here it is passed over. */
  static readonly layer: Layer.Layer<Screen, never, Terminal.Terminal> = Layer.effect(
    Screen,
    Effect.gen(function* () {
      const terminal = yield* Terminal.Terminal
      const { canAnimate, canColor } = yield* TerminalCapabilities.TerminalCapabilities
      const show = (text: string) => Effect.ignore(terminal.display(text))
      return Screen.of({
        style: canColor ? Render.coloured : Render.plain,
        canAnimate,
        columns: Effect.map(terminal.columns, (columns) => Math.min(columns === 0 ? defaultColumns : columns, 100)),
        show,
        lines: (...lines) => show(lines.map((line) => `${line}\n`).join(""))
      })
    })
  )
}

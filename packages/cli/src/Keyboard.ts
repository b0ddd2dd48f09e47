/**
 * What a person types, a line at a time.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Readline from "node:readline"

/** A keyboard with a person at it. */
export class Keyboard extends Context.Service<
  Keyboard,
  {
    /** Asks for a line with `prompt` before it. None when the person wants to leave: Ctrl-C, or Ctrl-D on an empty line. */
    readonly ask: (prompt: string) => Effect.Effect<Option.Option<string>>
  }
>()("@effect-chatbot/cli/Keyboard") {
  /** The keyboard of the terminal this process runs on, see {@link make}. */
  static readonly layer: Layer.Layer<Keyboard> = Layer.sync(Keyboard, () => make(process.stdin, process.stdout))
}

/**
 * A keyboard with the line editor and the history of Node. Of several lines pasted at once each is one answer. While no line is asked for,
 * the terminal is as it was before, and Ctrl-C is a signal.
 */
export const make = (input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Keyboard["Service"] => {
  const ahead: Array<string> = []
  let history: Array<string> = []

  const ask = (prompt: string) =>
    Effect.callback<Option.Option<string>>((resume) => {
      const pasted = ahead.shift()
      if (pasted !== undefined) {
        output.write(`${prompt}${pasted}\n`)
        return resume(Effect.succeedSome(pasted))
      }
      const editor = Readline.createInterface({
        input,
        output,
        prompt,
        history,
        removeHistoryDuplicates: true,
        terminal: true
      })
      let isAnswered = false
      const answer = (line: Option.Option<string>) => {
        if (isAnswered) return
        isAnswered = true
        // The lines of one paste come at once; the editor must live until the last of them.
        setImmediate(() => {
          editor.close()
          if (Option.isNone(line)) output.write("\n")
          resume(Effect.succeed(line))
        })
      }
      editor.on("line", (line) => {
        if (isAnswered) ahead.push(line)
        else answer(Option.some(line))
      })
      editor.on("history", (lines) => {
        history = lines
      })
      editor.on("SIGINT", () => answer(Option.none()))
      editor.on("close", () => answer(Option.none()))
      // The terminal is gone.
      editor.on("error", () => answer(Option.none()))
      editor.prompt()
      return Effect.sync(() => {
        isAnswered = true
        editor.close()
      })
    })

  return { ask }
}

/**
 * What an answer is drawn from.
 */
import type { InformationSource } from "@effect-chatbot/schema/Chat"
import * as Option from "effect/Option"

const decode = Option.liftThrowable(decodeURIComponent)

/** The path of the file of a source, for `Chats.download`; nothing for a source without one. */
export const pathOf = ({ url }: InformationSource): string | undefined => {
  const path = url?.split(/[?#]/, 1)[0]?.split("/downloads/")[1]
  return path ? Option.getOrUndefined(decode(path)) : undefined
}

/**
 * What people say that is no question of its own: small talk, and questions that lean on one before.
 */
import type { Request } from "../CompletionProvider.ts"
import * as Words from "./Words.ts"

/** A greeting and the like. */
export type SmallTalk = "greeting" | "thanks" | "about" | "maker"

/** What kind of small talk a message is, if it is. */
export const smallTalk = (message: string): SmallTalk | undefined => {
  const words = Words.words(Words.truncate(message, 200))
  if (words.length === 0 || words.length > 8) return undefined
  const said = words.join(" ")
  if (
    /^(?:hi|hello|hey|hallo|greetings|howdy|welcome|good (?:morning|afternoon|evening|day))(?: (?:there|again|bot|all|everyone|you))*$/.test(
      said
    )
  ) {
    return "greeting"
  }
  if (
    /^(?:(?:ok|okay|great|perfect|super|cool|nice|wonderful|many|and|so|no) )*(?:thanks|thank you|thx|cheers|bye|goodbye)(?: (?:a lot|so much|very much|again|for (?:your|the) help|you|that|all|bye|and|goodbye))*$/.test(
      said
    )
  ) {
    return "thanks"
  }
  if (
    /^(?:(?:hi|hello|hey|so|and|please) )*(?:help(?: me)?|(?:who|what) are you|what (?:can|do) you (?:do|know|answer)(?: for me)?|what can i ask(?: you)?(?: about)?|how can you help(?: me)?|what (?:is|are) you for|introduce yourself|tell me about yourself)$/.test(
      said
    )
  ) {
    return "about"
  }
  if (
    /^(?:(?:hi|hello|hey|so|and|but) )*(?:who (?:wrote|made|built|created|developed|programmed|trained) (?:you|this bot)|are you (?:an? )?(?:real )?(?:ai|human|person|robot|bot|machine|computer|program|chatbot|chatgpt|gpt|llm|model|language model)|(?:what|which) (?:language |ai )?(?:model|llm|ai) (?:are you|do you use|is behind you))$/.test(
      said
    )
  ) {
    return "maker"
  }
  return undefined
}

/** The question this one leans on, and what was said since: the earlier questions of the chat back to the last that stands for itself. */
export const leanedOn = ({ history, userMessage }: Pick<Request, "history" | "userMessage">): ReadonlyArray<string> => {
  if (!Words.isFollowUp(userMessage)) return []
  const result: Array<string> = []
  for (const turn of history.slice(-4).toReversed()) {
    if (smallTalk(turn.userMessage) !== undefined) continue
    result.push(turn.userMessage)
    if (!Words.isFollowUp(turn.userMessage)) break
  }
  return result
}

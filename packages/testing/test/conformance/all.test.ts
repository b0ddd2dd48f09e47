import { checks } from "@effect-chatbot/testing/Conformance"
import { assert, describe, it } from "@effect/vitest"
import { operations } from "../../src/internal/conformance/operations.ts"
import { administrationBreaks } from "./administrationBreaks.ts"
import { commonBreaks } from "./commonBreaks.ts"
import { coreBreaks } from "./coreBreaks.ts"
import { idempotencyBreaks } from "./idempotencyBreaks.ts"
import { securityBreaks } from "./securityBreaks.ts"
import { streamingBreaks } from "./streamingBreaks.ts"
import { isSound } from "./World.ts"

const breaks = [
  ...commonBreaks,
  ...coreBreaks,
  ...administrationBreaks,
  ...streamingBreaks,
  ...idempotencyBreaks,
  ...securityBreaks
]

/** The operations that have a check of this fault. */
const checkedFor = (fault: string) =>
  checks.filter(({ id }) => id.endsWith(`/${fault}`)).map(({ operations: [name] }) => name)

const namesOf = (isMeant: (operation: (typeof operations)[number]) => boolean) =>
  operations.filter(isMeant).map(({ name }) => name)

describe("the rules that many operations have", () => {
  it("are checked of every one of them", () => {
    assert.sameMembers(
      checkedFor("answers-again-with-its-key"),
      namesOf(({ retry }) => retry === "keyed")
    )
    assert.sameMembers(
      checkedFor("refuses-other-tokens"),
      namesOf(() => true)
    )
    assert.sameMembers(
      checkedFor("needs-a-token"),
      namesOf(({ access }) => access !== "Anyone")
    )
    assert.sameMembers(
      checkedFor("is-for-admins"),
      namesOf(({ access }) => access === "Admin")
    )
    assert.sameMembers(
      checkedFor("hides-what-is-anothers"),
      namesOf(({ access, path }) => access !== "Admin" && /:(chatId|userSystemMessageId)\b/i.test(path))
    )
  })
})

describe("the breaks", () => {
  it.effect("are of a backend with nothing wrong", () => isSound)

  it("are all found, and have names of their own", () => {
    assert.strictEqual(new Set(breaks.map(({ name }) => name)).size, breaks.length)
    for (const { fails, name } of breaks) assert.isNotEmpty(fails, name)
  })

  it("show of every check that it can fail", () => {
    const failed = new Set(breaks.flatMap(({ fails }) => fails))
    assert.deepStrictEqual(
      checks.map(({ id }) => id).filter((id) => !failed.has(id)),
      []
    )
  })
})

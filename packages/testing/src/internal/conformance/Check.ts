import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Blocked, Skipped, Violation } from "./Failure.ts"
import type { Group } from "./Group.ts"
import type { OperationName } from "./operations.ts"
import type { Need, Target } from "./Target.ts"

/** The document that is published of the contract. */
export const contract = "AiChatBot.Api 1.0"

/** What the contract leaves open, and backends of this project have decided. */
export const decision = "Effect Chatbot"

/** Where a rule stands. */
export type Source =
  | typeof contract
  | typeof decision
  | `RFC ${number}`
  | `RFC ${number}, ${string}`
  | "WHATWG HTML, 9.2"

/** A rule of the contract, and how to see whether a backend keeps it. */
export interface Check {
  /** What is broken when it fails, as `chats.create/answers-its-id`: the operation that is to blame, and its fault. It stays the same over versions. */
  readonly id: `${OperationName}/${string}`
  readonly group: Group
  /** The operations that it is about, the one to blame first. */
  readonly operations: readonly [OperationName, ...ReadonlyArray<OperationName>]
  /** The rule, as a sentence. */
  readonly title: string
  readonly source: Source
  readonly needs: ReadonlyArray<Need>
  /** Whether no other check may run beside it. */
  readonly isAlone: boolean
  readonly run: Effect.Effect<void, Violation | Blocked | Skipped, Target | Scope.Scope>
}

/** What there is to say of a check beside its id. */
export interface Options {
  readonly title: string
  readonly source: Source
  /** Nothing by default. */
  readonly needs?: ReadonlyArray<Need> | undefined
  /** Other operations that it is about. */
  readonly also?: ReadonlyArray<OperationName> | undefined
  /** Whether no other check may run beside it. Default `false`. */
  readonly isAlone?: boolean | undefined
}

/** Makes the checks of a group. */
export const checksOf =
  (group: Group) =>
  (id: Check["id"], { also = [], isAlone = false, needs = [], source, title }: Options, run: Check["run"]): Check => ({
    id,
    group,
    operations: [id.slice(0, id.indexOf("/")) as OperationName, ...also],
    title,
    source,
    needs,
    isAlone,
    run
  })

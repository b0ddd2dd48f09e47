import { idempotencyBreaks } from "./idempotencyBreaks.ts"
import { finds } from "./World.ts"

finds("requests that are sent again", idempotencyBreaks)

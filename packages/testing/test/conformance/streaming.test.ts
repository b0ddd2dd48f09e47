import { streamingBreaks } from "./streamingBreaks.ts"
import { finds } from "./World.ts"

finds("answers as events", streamingBreaks)
